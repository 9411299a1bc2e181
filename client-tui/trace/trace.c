/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines are in two rings by number, one for each transport, that grow up to their bound; then
 * the newest lines evict the oldest. A datagram's line is found by its bytes, in one chain for the
 * way there and one for the capitals on the way back; a stream's by bisection. */

#include "common/capitals.h"
#include "common/clock.h"
#include "common/fnv.h"
#include "common/grow.h"
#include "common/search.h"
#include "trace/trace-internal.h"

#define ROOM_FIRST 256
/* RFC 6298, 2.5, as in Linux: a timeout of this length is no longer doubled (TCP_RTO_MAX). */
#define LONGEST (120 * NS_PER_S)

struct trace *trace_new(size_t lines)
{
	struct trace *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->max = ROOM_FIRST;
	while (t->max < lines)
		t->max *= 2;
	t->reported = calloc(SERIALS, sizeof *t->reported);
	t->packets = calloc(TRACE_PACKETS, sizeof *t->packets);
	if (t->reported && t->packets)
		return t;
	trace_free(t);
	return NULL;
}

static void free_pieces(const struct trace_connection *c)
{
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		free(c->departures[direction].pieces);
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->flow_count; i++) {
		struct trace_flow *f = &t->flows[i];

		for (uint64_t k = 0; k < CONNECTIONS && k < f->count; k++)
			free_pieces(&f->connections[k]);
		free(f->numbers);
		free(f->connections);
	}
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		free(t->chains[direction]);
	for (int stream = 0; stream < 2; stream++)
		free(t->rings[stream].slots);
	window_free(&t->windows);
	free(t->pending);
	free(t->reported);
	free(t->packets);
	free(t->bytes);
	free(t);
}

/* --- the ring and the chains --- */

struct trace_slot *trace_slot(const struct trace *t, bool stream, uint64_t number)
{
	const struct trace_ring *ring = &t->rings[stream];
	struct trace_slot *r = ring->capacity > 0 && number > 0
	                         ? &ring->slots[number & (ring->capacity - 1)]
	                         : NULL;

	return r && r->line.number == number ? r : NULL;
}

uint32_t *trace_chain(const struct trace *t, enum link_direction direction, uint64_t key)
{
	return &t->chains[direction][(key ^ key >> 32) & (t->rings[0].capacity - 1)];
}

static void insert(struct trace *t, struct trace_slot *r)
{
	for (int direction = 0; direction < LINK_DIRECTIONS && !r->line.stream; direction++) {
		uint32_t *head = trace_chain(t, direction, r->keys[direction]);

		r->next[direction] = *head;
		*head = (uint32_t)(r - t->rings[0].slots);
	}
}

static void remove_from_chains(struct trace *t, struct trace_slot *r)
{
	for (int direction = 0; direction < LINK_DIRECTIONS && !r->line.stream; direction++) {
		uint32_t *at = trace_chain(t, direction, r->keys[direction]);

		while (*at != (uint32_t)(r - t->rings[0].slots))
			at = &t->rings[0].slots[*at].next[direction];
		*at = r->next[direction];
	}
}

/* Replaces the chains by empty ones for `capacity` datagrams. Returns 0 or -1. */
static int new_chains(struct trace *t, size_t capacity)
{
	uint32_t *new[LINK_DIRECTIONS] = { malloc(capacity * sizeof **new),
		malloc(capacity * sizeof **new) };

	if (!new[LINK_GOING] || !new[LINK_COMING]) {
		free(new[LINK_GOING]);
		free(new[LINK_COMING]);
		return -1;
	}
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		memset(new[direction], 0xff, capacity * sizeof **new);
		free(t->chains[direction]);
		t->chains[direction] = new[direction];
	}
	return 0;
}

/* Moves the lines of a transport into a ring of `capacity`, datagrams also into chains. 0 or -1. */
static int resize(struct trace *t, bool stream, size_t capacity)
{
	const struct trace_ring old = t->rings[stream];
	struct trace_slot *slots = calloc(capacity, sizeof *slots);

	if (!slots || (!stream && new_chains(t, capacity) < 0)) {
		free(slots);
		return -1;
	}
	t->rings[stream] = (struct trace_ring){ .slots = slots, .capacity = capacity };
	for (size_t i = 0; i < old.capacity; i++) {
		struct trace_slot *to = &slots[old.slots[i].line.number & (capacity - 1)];

		if (old.slots[i].line.number == 0)
			continue;
		*to = old.slots[i];
		insert(t, to);
	}
	free(old.slots);
	return 0;
}

