/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delayed packets in the order in which they leave. Bounded in memory. */
#ifndef UPCASE_COMMON_DELAY_QUEUE_H
#define UPCASE_COMMON_DELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest packet with its head: the capitals of a datagram and the server's head. */
#define DELAY_QUEUE_LONGEST ((size_t)256 << 10)

struct delayed_packet {
	/* When it leaves, ns. */
	int64_t at;
	/* The number of the packet in its direction, from 1, and in the link. */
	uint64_t number, serial;
	/* It is the second copy; it is corrupted. */
	bool copy, damaged;
	/* Private to delay-queue.c. */
	bool whole;
	/* The size of its head and its bytes. */
	int size;
};

struct delay_queue;

/* Makes a queue of at most `max` bytes, 1 MiB or more, in one mapping, of which the system gives
 * the pages in use. Returns NULL when memory runs out. */
struct delay_queue *delay_queue_new(size_t max);
/* NULL is allowed. */
void delay_queue_free(struct delay_queue *q);

/* Adds a packet that leaves at packet->at, after earlier ones of the same time: a copy of
 * `*packet`, whose size is set here, of a head of `head_size` bytes, which may be 0, and of `n`
 * more. Returns false when there is no room. */
bool delay_queue_add(struct delay_queue *q, const struct delayed_packet *packet, const void *head,
    size_t head_size, const void *bytes, size_t n);

/* The packet that leaves next, or NULL. It stays in the queue. */
struct delayed_packet *delay_queue_first(const struct delay_queue *q);
/* The head and the bytes of that packet one behind the other, aligned as by malloc(), until the
 * next call that changes the queue. */
void *delay_queue_bytes(struct delay_queue *q);
/* Removes that packet; its pointer is invalid then. */
void delay_queue_remove_first(struct delay_queue *q);

/* Whether `copies` of a packet can be added. */
bool delay_queue_has_room(const struct delay_queue *q, size_t size, int copies);

size_t delay_queue_count(const struct delay_queue *q);

#endif
