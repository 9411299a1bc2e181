/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which line a packet belongs to. */
#include "common/capitals.h"
#include "common/clock.h"
#include "common/fnv.h"
#include "trace/trace-internal.h"

/* The copies that the receiver takes. */
static int delivered_copies(const struct packet_event *e)
{
	return e->fate == LINK_DELIVERED ? e->copies : 0;
}

/* How soon behind an ACK a segment that waited for it comes to the link, because the kernel sends
 * it at once. What a slow server sends by chance after an ACK comes later. */
#define ACK_PROMPT NS_PER_MS
/* A shorter segment is not a full one, bytes: Linux's least path MTU is 552 (route.min_pmtu). */
#define SMALL_SEGMENT 500

static void count_up(uint16_t *counter, int by)
{
	*counter = *counter + by < UINT16_MAX ? (uint16_t)(*counter + by) : UINT16_MAX;
}

static void remember_serial(struct trace *t, const struct packet_event *e,
    const struct trace_slot *r)
{
	t->reported[e->serial % SERIALS] = (struct reported_packet){
		.serial = e->serial, .number = r->line.number, .stream = r->line.stream
	};
}

/* --- both transports --- */

static void leg_came(struct trace_leg *leg, const struct packet_event *e)
{
	count_up(&leg->tries, 1);
	if (leg->tries == 1)
		leg->first_in = e->in;
	leg->last_in = e->in;
	leg->held |= e->held;
	leg->requested |= e->requested;
}

static void leg_lost(struct trace_leg *leg, enum link_fate fate)
{
	count_up(&leg->lost, 1);
	leg->fate = (uint8_t)fate;
}

static void leg_through(struct trace_leg *leg, const struct packet_event *e)
{
	count_up(&leg->through, delivered_copies(e));
	leg->duplicated |= e->copies > 1;
	for (int i = 0; i < delivered_copies(e); i++) {
		if (leg->first_out == TRACE_NEVER || e->out[i] < leg->first_out)
			leg->first_out = e->out[i];
		if (e->out[i] > leg->last_out)
			leg->last_out = e->out[i];
	}
}

static struct logged_packet packet_of(const struct packet_event *e, uint64_t first, uint64_t last,
    uint64_t place, bool retransmitted)
{
	return (struct logged_packet){ .first = first,
		.last = last,
		.stream = e->protocol == LINK_TCP,
		.of = { .direction = e->direction,
		    .fate = e->fate,
		    .payload = e->protocol != LINK_TCP || e->length > 0,
		    .syn = e->syn,
		    .fin = e->fin,
		    .rst = e->rst,
		    .ack = e->has_ack,
		    .retransmitted = retransmitted,
		    .requested = e->requested,
		    .in = e->in,
		    .out = e->copies > 0 ? e->out[0] : TRACE_NEVER,
		    .out2 = e->copies > 1 ? e->out[1] : TRACE_NEVER,
		    .seq = (uint32_t)place,
		    .length = e->length } };
}

static void add_packet(struct trace *t, const struct packet_event *e, uint64_t first, uint64_t last,
    uint64_t place, bool retransmitted)
{
	const struct logged_packet packet = packet_of(e, first, last, place, retransmitted);

	trace_add_packet(t, &packet);
}

/* --- datagrams --- */

/* The line that waits longest for such a packet that way, else the newest with these bytes. */
static struct trace_slot *choose(const struct trace *t, uint8_t flow, enum link_direction direction,
    const struct packet_event *e, const void *bytes, size_t n, uint64_t hash, size_t length)
{
	const uint64_t key = fnv_hash(bytes, n < KEY_BYTES ? n : KEY_BYTES);
	struct trace_slot *newest = NULL, *oldest = NULL;

	if (t->rings[0].capacity == 0)
		return NULL;
	for (uint32_t i = *trace_chain(t, direction, key); i != NO_SLOT;
	    i = t->rings[0].slots[i].next[direction]) {
		struct trace_slot *r = &t->rings[0].slots[i];
		const bool due = direction == LINK_GOING ? r->line.legs[direction].tries == 0
		                                         : r->line.legs[direction].tries <
		                                               r->line.legs[LINK_GOING].through;

		if (r->keys[direction] != key || r->flow != flow || r->line.stream ||
		    (e->fragment ? e->length >= r->lengths[direction]
		                 : r->hashes[direction] != hash || r->lengths[direction] != length))
			continue;
		if (!newest || r->line.number > newest->line.number)
			newest = r;
		if (due && (!oldest || r->line.number < oldest->line.number))
			oldest = r;
	}
	return oldest ? oldest : newest;
}