/* An empty slot for a line, from which an older line may be evicted; NULL when memory is short or
 * the line is older than all that are kept. insert() follows, when its number and keys are set. */
static struct trace_slot *new_slot(struct trace *t, bool stream, uint64_t number)
{
	struct trace_ring *ring = &t->rings[stream];
	struct trace_slot *r;

	if (ring->capacity == 0 && resize(t, stream, ROOM_FIRST) < 0)
		return NULL;
	r = &ring->slots[number & (ring->capacity - 1)];
	while (r->line.number != 0 && r->line.number != number && ring->capacity < t->max) {
		if (resize(t, stream, 2 * ring->capacity) < 0)
			return NULL;
		r = &ring->slots[number & (ring->capacity - 1)];
	}
	if (r->line.number > number)
		return NULL;
	if (r->line.number != 0)
		remove_from_chains(t, r);
	memset(r, 0, sizeof *r);
	r->line.stream = stream;
	r->line.legs[LINK_GOING] = r->line.legs[LINK_COMING] = TRACE_LEG;
	return r;
}

size_t trace_first_line_at(const struct trace *t, const struct trace_flow *f,
    enum link_direction direction, uint64_t place)
{
	const struct trace_slot *r;
	size_t i;

	SEARCH_FIRST(i, f->begin, f->end,
	    (r = trace_slot(t, f->stream, f->numbers[i])) && r->ends[direction] > place);
	return i;
}

/* --- flows --- */

static void drop_evicted(const struct trace *t, struct trace_flow *f)
{
	while (f->begin < f->end && !trace_slot(t, f->stream, f->numbers[f->begin]))
		f->begin++;
	if (f->begin < 1024 || f->begin < f->capacity / 2)
		return;
	memmove(f->numbers, f->numbers + f->begin, (f->end - f->begin) * sizeof *f->numbers);
	f->end -= f->begin;
	f->begin = 0;
}

void trace_mark(struct trace *t, int flow, enum link_direction direction, enum window_mark mark,
    int64_t at)
{
	window_add(&t->windows, &(struct window_sample){ .at = at,
	                            .flow = t->flows[flow].window,
	                            .way = (uint8_t)direction,
	                            .mark = (uint8_t)mark,
	                            WINDOW_NO_QUEUE });
}

/* No sample came in time: the cause stays open. */
static void give_up(struct trace *t, const struct retransmission *a)
{
	if (a->number == 0)
		trace_mark(t, a->flow, a->direction, WINDOW_AGAIN, a->at);
}

/* The flow has a new connection: the samples are of the one before. */
static void reset_timers(struct trace *t, struct trace_flow *f)
{
	const struct trace_timer none = { .requested = INT64_MIN, .received = INT64_MIN };
	const int flow = (int)(f - t->flows);
	int kept = 0;

	for (int i = 0; i < t->retransmission_count; i++)
		if (t->retransmissions[i].flow != flow)
			t->retransmissions[kept++] = t->retransmissions[i];
		else
			give_up(t, &t->retransmissions[i]);
	t->retransmission_count = kept;
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		f->timers[direction][0] = f->timers[direction][1] = none;
}

int trace_flow(struct trace *t, bool stream, int64_t reply_timeout)
{
	uint8_t window = 0;

	if (t->flow_count == TRACE_FLOWS)
		return -1;
	for (int i = 0; i < t->flow_count; i++)
		window += t->flows[i].stream;
	t->flows[t->flow_count] = (struct trace_flow){
		.stream = stream,
		.window = window,
		.reply_timeout = reply_timeout,
		.closed_at = INT64_MAX,
	};
	reset_timers(t, &t->flows[t->flow_count]);
	return t->flow_count++;
}

bool trace_is_stream(const struct trace *t, int flow)
{
	return t->flows[flow].stream;
}

void trace_set_ledger(struct trace *t, int flow, const struct ledger *ledger, bool nagle)
{
	t->flows[flow].ledger = ledger;
	t->flows[flow].nagle = nagle;
}

/* The place of the reply to the first line from byte `from` on. */
static uint64_t reply_place(const struct trace *t, const struct trace_flow *f, uint64_t from)
{
	uint64_t place = f->replies;

	for (size_t i = f->end; i > f->begin; i--) {
		const struct trace_slot *r = trace_slot(t, f->stream, f->numbers[i - 1]);

		if (!r || r->begins[LINK_GOING] < from)
			break;
		place = r->begins[LINK_COMING];
	}
	return place;
}

