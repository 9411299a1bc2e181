/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which line a packet belongs to. */
#include "config.h"

#include <string.h>

#include "common/capitals.h"
#include "common/fnv.h"
#include "common/search.h"
#include "trace/trace-internal.h"

/* How many copies reach the receiver and are taken there. */
static int let_through(const struct event *e)
{
	return e->fate == EVENT_DELIVERED ? e->copies : 0;
}

static void count_up(uint16_t *counter, int by)
{
	*counter = *counter + by < UINT16_MAX ? (uint16_t)(*counter + by) : UINT16_MAX;
}

static void remember_serial(struct witness *w, const struct event *e, const struct record *r)
{
	w->told[e->serial % SERIALS] = (struct told){ .serial = e->serial, .number = r->line.number, .stream = r->line.stream };
}

/* --- what is common to both transports --- */

static void leg_came(struct witness_leg *leg, const struct event *e)
{
	count_up(&leg->tries, 1);
	if (leg->tries == 1)
		leg->first_in = e->in;
	leg->last_in = e->in;
	leg->held |= e->held;
}

static void leg_lost(struct witness_leg *leg, enum event_fate fate)
{
	count_up(&leg->lost, 1);
	leg->fate = (uint8_t)fate;
	leg->cue |= fate == EVENT_CUE;
}

static void leg_through(struct witness_leg *leg, const struct event *e)
{
	count_up(&leg->through, let_through(e));
	leg->doubled |= e->copies > 1;
	for (int i = 0; i < let_through(e); i++) {
		if (e->out[i] < leg->first_out)
			leg->first_out = e->out[i];
		if (e->out[i] > leg->last_out)
			leg->last_out = e->out[i];
	}
}

static struct packet packet_of(const struct event *e, uint64_t first, uint64_t last, uint64_t place, bool again)
{
	return (struct packet){
		.first = first, .last = last, .stream = e->protocol == EVENT_TCP, .way = e->way, .fate = e->fate,
		.payload = e->protocol != EVENT_TCP || e->length > 0, .syn = e->syn, .fin = e->fin, .rst = e->rst, .ack = e->has_ack,
		.again = again, .in = e->in, .out = { e->out[0], e->out[1] }, .copies = e->copies, .place = place,
		.length = e->length };
}

static void add_packet(struct witness *w, const struct event *e, uint64_t first, uint64_t last, uint64_t place, bool again)
{
	const struct packet packet = packet_of(e, first, last, place, again);

	packets_add(w->packets, &packet);
}

/* --- datagrams --- */

static bool fits(const struct record *r, uint8_t flow, enum event_way way, const struct event *e, uint64_t hash,
    size_t length)
{
	return r->flow == flow && !r->line.stream && (e->fragment ? e->length < r->lengths[way] :
	    r->hashes[way] == hash && r->lengths[way] == length);
}

/* The line that waits longest for a packet that way; if none does, the newest that looks so. */
static struct record *choose(const struct witness *w, uint8_t flow, enum event_way way, const struct event *e,
    const void *bytes, size_t n, uint64_t hash, size_t length)
{
	const uint64_t key = fnv_hash(bytes, n < KEY_BYTES ? n : KEY_BYTES);
	struct record *newest = NULL, *oldest = NULL;

	if (w->rings[0].room == 0)
		return NULL;
	for (uint32_t i = *witness_chain(w, way, key); i != NO_RECORD; i = w->rings[0].records[i].next[way]) {
		struct record *r = &w->rings[0].records[i];
		const bool due = way == EVENT_THERE ? r->line.legs[way].tries == 0 :
		    r->line.legs[way].tries < r->line.legs[EVENT_THERE].through;

		if (r->keys[way] != key || !fits(r, flow, way, e, hash, length))
			continue;
		if (!newest || r->line.number > newest->line.number)
			newest = r;
		if (due && (!oldest || r->line.number < oldest->line.number))
			oldest = r;
	}
	return oldest ? oldest : newest;
}

/* A server that knows fewer capitals than we do, or that just echoes. */
static struct record *choose_other_reply(const struct witness *w, uint8_t flow, const struct event *e)
{
	unsigned char capitals[CAPITALS_GROWTH * EVENT_DATA];
	struct record *r = NULL;
	size_t n;