/* The line of a reply that is not the capitals: the server knows fewer of them, or echoes. */
static struct trace_slot *choose_other_reply(const struct trace *t, uint8_t flow,
    const struct packet_event *e)
{
	unsigned char capitals[CAPITALS_GROWTH * EVENT_LINE_DATA];
	struct trace_slot *r = NULL;
	size_t n;

	if (!e->fragment && e->length == e->data_length) {
		n = capitals_text(e->data, e->data_length, capitals);
		r = choose(t, flow, LINK_COMING, e, capitals,
		    n < EVENT_LINE_DATA ? n : EVENT_LINE_DATA, fnv_hash(capitals, n), n);
	}
	return r ? r : choose(t, flow, LINK_GOING, e, e->data, e->data_length, e->hash, e->length);
}

static void take_whole(struct trace *t, struct trace_slot *r, const struct packet_event *e)
{
	struct trace_leg *leg = &r->line.legs[e->direction];

	leg_came(leg, e);
	if (delivered_copies(e) > 0)
		leg_through(leg, e);
	else
		leg_lost(leg, e->fate);
	remember_serial(t, e, r);
	add_packet(t, e, r->line.number, r->line.number, 0, false);
}

/* A datagram arrives with the last of its fragments. How the receiver puts copies of fragments
 * together depends on their order, so their line is unsure. */
static void take_fragment(struct trace *t, struct trace_slot *r, struct reassembly *p,
    const struct packet_event *e)
{
	struct trace_leg *leg = &r->line.legs[e->direction];
	struct packet_event whole = *e;

	p->got += e->length;
	if (e->copies > 1)
		r->unsure = true;
	if (e->out[0] > p->out)
		p->out = e->out[0];
	leg->held |= e->held;
	remember_serial(t, e, r);
	add_packet(t, e, r->line.number, r->line.number, e->offset, false);
	if (delivered_copies(e) == 0) {
		leg_lost(leg, e->fate);
		p->number = 0;
	} else if (p->got >= r->lengths[e->direction]) {
		whole.copies = 1;
		whole.out[0] = p->out;
		leg_through(leg, &whole);
		p->number = 0;
	}
}

static void take_first_fragment(struct trace *t, struct trace_slot *r, const struct packet_event *e)
{
	struct reassembly *p = &t->reassemblies[t->next_reassembly++ % REASSEMBLIES];

	*p = (struct reassembly){
		.number = r->line.number, .direction = e->direction, .id = e->id, .out = INT64_MIN
	};
	leg_came(&r->line.legs[e->direction], e);
	take_fragment(t, r, p, e);
}

static bool has_ports(uint16_t here, uint16_t there, const struct packet_event *e)
{
	return e->direction == LINK_GOING ? e->source_port == here && e->target_port == there
	                                  : e->source_port == there && e->target_port == here;
}

static void take_datagram(struct trace *t, const struct packet_event *e)
{
	for (int i = t->flow_count - 1; i >= 0; i--) {
		struct trace_flow *f = &t->flows[i];
		struct trace_slot *r;

		if (f->stream || !has_ports(f->here, f->there, e))
			continue;
		f->seen = true;
		t->totals.datagrams[e->direction]++;
		t->totals.requested_drops += e->fate == LINK_REQUESTED_DROP;
		r = choose(t, (uint8_t)i, e->direction, e, e->data, e->data_length, e->hash,
		    e->length);
		if (!r && e->direction == LINK_COMING)
			r = choose_other_reply(t, (uint8_t)i, e);
		if (r && e->fragment)
			take_first_fragment(t, r, e);
		else if (r)
			take_whole(t, r, e);
		return;
	}
}

/* --- segments --- */

static struct trace_connection *find_connection(struct trace_flow *f, const struct packet_event *e)
{
	for (uint64_t i = 0; i < CONNECTIONS && i < f->count; i++) {
		struct trace_connection *c = &f->connections[(f->count - 1 - i) % CONNECTIONS];

		if (has_ports(c->here, c->there, e))
			return c;
	}
	return NULL;
}

static bool is_later_fragment(const struct packet_event *e)
{
	return e->fragment && e->offset > 0;
}