void trace_opened(struct trace *t, int flow, uint16_t here, uint16_t there, uint64_t from)
{
	struct trace_flow *f = &t->flows[flow];

	f->here = here;
	f->there = there;
	reset_timers(t, f);
	if (!f->stream)
		return;
	if (!f->connections && !(f->connections = calloc(CONNECTIONS, sizeof *f->connections)))
		return;
	struct trace_connection *c = &f->connections[f->count++ % CONNECTIONS];

	free_pieces(c);
	*c = (struct trace_connection){
		.here = here, .there = there, .from = { from, reply_place(t, f, from) }
	};
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		c->departures[direction].final = c->from[direction];
		c->departures[direction].latest = INT64_MIN;
	}
}

void trace_closed(struct trace *t, int flow, int64_t now)
{
	if (now < t->flows[flow].closed_at)
		t->flows[flow].closed_at = now;
}

/* --- lines --- */

static void set_key(struct trace_slot *r, enum link_direction direction, const unsigned char *bytes,
    size_t n)
{
	r->keys[direction] = fnv_hash(bytes, n < KEY_BYTES ? n : KEY_BYTES);
	r->hashes[direction] = fnv_hash(bytes, n);
	r->lengths[direction] = (uint32_t)n;
}

/* Marks lines with the same capitals: which reply belongs to which is unknown. */
static void mark_ambiguous(struct trace *t, struct trace_slot *r)
{
	uint32_t i = *trace_chain(t, LINK_COMING, r->keys[LINK_COMING]);

	for (; i != NO_SLOT; i = t->rings[0].slots[i].next[LINK_COMING]) {
		struct trace_slot *other = &t->rings[0].slots[i];

		if (other->flow == r->flow &&
		    other->hashes[LINK_COMING] == r->hashes[LINK_COMING] && other->pending)
			other->ambiguous = r->ambiguous = true;
	}
}

static int set_datagram(struct trace *t, struct trace_slot *r, const struct trace_flow *f,
    uint64_t number, size_t n)
{
	size_t capitals;

	if (grow_list(&t->bytes, &t->bytes_capacity, (1 + CAPITALS_GROWTH) * n + 1, 1) < 0 ||
	    ledger_wire(f->ledger, number, t->bytes, n) != n)
		return -1;
	capitals = capitals_text(t->bytes, n, t->bytes + n);
	set_key(r, LINK_GOING, t->bytes, n);
	set_key(r, LINK_COMING, t->bytes + n, capitals);
	mark_ambiguous(t, r);
	return 0;
}

/* The reply is expected to be the line's capitals, with an end of line if the line had one. */
static int set_segment(struct trace *t, struct trace_slot *r, struct trace_flow *f, uint64_t number,
    uint64_t from, uint64_t to)
{
	const struct ledger_row *row = ledger_find(f->ledger, number);

	if (!row ||
	    grow_list(&t->bytes, &t->bytes_capacity, CAPITALS_GROWTH * row->length + 1, 1) < 0)
		return -1;
	r->begins[LINK_GOING] = from;
	r->ends[LINK_GOING] = to;
	r->begins[LINK_COMING] = f->replies;
	if (row->partial)
		f->unaligned = true;
	f->replies += capitals_text(row->text, row->length, t->bytes) + (to - from > row->length);
	r->ends[LINK_COMING] = f->replies;
	return 0;
}

void trace_sent(struct trace *t, int flow, uint64_t number, uint64_t from, uint64_t to)
{
	struct trace_flow *f = &t->flows[flow];
	struct trace_slot *r = trace_slot(t, f->stream, number);

	if (r && f->stream) {
		r->ends[LINK_GOING] = to;
		return;
	}
	r = new_slot(t, f->stream, number);
	if (!r)
		return;
	r->flow = (uint8_t)flow;
	if ((f->stream ? set_segment(t, r, f, number, from, to)
	               : set_datagram(t, r, f, number, (size_t)to)) < 0)
		return;
	drop_evicted(t, f);
	if (grow_list(&f->numbers, &f->capacity, f->end + 1, sizeof *f->numbers) < 0)
		return;
	f->numbers[f->end++] = number;
	r->line.number = number;
	insert(t, r);
	if (grow_list(&t->pending, &t->pending_capacity, t->pending_count + 1, sizeof *t->pending) <
	    0)
		return;
	t->pending[t->pending_count++] = 2 * number + f->stream;
	t->totals.waiting = t->pending_count;
	r->pending = true;
}

