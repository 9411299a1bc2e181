/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three rings, whose serials count what was ever added: items, and each transport's arrivals. */
#include "ledger/transcript.h"

#include "common/grow.h"

#define NEWEST_WALK 1000 /* the number of items that are searched for the newest line */

union slot {
	struct transcript_item item;
	struct transcript_arrival arrival;
	/* The beginning of each text. */
	struct {
		unsigned char *text;
		size_t length;
	};
};

/* Serials: the oldest kept, and the next. The bytes of all texts. */
struct ring {
	union slot *slots;
	uint64_t first, end;
	size_t bytes;
};

struct transcript {
	size_t capacity;
	struct ring rings[LISTS];
};

struct transcript *transcript_new(size_t capacity)
{
	struct transcript *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->capacity = capacity ? capacity : 1;
	for (int i = 0; i < LISTS; i++) {
		t->rings[i].first = t->rings[i].end = 1;
		if (!(t->rings[i].slots = calloc(t->capacity, sizeof(union slot)))) {
			transcript_free(t);
			return NULL;
		}
	}
	return t;
}

static void drop_first(const struct transcript *t, struct ring *r)
{
	union slot *slot = &r->slots[r->first++ % t->capacity];

	r->bytes -= slot->length;
	free(slot->text);
	slot->text = NULL;
}

static void add(const struct transcript *t, struct ring *r, const union slot *slot)
{
	while (r->end - r->first == t->capacity ||
	       (r->first < r->end && r->bytes + slot->length > TRANSCRIPT_BYTES_MAX))
		drop_first(t, r);
	r->bytes += slot->length;
	r->slots[r->end++ % t->capacity] = *slot;
}

static union slot *find(const struct transcript *t, const struct ring *r, uint64_t serial)
{
	return serial >= r->first && serial < r->end ? &r->slots[serial % t->capacity] : NULL;
}

void transcript_clear(struct transcript *t)
{
	for (int i = 0; i < LISTS; i++)
		while (t->rings[i].first < t->rings[i].end)
			drop_first(t, &t->rings[i]);
}

void transcript_free(struct transcript *t)
{
	if (!t)
		return;
	transcript_clear(t);
	for (int i = 0; i < LISTS; i++)
		free(t->rings[i].slots);
	free(t);
}

static unsigned char *copy(const void *text, size_t *n)
{
	if (*n > TRANSCRIPT_TEXT_MAX)
		*n = TRANSCRIPT_TEXT_MAX;
	return grow_copy(text, *n);
}

int transcript_add_line(struct transcript *t, const struct ledger *ledger,
    const struct ledger *other, bool stream, uint64_t number)
{
	add(t, &t->rings[LIST_ROWS],
	    &(const union slot){ .item = { .kind = TRANSCRIPT_LINE,
	                             .stream = stream,
	                             .ledger = ledger,
	                             .other = other,
	                             .number = number } });
	return 0;
}

int transcript_add_text(struct transcript *t, enum transcript_kind kind, bool stream,
    const void *text, size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	add(t, &t->rings[LIST_ROWS],
	    &(const union slot){
	        .item = { .kind = kind, .stream = stream, .text = bytes, .length = n } });
	return 0;
}

int transcript_add_event(struct transcript *t, const struct session_event *event)
{
	const char *words = SESSION_EVENT_TEXT(event);

	return transcript_add_text(t,
	    event->kind == SESSION_EVENT_ERROR ? TRANSCRIPT_ERROR : TRANSCRIPT_NOTICE,
	    event->kind == SESSION_EVENT_TCP, words, strlen(words));
}

int transcript_change_event(struct transcript *t, uint64_t serial,
    const struct session_event *event)
{
	const char *words = SESSION_EVENT_TEXT(event);
	size_t n = strlen(words);
	union slot *slot = find(t, &t->rings[LIST_ROWS], serial);
	unsigned char *bytes = slot ? copy(words, &n) : NULL;

	if (!bytes)
		return slot ? -1 : 0;
	t->rings[LIST_ROWS].bytes += n - slot->length;
	free(slot->text);
	slot->text = bytes;
	slot->length = n;
	return 0;
}

int transcript_add_arrival(struct transcript *t, enum ledger_match match, bool stream,
    uint64_t number, const void *text, size_t n)
{
	unsigned char *bytes = copy(text, &n);
	if (!bytes)
		return -1;
	add(t, &t->rings[LIST_UDP + stream],
	    &(const union slot){ .arrival = { .text = bytes,
	                             .length = n,
	                             .match = match,
	                             .number = number,
	                             .items = t->rings[LIST_ROWS].end } });
	return 0;
}

uint64_t transcript_first(const struct transcript *t, enum transcript_list list)
{
	return t->rings[list].first;
}

uint64_t transcript_end(const struct transcript *t, enum transcript_list list)
{
	return t->rings[list].end;
}

const struct transcript_item *transcript_item(const struct transcript *t, uint64_t serial)
{
	const union slot *slot = find(t, &t->rings[LIST_ROWS], serial);

	return slot ? &slot->item : NULL;
}

const struct transcript_item *transcript_newest_line(const struct transcript *t)
{
	const struct transcript_item *item;

	for (uint64_t i = 1; i <= NEWEST_WALK; i++) {
		item = transcript_item(t, t->rings[LIST_ROWS].end - i);
		if (!item || item->kind == TRANSCRIPT_LINE)
			return item;
	}
	return NULL;
}

const struct transcript_arrival *transcript_arrival(const struct transcript *t,
    enum transcript_list list, uint64_t serial)
{
	const union slot *slot = find(t, &t->rings[list], serial);

	return slot ? &slot->arrival : NULL;
}
