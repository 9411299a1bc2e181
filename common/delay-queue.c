/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One piece of memory is cut into cells, of which a packet takes a chain: what it costs is known beforehand, what comes and goes
 * leaves no holes that are too small, and nothing is allocated on the way. Cells that lie one behind the other are mostly given
 * out so again, and then the packet is whole and need not be put together. The order is a binary heap by time, and by arrival among
 * equal times. Its entries carry the time, so that sifting does not touch the cells. */
#include "config.h"

#include "common/delay-queue.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A small packet takes one, also with what the server knows of it; a full one of an Ethernet six. */
#define CELL 256
#define NONE UINT32_MAX
/* Cells that the system need not get back when none is in use: 8 MiB. */
#define KEPT ((8u << 20) / CELL)

struct entry {
	int64_t at;
	/* Compared by difference: there are never so many at once that it could come round. */
	uint32_t order, cell;
};

struct parcels {
	/* Of all of it, and where the cells begin, at a page. */
	size_t size, begin;
	uint8_t (*cells)[CELL];
	struct entry *heap;
	/* Of each cell: the next one of the same packet, or of those that are free. */
	uint32_t *next;
	/* Cells in all and in use; those that were in use since there was no packet, and the first free one of these or NONE; those
	 * that the system has given. */
	uint32_t room, used, begun, spare, touched;
	uint32_t count, added;
	/* The first cell of the packet whose copy in one piece is in `flat`, or NONE. */
	uint32_t flat_of;
	_Alignas(16) uint8_t flat[sizeof(struct parcel) + PARCELS_LONGEST + CELL];
};

struct parcels *parcels_new(size_t most)
{
	const size_t page = (size_t) sysconf(_SC_PAGESIZE);
	struct parcels *p = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p->size = most;
	p->begin = (sizeof *p + page - 1) / page * page;
	p->room = (uint32_t) ((most - p->begin) / (sizeof *p->cells + sizeof *p->heap + sizeof *p->next));
	p->cells = (void *) ((uint8_t *) p + p->begin);
	p->heap = (void *) (p->cells + p->room);
	p->next = (void *) (p->heap + p->room);
	p->spare = p->flat_of = NONE;
	return p;
}

void parcels_free(struct parcels *p)
{
	if (p)
		munmap(p, p->size);
}

static uint32_t take_cell(struct parcels *p)
{
	const uint32_t cell = p->spare;

	p->used++;
	if (cell != NONE) {
		p->spare = p->next[cell];
		return cell;
	}
	p->touched += p->begun == p->touched;
	return p->begun++;
}

static bool before(const struct entry *a, const struct entry *b)
{
	return a->at < b->at || (a->at == b->at && (int32_t) (a->order - b->order) < 0);
}

static void sift_up(struct entry *heap, size_t i)
{
	struct entry moving = heap[i];

	while (i > 0 && before(&moving, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = moving;
}

static void sift_down(struct entry *heap, size_t count)
{
	struct entry moving = heap[0];
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
	return (sizeof(struct parcel) + size + CELL - 1) / CELL;
}

bool parcels_have_room(const struct parcels *p, size_t size, int copies)
{
	return size <= PARCELS_LONGEST && (size_t) copies * cells_of(size) <= p->room - p->used;
}

/* A chain of so many; says whether they lie one behind the other. Returns the first. */
static uint32_t take_cells(struct parcels *p, size_t cells, bool *whole)
{
	const uint32_t first = take_cell(p);

	*whole = true;
	for (uint32_t cell = first; --cells > 0; cell = p->next[cell]) {
		p->next[cell] = take_cell(p);
		*whole &= p->next[cell] == cell + 1;
	}
	return first;
}

struct parcel *parcels_add(struct parcels *p, int64_t at, const void *head, size_t head_size, const void *bytes, size_t n)
{
	const size_t cells = cells_of(head_size + n);
	bool whole;

	if (!parcels_have_room(p, head_size + n, 1))
		return NULL;
	const uint32_t first = take_cells(p, cells, &whole);
	uint8_t *to = whole ? p->cells[first] : p->flat;
	*(struct parcel *) to = (struct parcel) { .at = at, .whole = whole, .size = (int) (head_size + n) };
	if (head_size)
		memcpy(to + sizeof(struct parcel), head, head_size);
	memcpy(to + sizeof(struct parcel) + head_size, bytes, n);
	if (!whole) {
		p->flat_of = NONE;
		for (uint32_t i = 0, cell = first; i < cells; i++, cell = p->next[cell])
			memcpy(p->cells[cell], p->flat + i * CELL, CELL);
	}
	p->heap[p->count] = (struct entry) { at, p->added++, first };
	sift_up(p->heap, p->count++);
	return (struct parcel *) p->cells[first];
}

struct parcel *parcels_first(const struct parcels *p)
{
	return p->count ? (struct parcel *) p->cells[p->heap[0].cell] : NULL;
}

void *parcels_bytes(struct parcels *p)
{
	const uint32_t first = p->heap[0].cell;
	const size_t cells = cells_of((size_t) parcels_first(p)->size);

	if (parcels_first(p)->whole)
		return p->cells[first] + sizeof(struct parcel);
	for (uint32_t i = 0, cell = first; i < cells && p->flat_of != first; i++, cell = p->next[cell])
		memcpy(p->flat + i * CELL, p->cells[cell], CELL);
	p->flat_of = first;
	return p->flat + sizeof(struct parcel);
}

void parcels_drop_first(struct parcels *p)
{
	const uint32_t first = p->heap[0].cell;
	const size_t cells = cells_of((size_t) parcels_first(p)->size);
	uint32_t last = first;

	for (size_t i = 1; i < cells; i++)
		last = p->next[last];
	p->next[last] = p->spare;
	p->spare = first;
	p->used -= (uint32_t) cells;
	p->flat_of = NONE;
	p->heap[0] = p->heap[--p->count];
	if (p->count > 0) {
		sift_down(p->heap, p->count);
		return;
	}
	p->begun = 0;
	p->spare = NONE;
	if (p->touched > KEPT) {
		madvise((uint8_t *) p + p->begin, p->size - p->begin, MADV_DONTNEED);
		p->touched = 0;
	}
}

size_t parcels_count(const struct parcels *p)
{
	return p->count;
}
