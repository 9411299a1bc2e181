/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/ledger-line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"

struct ledger_line *ledger_line_new(uint64_t number, const void *text, size_t n, int64_t now)
{
	if (n > SIZE_MAX / 4)
		return NULL;
	struct ledger_line *e = calloc(1, sizeof(*e) + LEDGER_TAG_SIZE + n);
	if (!e)
		return NULL;
	if (n)
		memcpy(e->bytes + LEDGER_TAG_SIZE, text, n);
	e->row.number = number;
	e->row.fate = FATE_QUEUED;
	e->row.typed_at = now;
	e->row.text = e->bytes + LEDGER_TAG_SIZE;
	e->row.length = n;
	return e;
}

void ledger_line_free(struct ledger_line *e)
{
	for (int i = 0; i < LINE_LISTS; i++)
		ledger_line_leave(e, i);
	free(e->reply);
	free(e);
}

void ledger_line_set_tag(struct ledger_line *e, uint64_t tag)
{
	char text[LEDGER_TAG_SIZE + 1];
	e->tag_length = (size_t)snprintf(text, sizeof(text), "#%" PRIu64 " ", tag);
	memcpy(e->bytes + LEDGER_TAG_SIZE - e->tag_length, text, e->tag_length);
	e->row.tag = tag;
}

const unsigned char *ledger_line_wire(const struct ledger_line *e)
{
	return e->row.text - e->tag_length;
}

size_t ledger_line_wire_length(const struct ledger_line *e)
{
	return e->tag_length + e->row.length;
}

/* How far ASCII in `wire` is the same as `caps`, in capitals. */
static size_t ascii_run(const unsigned char *wire, const unsigned char *caps, size_t n)
{
	size_t k = 0;
	while (k < n && wire[k] < 0x80 &&
	       (wire[k] >= 'a' && wire[k] <= 'z' ? wire[k] - 'a' + 'A' : wire[k]) == caps[k])
		k++;
	return k;
}

/* Byte by byte, so that every place where a server may have cut the line is looked at; it ends at
 * the first difference. */
bool ledger_line_cut_short(const struct ledger_line *e, const unsigned char *caps, size_t n)
{
	const unsigned char *wire = ledger_line_wire(e);
	const size_t length = ledger_line_wire_length(e);
	struct capitals stream = { .held = 0 };
	unsigned char out[CAPITALS_GROWTH * (1 + CAPITALS_HELD)];
	size_t done = ascii_run(wire, caps, n < length ? n : length);

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
		bool cut_here = left == 0 || (left == stream.held &&
		                                 memcmp(caps + done, stream.part, left) == 0);
		if (cut_here && k + 1 < length)
			return true;
	}
	return false;
}

void ledger_line_leave(struct ledger_line *e, enum line_list_kind link)
{
	struct line_list_place *p = &e->place[link];
	if (!p->in)
		return;
	if (p->previous)
		p->previous->place[link].next = p->next;
	else
		p->in->first = p->next;
	if (p->next)
		p->next->place[link].previous = p->previous;
	else
		p->in->last = p->previous;
	*p = (struct line_list_place){ .in = NULL };
}

void ledger_line_insert(struct line_list *list, struct ledger_line *next, struct ledger_line *e,
    enum line_list_kind link)
{
	ledger_line_leave(e, link);
	struct ledger_line *previous = next ? next->place[link].previous : list->last;
	e->place[link] = (struct line_list_place){ .in = list, .previous = previous, .next = next };
	if (previous)
		previous->place[link].next = e;
	else
		list->first = e;
	if (next)
		next->place[link].previous = e;
	else
		list->last = e;
}

void ledger_line_append(struct line_list *list, struct ledger_line *e, enum line_list_kind link)
{
	ledger_line_insert(list, NULL, e, link);
}
