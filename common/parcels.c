/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A binary heap by time, and by arrival among equal times. The entries carry the time, so that sifting does not
 * touch the parcels. Parcels of up to a usual MTU come from a list of spare ones: a link at full rate would
 * else spend its time in malloc(). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "parcels.h"

#define USUAL 2048
/* Spare parcels that are kept: 8 MB. */
#define SPARES 4096
/* What a parcel takes besides its packet. */
#define OVERHEAD 64

struct entry {
	int64_t at;
	uint64_t order;
	struct parcel *parcel;
};

struct spare {
	struct spare *next;
};

struct parcels {
	struct entry *heap;
	size_t count, room;
	/* How many have been added. */
	uint64_t added;
	/* Bytes in use and allowed. */
	size_t bytes, most;
	struct spare *spare;
	size_t spares;
};

struct parcels *parcels_new(size_t most)
{
	struct parcels *p = calloc(1, sizeof *p);
	if (p)
		p->most = most;
	return p;
}

void parcels_free(struct parcels *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		free(p->heap[i].parcel);
	while (p->spare) {
		struct spare *next = p->spare->next;
		free(p->spare);
		p->spare = next;
	}
	free(p->heap);
	free(p);
}

static struct parcel *take_room(struct parcels *p, int size)
{
	if (size > USUAL)
		return malloc(sizeof(struct parcel) + (size_t) size);
	if (!p->spare)
		return malloc(sizeof(struct parcel) + USUAL);
	struct spare *spare = p->spare;
	p->spare = spare->next;
	p->spares--;
	return (struct parcel *) spare;
}

static void give_room(struct parcels *p, struct parcel *parcel)
{
	if (parcel->size > USUAL || p->spares == SPARES) {
		free(parcel);
		return;
	}
	struct spare *spare = (struct spare *) parcel;
	spare->next = p->spare;
	p->spare = spare;
	p->spares++;
}

static bool before(const struct entry *a, const struct entry *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
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

static size_t cost(int size)
{
	return (size_t) size + OVERHEAD;
}

bool parcels_have_room(const struct parcels *p, int size, int copies)
{
	return p->bytes + (size_t) copies * cost(size) <= p->most;
}

struct parcel *parcels_add(struct parcels *p, int64_t at, const void *bytes, int size)
{
	if (!parcels_have_room(p, size, 1) || grow_list(&p->heap, &p->room, p->count + 1, sizeof *p->heap) < 0)
		return NULL;
	struct parcel *parcel = take_room(p, size);
	if (!parcel)
		return NULL;
	*parcel = (struct parcel) { .at = at, .size = size };
	if (bytes)
		memcpy(parcel->bytes, bytes, (size_t) size);
	p->heap[p->count] = (struct entry) { at, p->added++, parcel };
	sift_up(p->heap, p->count++);
	p->bytes += cost(size);
	return parcel;
}

struct parcel *parcels_first(const struct parcels *p)
{
	return p->count ? p->heap[0].parcel : NULL;
}

void parcels_drop_first(struct parcels *p)
{
	struct parcel *parcel = p->heap[0].parcel;

	p->bytes -= cost(parcel->size);
	give_room(p, parcel);
	p->heap[0] = p->heap[--p->count];
	if (p->count > 0)
		sift_down(p->heap, p->count);
}

size_t parcels_count(const struct parcels *p)
{
	return p->count;
}