	if (!e->fragment && e->length == e->data_length) {
		n = capitals_text(e->data, e->data_length, capitals);
		r = choose(w, flow, EVENT_BACK, e, capitals, n < EVENT_DATA ? n : EVENT_DATA,
		    fnv_hash(capitals, n), n);
	}
	return r ? r : choose(w, flow, EVENT_THERE, e, e->data, e->data_length, e->hash, e->length);
}

static struct record *find_datagram(const struct witness *w, uint8_t flow, const struct event *e)
{
	struct record *r = choose(w, flow, e->way, e, e->data, e->data_length, e->hash, e->length);

	return r || e->way == EVENT_THERE ? r : choose_other_reply(w, flow, e);
}

static void take_whole(struct witness *w, struct record *r, const struct event *e)
{
	struct witness_leg *leg = &r->line.legs[e->way];

	leg_came(leg, e);
	if (let_through(e) > 0)
		leg_through(leg, e);
	else
		leg_lost(leg, e->fate);
	remember_serial(w, e, r);
	add_packet(w, e, r->line.number, r->line.number, 0, false);
}

/* The last piece decides: when the others are there too, the datagram is. Copies of pieces are put together
 * as they come, which nobody can foretell. */
static void take_piece(struct witness *w, struct record *r, struct pieces *p, const struct event *e)
{
	struct witness_leg *leg = &r->line.legs[e->way];
	struct event whole = *e;

	p->got += e->length;
	if (e->copies > 1)
		r->unsure = true;
	if (e->out[0] > p->out)
		p->out = e->out[0];
	leg->held |= e->held;
	remember_serial(w, e, r);
	add_packet(w, e, r->line.number, r->line.number, e->offset, false);
	if (let_through(e) == 0) {
		leg_lost(leg, e->fate);
		p->number = 0;
	} else if (p->got >= r->lengths[e->way]) {
		whole.copies = 1;
		whole.out[0] = p->out;
		leg_through(leg, &whole);
		p->number = 0;
	}
}

static void take_first_piece(struct witness *w, struct record *r, const struct event *e)
{
	struct pieces *p = &w->pieces[w->next_pieces++ % PIECES];

	*p = (struct pieces){ .number = r->line.number, .way = e->way, .id = e->id, .out = INT64_MIN };
	leg_came(&r->line.legs[e->way], e);
	take_piece(w, r, p, e);
}

static bool has_ports(uint16_t here, uint16_t there, const struct event *e)
{
	return e->way == EVENT_THERE ? e->source_port == here && e->target_port == there :
	    e->source_port == there && e->target_port == here;
}

static void take_datagram(struct witness *w, const struct event *e)
{
	for (int i = w->flow_count - 1; i >= 0; i--) {
		struct flow *f = &w->flows[i];
		struct record *r;

		if (f->stream || !has_ports(f->here, f->there, e))
			continue;
		f->seen = true;
		w->totals.datagrams[e->way]++;
		w->totals.cues += e->fate == EVENT_CUE;
		r = find_datagram(w, (uint8_t)i, e);
		if (!r)
			w->totals.strange[e->way]++;
		else if (e->fragment)
			take_first_piece(w, r, e);
		else
			take_whole(w, r, e);
		return;
	}
}

/* --- segments --- */

static struct connection *find_connection(struct flow *f, const struct event *e)
{
	for (uint64_t i = 0; i < CONNECTIONS && i < f->count; i++) {
		struct connection *c = &f->connections[(f->count - 1 - i) % CONNECTIONS];

		if (has_ports(c->here, c->there, e))
			return c;
	}
	return NULL;
}

/* The first line with bytes behind `place`: an index into f->numbers. */
static size_t first_line_at(const struct witness *w, const struct flow *f, enum event_way way, uint64_t place)
{
	const struct record *r;
	size_t i;

	SEARCH_FIRST(i, f->begin, f->end, (r = witness_record(w, f->stream, f->numbers[i])) && r->ends[way] > place);
	return i;
}

static bool is_later_piece(const struct event *e)
{
	return e->fragment && e->offset > 0;
}

static void add_wait(struct witness *w, struct record *r, const struct event *e)
{
	struct witness_leg *leg = &r->line.legs[e->way];
	const int64_t us = (e->in - leg->last_in) / 1000;
	const uint8_t slot = leg->waits < WITNESS_WAITS ? leg->waits++ : WITNESS_WAITS - 1;

	count_up(&leg->again, 1);
	leg->wait[slot] = (uint32_t)(us < UINT32_MAX ? us : UINT32_MAX);
	leg->timeout[slot] = 0;
	witness_sent_again(w, &w->flows[r->flow], r,
	    &(struct again){ .way = e->way, .slot = slot, .at = e->in, .last = leg->last_in });
}

