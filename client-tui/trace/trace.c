/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines stand in two rings by number, one a transport, that grow up to their bound; the newest
 * push the oldest out. A datagram's line is found by its bytes, in one chain for the way there and
 * one for the capitals on the way back; a stream's by bisection among the flow's lines, whose
 * places only grow. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/fnv.h"
#include "common/grow.h"
#include "trace/trace-internal.h"

#define ROOM_FIRST 256

struct trace *trace_new(size_t lines)
{
	struct trace *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->max = ROOM_FIRST;
	while (w->max < lines)
		w->max *= 2;
	w->reported = calloc(SERIALS, sizeof *w->reported);
	w->packets = packet_log_new();
	if (w->reported && w->packets)
		return w;
	trace_free(w);
	return NULL;
}

void trace_free(struct trace *w)
{
	if (!w)
		return;
	for (int i = 0; i < w->flow_count; i++) {
		free(w->flows[i].numbers);
		free(w->flows[i].connections);
	}
	for (int way = 0; way < LINK_WAYS; way++)
		free(w->chains[way]);
	for (int stream = 0; stream < 2; stream++)
		free(w->rings[stream].slots);
	free(w->pending);
	free(w->reported);
	packet_log_free(w->packets);
	free(w->bytes);
	free(w);
}

int trace_reserve(struct trace *w, size_t n)
{
	return grow_list(&w->bytes, &w->bytes_capacity, n, 1);
}

/* --- the ring and the chains --- */

struct trace_slot *trace_slot(const struct trace *w, bool stream, uint64_t number)
{
	const struct trace_ring *ring = &w->rings[stream];
	struct trace_slot *r = ring->capacity > 0 && number > 0
	                         ? &ring->slots[number & (ring->capacity - 1)]
	                         : NULL;

	return r && r->line.number == number ? r : NULL;
}

uint32_t *trace_chain(const struct trace *w, enum link_way way, uint64_t key)
{
	return &w->chains[way][(key ^ key >> 32) & (w->rings[0].capacity - 1)];
}

void trace_enter(struct trace *w, struct trace_slot *r)
{
	for (int way = 0; way < LINK_WAYS && !r->line.stream; way++) {
		uint32_t *head = trace_chain(w, way, r->keys[way]);

		r->next[way] = *head;
		*head = (uint32_t)(r - w->rings[0].slots);
	}
}

static void leave_chains(struct trace *w, struct trace_slot *r)
{
	for (int way = 0; way < LINK_WAYS && !r->line.stream; way++) {
		uint32_t *at = trace_chain(w, way, r->keys[way]);

		while (*at != (uint32_t)(r - w->rings[0].slots))
			at = &w->rings[0].slots[*at].next[way];
		*at = r->next[way];
	}
}

/* Empty chains for `capacity` datagrams, in place of the ones there. Returns 0 or -1. */
static int new_chains(struct trace *w, size_t capacity)
{
	uint32_t *new[LINK_WAYS] = { malloc(capacity * sizeof **new),
		malloc(capacity * sizeof **new) };

	if (!new[LINK_GOING] || !new[LINK_COMING]) {
		free(new[LINK_GOING]);
		free(new[LINK_COMING]);
		return -1;
	}
	for (int way = 0; way < LINK_WAYS; way++) {
		memset(new[way], 0xff, capacity * sizeof **new);
		free(w->chains[way]);
		w->chains[way] = new[way];
	}
	return 0;
}

/* Moves the lines of a transport into a ring of `capacity`, datagrams also into chains of that
 * many. Returns 0 or -1. */
static int resize(struct trace *w, bool stream, size_t capacity)
{
	const struct trace_ring old = w->rings[stream];
	struct trace_slot *slots = calloc(capacity, sizeof *slots);

	if (!slots || (!stream && new_chains(w, capacity) < 0)) {
		free(slots);
		return -1;
	}
	w->rings[stream] = (struct trace_ring){ .slots = slots, .capacity = capacity };
	for (size_t i = 0; i < old.capacity; i++) {
		struct trace_slot *to = &slots[old.slots[i].line.number & (capacity - 1)];

		if (old.slots[i].line.number == 0)
			continue;
		*to = old.slots[i];
		trace_enter(w, to);
	}
	free(old.slots);
	return 0;
}

/* An empty record for a line, at whose place an older one may have stood; NULL when memory is short
 * or the line is older than all that are kept. */
struct trace_slot *trace_new_slot(struct trace *w, bool stream, uint64_t number)
{
	struct trace_ring *ring = &w->rings[stream];
	struct trace_slot *r;

