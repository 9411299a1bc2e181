/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A binary heap by time, then by arrival. Its entries have the time: sifting touches no packets. */
#include "common/delay-queue.h"

#include <stdalign.h>

#include "common/grow.h"
#include "common/os.h"

/* malloc() gives multiples of ALIGNMENT, with HEADER bytes of its own in them. */
#define ALIGNMENT alignof(max_align_t)
#define HEADER sizeof(size_t)
/* The most bytes whose memory is kept when the queue is empty. */
#define KEPT (8u << 20)

struct heap_entry {
	int64_t at;
	/* Compared by difference: the queue never holds enough entries to wrap around. */
	uint32_t order;
	struct delayed_packet *packet;
};

struct delay_queue {
	/* The most bytes; those in use, and the most since the queue was empty. */
	size_t max, used, peak;
	struct heap_entry *heap;
	size_t capacity, count;
	uint32_t added;
};

struct delay_queue *delay_queue_new(size_t max)
{
	struct delay_queue *q = calloc(1, sizeof *q);

	if (q)
		q->max = max;
	return q;
}

void delay_queue_free(struct delay_queue *q)
{
	if (!q)
		return;
	while (q->count > 0)
		free(q->heap[--q->count].packet);
	free(q->heap);
	free(q);
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->at < b->at || (a->at == b->at && (int32_t)(a->order - b->order) < 0);
}

static void sift_up(struct heap_entry *heap, size_t i)
{
	struct heap_entry moving = heap[i];

	while (i > 0 && before(&moving, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = moving;
}

static void sift_down(struct heap_entry *heap, size_t count)
{
	struct heap_entry moving = heap[0];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &moving))
			break;
		heap[i] = heap[child];
	}
	heap[i] = moving;
}

/* The memory that a packet of `size` bytes takes. */
static size_t cost(size_t size)
{
	const size_t n = HEADER + sizeof(struct delayed_packet) + size;

	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + sizeof(struct heap_entry);
}

bool delay_queue_has_room(const struct delay_queue *q, size_t size, int copies)
{
	return (size_t)copies * cost(size) <= q->max - q->used;
}

void *delay_queue_add(struct delay_queue *q, const struct delayed_packet *packet)
{
	struct delayed_packet *copy = NULL;

	if (delay_queue_has_room(q, packet->size, 1) &&
	    grow_list(&q->heap, &q->capacity, q->count + 1, sizeof *q->heap) == 0)
		copy = malloc(sizeof *copy + packet->size);
	if (!copy)
		return NULL;
	*copy = *packet;
	q->used += cost(packet->size);
	q->peak = q->used > q->peak ? q->used : q->peak;
	q->heap[q->count] = (struct heap_entry){ packet->at, q->added++, copy };
	sift_up(q->heap, q->count++);
	return copy->bytes;
}

struct delayed_packet *delay_queue_first(const struct delay_queue *q)
{
	return q->count ? q->heap[0].packet : NULL;
}

void delay_queue_remove_first(struct delay_queue *q)
{
	struct delayed_packet *first = q->heap[0].packet;

	q->used -= cost(first->size);
	free(first);
	q->heap[0] = q->heap[--q->count];
	if (q->count > 0) {
		sift_down(q->heap, q->count);
	} else if (q->peak > KEPT) {
		free(q->heap);
		q->heap = NULL;
		q->capacity = q->peak = 0;
		os_trim_memory();
	}
}

size_t delay_queue_count(const struct delay_queue *q)
{
	return q->count;
}