/* Bytes from `begin` to before `end` of the flow's count; those before `seen` were seen before. */
static void take_bytes(struct witness *w, struct record *r, const struct event *e, uint64_t begin, uint64_t end,
    uint64_t seen)
{
	struct witness_leg *leg = &r->line.legs[e->way];
	const uint64_t first = begin > r->begins[e->way] ? begin : r->begins[e->way];

	/* Of a line in two pieces of a segment the first one was this time's try. */
	if (leg->tries > 0 && first < seen && (!is_later_piece(e) || r->begins[e->way] >= begin))
		add_wait(w, r, e);
	leg_came(leg, e);
	if (let_through(e) == 0)
		leg_lost(leg, e->fate);
	else if (end >= r->ends[e->way])
		leg_through(leg, e);
	remember_serial(w, e, r);
}

/* Sequence numbers wrap; the nearest place to what was seen is meant. Returns whether that is one of the connection's. */
static bool find_place(const struct connection *c, enum event_way way, uint32_t seq, uint64_t *place)
{
	const int32_t ahead = (int32_t)(seq - (c->first[way] + 1) - (uint32_t)c->seen[way]);

	*place = c->from[way] + c->seen[way] + (uint64_t)(int64_t)ahead;
	return ahead >= 0 || (uint64_t)-(int64_t)ahead <= c->seen[way];
}

static void take_payload(struct witness *w, struct flow *f, struct connection *c, const struct event *e)
{
	const uint64_t seen = c->from[e->way] + c->seen[e->way];
	uint64_t begin, end, first_number = 0, last_number = 0;

	if (!find_place(c, e->way, e->seq, &begin))
		return;
	end = begin + e->length;
	if (begin < seen && !is_later_piece(e))
		w->totals.again[e->way]++;
	for (size_t i = first_line_at(w, f, e->way, begin); i < f->end; i++) {
		struct record *r = witness_record(w, f->stream, f->numbers[i]);

		if (!r || r->begins[e->way] >= end)
			break;
		take_bytes(w, r, e, begin, end, seen);
		first_number = first_number ? first_number : r->line.number;
		last_number = r->line.number;
	}
	add_packet(w, e, first_number, last_number, begin, begin < seen);
	if (end > seen)
		c->seen[e->way] = end - c->from[e->way];
}

/* The kernel sends a segment in pieces when the path's MTU is below what it takes for the least (Linux: 552 bytes, from the
 * sysctl net.ipv4.route.min_pmtu). */
static void take_first_part(struct witness *w, struct flow *f, struct connection *c, const struct event *e)
{
	struct pieces *p = &w->pieces[w->next_pieces++ % PIECES];

	*p = (struct pieces){ .flow = f, .connection = c, .seq = e->seq, .way = e->way, .id = e->id, .got = e->length,
		.lost = let_through(e) > 0 ? EVENT_NONE : e->fate, .out = e->copies > 0 ? e->out[0] : INT64_MIN };
	/* All of it is TCP's options: nobody told where the payload begins. */
	if (e->length == 0)
		f->astray = true;
}

/* The lines that ended in its earlier pieces have not arrived after all. */
static void lose_earlier_parts(const struct witness *w, const struct pieces *p, const struct event *e)
{
	uint64_t begin;

	if (!find_place(p->connection, e->way, p->seq, &begin))
		return;
	for (size_t i = first_line_at(w, p->flow, e->way, begin); i < p->flow->end; i++) {
		struct record *r = witness_record(w, true, p->flow->numbers[i]);
		struct witness_leg *leg = r ? &r->line.legs[e->way] : NULL;

		if (!r || r->ends[e->way] > begin + p->got)
			return;
		leg->through -= leg->through > 0;
		leg_lost(leg, e->fate);
	}
}

/* One piece lost, all is lost. */
static void take_later_part(struct witness *w, struct pieces *p, const struct event *e)
{
	struct event part = *e;

	part.protocol = EVENT_TCP;
	part.seq = p->seq + p->got;
	if (p->lost == EVENT_NONE && let_through(e) == 0) {
		p->lost = e->fate;
		w->totals.dropped[e->way]++;
		lose_earlier_parts(w, p, e);
	} else if (p->lost != EVENT_NONE) {
		part.fate = p->lost;
		part.copies = 0;
	} else if (part.out[0] < p->out) {
		part.out[0] = p->out;
	}
	p->out = part.out[0];
	take_payload(w, p->flow, p->connection, &part);
	p->got += e->length;
}