	if (ring->capacity == 0 && resize(w, stream, ROOM_FIRST) < 0)
		return NULL;
	r = &ring->slots[number & (ring->capacity - 1)];
	while (r->line.number != 0 && r->line.number != number && ring->capacity < w->max) {
		if (resize(w, stream, 2 * ring->capacity) < 0)
			return NULL;
		r = &ring->slots[number & (ring->capacity - 1)];
	}
	if (r->line.number > number)
		return NULL;
	if (r->line.number != 0)
		leave_chains(w, r);
	memset(r, 0, sizeof *r);
	r->line.stream = stream;
	r->line.legs[LINK_GOING] = r->line.legs[LINK_COMING] = TRACE_LEG;
	return r;
}

/* --- lists of numbers --- */

static int append(uint64_t **numbers, size_t count, size_t *capacity, uint64_t number)
{
	if (grow_list(numbers, capacity, count + 1, sizeof **numbers) < 0)
		return -1;
	(*numbers)[count] = number;
	return 0;
}

/* The flow's lines whose records are gone leave its list. */
static void forget_old(const struct trace *w, struct trace_flow *f)
{
	while (f->begin < f->end && !trace_slot(w, f->stream, f->numbers[f->begin]))
		f->begin++;
	if (f->begin < 1024 || f->begin < f->capacity / 2)
		return;
	memmove(f->numbers, f->numbers + f->begin, (f->end - f->begin) * sizeof *f->numbers);
	f->end -= f->begin;
	f->begin = 0;
}

/* --- flows --- */

int trace_flow(struct trace *w, bool stream, int64_t reply_timeout)
{
	if (w->flow_count == TRACE_FLOWS)
		return -1;
	w->flows[w->flow_count] = (struct trace_flow){
		.stream = stream, .reply_timeout = reply_timeout, .closed_at = INT64_MAX
	};
	trace_timers_reset(w, &w->flows[w->flow_count]);
	return w->flow_count++;
}

bool trace_is_stream(const struct trace *w, int flow)
{
	return w->flows[flow].stream;
}

void trace_set_ledger(struct trace *w, int flow, const struct ledger *ledger)
{
	w->flows[flow].ledger = ledger;
}

/* The place of the reply to the first line from byte `from` on. */
static uint64_t reply_place(const struct trace *w, const struct trace_flow *f, uint64_t from)
{
	uint64_t place = f->replies;

	for (size_t i = f->end; i > f->begin; i--) {
		const struct trace_slot *r = trace_slot(w, f->stream, f->numbers[i - 1]);

		if (!r || r->begins[LINK_GOING] < from)
			break;
		place = r->begins[LINK_COMING];
	}
	return place;
}

void trace_opened(struct trace *w, int flow, uint16_t here, uint16_t there, uint64_t from)
{
	struct trace_flow *f = &w->flows[flow];

	f->here = here;
	f->there = there;
	trace_timers_reset(w, f);
	if (!f->stream)
		return;
	if (!f->connections && !(f->connections = calloc(CONNECTIONS, sizeof *f->connections)))
		return;
	f->connections[f->count++ % CONNECTIONS] = (struct trace_connection){
		.here = here, .there = there, .from = { from, reply_place(w, f, from) }
	};
}

void trace_closed(struct trace *w, int flow, int64_t now)
{
	if (now < w->flows[flow].closed_at)
		w->flows[flow].closed_at = now;
}

/* --- lines --- */

static void set_key(struct trace_slot *r, enum link_way way, const unsigned char *bytes, size_t n)
{
	r->keys[way] = fnv_hash(bytes, n < KEY_BYTES ? n : KEY_BYTES);
	r->hashes[way] = fnv_hash(bytes, n);
	r->lengths[way] = (uint32_t)n;
}

/* Of lines with the same capitals nobody can say which reply is whose. */
static void mark_ambiguous(struct trace *w, struct trace_slot *r)
{
	uint32_t i = *trace_chain(w, LINK_COMING, r->keys[LINK_COMING]);

	for (; i != NO_SLOT; i = w->rings[0].slots[i].next[LINK_COMING]) {
		struct trace_slot *other = &w->rings[0].slots[i];

		if (other->flow == r->flow &&
		    other->hashes[LINK_COMING] == r->hashes[LINK_COMING] && other->pending)
			other->ambiguous = r->ambiguous = true;
	}
}

