/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines stand in two rings by number, one a transport, that grow up to their bound; the newest
 * push the oldest out. A datagram's line is found by its bytes, in one chain for the way there and
 * one for the capitals on the way back; a stream's by bisection among the flow's lines, whose
 * places only grow. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/fnv.h"
#include "common/grow.h"
#include "trace/trace-internal.h"

#define ROOM_FIRST 256
/* RFC 6298, 2.5, as Linux has it: a timeout this long does not double any more (TCP_RTO_MAX). */
#define LONGEST (120 * NS_PER_S)

struct trace *trace_new(size_t lines)
{
	struct trace *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->max = ROOM_FIRST;
	while (w->max < lines)
		w->max *= 2;
	w->reported = calloc(SERIALS, sizeof *w->reported);
	w->packets = calloc(TRACE_PACKETS, sizeof *w->packets);
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
	free(w->packets);
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

/* Another connection: what the kernels said is of the one before. */
static void reset_timers(struct trace *w, struct trace_flow *f)
{
	const int flow = (int)(f - w->flows);
	int kept = 0;

	for (int i = 0; i < w->retransmission_count; i++)
		if (w->retransmissions[i].flow != flow)
			w->retransmissions[kept++] = w->retransmissions[i];
	w->retransmission_count = kept;
	for (int way = 0; way < LINK_WAYS; way++)
		for (int i = 0; i < 2; i++)
			f->timers[way][i] = (struct trace_timer){ .asked = INT64_MIN,
				.answered = INT64_MIN };
}

int trace_flow(struct trace *w, bool stream, int64_t reply_timeout)
{
	if (w->flow_count == TRACE_FLOWS)
		return -1;
	w->flows[w->flow_count] = (struct trace_flow){
		.stream = stream, .reply_timeout = reply_timeout, .closed_at = INT64_MAX
	};
	reset_timers(w, &w->flows[w->flow_count]);
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
	reset_timers(w, f);
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

/* --- why a segment was sent again --- */

/* The link sees that it was; whether the retransmission timer ran out, and after how long, the
 * sender's kernel says, asked before and after. What the two do not settle stays open: then only
 * the time that the link measured is known. */

/* The timeout that ran out, ns; 0 when it is not known that one did. */
static int64_t ran_out(const struct retransmission *a, const struct trace_timer *after)
{
	const struct trace_timer *before = &a->before;
	/* Asked between the try before and this one, so that it speaks of this wait alone. */
	const bool fresh = before->answered > a->last;

	if (after->backoff > 0 && (!fresh || after->backoff > before->backoff))
		return after->timeout < LONGEST ? after->timeout / 2 : LONGEST;
	if (!fresh)
		return 0;
	if (before->ran_out >= 0 && after->ran_out >= 0)
		return after->ran_out > before->ran_out ? before->timeout : 0;
	/* Once it has run out nothing else sends the segment again. */
	return before->backoff > 0 ? before->timeout : 0;
}

static void settle(struct trace *w, const struct retransmission *a, const struct trace_timer *after)
{
	struct trace_slot *r = trace_slot(w, true, a->number);
	const int64_t us = ran_out(a, after) / NS_PER_US;

	if (r)
		r->line.legs[a->way].timeout[a->slot] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void trace_retransmitted(struct trace *w, struct trace_flow *f, const struct trace_slot *r,
    const struct retransmission *retransmission)
{
	struct retransmission a = *retransmission;

	a.flow = r->flow;
	a.number = r->line.number;
	a.before = f->timers[a.way][0].answered < a.at ? f->timers[a.way][0] : f->timers[a.way][1];
	if (a.before.answered >= a.at)
		a.before.answered = INT64_MIN;
	if (f->timers[a.way][0].asked > a.at) {
		settle(w, &a, &f->timers[a.way][0]);
		return;
	}
	/* Where nobody asks, they pile up: the oldest goes. */
	if (w->retransmission_count == RETRANSMISSIONS)
		memmove(w->retransmissions, w->retransmissions + 1,
		    (size_t)--w->retransmission_count * sizeof a);
	w->retransmissions[w->retransmission_count++] = a;
}

void trace_timer(struct trace *w, int flow, enum link_way way, const struct trace_timer *timer)
{
	struct trace_flow *f = &w->flows[flow];
	int kept = 0;

	for (int i = 0; i < w->retransmission_count; i++) {
		const struct retransmission *a = &w->retransmissions[i];

		if (a->flow == flow && a->way == way && timer->asked > a->at)
			settle(w, a, timer);
		else
			w->retransmissions[kept++] = *a;
	}
	w->retransmission_count = kept;
	f->timers[way][1] = f->timers[way][0];
	f->timers[way][0] = *timer;
}

bool trace_wants_timer(const struct trace *w, int flow, enum link_way way)
{
	for (int i = 0; i < w->retransmission_count; i++)
		if (w->retransmissions[i].flow == flow && w->retransmissions[i].way == way)
			return true;
	return false;
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

/* --- packets --- */

void trace_add_packet(struct trace *w, const struct logged_packet *packet)
{
	const uint64_t oldest = w->packet_count >= TRACE_PACKETS
	                          ? w->packet_count - TRACE_PACKETS + 1
	                          : 0;
	uint64_t at = w->packet_count++;

	/* The link sends them in order; a recording, line by line. */
	for (; at > oldest && w->packets[(at - 1) % TRACE_PACKETS].in > packet->in; at--)
		w->packets[at % TRACE_PACKETS] = w->packets[(at - 1) % TRACE_PACKETS];
	w->packets[at % TRACE_PACKETS] = *packet;
}

/* The first packet that came at `since` or later: looked for from the newest on, since a line is
 * asked for soon after it was sent. */
static uint64_t first_since(const struct trace *w, int64_t since)
{
	const uint64_t oldest = w->packet_count > TRACE_PACKETS ? w->packet_count - TRACE_PACKETS
	                                                        : 0;
	uint64_t i = w->packet_count;

	while (i > oldest && w->packets[(i - 1) % TRACE_PACKETS].in >= since)
		i--;
	return i;
}

size_t trace_packets(const struct trace *w, bool stream, uint64_t number, struct logged_packet *out,
    size_t max)
{
	const struct trace_line *line = trace_find(w, stream, number);
	size_t count = 0;

	if (!line || line->legs[LINK_GOING].tries == 0)
		return 0;
	for (uint64_t i = first_since(w, line->legs[LINK_GOING].first_in);
	    i < w->packet_count && count < max; i++) {
		const struct logged_packet *packet = &w->packets[i % TRACE_PACKETS];

		if (packet->stream == stream && packet->first <= number && number <= packet->last)
			out[count++] = *packet;
	}
	return count;
}

size_t trace_handshake(const struct trace *w, uint16_t port, bool closing, int64_t since,
    struct logged_packet *out, size_t max)
{
	size_t count = 0;

	for (uint64_t i = first_since(w, since); i < w->packet_count && count < max; i++) {
		const struct logged_packet *packet = &w->packets[i % TRACE_PACKETS];

		if (packet->port == port && packet->closing == closing)
			out[count++] = *packet;
	}
	return count;
}

/* --- places and totals --- */

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

/* --- what was recorded of a link --- */

int trace_restore(struct trace *w, const struct trace_line *line)
{
	struct trace_slot *r = trace_new_slot(w, line->stream, line->number);

	if (!r)
		return -1;
	r->line = *line;
	r->keys[LINK_GOING] = r->keys[LINK_COMING] = line->number;
	trace_enter(w, r);
	w->flows[r->flow].seen = true;
	return 0;
}

void trace_restore_totals(struct trace *w, uint64_t compared, uint64_t mismatches)
{
	w->totals.compared = compared;
	w->totals.mismatches = mismatches;
}

void trace_restore_packet(struct trace *w, const struct logged_packet *packet)
{
	trace_add_packet(w, packet);
}
