/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines stand in two rings by number, one a transport, that grow up to their bound; the newest push the oldest out. A datagram's line is found by
 * its bytes, in one chain for the way there and one for the capitals on the way back; a stream's by bisection among
 * the flow's lines, whose places only grow. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/fnv.h"
#include "common/grow.h"
#include "trace/trace-internal.h"

#define ROOM_FIRST 256

struct witness *witness_new(size_t lines)
{
	struct witness *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->most = ROOM_FIRST;
	while (w->most < lines)
		w->most *= 2;
	w->told = calloc(SERIALS, sizeof *w->told);
	w->packets = packets_new();
	if (w->told && w->packets)
		return w;
	witness_free(w);
	return NULL;
}

void witness_free(struct witness *w)
{
	if (!w)
		return;
	for (int i = 0; i < w->flow_count; i++) {
		free(w->flows[i].numbers);
		free(w->flows[i].connections);
	}
	for (int way = 0; way < EVENT_WAYS; way++)
		free(w->chains[way]);
	for (int stream = 0; stream < 2; stream++)
		free(w->rings[stream].records);
	free(w->pending);
	free(w->told);
	packets_free(w->packets);
	free(w->bytes);
	free(w);
}

int witness_reserve(struct witness *w, size_t n)
{
	return grow_list(&w->bytes, &w->bytes_room, n, 1);
}

/* --- the ring and the chains --- */

struct record *witness_record(const struct witness *w, bool stream, uint64_t number)
{
	const struct ring *ring = &w->rings[stream];
	struct record *r = ring->room > 0 && number > 0 ? &ring->records[number & (ring->room - 1)] : NULL;

	return r && r->line.number == number ? r : NULL;
}

uint32_t *witness_chain(const struct witness *w, enum event_way way, uint64_t key)
{
	return &w->chains[way][(key ^ key >> 32) & (w->rings[0].room - 1)];
}

void witness_enter(struct witness *w, struct record *r)
{
	for (int way = 0; way < EVENT_WAYS && !r->line.stream; way++) {
		uint32_t *head = witness_chain(w, way, r->keys[way]);

		r->next[way] = *head;
		*head = (uint32_t)(r - w->rings[0].records);
	}
}

static void leave_chains(struct witness *w, struct record *r)
{
	for (int way = 0; way < EVENT_WAYS && !r->line.stream; way++) {
		uint32_t *at = witness_chain(w, way, r->keys[way]);

		while (*at != (uint32_t)(r - w->rings[0].records))
			at = &w->rings[0].records[*at].next[way];
		*at = r->next[way];
	}
}

/* Empty chains for `room` datagrams, in place of the ones there. Returns 0 or -1. */
static int new_chains(struct witness *w, size_t room)
{
	uint32_t *new[EVENT_WAYS] = { malloc(room * sizeof **new), malloc(room * sizeof **new) };

	if (!new[EVENT_THERE] || !new[EVENT_BACK]) {
		free(new[EVENT_THERE]);
		free(new[EVENT_BACK]);
		return -1;
	}
	for (int way = 0; way < EVENT_WAYS; way++) {
		memset(new[way], 0xff, room * sizeof **new);
		free(w->chains[way]);
		w->chains[way] = new[way];
	}
	return 0;
}

/* Moves the lines of a transport into a ring of `room`, datagrams also into chains of that many. Returns 0 or -1. */
static int resize(struct witness *w, bool stream, size_t room)
{
	const struct ring old = w->rings[stream];
	struct record *records = calloc(room, sizeof *records);

	if (!records || (!stream && new_chains(w, room) < 0)) {
		free(records);
		return -1;
	}
	w->rings[stream] = (struct ring){ .records = records, .room = room };
	for (size_t i = 0; i < old.room; i++) {
		struct record *to = &records[old.records[i].line.number & (room - 1)];

		if (old.records[i].line.number == 0)
			continue;
		*to = old.records[i];
		witness_enter(w, to);
	}
	free(old.records);
	return 0;
}

/* An empty record for a line, at whose place an older one may have stood; NULL when memory is short or the line is older than all
 * that are kept. */
struct record *witness_new_record(struct witness *w, bool stream, uint64_t number)
{
	struct ring *ring = &w->rings[stream];
	struct record *r;