static int set_datagram(struct trace *w, struct trace_slot *r, const struct trace_flow *f,
    uint64_t number, size_t n)
{
	size_t capitals;

	if (trace_reserve(w, (1 + CAPITALS_GROWTH) * n + 1) < 0 ||
	    ledger_wire(f->ledger, number, w->bytes, n) != n)
		return -1;
	capitals = capitals_text(w->bytes, n, w->bytes + n);
	set_key(r, LINK_GOING, w->bytes, n);
	set_key(r, LINK_COMING, w->bytes + n, capitals);
	mark_ambiguous(w, r);
	return 0;
}

/* The reply is expected to be the line's capitals, with an end of line if the line had one. */
static int set_segment(struct trace *w, struct trace_slot *r, struct trace_flow *f, uint64_t number,
    uint64_t from, uint64_t to)
{
	const struct ledger_row *row = ledger_find(f->ledger, number);

	if (!row || trace_reserve(w, CAPITALS_GROWTH * row->length + 1) < 0)
		return -1;
	r->begins[LINK_GOING] = from;
	r->ends[LINK_GOING] = to;
	r->begins[LINK_COMING] = f->replies;
	if (row->partial)
		f->unaligned = true;
	f->replies += capitals_text(row->text, row->length, w->bytes) + (to - from > row->length);
	r->ends[LINK_COMING] = f->replies;
	return 0;
}

void trace_sent(struct trace *w, int flow, uint64_t number, uint64_t from, uint64_t to)
{
	struct trace_flow *f = &w->flows[flow];
	struct trace_slot *r = trace_slot(w, f->stream, number);

	if (r && f->stream) {
		r->ends[LINK_GOING] = to;
		return;
	}
	r = trace_new_slot(w, f->stream, number);
	if (!r)
		return;
	r->flow = (uint8_t)flow;
	if ((f->stream ? set_segment(w, r, f, number, from, to)
	               : set_datagram(w, r, f, number, (size_t)to)) < 0)
		return;
	forget_old(w, f);
	if (append(&f->numbers, f->end, &f->capacity, number) < 0)
		return;
	f->end++;
	r->line.number = number;
	trace_enter(w, r);
	if (append(&w->pending, w->pending_count, &w->pending_capacity, 2 * number + f->stream) < 0)
		return;
	w->totals.waiting = ++w->pending_count;
	r->pending = true;
}

/* --- asking --- */

bool trace_is_pending(const struct trace *w)
{
	return w->pending_count > 0;
}

const struct trace_line *trace_find(const struct trace *w, bool stream, uint64_t number)
{
	const struct trace_slot *r = trace_slot(w, stream, number);

	return r && w->flows[r->flow].seen ? &r->line : NULL;
}

size_t trace_packets(const struct trace *w, bool stream, uint64_t number, struct logged_packet *out,
    size_t max)
{
	const struct trace_line *line = trace_find(w, stream, number);
	const struct trace_leg *there = line ? &line->legs[LINK_GOING] : NULL;

	return there && there->tries > 0
	         ? packet_log_find(w->packets, stream, number, there->first_in, out, max)
	         : 0;
}

size_t trace_handshake(const struct trace *w, uint16_t port, bool closing, int64_t since,
    struct logged_packet *out, size_t max)
{
	return packet_log_find_handshake(w->packets, port, closing, since, out, max);
}

const struct trace_totals *trace_totals(const struct trace *w)
{
	return &w->totals;
}

/* Whether the last of what was let through is still on its way. */
static bool on_its_way(const struct trace_leg *leg, int64_t now)
{
	return leg->through > 0 && leg->first_out > now;
}

enum trace_place trace_place(const struct trace_line *line, int64_t now)
{
	const struct trace_leg *there = &line->legs[LINK_GOING], *back = &line->legs[LINK_COMING];

	if (back->through > 0)
		return on_its_way(back, now) ? TRACE_STILL_COMING : TRACE_HERE;
	if (back->tries > 0)
		return TRACE_COMING;
	if (there->through > 0)
		return on_its_way(there, now) ? TRACE_STILL_GOING : TRACE_SERVER;
	return there->tries > 0 ? TRACE_GOING : TRACE_UNKNOWN;
}

const char *trace_mismatch_text(enum trace_mismatch kind)
{
	static const char *const texts[TRACE_MISMATCHES] = {
		[TRACE_NO_REPLY] = "answered though no reply was let through",
		[TRACE_TOO_EARLY] = "answered before the link let the reply go",
		[TRACE_LOST] = "lost though a reply was let through",
		[TRACE_LATE] = "late though the reply was let through in time",
		[TRACE_COPIES] = "not as many replies as were let through",
		[TRACE_ORDER] = "reordered or not, other than the link did it",
		[TRACE_REFUSED] = "refused by a host that it never reached",
	};
	return texts[kind];
}