static void add_wait(struct trace *t, struct trace_slot *r, const struct packet_event *e)
{
	struct trace_leg *leg = &r->line.legs[e->direction];
	const int64_t us = (e->in - leg->last_in) / 1000;
	const uint8_t slot = leg->waits < TRACE_WAITS ? leg->waits++ : TRACE_WAITS - 1;

	count_up(&leg->retransmitted, 1);
	leg->wait[slot] = (uint32_t)(us < UINT32_MAX ? us : UINT32_MAX);
	leg->timeout[slot] = 0;
	leg->no_timeout &= (uint8_t)~(1u << slot);
	trace_retransmitted(t, &(struct retransmission){ .number = r->line.number,
	                           .flow = r->flow,
	                           .direction = e->direction,
	                           .slot = slot,
	                           .at = e->in,
	                           .last = leg->last_in });
}

/* Whether it has as many bytes as a segment may have, as far as a kernel told: it waits for no ACK
 * of a small one. */
static bool is_full_segment(const struct trace_flow *f, const struct packet_event *e)
{
	const int64_t here = f->timers[LINK_GOING][0].tcp.window.mss,
	              server = f->timers[LINK_COMING][0].tcp.window.mss,
	              mss = here > 0 ? here : server;

	return mss > 0 && e->length >= mss;
}

/* How long the last bytes of a line, which come in a new segment from byte `begin` on, waited at
 * their sender for the ACK of all bytes before it; 0 if they came for another reason. A server has
 * a reply as soon as it can read the request. After a loss the congestion window may hold it. */
static int64_t ack_wait(const struct trace_flow *f, const struct trace_connection *c,
    const struct trace_slot *r, const struct packet_event *e, uint64_t begin)
{
	const struct ledger_row *row = ledger_find(f->ledger, r->line.number);
	const bool going = e->direction == LINK_GOING;
	const int64_t acked = c->acked_at[e->direction],
	              written = !going ? r->line.legs[LINK_GOING].first_out +
	                                     r->line.legs[LINK_GOING].behind_for
	                      : row ? row->sent_at
	                            : TRACE_NEVER;
	const bool nagle = going ? f->nagle : !c->no_nagle_back && c->reply_again_at <= written;

	return nagle && !is_full_segment(f, e) && written != TRACE_NEVER && acked > written &&
	               c->acked[e->direction] >= begin && e->in >= acked &&
	               e->in < acked + ACK_PROMPT
	         ? e->in - written
	         : 0;
}

/* Nagle's algorithm as Linux has it (Minshall's): no small segment while another has no ACK. */
static void note_reply(struct trace_connection *c, const struct packet_event *e, bool again,
    uint64_t end)
{
	if (again)
		c->reply_again_at = e->in;
	else if (e->length < SMALL_SEGMENT && !e->fragment) {
		c->no_nagle_back |= c->small_reply > c->acked[LINK_COMING];
		c->small_reply = end;
	}
}

/* The bytes `begin` to before `end` of the flow's count; those before `seen` were seen before. */
static void take_bytes(struct trace *t, const struct trace_connection *c, struct trace_slot *r,
    const struct packet_event *e, uint64_t begin, uint64_t end, uint64_t seen)
{
	struct trace_leg *leg = &r->line.legs[e->direction];
	const uint64_t first = begin > r->begins[e->direction] ? begin : r->begins[e->direction];

	/* The line lies in two fragments of a segment, and the first fragment was this try. */
	if (leg->tries > 0 && first < seen &&
	    (!is_later_fragment(e) || r->begins[e->direction] >= begin))
		add_wait(t, r, e);
	if (begin == seen && end >= r->ends[e->direction] && !e->fragment)
		leg->ack_wait = ack_wait(&t->flows[r->flow], c, r, e, begin);
	leg_came(leg, e);
	if (delivered_copies(e) == 0)
		leg_lost(leg, e->fate);
	else if (end >= r->ends[e->direction])
		leg_through(leg, e);
	remember_serial(t, e, r);
}

/* The place of a sequence number in the flow's count of bytes. Sequence numbers wrap, so it is the
 * one nearest to the bytes seen so far. Returns whether it lies in the connection. */
static bool find_place(const struct trace_connection *c, enum link_direction direction,
    uint32_t seq, uint64_t *place)
{
	const int32_t ahead = (int32_t)(seq - (c->first[direction] + 1) -
	                                (uint32_t)c->seen[direction]);

	*place = c->from[direction] + c->seen[direction] + (uint64_t)(int64_t)ahead;
	return ahead >= 0 || (uint64_t)-(int64_t)ahead <= c->seen[direction];
}

