/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory is one mapping cut into cells; a packet takes a chain of them. So its size is bounded,
 * it does not fragment, and no packet is allocated. Most chains are adjacent cells, so that the
 * packet need not be copied into one piece. The order is a binary heap by time, and by arrival
 * among equal times. Its entries have the time, so that sifting does not touch the cells. */
#include "config.h"

#include "common/delay-queue.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A small packet takes one cell, also with the server's head; a packet of 1,500 bytes takes six. */
#define CELL 256
#define NONE UINT32_MAX
/* Cells that are not given back to the system when the queue is empty: 8 MiB. */
#define KEPT ((8u << 20) / CELL)

struct heap_entry {
	int64_t at;
	/* Compared by difference: the queue never holds enough entries to wrap around. */
	uint32_t order, cell;
};

struct delay_queue {
	/* The size of the mapping, and where the cells begin, at a page. */
	size_t size, begin;
	uint8_t (*cells)[CELL];
	struct heap_entry *heap;
	/* By cell: the next cell of the packet, or the next free one. */
	uint32_t *next;
	/* All cells; those in use; those used since the queue was empty; the first free one of
	 * these or NONE; those that the system has given. */
	uint32_t capacity, used, begun, spare, touched;
	uint32_t count, added;
	/* The first cell of the packet whose copy in one piece is in `flat`, or NONE. */
	uint32_t flat_of;
	_Alignas(16) uint8_t flat[sizeof(struct delayed_packet) + DELAY_QUEUE_LONGEST + CELL];
};

struct delay_queue *delay_queue_new(size_t max)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct delay_queue *q = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	if (q == MAP_FAILED)
		return NULL;
	q->size = max;
	q->begin = (sizeof *q + page - 1) / page * page;
	q->capacity = (uint32_t)((max - q->begin) /
	                         (sizeof *q->cells + sizeof *q->heap + sizeof *q->next));
	q->cells = (void *)((uint8_t *)q + q->begin);
	q->heap = (void *)(q->cells + q->capacity);
	q->next = (void *)(q->heap + q->capacity);
	q->spare = q->flat_of = NONE;
	return q;
}

void delay_queue_free(struct delay_queue *q)
{
	if (q)
		munmap(q, q->size);
}

static uint32_t take_cell(struct delay_queue *q)
{
	const uint32_t cell = q->spare;

	q->used++;
	if (cell != NONE) {
		q->spare = q->next[cell];
		return cell;
	}
	q->touched += q->begun == q->touched;
	return q->begun++;
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

static size_t cells_of(size_t size)
{
	return (sizeof(struct delayed_packet) + size + CELL - 1) / CELL;
}

bool delay_queue_has_room(const struct delay_queue *q, size_t size, int copies)
{
	return size <= DELAY_QUEUE_LONGEST &&
	       (size_t)copies * cells_of(size) <= q->capacity - q->used;
}

/* Takes a chain of cells; `whole`: they are adjacent. Returns the first. */
static uint32_t take_cells(struct delay_queue *q, size_t cells, bool *whole)
{
	const uint32_t first = take_cell(q);

	*whole = true;
	for (uint32_t cell = first; --cells > 0; cell = q->next[cell]) {
		q->next[cell] = take_cell(q);
		*whole &= q->next[cell] == cell + 1;
	}
	return first;
}

bool delay_queue_add(struct delay_queue *q, const struct delayed_packet *packet, const void *head,
    size_t head_size, const void *bytes, size_t n)
{
	const size_t cells = cells_of(head_size + n);
	bool whole;

	if (!delay_queue_has_room(q, head_size + n, 1))
		return false;
	const uint32_t first = take_cells(q, cells, &whole);
	uint8_t *to = whole ? q->cells[first] : q->flat;
	struct delayed_packet *copy = (struct delayed_packet *)to;
	*copy = *packet;
	copy->whole = whole;
	copy->size = (int)(head_size + n);
	if (head_size)
		memcpy(to + sizeof(struct delayed_packet), head, head_size);
	memcpy(to + sizeof(struct delayed_packet) + head_size, bytes, n);
	if (!whole) {
		q->flat_of = NONE;
		for (uint32_t i = 0, cell = first; i < cells; i++, cell = q->next[cell])
			memcpy(q->cells[cell], q->flat + i * CELL, CELL);
	}
	q->heap[q->count] = (struct heap_entry){ packet->at, q->added++, first };
	sift_up(q->heap, q->count++);
	return true;
}

struct delayed_packet *delay_queue_first(const struct delay_queue *q)
{
	return q->count ? (struct delayed_packet *)q->cells[q->heap[0].cell] : NULL;
}

void *delay_queue_bytes(struct delay_queue *q)
{
	const uint32_t first = q->heap[0].cell;
	const size_t cells = cells_of((size_t)delay_queue_first(q)->size);

	if (delay_queue_first(q)->whole)
		return q->cells[first] + sizeof(struct delayed_packet);
	for (uint32_t i = 0, cell = first; i < cells && q->flat_of != first;
	    i++, cell = q->next[cell])
		memcpy(q->flat + i * CELL, q->cells[cell], CELL);
	q->flat_of = first;
	return q->flat + sizeof(struct delayed_packet);
}

void delay_queue_remove_first(struct delay_queue *q)
{
	const uint32_t first = q->heap[0].cell;
	const size_t cells = cells_of((size_t)delay_queue_first(q)->size);
	uint32_t last = first;

	for (size_t i = 1; i < cells; i++)
		last = q->next[last];
	q->next[last] = q->spare;
	q->spare = first;
	q->used -= (uint32_t)cells;
	q->flat_of = NONE;
	q->heap[0] = q->heap[--q->count];
	if (q->count > 0) {
		sift_down(q->heap, q->count);
		return;
	}
	q->begun = 0;
	q->spare = NONE;
	if (q->touched > KEPT) {
		madvise((uint8_t *)q + q->begin, q->size - q->begin, MADV_DONTNEED);
		q->touched = 0;
	}
}

size_t delay_queue_count(const struct delay_queue *q)
{
	return q->count;
}
