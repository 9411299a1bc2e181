/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets on their way, in the order in which they leave. Bounded in memory. */
#ifndef UPCASE_DELAY_QUEUE_H
#define UPCASE_DELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest, head and all: the capitals of a datagram and what is known of it. */
#define DELAY_QUEUE_LONGEST ((size_t)256 << 10)

struct delayed_packet {
	/* When it leaves, ns. */
	int64_t at;
	/* Which packet of its direction it is, from 1, and of the link. */
	uint64_t number, serial;
	/* Not the packet itself but its second copy; damaged. */
	bool copy, damaged;
	/* delay-queue.c's own. */
	bool whole;
	/* Of its head and its bytes. */
	int size;
};

/* Opaque. */
struct delay_queue;

/* All that it will ever take are `max` bytes, 1 MiB or more, in one piece, of which the system
 * gives what is used. NULL when memory runs out. */
struct delay_queue *delay_queue_new(size_t max);
/* NULL is allowed. */
void delay_queue_free(struct delay_queue *p);

/* A copy of the packet that leaves at `at`, after those with the same time that were added before:
 * a head of `head_size` bytes, which may be 0, and `n` more. The caller fills in the rest. NULL
 * when there is no room. */
struct delayed_packet *delay_queue_add(struct delay_queue *p, int64_t at, const void *head,
    size_t head_size, const void *bytes, size_t n);

/* The one that leaves next, or NULL. It stays. */
struct delayed_packet *delay_queue_first(const struct delay_queue *p);
/* Its head and its bytes one behind the other, aligned as by malloc(), until the next call that
 * changes the order. */
void *delay_queue_bytes(struct delay_queue *p);
/* Removes the one that delay_queue_first() returns; it is no longer to be used. */
void delay_queue_remove_first(struct delay_queue *p);

/* Whether `copies` of a packet can be added. */
bool delay_queue_has_room(const struct delay_queue *p, size_t size, int copies);

size_t delay_queue_count(const struct delay_queue *p);

#endif