/* --- why a segment was sent again --- */

/* The link sees the retransmission. Samples of the sender's kernel before and after it show whether
 * the timer ran out, and after how long. If they leave it open, only the time that the link
 * measured is known. */

/* The timeout before it was doubled. */
static int64_t halved(int64_t timeout)
{
	return timeout < LONGEST ? timeout / 2 : LONGEST;
}

/* The timeout that ran out, ns; 0 when that is not known, -1 when none did. */
static int64_t expired_timeout(const struct retransmission *a, const struct trace_timer *after)
{
	const struct trace_timer *before = &a->before;
	/* The sample before was taken between the last try and this one. */
	const bool fresh = before->received > a->last;

	if (after->tcp.backoff > 0 && (!fresh || after->tcp.backoff > before->tcp.backoff))
		return halved(after->tcp.timeout);
	if (!fresh)
		return 0;
	if (before->tcp.timeouts < 0 || after->tcp.timeouts < 0)
		return before->tcp.backoff > 0 ? before->tcp.timeout : 0;
	if (after->tcp.timeouts > before->tcp.timeouts)
		return before->tcp.timeout;
	/* Once the timer has run out, only the timer retransmits the segment. It had when the
	 * sample before was taken, and the link saw the segment later. */
	return before->tcp.backoff > 0 ? halved(before->tcp.timeout) : -1;
}

/* Why the sender's kernel sent the segment again. After a timeout it is in the state of loss until
 * all is repaired. Nothing behind a tail can have told of its loss, except in recovery, when what
 * was sent again later has arrived (RACK). */
static enum window_mark cause(const struct retransmission *a, const struct trace_timer *after)
{
	if (!after)
		return WINDOW_AGAIN;
	if (after->tcp.window.state == TCP_STATE_LOSS || expired_timeout(a, after) > 0)
		return WINDOW_TIMEOUT;
	if (after->tcp.window.state == TCP_STATE_RECOVERY)
		return WINDOW_FAST;
	if (a->tail)
		return WINDOW_PROBE;
	return after->tcp.timeouts < 0 ? WINDOW_AGAIN : WINDOW_FAST;
}

static void set_timeout(struct trace *t, const struct retransmission *a,
    const struct trace_timer *after)
{
	struct trace_slot *r = trace_slot(t, true, a->number);
	const int64_t timeout = expired_timeout(a, after), us = timeout / NS_PER_US;
	struct trace_leg *leg = r ? &r->line.legs[a->direction] : NULL;

	if (a->number == 0)
		trace_mark(t, a->flow, a->direction, cause(a, after), a->at);
	if (!leg)
		return;
	leg->timeout[a->slot] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	if (timeout < 0)
		leg->no_timeout |= (uint8_t)(1u << a->slot);
}

void trace_retransmitted(struct trace *t, const struct retransmission *retransmission)
{
	const struct trace_flow *f = &t->flows[retransmission->flow];
	struct retransmission a = *retransmission;

	a.before = f->timers[a.direction][0].received < a.at ? f->timers[a.direction][0]
	                                                     : f->timers[a.direction][1];
	if (a.before.received >= a.at)
		a.before.received = INT64_MIN;
	if (f->timers[a.direction][0].requested > a.at) {
		set_timeout(t, &a, &f->timers[a.direction][0]);
		return;
	}
	/* Retransmissions without samples accumulate: the oldest is dropped. */
	if (t->retransmission_count == RETRANSMISSIONS) {
		give_up(t, &t->retransmissions[0]);
		memmove(t->retransmissions, t->retransmissions + 1,
		    (size_t)--t->retransmission_count * sizeof a);
	}
	t->retransmissions[t->retransmission_count++] = a;
}

void trace_timer(struct trace *t, int flow, enum link_direction direction,
    const struct trace_timer *timer)
{
	struct trace_flow *f = &t->flows[flow];
	int kept = 0;

	for (int i = 0; i < t->retransmission_count; i++) {
		const struct retransmission *a = &t->retransmissions[i];

		if (a->flow == flow && a->direction == direction && timer->requested > a->at)
			set_timeout(t, a, timer);
		else
			t->retransmissions[kept++] = *a;
	}
	t->retransmission_count = kept;
	f->timers[direction][1] = f->timers[direction][0];
	f->timers[direction][0] = *timer;
	window_add(&t->windows, &(struct window_sample){ .at = timer->received,
	                            .flow = f->window,
	                            .way = (uint8_t)direction,
	                            WINDOW_NO_QUEUE,
	                            .tcp = timer->tcp.window });
}