/* It opens or closes the connection; else it belongs to the exchange of the line that was sent last. */
static void take_bare(struct witness *w, const struct flow *f, const struct connection *c, const struct event *e, bool again)
{
	const bool ended = c->ended[EVENT_THERE] || c->ended[EVENT_BACK], ends = e->fin || e->rst;
	const uint64_t number = f->end > f->begin ? f->numbers[f->end - 1] : 0;
	struct packet packet = packet_of(e, 0, 0, 0, again);

	if (e->syn || ends || !c->open || ended) {
		packet.port = c->here;
		packet.closing = c->open && (ended || ends);
	} else {
		packet.first = packet.last = number;
	}
	packets_add(w->packets, &packet);
}

/* A FIN may come with payload: it then stands with its line, and with the connection. */
static void take_flags(struct witness *w, struct connection *c, const struct event *e)
{
	struct packet packet = packet_of(e, 0, 0, 0, false);
	uint64_t place;

	if (e->fin && e->length > 0 && c->known[e->way] && find_place(c, e->way, e->seq, &place)) {
		packet.place = place;
		packet.again = place < c->from[e->way] + c->seen[e->way];
		packet.port = c->here;
		packet.closing = true;
		packets_add(w->packets, &packet);
	}
	/* After a RST that the link lost, a connection that is not open yet goes on with its next SYN. */
	c->ended[e->way] |= e->fin || (e->rst && c->open);
	c->open |= e->way == EVENT_THERE && !e->syn && !e->rst;
}

static void take_segment(struct witness *w, const struct event *e)
{
	struct connection *c = NULL;
	int i = w->flow_count;

	while (!c && --i >= 0)
		if (w->flows[i].stream)
			c = find_connection(&w->flows[i], e);
	if (!c)
		return;
	w->flows[i].seen = true;
	w->totals.segments[e->way]++;
	w->totals.cues += e->fate == EVENT_CUE;
	if (let_through(e) == 0)
		w->totals.dropped[e->way]++;
	/* Of what bears no payload only SYN and FIN have a place in the stream, and are sent until they arrive. */
	const bool again = (e->syn && c->known[e->way]) || (e->length == 0 && e->fin && c->ended[e->way]);
	if (again)
		w->totals.again[e->way]++;
	if (e->length == 0)
		take_bare(w, &w->flows[i], c, e, again);
	take_flags(w, c, e);
	if (e->syn) {
		c->known[e->way] = true;
		c->first[e->way] = e->seq;
	} else if (e->length > 0 && c->known[e->way]) {
		take_payload(w, &w->flows[i], c, e);
	}
	if (e->fragment && c->known[e->way])
		take_first_part(w, &w->flows[i], c, e);
}

/* Between the payload of a segment before this piece and its place in the packet lies TCP's header (RFC 9293, 3.1). */
static bool fits_segment(const struct pieces *p, const struct event *e)
{
	return p->connection && p->got > 0 && e->offset >= p->got + 20 && e->offset <= p->got + 60;
}

/* The newest that it may belong to: numbers are used again. */
static void take_later_piece(struct witness *w, const struct event *e)
{
	for (size_t i = 1; i <= PIECES; i++) {
		struct pieces *p = &w->pieces[(w->next_pieces - i) % PIECES];
		struct record *r = p->number ? witness_record(w, false, p->number) : NULL;

		if (p->way != e->way || p->id != e->id || (!r && !fits_segment(p, e)))
			continue;
		if (r)
			take_piece(w, r, p, e);
		else
			take_later_part(w, p, e);
		return;
	}
}

void witness_event(struct witness *w, const struct event *event)
{
	if (event->protocol == EVENT_UDP)
		take_datagram(w, event);
	else if (event->protocol == EVENT_TCP)
		take_segment(w, event);
	else if (event->fragment && event->offset > 0)
		take_later_piece(w, event);
}

void witness_undelivered(struct witness *w, uint64_t serial, enum event_way way)
{
	const struct told *told = &w->told[serial % SERIALS];
	struct record *r = told->serial == serial ? witness_record(w, told->stream, told->number) : NULL;
	struct witness_leg *leg = r ? &r->line.legs[way] : NULL;

	if (!leg || leg->through == 0)
		return;
	leg->through--;
	leg_lost(leg, EVENT_LOST);
}
