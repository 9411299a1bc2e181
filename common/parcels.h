/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets on their way, in the order in which they leave. Bounded in bytes. */
#ifndef UPCASE_PARCELS_H
#define UPCASE_PARCELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parcel {
	/* When it leaves, ns. */
	int64_t at;
	/* Which packet of its direction it is, from 1, and of the link. */
	uint64_t number, serial;
	/* Not the packet itself but its second copy; damaged. */
	bool copy, damaged;
	int size;
	/* Aligned as malloc() aligns. */
	_Alignas(16) uint8_t bytes[];
};

/* Opaque. */
struct parcels;

/* Room for parcels of `most` bytes in all, packets counted whole. NULL when memory runs out. */
struct parcels *parcels_new(size_t most);
void parcels_free(struct parcels *p);

/* A copy of the packet that leaves at `at`, after those with the same time that were added before. The caller
 * fills in the rest, and the bytes themselves when `bytes` is NULL. NULL when there is no room. */
struct parcel *parcels_add(struct parcels *p, int64_t at, const void *bytes, int size);

/* The one that leaves next, or NULL. It stays. */
struct parcel *parcels_first(const struct parcels *p);
/* Removes the one that parcels_first() returns; it is no longer to be used. */
void parcels_drop_first(struct parcels *p);

/* Whether `copies` of a packet can be added. */
bool parcels_have_room(const struct parcels *p, int size, int copies);

size_t parcels_count(const struct parcels *p);

#endif
