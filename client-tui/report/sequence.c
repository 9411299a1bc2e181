/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page is a slice of the records. All its moments are collected for the axis of time. Usual
 * durations are medians, so that a few long waits do not shrink all other lines. */
#include "config.h"

#include "report/sequence.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"

/* Pixels: the most by which a usual arrow falls, the least with which waits are drawn. */
#define FALL_MAX 120.0
#define FALL_MIN 12.0
/* The usual durations without a moment that are cut; and where arrows would be too flat. */
#define QUIET 8
#define QUIET_SHORT 2

/* --- pages --- */

/* The number of events with words from *event on that come before `moment`. */
static size_t events_before(const struct picture_data *d, size_t *event, int64_t moment)
{
	size_t rows = 0;

	for (; *event < d->event_count && d->events[*event].at <= moment; ++*event)
		rows += sequence_is_row(&d->events[*event]);
	return rows;
}

/* The first record of page `page`; *pages is the number of pages up to there. */
static size_t page_begin(const struct picture_data *d, size_t page, size_t *pages)
{
	size_t lines = 0, rows = 0, event = 0;

	*pages = d->count > 0;
	for (size_t i = 0; i < d->count; i++) {
		if (i > 0 && d->records[i].row.number == d->records[i - 1].row.number)
			continue;
		const size_t before = events_before(d, &event, d->records[i].row.typed_at);
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

int64_t sequence_midpoint(const struct record *r)
{
	return r->row.sent_at + (r->row.replied_at - r->row.sent_at) / 2;
}

bool sequence_has_packets(const struct record *r)
{
	return r->legs && r->packet_count > 0;
}

int64_t sequence_packet_end(const struct sequence *s, const struct link_packet *packet)
{
	return sequence_known(packet->out) ? packet->out : packet->in + s->one_way;
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

static void add_packet(const struct sequence *s, const struct link_packet *packet,
    struct moments *m)
{
	add_moment(m, packet->in);
	add_moment(m, sequence_packet_end(s, packet));
	add_moment(m, packet->out2);
}

static void add_moments(const struct sequence *s, const struct record *r, struct moments *m)
{
	if (sequence_waits(r))
		add_moment(m, r->row.typed_at);
	add_moment(m, r->row.sent_at);
	add_moment(m, r->row.replied_at);
	if (!sequence_has_packets(r)) {
		if (sequence_known(r->row.sent_at))
			add_moment(m, sequence_known(r->row.replied_at)
			                  ? sequence_midpoint(r)
			                  : r->row.sent_at + s->one_way);
		return;
	}
	for (size_t i = 0; i < r->packet_count; i++)
		add_packet(s, &r->packets[i], m);
}

/* Returns the median of the times; sorts and frees them. */
static int64_t free_median(int64_t *times, size_t n, int64_t without_any)
{
	int64_t median = without_any;

	if (n > 0) {
		qsort(times, n, sizeof *times, time_axis_order);
		median = times[n / 2];
	}
	free(times);
	return median;
}

/* The median time of delivered packets or half round trips, with those of connections. */
static int64_t median_delay(const struct sequence *s, const struct picture_data *d)
{
	int64_t *times = calloc(s->count * (RECORD_PACKETS + 1) + d->event_count + 1,
	            sizeof *times),
	        usual;
	size_t n = 0;

	for (size_t i = 0; times && i < s->count; i++) {
		const struct record *r = &s->records[i];

		for (size_t k = 0; sequence_has_packets(r) && k < r->packet_count; k++)
			if (sequence_known(r->packets[k].out))
				times[n++] = r->packets[k].out - r->packets[k].in;
		if (!sequence_has_packets(r) && r->row.fate == FATE_ANSWERED &&
		    sequence_known(r->row.sent_at) && sequence_known(r->row.replied_at))
			times[n++] = sequence_midpoint(r) - r->row.sent_at;
	}
	for (size_t i = 0; times && i < d->event_count; i++) {
		const struct session_connection *c = &d->events[i].connection;

		if (c->syns == 1 && (c->stage == SESSION_CONNECTED || c->error == ECONNREFUSED))
			times[n++] = d->events[i].duration / 2;
	}
	usual = free_median(times, n, NS_PER_MS);
	return usual > 1000 ? usual : 1000;
}

#define MOMENTS (3 * RECORD_PACKETS + 4) /* the maximum number of a line's moments */

/* The last moment of the lines. */
static int64_t last_moment(const struct sequence *s)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < s->count; i++) {
		int64_t at[MOMENTS];
		struct moments m = { .at = at };

		add_moments(s, &s->records[i], &m);
		for (size_t k = 0; k < m.count; k++)
			last = at[k] > last ? at[k] : last;
	}
	return last;
}

static void collect_moments(const struct sequence *s, struct moments *m)
{
	for (size_t i = 0; i < s->count; i++)
		add_moments(s, &s->records[i], m);
	for (size_t i = 0; i < s->event_count; i++)
		if (sequence_is_row(&s->events[i]))
			add_moment(m, s->events[i].at);
	for (size_t i = 0; i < s->handshake_count; i++)
		add_packet(s, &s->handshakes[i], m);
}

#define STOPS 24 /* the maximum number of places with room for words */

/* Makes the axis of all moments on the page, which it fills. */
static int make_axis(struct sequence *s)
{
	struct moments m = { .at = calloc(s->count * MOMENTS + s->event_count +
		                              3 * s->handshake_count + 1,
		                 sizeof *m.at) };
	int64_t stops[STOPS];
	struct time_scale scale = { .quiet = QUIET * s->one_way,
		.step = s->one_way,
		.pixels = FALL_MAX,
		.max = SEQUENCE_ROWS * SEQUENCE_ROW,
		.stops = stops };
	int result = -1;

	for (size_t i = 0; i < s->event_count && scale.stop_count + 2 < STOPS; i++) {
		if (sequence_is_row(&s->events[i]))
			stops[scale.stop_count++] = s->events[i].at;
		/* A line is typed at the same time. */
		if (session_event_is_notice(&s->events[i]))
			stops[scale.stop_count++] = s->events[i].at;
	}
	for (size_t i = 0; i < s->handshake_count && scale.stop_count < STOPS; i++)
		if (sequence_is_named(&s->handshakes[i]))
			stops[scale.stop_count++] = s->handshakes[i].in;
	if (m.at) {
		collect_moments(s, &m);
		result = time_axis_make(&s->axis, m.at, m.count, &scale);
	}
	if (result == 0 && s->axis.scale * (double)s->one_way < FALL_MIN) {
		time_axis_free(&s->axis);
		scale.quiet = QUIET_SHORT * s->one_way;
		result = time_axis_make(&s->axis, m.at, m.count, &scale);
	}
	free(m.at);
	return result;
}

/* --- events and connections --- */

/* Chooses the page's events: up to the next page, or to the last moment of its lines. */
static void choose_events(struct sequence *s, const struct picture_data *d, size_t page)
{
	const int64_t from = sequence_page_begin(d, page), next = sequence_page_begin(d, page + 1);
	const int64_t last = last_moment(s);
	size_t begin = 0, end = 0;

	while (begin < d->event_count && d->events[begin].at < from)
		begin++;
	for (end = begin;
	    end < d->event_count && (d->events[end].at < next || d->events[end].at <= last);)
		end++;
	s->events = d->events + begin;
	s->event_count = end - begin;
}

static void estimate_packet(struct sequence *s, struct link_packet packet, int64_t in, int64_t out)
{
	packet.fate = sequence_known(out) ? LINK_DELIVERED : LINK_LOST;
	packet.in = in;
	packet.out = out;
	packet.out2 = RECORD_NEVER;
	packet.estimated = true;
	s->handshakes[s->handshake_count++] = packet;
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
			estimate_packet(s, end, c->by_client ? e->at : e->at - s->one_way,
			    c->by_client ? e->at + s->one_way : e->at);
		return;
	}
	estimate_packet(s, syn, e->at, answered && c->syns < 2 ? half : RECORD_NEVER);
	if (answered)
		estimate_packet(s, answer, half, e->at + e->duration);
}

