/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two rings of fixed size, whose serials count what was ever added: items, and arrivals. Each transport has a third one beside
 * them, which says where its arrivals stand among all. They go in the order in which they came, so one of a transport that goes is
 * always its oldest. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"

/* The arrivals of one transport: the serials that they have among all. */
struct own {
	uint64_t *serials;
	uint64_t first, end;
};

struct board {
	size_t capacity;
	struct board_item *items;
	struct board_arrival *arrivals;
	/* Serials: the oldest kept, and the next. */
	uint64_t first, end;
	uint64_t arrivals_first, arrivals_end;
	/* UDP's and TCP's. */
	struct own own[2];
	/* What the texts of each take. */
	size_t item_bytes, arrival_bytes;
};

struct board *board_new(size_t capacity)
{
	struct board *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->capacity = capacity ? capacity : 1;
	b->items = calloc(b->capacity, sizeof(*b->items));
	b->arrivals = calloc(b->capacity, sizeof(*b->arrivals));
	for (int i = 0; i < 2; i++)
		b->own[i].serials = calloc(b->capacity, sizeof(*b->own[i].serials));
	if (!b->items || !b->arrivals || !b->own[0].serials || !b->own[1].serials) {
		board_free(b);
		return NULL;
	}
	return b;
}

static void drop_item(struct board *b)
{
	struct board_item *item = &b->items[b->first++ % b->capacity];
	b->item_bytes -= item->length;
	free(item->text);
	item->text = NULL;
}

static void drop_arrival(struct board *b)
{
	struct board_arrival *arrival = &b->arrivals[b->arrivals_first++ % b->capacity];
	b->arrival_bytes -= arrival->length;
	b->own[arrival->stream].first++;
	free(arrival->text);
	arrival->text = NULL;
}

void board_clear(struct board *b)
{
	while (b->first < b->end)
		drop_item(b);
	while (b->arrivals_first < b->arrivals_end)
		drop_arrival(b);
}

void board_free(struct board *b)
{
	if (!b)
		return;
	if (b->items && b->arrivals)
		board_clear(b);
	free(b->items);
	free(b->arrivals);
	free(b->own[0].serials);
	free(b->own[1].serials);
	free(b);
}

static unsigned char *copy(const void *text, size_t *n)
{
	if (*n > BOARD_TEXT_MAX)
		*n = BOARD_TEXT_MAX;
	unsigned char *bytes = malloc(*n + 1);
	if (bytes && *n)
		memcpy(bytes, text, *n);
	return bytes;
}

static void add_item(struct board *b, const struct board_item *item)
{
	while (b->end - b->first == b->capacity || (b->first < b->end && b->item_bytes + item->length > BOARD_BYTES_MAX))
		drop_item(b);
	b->item_bytes += item->length;
	b->items[b->end++ % b->capacity] = *item;
}

int board_add_line(struct board *b, const struct ledger *ledger, bool stream, uint64_t number)
{
	add_item(b, &(const struct board_item){
		.kind = BOARD_LINE, .stream = stream, .ledger = ledger, .number = number });
	return 0;
}

int board_add_both(struct board *b, const struct ledger *udp, const struct ledger *tcp, uint64_t number)
{
	add_item(b, &(const struct board_item){ .kind = BOARD_LINE, .ledger = udp, .other = tcp, .number = number });
	return 0;
}

int board_add_text(struct board *b, enum board_kind kind, bool stream, const void *text, size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	add_item(b, &(const struct board_item){ .kind = kind, .stream = stream, .text = bytes, .length = n });
	return 0;
}

int board_add_event(struct board *b, const struct record_event *event)
{
	char words[RECORD_EVENT_WORDS];

	record_event_words(event, words);
	return board_add_text(b, event->kind == SESSION_EVENT_ERROR ? BOARD_ERROR : BOARD_NOTICE, false, words, strlen(words));
}

int board_add_arrival(struct board *b, enum ledger_match match, bool stream, uint64_t number, const void *text,
    size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	while (b->arrivals_end - b->arrivals_first == b->capacity ||
	    (b->arrivals_first < b->arrivals_end && b->arrival_bytes + n > BOARD_BYTES_MAX))
		drop_arrival(b);
	b->arrival_bytes += n;
	struct own *own = &b->own[stream];
	own->serials[own->end++ % b->capacity] = b->arrivals_end;
	b->arrivals[b->arrivals_end++ % b->capacity] = (struct board_arrival){
		.match = match, .stream = stream, .number = number, .text = bytes, .length = n };
	return 0;
}

uint64_t board_first(const struct board *b)
{
	return b->first;
}

uint64_t board_end(const struct board *b)
{
	return b->end;
}

const struct board_item *board_item(const struct board *b, uint64_t serial)
{
	return serial >= b->first && serial < b->end ? &b->items[serial % b->capacity] : NULL;
}

uint64_t board_arrivals_first(const struct board *b)
{
	return b->arrivals_first;
}

uint64_t board_arrivals_end(const struct board *b)
{
	return b->arrivals_end;
}

const struct board_arrival *board_arrival(const struct board *b, uint64_t serial)
{
	if (serial < b->arrivals_first || serial >= b->arrivals_end)
		return NULL;
	return &b->arrivals[serial % b->capacity];
}

uint64_t board_arrivals_first_of(const struct board *b, bool stream)
{
	return b->own[stream].first;
}

uint64_t board_arrivals_end_of(const struct board *b, bool stream)
{
	return b->own[stream].end;
}

const struct board_arrival *board_arrival_of(const struct board *b, bool stream, uint64_t serial)
{
	const struct own *own = &b->own[stream];
	if (serial < own->first || serial >= own->end)
		return NULL;
	return board_arrival(b, own->serials[serial % b->capacity]);
}
