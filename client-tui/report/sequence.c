/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page is a slice of the records. All its moments are collected for the axis of time. Usual
 * durations are medians, so that a few long waits do not shrink all other lines. */
#include "report/sequence.h"

#include <errno.h>

#include "common/clock.h"

/* Pixels: the most by which a usual arrow falls; the usual durations without a moment that are not
 * cut. */
#define FALL_MAX 120.0
#define QUIET 5
#define LATER(a, b) ((a) > (b) ? (a) : (b))

/* --- pages --- */

/* The first record of page `page`; *pages is the number of pages up to there. */
static size_t page_begin(const struct picture_data *d, size_t page, size_t *pages)
{
	size_t lines = 0, rows = 0, event = 0;

	*pages = d->count > 0;
	for (size_t i = 0; i < d->count; i++) {
		if (i > 0 && d->records[i].row.number == d->records[i - 1].row.number)
			continue;
		/* The events with words that come before this line. */
		size_t before = 0;
		for (; event < d->event_count && d->events[event].at <= d->records[i].row.typed_at;
		    event++)
			before += sequence_is_row(&d->events[event]);
		if (lines == SEQUENCE_LINES || (lines && rows + before >= SEQUENCE_ROWS)) {
			++*pages;
			lines = rows = 0;
		}
		if (lines == 0 && *pages == page + 1)
			return i;
		lines++;
		rows += before + 1;
	}
	return d->count;
}

size_t sequence_pages(const struct picture_data *d)
{
	size_t pages;

	page_begin(d, SIZE_MAX, &pages);
	return pages ? pages : 1;
}

int64_t sequence_page_begin(const struct picture_data *d, size_t page)
{
	size_t pages;
	const size_t begin = page_begin(d, page, &pages);

	if (page == 0)
		return INT64_MIN;
	return begin < d->count ? d->records[begin - 1].row.typed_at + 1 : INT64_MAX;
}

/* --- moments --- */

bool sequence_waits(const struct record *r)
{
	const struct parts parts = parts_of_row(&r->row);

	return sequence_known(r->row.sent_at) && parts_differ(&parts);
}

int64_t sequence_begins(const struct record *r)
{
	return sequence_known(r->row.sent_at) && !sequence_waits(r) ? r->row.sent_at
	                                                            : r->row.typed_at;
}

int64_t sequence_packet_end(const struct sequence *s, const struct link_packet *packet)
{
	return sequence_known(packet->out) ? packet->out : packet->in + s->one_way;
}

/* --- packets --- */

static void add_packet(struct sequence *s, const struct record *r, struct link_packet of,
    bool estimated)
{
	s->packets[s->packet_count++] = (struct sequence_packet){
		.of = of, .record = r, .stream = !r || r->row.stream, .estimated = estimated
	};
}

/* Adds a packet of which only the client's end is known. */
static void estimate_packet(struct sequence *s, const struct record *r, struct link_packet of,
    int64_t in, int64_t out)
{
	of.fate = sequence_known(out) ? LINK_DELIVERED : LINK_LOST;
	of.in = in;
	of.out = out;
	of.out2 = RECORD_NEVER;
	add_packet(s, r, of, true);
}

/* Estimates that both directions of a line took equally long. */
static void estimate_line(struct sequence *s, const struct record *r)
{
	const int64_t sent = r->row.sent_at, replied = r->row.replied_at,
	              half = sequence_known(replied) ? sent + (replied - sent) / 2 : RECORD_NEVER;
	/* Lines that were sent at the same time stay apart. */
	struct link_packet of = { .payload = true, .seq = (uint32_t)r->row.number };

	of.direction = LINK_GOING;
	estimate_packet(s, r, of, sent, half);
	of.direction = LINK_COMING;
	if (sequence_known(replied))
		estimate_packet(s, r, of, half, replied);
}

