/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets on their way, in the order in which they leave. Bounded in memory. */
#ifndef UPCASE_PARCELS_H
#define UPCASE_PARCELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest, head and all: the capitals of a datagram and what is known of it. */
#define PARCELS_LONGEST ((size_t) 256 << 10)

struct parcel {
	/* When it leaves, ns. */
	int64_t at;
	/* Which packet of its direction it is, from 1, and of the link. */
	uint64_t number, serial;
	/* Not the packet itself but its second copy; damaged. */
	bool copy, damaged;
	/* parcels.c's own. */
	bool whole;
	/* Of its head and its bytes. */
	int size;
};

/* Opaque. */
struct parcels;

/* All that it will ever take are `most` bytes, 1 MiB or more, in one piece, of which the system gives what is used. NULL when
 * memory runs out. */
struct parcels *parcels_new(size_t most);
/* NULL is allowed. */
void parcels_free(struct parcels *p);

/* A copy of the packet that leaves at `at`, after those with the same time that were added before: a head of `head_size` bytes,
 * which may be 0, and `n` more. The caller fills in the rest. NULL when there is no room. */
struct parcel *parcels_add(struct parcels *p, int64_t at, const void *head, size_t head_size, const void *bytes, size_t n);

/* The one that leaves next, or NULL. It stays. */
struct parcel *parcels_first(const struct parcels *p);
/* Its head and its bytes one behind the other, aligned as by malloc(), until the next call that changes the order. */
void *parcels_bytes(struct parcels *p);
/* Removes the one that parcels_first() returns; it is no longer to be used. */
void parcels_drop_first(struct parcels *p);

/* Whether `copies` of a packet can be added. */
bool parcels_have_room(const struct parcels *p, size_t size, int copies);

size_t parcels_count(const struct parcels *p);

#endif
