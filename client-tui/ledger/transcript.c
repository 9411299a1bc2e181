/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three rings of fixed size, whose serials count what was ever added: items, and the arrivals of
 * each transport. */
#include "config.h"

#include "ledger/transcript.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"

/* The arrivals of one transport. Serials: the oldest kept, and the next. */
struct own {
	struct transcript_arrival *arrivals;
	uint64_t first, end;
	/* What their texts take. */
	size_t bytes;
};

struct transcript {
	size_t capacity;
	struct transcript_item *items;
	uint64_t first, end;
	size_t item_bytes;
	/* UDP's and TCP's. */
	struct own own[2];
};

struct transcript *transcript_new(size_t capacity)
{
	struct transcript *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->capacity = capacity ? capacity : 1;
	b->items = calloc(b->capacity, sizeof(*b->items));
	for (int i = 0; i < 2; i++)
		b->own[i].arrivals = calloc(b->capacity, sizeof(*b->own[i].arrivals));
	if (!b->items || !b->own[0].arrivals || !b->own[1].arrivals) {
		transcript_free(b);
		return NULL;
	}
	return b;
}

static void drop_item(struct transcript *b)
{
	struct transcript_item *item = &b->items[b->first++ % b->capacity];
	b->item_bytes -= item->length;
	free(item->text);
	item->text = NULL;
}

static void drop_arrival(struct transcript *b, struct own *own)
{
	struct transcript_arrival *arrival = &own->arrivals[own->first++ % b->capacity];
	own->bytes -= arrival->length;
	free(arrival->text);
	arrival->text = NULL;
}

void transcript_clear(struct transcript *b)
{
	while (b->first < b->end)
		drop_item(b);
	for (int i = 0; i < 2; i++) {
		while (b->own[i].first < b->own[i].end)
			drop_arrival(b, &b->own[i]);
	}
}

void transcript_free(struct transcript *b)
{
	if (!b)
		return;
	transcript_clear(b);
	free(b->items);
	free(b->own[0].arrivals);
	free(b->own[1].arrivals);
	free(b);
}

static unsigned char *copy(const void *text, size_t *n)
{
	if (*n > TRANSCRIPT_TEXT_MAX)
		*n = TRANSCRIPT_TEXT_MAX;
	return grow_copy(text, *n);
}

static void add_item(struct transcript *b, const struct transcript_item *item)
{
	while (b->end - b->first == b->capacity ||
	       (b->first < b->end && b->item_bytes + item->length > TRANSCRIPT_BYTES_MAX))
		drop_item(b);
	b->item_bytes += item->length;
	b->items[b->end++ % b->capacity] = *item;
}

int transcript_add_line(struct transcript *b, const struct ledger *ledger, bool stream,
    uint64_t number)
{
	add_item(b,
	    &(const struct transcript_item){
	        .kind = TRANSCRIPT_LINE, .stream = stream, .ledger = ledger, .number = number });
	return 0;
}

int transcript_add_both(struct transcript *b, const struct ledger *udp, const struct ledger *tcp,
    uint64_t number)
{
	add_item(b, &(const struct transcript_item){
	                .kind = TRANSCRIPT_LINE, .ledger = udp, .other = tcp, .number = number });
	return 0;
}

int transcript_add_text(struct transcript *b, enum transcript_kind kind, bool stream,
    const void *text, size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	add_item(b, &(const struct transcript_item){
	                .kind = kind, .stream = stream, .text = bytes, .length = n });
	return 0;
}

int transcript_add_event(struct transcript *b, const struct session_event *event)
{
	char words[SESSION_EVENT_WORDS];

	session_event_words(event, words);
	return transcript_add_text(b,
	    event->kind == SESSION_EVENT_ERROR ? TRANSCRIPT_ERROR : TRANSCRIPT_NOTICE, false, words,
	    strlen(words));
}

int transcript_change_event(struct transcript *b, uint64_t serial,
    const struct session_event *event)
{
	char words[SESSION_EVENT_WORDS];
	size_t n = strlen(session_event_words(event, words));
	struct transcript_item *item = serial >= b->first && serial < b->end
	                                 ? &b->items[serial % b->capacity]
	                                 : NULL;
	unsigned char *bytes = item ? copy(words, &n) : NULL;

	if (!bytes)
		return item ? -1 : 0;
	b->item_bytes += n - item->length;
	free(item->text);
	item->text = bytes;
	item->length = n;
	return 0;
}

int transcript_add_arrival(struct transcript *b, enum ledger_match match, bool stream,
    uint64_t number, const void *text, size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	struct own *own = &b->own[stream];
	while (own->end - own->first == b->capacity ||
	       (own->first < own->end && own->bytes + n > TRANSCRIPT_BYTES_MAX))
		drop_arrival(b, own);
	own->bytes += n;
	own->arrivals[own->end++ % b->capacity] = (struct transcript_arrival){
		.match = match, .number = number, .items = b->end, .text = bytes, .length = n
	};
	return 0;
}

uint64_t transcript_first(const struct transcript *b)
{
	return b->first;
}

uint64_t transcript_end(const struct transcript *b)
{
	return b->end;
}

const struct transcript_item *transcript_item(const struct transcript *b, uint64_t serial)
{
	return serial >= b->first && serial < b->end ? &b->items[serial % b->capacity] : NULL;
}

uint64_t transcript_arrivals_first(const struct transcript *b, bool stream)
{
	return b->own[stream].first;
}

uint64_t transcript_arrivals_end(const struct transcript *b, bool stream)
{
	return b->own[stream].end;
}

const struct transcript_arrival *transcript_arrival(const struct transcript *b, bool stream,
    uint64_t serial)
{
	const struct own *own = &b->own[stream];
	return serial >= own->first && serial < own->end ? &own->arrivals[serial % b->capacity]
	                                                 : NULL;
}