static void add_lines(struct sequence *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct record *r = &s->records[i];

		for (size_t k = 0; r->legs && k < r->packet_count; k++)
			add_packet(s, r, r->packets[k], false);
		if ((!r->legs || r->packet_count == 0) && sequence_known(r->row.sent_at) &&
		    r->row.fate != FATE_FAILED && r->row.fate != FATE_QUEUED)
			estimate_line(s, r);
		s->transports[r->row.stream] = true;
	}
}

/* Estimates the packets of a connection outside the lab, where only the client's times are known.
 * For a SYN that was sent more than once, these are the times of the first SYN and of the answer to
 * the last one. */
static void estimate_connection(struct sequence *s, const struct session_event *e)
{
	const struct session_connection *c = &e->connection;
	const struct link_packet syn = { .direction = LINK_GOING, .syn = true };
	const struct link_packet end = { .direction = c->by_client ? LINK_GOING : LINK_COMING,
		.fin = !c->error,
		.rst = c->error == ECONNRESET };
	const bool refused = c->stage == SESSION_FAILED && c->error == ECONNREFUSED;
	const struct link_packet answer = {
		.direction = LINK_COMING, .syn = !refused, .rst = refused, .ack = true
	};
	const bool answered = c->stage == SESSION_CONNECTED || refused;
	const int64_t half = e->at + e->duration - (c->syns > 1 ? s->one_way : e->duration / 2);

	if (c->stage == SESSION_ENDED) {
		if (end.fin || end.rst)
			estimate_packet(s, NULL, end, c->by_client ? e->at : e->at - s->one_way,
			    c->by_client ? e->at + s->one_way : e->at);
		return;
	}
	estimate_packet(s, NULL, syn, e->at, answered && c->syns < 2 ? half : RECORD_NEVER);
	if (answered)
		estimate_packet(s, NULL, answer, half, e->at + e->duration);
}

static void add_connections(struct sequence *s, bool lab)
{
	const size_t before = s->packet_count;

	for (size_t i = 0; i < s->event_count; i++) {
		const struct session_event *e = &s->events[i];

		for (size_t k = 0; k < e->packet_count; k++)
			add_packet(s, NULL, record_packet_shifted(&e->packets[k], e->at), false);
		if (e->kind == SESSION_EVENT_TCP && !lab)
			estimate_connection(s, e);
	}
	s->transports[1] |= s->packet_count > before;
}

/* Packets with payload are drawn over packets without. */
int sequence_order(const void *a, const void *b)
{
	const struct sequence_packet *p = a, *q = b;
	const struct link_packet *x = &p->of, *y = &q->of;

	if (p->stream != q->stream)
		return p->stream ? 1 : -1;
	if (x->payload != y->payload)
		return x->payload ? 1 : -1;
	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (x->direction != y->direction)
		return x->direction < y->direction ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

/* --- the axis --- */

/* The median time of the lines' packets that arrived, and of half the round trips of connections.
 */
static int64_t median_delay(const struct sequence *s, const struct picture_data *d)
{
	int64_t *times = calloc(s->packet_count + d->event_count + 1, sizeof *times);
	int64_t usual = NS_PER_MS;
	size_t n = 0;

	for (size_t i = 0; times && i < s->packet_count; i++)
		if (sequence_known(s->packets[i].of.out))
			times[n++] = s->packets[i].of.out - s->packets[i].of.in;
	for (size_t i = 0; times && i < d->event_count; i++) {
		const struct session_connection *c = &d->events[i].connection;

		if (c->syns == 1 && (c->stage == SESSION_CONNECTED || c->error == ECONNREFUSED))
			times[n++] = d->events[i].duration / 2;
	}
	if (n > 0) {
		qsort(times, n, sizeof *times, time_axis_order);
		usual = times[n / 2];
	}
	free(times);
	return usual > 1000 ? usual : 1000;
}

struct moments {
	int64_t *at;
	size_t count;
};

static void add_moment(struct moments *m, int64_t moment)
{
	if (sequence_known(moment))
		m->at[m->count++] = moment;
}

static void add_moments(const struct sequence *s, struct moments *m)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct record *r = &s->records[i];

		add_moment(m, sequence_begins(r));
		add_moment(m, r->row.sent_at);
		add_moment(m, r->row.replied_at);
	}
	for (size_t i = 0; i < s->packet_count; i++) {
		add_moment(m, s->packets[i].of.in);
		add_moment(m, sequence_packet_end(s, &s->packets[i].of));
		add_moment(m, s->packets[i].of.out2);
	}
	for (size_t i = 0; i < s->event_count; i++)
		if (sequence_is_row(&s->events[i]))
			add_moment(m, s->events[i].at);
}

