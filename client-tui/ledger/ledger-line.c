/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/ledger-line.h"

#include "common/capitals.h"
#include "common/search.h"

/* A block has room for some 40 lines; an entry of more than a quarter of it has its own memory. */
#define BLOCK_SIZE (16 * 1024)

void ledger_block_release(struct ledger_block *block)
{
	if (block && --block->users == 0)
		free(block);
}

/* Memory in a block, aligned for entries. */
static struct ledger_line *cut_off(struct ledger_block **block, size_t size)
{
	struct ledger_block *b = *block;
	struct ledger_line *e;

	size += -size % _Alignof(struct ledger_line);
	if (!b || size > BLOCK_SIZE - b->used) {
		b = malloc(sizeof(*b) + BLOCK_SIZE);
		if (!b)
			return NULL;
		ledger_block_release(*block);
		*block = b;
		b->users = 1;
		b->used = 0;
	}
	e = (struct ledger_line *)(void *)(b->bytes + b->used);
	b->used += size;
	b->users++;
	return e;
}

struct ledger_line *ledger_line_new(struct ledger_block **block, uint64_t number, const void *text,
    size_t n, int64_t now)
{
	const size_t size = sizeof(struct ledger_line) + LEDGER_TAG_SIZE + n;
	struct ledger_line *e;

	if (n > SIZE_MAX / 4)
		return NULL;
	if (size > BLOCK_SIZE / 4)
		block = NULL;
	e = block ? cut_off(block, size) : malloc(size);
	if (!e)
		return NULL;
	*e = (struct ledger_line){ .row = { .number = number,
		                       .fate = FATE_QUEUED,
		                       .typed_at = now,
		                       .text = e->bytes + LEDGER_TAG_SIZE,
		                       .length = n },
		.block = block ? *block : NULL };
	if (n)
		memcpy(e->bytes + LEDGER_TAG_SIZE, text, n);
	return e;
}

void ledger_line_free(struct ledger_line *e)
{
	for (int i = 0; i < LINE_LISTS; i++)
		ledger_line_remove(e, i);
	free(e->reply);
	if (e->block)
		ledger_block_release(e->block);
	else
		free(e);
}

void ledger_line_set_tag(struct ledger_line *e, uint64_t tag)
{
	char text[LEDGER_TAG_SIZE + 1];
	e->tag_length = (size_t)snprintf(text, sizeof(text), "#%" PRIu64 " ", tag);
	memcpy(e->bytes + LEDGER_TAG_SIZE - e->tag_length, text, e->tag_length);
	e->row.tag = tag;
}

/* Compares byte by byte, since a server may have cut the line anywhere. */
bool ledger_line_cut_short(const struct ledger_line *e, const unsigned char *caps, size_t n)
{
	const unsigned char *wire = ledger_line_wire(e);
	const size_t length = ledger_line_wire_length(e);
	struct capitals stream = { .part_length = 0 };
	unsigned char out[CAPITALS_GROWTH * (1 + CAPITALS_PART_MAX)];
	size_t done = capitals_ascii(wire, caps, n < length ? n : length);

	if (done == n || done == length || wire[done] < 0x80)
		return n > 0 && done == n && n < length;
	for (size_t k = done; k < length; k++) {
		size_t made = capitals_feed(&stream, wire + k, 1, out);
		size_t left = n - done;
		if (memcmp(caps + done, out, made < left ? made : left) != 0)
			return false;
		if (made > left)
			return true;
		done += made;
		left -= made;
		bool cut_here = left == 0 || (left == stream.part_length &&
		                                 memcmp(caps + done, stream.part, left) == 0);
		if (cut_here && k + 1 < length)
			return true;
	}
	return false;
}

void ledger_line_remove(struct ledger_line *e, enum line_list_kind link)
{
	struct line_list_place *p = &e->place[link];

	if (!p->in)
		return;
	*(p->previous ? &p->previous->place[link].next : &p->in->first) = p->next;
	*(p->next ? &p->next->place[link].previous : &p->in->last) = p->previous;
	*p = (struct line_list_place){ .in = NULL };
}

void ledger_line_insert(struct line_list *list, struct ledger_line *next, struct ledger_line *e,
    enum line_list_kind link)
{
	ledger_line_remove(e, link);
	struct ledger_line *previous = next ? next->place[link].previous : list->last;
	e->place[link] = (struct line_list_place){ .in = list, .previous = previous, .next = next };
	*(previous ? &previous->place[link].next : &list->first) = e;
	*(next ? &next->place[link].previous : &list->last) = e;
}

/* ---- the ring ---- */

static struct ledger_line **slot(const struct ledger_lines *l, size_t index)
{
	return &l->slots[(l->head + index) & (l->capacity - 1)];
}

/* Numbers mostly follow one another: tries first the index that the number has if none is missing.
 */
size_t ledger_lines_index(const struct ledger_lines *l, uint64_t number)
{
	uint64_t first, guess;
	size_t i;

	if (l->count == 0 || number <= (first = ledger_lines_at(l, 0)->row.number))
		return 0;
	guess = number - first;
	if (guess < l->count && ledger_lines_at(l, (size_t)guess)->row.number == number)
		return (size_t)guess;
	SEARCH_FIRST(i, 0, l->count, ledger_lines_at(l, i)->row.number >= number);
	return i;
}

struct ledger_line *ledger_lines_find(const struct ledger_lines *l, uint64_t number)
{
	size_t i = ledger_lines_index(l, number);
	if (i == l->count || ledger_lines_at(l, i)->row.number != number)
		return NULL;
	return ledger_lines_at(l, i);
}

struct ledger_line *ledger_lines_take(struct ledger_lines *l, size_t index)
{
	struct ledger_line *e = ledger_lines_at(l, index);
	/* The shorter side closes up. */
	if (index < l->count / 2) {
		for (; index > 0; index--)
			*slot(l, index) = *slot(l, index - 1);
		l->head = (l->head + 1) & (l->capacity - 1);
	} else {
		for (; index + 1 < l->count; index++)
			*slot(l, index) = *slot(l, index + 1);
	}
	l->count--;
	return e;
}