static void take_payload(struct trace *t, struct trace_flow *f, struct trace_connection *c,
    const struct packet_event *e)
{
	const uint64_t seen = c->from[e->direction] + c->seen[e->direction];
	uint64_t begin, end, first_number = 0, last_number = 0;

	if (!find_place(c, e->direction, e->seq, &begin))
		return;
	end = begin + e->length;
	if (begin < seen && !is_later_fragment(e)) {
		t->totals.retransmitted[e->direction]++;
		trace_retransmitted(t, &(struct retransmission){ .flow = (int)(f - t->flows),
		                           .direction = e->direction,
		                           .tail = end >= seen,
		                           .at = e->in,
		                           .last = INT64_MIN });
	}
	if (e->direction == LINK_COMING)
		note_reply(c, e, begin < seen, end);
	for (size_t i = trace_first_line_at(t, f, e->direction, begin); i < f->end; i++) {
		struct trace_slot *r = trace_slot(t, f->stream, f->numbers[i]);

		if (!r || r->begins[e->direction] >= end)
			break;
		take_bytes(t, c, r, e, begin, end, seen);
		first_number = first_number ? first_number : r->line.number;
		last_number = r->line.number;
	}
	add_packet(t, e, first_number, last_number, begin, begin < seen);
	trace_blocking_take(t, f, c, e, begin, end);
	if (end > seen)
		c->seen[e->direction] = end - c->from[e->direction];
}

/* Linux fragments segments when the MTU is below 552 bytes (the sysctl net.ipv4.route.min_pmtu). */
static void take_first_segment(struct trace *t, struct trace_flow *f, struct trace_connection *c,
    const struct packet_event *e)
{
	struct reassembly *p = &t->reassemblies[t->next_reassembly++ % REASSEMBLIES];

	*p = (struct reassembly){ .flow = f,
		.connection = c,
		.seq = e->seq,
		.direction = e->direction,
		.id = e->id,
		.got = e->length,
		.lost = delivered_copies(e) > 0 ? LINK_NONE : e->fate,
		.out = e->copies > 0 ? e->out[0] : INT64_MIN };
	/* The fragment has only TCP options: where the payload begins is unknown. */
	if (e->length == 0)
		f->unaligned = true;
}

/* Takes back the arrival of lines that ended in its earlier fragments. */
static void lose_earlier_segments(const struct trace *t, const struct reassembly *p,
    const struct packet_event *e)
{
	uint64_t begin;

	if (!find_place(p->connection, e->direction, p->seq, &begin))
		return;
	for (size_t i = trace_first_line_at(t, p->flow, e->direction, begin); i < p->flow->end;
	    i++) {
		struct trace_slot *r = trace_slot(t, true, p->flow->numbers[i]);
		struct trace_leg *leg = r ? &r->line.legs[e->direction] : NULL;

		if (!r || r->ends[e->direction] > begin + p->got)
			return;
		leg->through -= leg->through > 0;
		leg_lost(leg, e->fate);
	}
}

/* A segment is lost if one of its fragments is lost. */
static void take_later_segment(struct trace *t, struct reassembly *p, const struct packet_event *e)
{
	struct packet_event part = *e;

	part.protocol = LINK_TCP;
	part.seq = p->seq + p->got;
	if (p->lost == LINK_NONE && delivered_copies(e) == 0) {
		p->lost = e->fate;
		t->totals.dropped[e->direction]++;
		lose_earlier_segments(t, p, e);
	} else if (p->lost != LINK_NONE) {
		part.fate = p->lost;
		part.copies = 0;
	} else if (part.out[0] < p->out) {
		part.out[0] = p->out;
	}
	p->out = part.out[0];
	take_payload(t, p->flow, p->connection, &part);
	p->got += e->length;
}

/* A segment without payload opens or closes the connection, or belongs to the last line. */
static void take_bare(struct trace *t, const struct trace_flow *f, const struct trace_connection *c,
    const struct packet_event *e, bool retransmitted)
{
	const bool ended = c->ended[LINK_GOING] || c->ended[LINK_COMING], ends = e->fin || e->rst;
	const uint64_t number = f->end > f->begin ? f->numbers[f->end - 1] : 0;
	struct logged_packet packet = packet_of(e, 0, 0, 0, retransmitted);

	if (e->syn || ends || !c->open || ended) {
		packet.port = c->here;
		packet.closing = c->open && (ended || ends);
	} else {
		packet.first = packet.last = number;
	}
	trace_add_packet(t, &packet);
}