	if (ring->room == 0 && resize(w, stream, ROOM_FIRST) < 0)
		return NULL;
	r = &ring->records[number & (ring->room - 1)];
	while (r->line.number != 0 && r->line.number != number && ring->room < w->most) {
		if (resize(w, stream, 2 * ring->room) < 0)
			return NULL;
		r = &ring->records[number & (ring->room - 1)];
	}
	if (r->line.number > number)
		return NULL;
	if (r->line.number != 0)
		leave_chains(w, r);
	memset(r, 0, sizeof *r);
	r->line.stream = stream;
	r->line.legs[EVENT_THERE] = r->line.legs[EVENT_BACK] = WITNESS_LEG;
	return r;
}

/* --- lists of numbers --- */

static int append(uint64_t **numbers, size_t count, size_t *room, uint64_t number)
{
	if (grow_list(numbers, room, count + 1, sizeof **numbers) < 0)
		return -1;
	(*numbers)[count] = number;
	return 0;
}

/* The flow's lines whose records are gone leave its list. */
static void forget_old(const struct witness *w, struct flow *f)
{
	while (f->begin < f->end && !witness_record(w, f->stream, f->numbers[f->begin]))
		f->begin++;
	if (f->begin < 1024 || f->begin < f->room / 2)
		return;
	memmove(f->numbers, f->numbers + f->begin, (f->end - f->begin) * sizeof *f->numbers);
	f->end -= f->begin;
	f->begin = 0;
}

/* --- flows --- */

int witness_flow(struct witness *w, bool stream, int64_t wait)
{
	if (w->flow_count == WITNESS_FLOWS)
		return -1;
	w->flows[w->flow_count] = (struct flow){ .stream = stream, .wait = wait, .closed_at = INT64_MAX };
	witness_timers_forget(w, &w->flows[w->flow_count]);
	return w->flow_count++;
}

bool witness_is_stream(const struct witness *w, int flow)
{
	return w->flows[flow].stream;
}

void witness_set_ledger(struct witness *w, int flow, const struct ledger *ledger)
{
	w->flows[flow].ledger = ledger;
}

/* The place of the reply to the first line from byte `from` on. */
static uint64_t reply_place(const struct witness *w, const struct flow *f, uint64_t from)
{
	uint64_t place = f->replies;

	for (size_t i = f->end; i > f->begin; i--) {
		const struct record *r = witness_record(w, f->stream, f->numbers[i - 1]);

		if (!r || r->begins[EVENT_THERE] < from)
			break;
		place = r->begins[EVENT_BACK];
	}
	return place;
}

void witness_opened(struct witness *w, int flow, uint16_t here, uint16_t there, uint64_t from)
{
	struct flow *f = &w->flows[flow];

	f->here = here;
	f->there = there;
	witness_timers_forget(w, f);
	if (!f->stream)
		return;
	if (!f->connections && !(f->connections = calloc(CONNECTIONS, sizeof *f->connections)))
		return;
	f->connections[f->count++ % CONNECTIONS] = (struct connection){
		.here = here, .there = there, .from = { from, reply_place(w, f, from) } };
}

void witness_closed(struct witness *w, int flow, int64_t now)
{
	if (now < w->flows[flow].closed_at)
		w->flows[flow].closed_at = now;
}

/* --- lines --- */

static void set_key(struct record *r, enum event_way way, const unsigned char *bytes, size_t n)
{
	r->keys[way] = fnv_hash(bytes, n < KEY_BYTES ? n : KEY_BYTES);
	r->hashes[way] = fnv_hash(bytes, n);
	r->lengths[way] = (uint32_t)n;
}

/* Of lines with the same capitals nobody can say which reply is whose. */
static void mark_twins(struct witness *w, struct record *r)
{
	uint32_t i = *witness_chain(w, EVENT_BACK, r->keys[EVENT_BACK]);

	for (; i != NO_RECORD; i = w->rings[0].records[i].next[EVENT_BACK]) {
		struct record *other = &w->rings[0].records[i];

		if (other->flow == r->flow && other->hashes[EVENT_BACK] == r->hashes[EVENT_BACK] && other->pending)
			other->twin = r->twin = true;
	}
}

static int set_datagram(struct witness *w, struct record *r, const struct flow *f, uint64_t number, size_t n)
{
	size_t capitals;

	if (witness_reserve(w, (1 + CAPITALS_GROWTH) * n + 1) < 0 || ledger_wire(f->ledger, number, w->bytes, n) != n)
		return -1;
	capitals = capitals_text(w->bytes, n, w->bytes + n);
	set_key(r, EVENT_THERE, w->bytes, n);
	set_key(r, EVENT_BACK, w->bytes + n, capitals);
	mark_twins(w, r);
	return 0;
}