bool trace_wants_timer(const struct trace *t, int flow, enum link_direction direction)
{
	for (int i = 0; i < t->retransmission_count; i++)
		if (t->retransmissions[i].flow == flow &&
		    t->retransmissions[i].direction == direction)
			return true;
	return false;
}

/* --- queries --- */

bool trace_is_pending(const struct trace *t)
{
	return t->pending_count > 0;
}

const struct trace_line *trace_find(const struct trace *t, bool stream, uint64_t number)
{
	const struct trace_slot *r = trace_slot(t, stream, number);

	return r && t->flows[r->flow].seen ? &r->line : NULL;
}

/* --- packets --- */

void trace_add_packet(struct trace *t, const struct logged_packet *packet)
{
	const uint64_t oldest = t->packet_count >= TRACE_PACKETS
	                          ? t->packet_count - TRACE_PACKETS + 1
	                          : 0;
	uint64_t at = t->packet_count++;

	/* The link reports packets in order; a recording has them line by line. */
	for (; at > oldest && t->packets[(at - 1) % TRACE_PACKETS].of.in > packet->of.in; at--)
		t->packets[at % TRACE_PACKETS] = t->packets[(at - 1) % TRACE_PACKETS];
	t->packets[at % TRACE_PACKETS] = *packet;
}

/* The first packet that came at `since` or later, searched from the newest on. */
static uint64_t first_since(const struct trace *t, int64_t since)
{
	const uint64_t oldest = t->packet_count > TRACE_PACKETS ? t->packet_count - TRACE_PACKETS
	                                                        : 0;
	uint64_t i = t->packet_count;

	while (i > oldest && t->packets[(i - 1) % TRACE_PACKETS].of.in >= since)
		i--;
	return i;
}

size_t trace_packets(const struct trace *t, bool stream, uint64_t number, struct logged_packet *out,
    size_t max)
{
	const struct trace_line *line = trace_find(t, stream, number);
	size_t count = 0;

	if (!line || line->legs[LINK_GOING].tries == 0)
		return 0;
	for (uint64_t i = first_since(t, line->legs[LINK_GOING].first_in);
	    i < t->packet_count && count < max; i++) {
		const struct logged_packet *packet = &t->packets[i % TRACE_PACKETS];

		if (packet->stream == stream && packet->first <= number && number <= packet->last)
			out[count++] = *packet;
	}
	return count;
}

size_t trace_handshake(const struct trace *t, uint16_t port, bool closing, int64_t since,
    struct logged_packet *out, size_t max)
{
	size_t count = 0;

	for (uint64_t i = first_since(t, since); i < t->packet_count && count < max; i++) {
		const struct logged_packet *packet = &t->packets[i % TRACE_PACKETS];

		if (packet->port == port && packet->closing == closing)
			out[count++] = *packet;
	}
	return count;
}

/* --- places and totals --- */

const struct trace_totals *trace_totals(const struct trace *t)
{
	return &t->totals;
}

const struct window_log *trace_windows(const struct trace *t)
{
	return t ? &t->windows : NULL;
}

/* Whether the last packet that was let through is still on its way. */
static bool is_in_flight(const struct trace_leg *leg, int64_t now)
{
	return leg->through > 0 && leg->first_out > now;
}

enum trace_place trace_place(const struct trace_line *line, int64_t now)
{
	const struct trace_leg *there = &line->legs[LINK_GOING], *back = &line->legs[LINK_COMING];

	if (back->through > 0)
		return is_in_flight(back, now) ? TRACE_STILL_COMING : TRACE_HERE;
	if (back->tries > 0)
		return TRACE_COMING;
	if (there->through > 0)
		return is_in_flight(there, now) ? TRACE_STILL_GOING : TRACE_SERVER;
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

/* --- restoring a recording --- */

int trace_restore(struct trace *t, const struct trace_line *line)
{
	struct trace_slot *r = new_slot(t, line->stream, line->number);

	if (!r)
		return -1;
	r->line = *line;
	r->keys[LINK_GOING] = r->keys[LINK_COMING] = line->number;
	insert(t, r);
	t->flows[r->flow].seen = true;
	return 0;
}

void trace_add_window(struct trace *t, const struct window_sample *sample)
{
	window_add(&t->windows, sample);
}

void trace_restore_totals(struct trace *t, uint64_t compared, uint64_t mismatches)
{
	t->totals.compared = compared;
	t->totals.mismatches = mismatches;
}