/* A FIN with payload belongs to its line and to the connection. */
static void take_flags(struct trace *t, struct trace_connection *c, const struct packet_event *e)
{
	struct logged_packet packet = packet_of(e, 0, 0, 0, false);
	uint64_t place;

	if (e->fin && e->length > 0 && c->syn_seen[e->direction] &&
	    find_place(c, e->direction, e->seq, &place)) {
		packet.of.seq = (uint32_t)place;
		packet.of.retransmitted = place < c->from[e->direction] + c->seen[e->direction];
		packet.port = c->here;
		packet.closing = true;
		trace_add_packet(t, &packet);
	}
	/* If the link lost the RST of a connection that is not open yet, the next SYN follows. */
	c->ended[e->direction] |= e->fin || (e->rst && c->open);
	c->open |= e->direction == LINK_GOING && !e->syn && !e->rst;
}

/* An ACK reaches the sender of the other direction. */
static void take_ack(struct trace_connection *c, const struct packet_event *e)
{
	const enum link_direction acked = e->direction == LINK_GOING ? LINK_COMING : LINK_GOING;
	uint64_t place;

	if (!e->has_ack || delivered_copies(e) == 0 || !c->syn_seen[acked] ||
	    !find_place(c, acked, e->ack, &place) || place <= c->acked[acked])
		return;
	c->acked[acked] = place;
	c->acked_at[acked] = e->out[0];
}

static int take_segment(struct trace *t, const struct packet_event *e)
{
	struct trace_connection *c = NULL;
	int i = t->flow_count;

	while (!c && --i >= 0)
		if (t->flows[i].stream)
			c = find_connection(&t->flows[i], e);
	if (!c)
		return -1;
	t->flows[i].seen = true;
	take_ack(c, e);
	t->totals.segments[e->direction]++;
	t->totals.requested_drops += e->fate == LINK_REQUESTED_DROP;
	if (delivered_copies(e) == 0)
		t->totals.dropped[e->direction]++;
	if (delivered_copies(e) == 0 && e->length > 0)
		trace_mark(t, i, e->direction, WINDOW_LOST, e->in);
	/* Without payload, only SYN and FIN take a sequence number and are retransmitted. */
	const bool retransmitted = (e->syn && c->syn_seen[e->direction]) ||
	                           (e->length == 0 && e->fin && c->ended[e->direction]);
	if (retransmitted)
		t->totals.retransmitted[e->direction]++;
	if (e->length == 0)
		take_bare(t, &t->flows[i], c, e, retransmitted);
	take_flags(t, c, e);
	if (e->syn) {
		c->syn_seen[e->direction] = true;
		c->first[e->direction] = e->seq;
	} else if (e->length > 0 && c->syn_seen[e->direction]) {
		take_payload(t, &t->flows[i], c, e);
	}
	if (e->fragment && c->syn_seen[e->direction])
		take_first_segment(t, &t->flows[i], c, e);
	return i;
}

/* Finds the newest packet that the fragment may belong to: identifications are used again. */
static void take_later_fragment(struct trace *t, const struct packet_event *e)
{
	for (size_t i = 1; i <= REASSEMBLIES; i++) {
		struct reassembly *p = &t->reassemblies[(t->next_reassembly - i) % REASSEMBLIES];
		struct trace_slot *r = p->number ? trace_slot(t, false, p->number) : NULL;
		/* TCP's header (RFC 9293, 3.1) lies before the payload of the earlier piece. */
		const bool segment = p->connection && p->got > 0 && e->offset >= p->got + 20 &&
		                     e->offset <= p->got + 60;

		if (p->direction != e->direction || p->id != e->id || (!r && !segment))
			continue;
		if (r)
			take_fragment(t, r, p, e);
		else
			take_later_segment(t, p, e);
		return;
	}
}

int trace_event(struct trace *t, const struct packet_event *event)
{
	if (event->has_queue)
		window_add(&t->windows, &(struct window_sample){ .at = event->in,
		                            .way = (uint8_t)event->direction,
		                            .queue = (int32_t)event->queue,
		                            .queued = (int32_t)event->queued });
	if (event->protocol == LINK_TCP)
		return take_segment(t, event);
	if (event->protocol == LINK_UDP)
		take_datagram(t, event);
	else if (event->fragment && event->offset > 0)
		take_later_fragment(t, event);
	return -1;
}

void trace_undelivered(struct trace *t, uint64_t serial, enum link_direction direction)
{
	const struct reported_packet *reported = &t->reported[serial % SERIALS];
	struct trace_slot *r = reported->serial == serial
	                         ? trace_slot(t, reported->stream, reported->number)
	                         : NULL;
	struct trace_leg *leg = r ? &r->line.legs[direction] : NULL;

	if (!leg || leg->through == 0)
		return;
	leg->through--;
	leg_lost(leg, LINK_LOST);
	trace_blocking_lost(&t->flows[r->flow]);
}
