/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delayed packets in the order in which they leave. Bounded in memory. */
#pragma once

struct delayed_packet {
	/* When it leaves, ns. */
	int64_t at;
	/* The number of the packet in its direction, from 1, and in the link. */
	uint64_t number, serial;
	/* It is the second copy; it is corrupted. */
	bool copy, damaged;
	size_t size;
	_Alignas(max_align_t) uint8_t bytes[];
};

struct delay_queue;

/* Makes a queue of at most `max` bytes. Returns NULL when memory runs out. */
struct delay_queue *delay_queue_new(size_t max);
/* NULL is allowed. */
void delay_queue_free(struct delay_queue *q);

/* Adds a copy of `*packet`, which leaves after earlier ones of the same time. Returns its `bytes`,
 * which the caller fills; NULL when there is no room. */
void *delay_queue_add(struct delay_queue *q, const struct delayed_packet *packet);

/* The packet that leaves next, or NULL. It stays in the queue until delay_queue_remove_first(). */
struct delayed_packet *delay_queue_first(const struct delay_queue *q);
void delay_queue_remove_first(struct delay_queue *q);

/* Whether `copies` of a packet can be added. */
bool delay_queue_has_room(const struct delay_queue *q, size_t size, int copies);

size_t delay_queue_count(const struct delay_queue *q);