#define STOPS 24 /* the maximum number of places with room for words */

/* Finds the moments before which words stand. */
static size_t find_stops(const struct sequence *s, int64_t stops[STOPS])
{
	size_t n = 0;

	for (size_t i = 0; i < s->event_count && n + 2 < STOPS; i++) {
		if (sequence_is_row(&s->events[i]))
			stops[n++] = s->events[i].at;
		/* A line is typed at the same time. */
		if (session_event_is_notice(&s->events[i]))
			stops[n++] = s->events[i].at;
	}
	for (size_t i = 0; i < s->packet_count && n < STOPS; i++)
		if (sequence_is_named(&s->packets[i].of))
			stops[n++] = s->packets[i].of.in;
	return n;
}

/* Makes the axis of all moments on the page, which it fills. */
static int make_axis(struct sequence *s, const struct moments *m)
{
	int64_t stops[STOPS];
	struct time_scale scale = { .quiet = QUIET * s->one_way,
		.step = s->one_way,
		.pixels = FALL_MAX,
		.max = SEQUENCE_ROWS * SEQUENCE_ROW,
		.stops = stops,
		.stop_count = find_stops(s, stops) };

	return time_axis_make(&s->axis, m->at, m->count, &scale);
}

/* --- the page --- */

/* Chooses the page's events: up to the next page, or to the last moment of its lines. */
static void choose_events(struct sequence *s, const struct picture_data *d, size_t page)
{
	const int64_t from = sequence_page_begin(d, page), next = sequence_page_begin(d, page + 1);
	int64_t last = INT64_MIN;
	size_t begin = 0, end = 0;

	for (size_t i = 0; i < s->packet_count; i++)
		last = LATER(last, sequence_packet_end(s, &s->packets[i].of));
	for (size_t i = 0; i < s->count; i++)
		last = LATER(last, s->records[i].row.replied_at);
	while (begin < d->event_count && d->events[begin].at < from)
		begin++;
	for (end = begin;
	    end < d->event_count && (d->events[end].at < next || d->events[end].at <= last);)
		end++;
	s->events = d->events + begin;
	s->event_count = end - begin;
}

int sequence_make(struct sequence *s, const struct picture_data *d, size_t page, bool lab)
{
	size_t pages;
	const size_t begin = page_begin(d, page, &pages), end = page_begin(d, page + 1, &pages);
	/* A line or an event has so many packets at most. */
	const size_t most = (end - begin + d->event_count) * RECORD_PACKETS;
	struct moments m = { .at = calloc(3 * (most + d->count) + d->event_count + 1,
		                 sizeof *m.at) };
	int result = -1;

	*s = (struct sequence){ .records = d->records + begin,
		.count = end - begin,
		.packets = calloc(most + 1, sizeof *s->packets) };
	if (m.at && s->packets) {
		add_lines(s);
		s->one_way = median_delay(s, d);
		choose_events(s, d, page);
		add_connections(s, lab);
		qsort(s->packets, s->packet_count, sizeof *s->packets, sequence_order);
		add_moments(s, &m);
		result = make_axis(s, &m);
	}
	free(m.at);
	if (result < 0)
		free(s->packets);
	return result;
}

void sequence_free(struct sequence *s)
{
	time_axis_free(&s->axis);
	free(s->packets);
}