/* The reply is expected to be the line's capitals, with an end of line if the line had one. */
static int set_segment(struct witness *w, struct record *r, struct flow *f, uint64_t number, uint64_t from, uint64_t to)
{
	const struct ledger_row *row = ledger_find(f->ledger, number);

	if (!row || witness_reserve(w, CAPITALS_GROWTH * row->length + 1) < 0)
		return -1;
	r->begins[EVENT_THERE] = from;
	r->ends[EVENT_THERE] = to;
	r->begins[EVENT_BACK] = f->replies;
	if (row->partial)
		f->astray = true;
	f->replies += capitals_text(row->text, row->length, w->bytes) + (to - from > row->length);
	r->ends[EVENT_BACK] = f->replies;
	return 0;
}

void witness_sent(struct witness *w, int flow, uint64_t number, uint64_t from, uint64_t to)
{
	struct flow *f = &w->flows[flow];
	struct record *r = witness_record(w, f->stream, number);

	if (r && f->stream) {
		r->ends[EVENT_THERE] = to;
		return;
	}
	r = witness_new_record(w, f->stream, number);
	if (!r)
		return;
	r->flow = (uint8_t)flow;
	if ((f->stream ? set_segment(w, r, f, number, from, to) : set_datagram(w, r, f, number, (size_t)to)) < 0)
		return;
	forget_old(w, f);
	if (append(&f->numbers, f->end, &f->room, number) < 0)
		return;
	f->end++;
	r->line.number = number;
	witness_enter(w, r);
	if (append(&w->pending, w->pending_count, &w->pending_room, 2 * number + f->stream) < 0)
		return;
	w->totals.waiting = ++w->pending_count;
	r->pending = true;
}

/* --- asking --- */

bool witness_waits(const struct witness *w)
{
	return w->pending_count > 0;
}

const struct witness_line *witness_find(const struct witness *w, bool stream, uint64_t number)
{
	const struct record *r = witness_record(w, stream, number);

	return r && w->flows[r->flow].seen ? &r->line : NULL;
}

size_t witness_packets(const struct witness *w, bool stream, uint64_t number, struct packet *out, size_t most)
{
	const struct witness_line *line = witness_find(w, stream, number);
	const struct witness_leg *there = line ? &line->legs[EVENT_THERE] : NULL;

	return there && there->tries > 0 ? packets_find(w->packets, stream, number, there->first_in, out, most) : 0;
}

size_t witness_handshake(const struct witness *w, uint16_t port, bool closing, int64_t since, struct packet *out, size_t most)
{
	return packets_find_handshake(w->packets, port, closing, since, out, most);
}

const struct witness_totals *witness_totals(const struct witness *w)
{
	return &w->totals;
}

/* Whether the last of what was let through is still on its way. */
static bool on_its_way(const struct witness_leg *leg, int64_t now)
{
	return leg->through > 0 && leg->first_out > now;
}

enum witness_place witness_place(const struct witness_line *line, int64_t now)
{
	const struct witness_leg *there = &line->legs[EVENT_THERE], *back = &line->legs[EVENT_BACK];

	if (back->through > 0)
		return on_its_way(back, now) ? WITNESS_STILL_COMING : WITNESS_HERE;
	if (back->tries > 0)
		return WITNESS_COMING;
	if (there->through > 0)
		return on_its_way(there, now) ? WITNESS_STILL_GOING : WITNESS_SERVER;
	return there->tries > 0 ? WITNESS_GOING : WITNESS_UNKNOWN;
}

const char *witness_mismatch_text(enum witness_mismatch kind)
{
	static const char *const texts[WITNESS_MISMATCHES] = {
		[WITNESS_NO_REPLY] = "answered though no reply was let through",
		[WITNESS_TOO_EARLY] = "answered before the link let the reply go",
		[WITNESS_LOST] = "lost though a reply was let through",
		[WITNESS_LATE] = "late though the reply was let through in time",
		[WITNESS_COPIES] = "not as many replies as were let through",
		[WITNESS_ORDER] = "reordered or not, other than the link did it",
		[WITNESS_REFUSED] = "refused by a host that it never reached",
	};
	return texts[kind];
}