static int choose_handshakes(struct sequence *s, bool lab)
{
	s->handshakes = calloc(s->event_count * RECORD_PACKETS + 1, sizeof *s->handshakes);
	for (size_t i = 0; s->handshakes && i < s->event_count; i++) {
		for (size_t k = 0; k < s->events[i].packet_count; k++)
			s->handshakes[s->handshake_count++] =
			    record_packet_shifted(&s->events[i].packets[k], s->events[i].at);
		if (s->events[i].kind == SESSION_EVENT_TCP && !lab)
			estimate_connection(s, &s->events[i]);
	}
	return s->handshakes ? 0 : -1;
}

int sequence_make(struct sequence *s, const struct picture_data *d, size_t page, bool lab)
{
	size_t pages;
	const size_t begin = page_begin(d, page, &pages);

	*s = (struct sequence){ .records = d->records + begin,
		.count = page_begin(d, page + 1, &pages) - begin };
	s->one_way = median_delay(s, d);
	choose_events(s, d, page);
	for (size_t i = 0; i < s->count; i++)
		s->transports[s->records[i].row.stream] = true;
	if (choose_handshakes(s, lab) < 0 || make_axis(s) < 0) {
		free(s->handshakes);
		return -1;
	}
	s->transports[1] |= s->handshake_count > 0;
	return 0;
}

void sequence_free(struct sequence *s)
{
	time_axis_free(&s->axis);
	free(s->handshakes);
}
