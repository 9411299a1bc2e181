/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The moments of a page of the space-time diagram, and where they stand: usual durations are
 * medians, so that a few lines that waited long do not press all others together. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "report/svg-sequence-internal.h"

/* An arrow of usual duration falls by so many pixels; a page is not longer than the axis may be. */
#define FALL 24.0
/* Or by up to so many, where lines are sent so fast that their arrows would cover each other. */
#define FALL_MAX 300.0
#define AXIS_MAX 4200.0
/* Nothing for so many usual durations: the axis is cut. */
#define QUIET 8

bool svg_sequence_known(int64_t moment)
{
	return moment != RECORD_NEVER;
}

bool svg_sequence_waits(const struct record *r)
{
	const struct parts parts = record_parts(r);

	return svg_sequence_known(r->sent_at) && parts_differ(&parts);
}

int64_t svg_sequence_begins(const struct record *r)
{
	return svg_sequence_known(r->sent_at) && !svg_sequence_waits(r) ? r->sent_at : r->typed_at;
}

int64_t svg_sequence_half_way(const struct record *r)
{
	return r->sent_at + (r->replied_at - r->sent_at) / 2;
}

bool svg_sequence_has_packets(const struct record *r)
{
	return r->legs && r->packet_count > 0;
}

int64_t svg_sequence_packet_end(const struct sequence_picture *p,
    const struct record_packet *packet)
{
	return svg_sequence_known(packet->out) ? packet->out : packet->in + p->way;
}

struct moments {
	int64_t *at;
	size_t count;
};

static void add_moment(struct moments *m, int64_t moment)
{
	if (svg_sequence_known(moment))
		m->at[m->count++] = moment;
}

static void add_packet(const struct sequence_picture *p, const struct record_packet *packet,
    struct moments *m)
{
	add_moment(m, packet->in);
	add_moment(m, svg_sequence_packet_end(p, packet));
	add_moment(m, packet->out2);
}

static void add_moments(const struct sequence_picture *p, const struct record *r, struct moments *m)
{
	if (svg_sequence_waits(r))
		add_moment(m, r->typed_at);
	add_moment(m, r->sent_at);
	add_moment(m, r->replied_at);
	if (!svg_sequence_has_packets(r)) {
		if (svg_sequence_known(r->sent_at))
			add_moment(m, svg_sequence_known(r->replied_at) ? svg_sequence_half_way(r)
			                                                : r->sent_at + p->way);
		return;
	}
	for (size_t i = 0; i < r->packet_count; i++)
		add_packet(p, &r->packets[i], m);
}

/* Sorts and frees them. */
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

int64_t svg_sequence_usual_way(const struct record *records, size_t count,
    const struct session_event *events, size_t event_count)
{
	int64_t *times = calloc(count * (RECORD_PACKETS + 1) + event_count + 1, sizeof *times),
	        usual;
	size_t n = 0;

	for (size_t i = 0; times && i < count; i++) {
		const struct record *r = &records[i];

		for (size_t k = 0; svg_sequence_has_packets(r) && k < r->packet_count; k++)
			if (svg_sequence_known(r->packets[k].out))
				times[n++] = r->packets[k].out - r->packets[k].in;
		if (!svg_sequence_has_packets(r) && r->fate == FATE_ANSWERED &&
		    svg_sequence_known(r->sent_at) && svg_sequence_known(r->replied_at))
			times[n++] = svg_sequence_half_way(r) - r->sent_at;
	}
	for (size_t i = 0; times && i < event_count; i++)
		if (events[i].connection.syns == 1 &&
		    (events[i].connection.stage == SESSION_CONNECTED ||
		        events[i].connection.error == ECONNREFUSED))
			times[n++] = events[i].took / 2;
	usual = free_median(times, n, NS_PER_MS);
	return usual > 1000 ? usual : 1000;
}

/* The median time between two lines sent one after the other; 0 when that says nothing. */
static int64_t usual_gap(const struct sequence_picture *p)
{
	int64_t *gaps = calloc(p->count + 1, sizeof *gaps);
	const struct record *before = NULL;
	size_t n = 0;

	for (size_t i = 0; gaps && i < p->count; i++) {
		const struct record *r = &p->records[i];

		if (r->stream != p->records[0].stream || !svg_sequence_known(r->sent_at))
			continue;
		if (before && r->sent_at > before->sent_at)
			gaps[n++] = r->sent_at - before->sent_at;
		before = r;
	}
	return free_median(gaps, n, 0);
}

/* How far an arrow falls, so that each line has a row of words beside it, if that can be. */
static double fall(const struct sequence_picture *p)
{
	const int64_t gap = usual_gap(p);
	const double wanted = gap > 0 ? SVG_SEQUENCE_ROW * (double)p->way / (double)gap : FALL;

	return wanted < FALL ? FALL : wanted > FALL_MAX ? FALL_MAX : wanted;
}

/* A line's moments at most. */
#define MOMENTS (3 * RECORD_PACKETS + 4)

int64_t svg_sequence_last(const struct sequence_picture *p)
{
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < p->count; i++) {
		int64_t at[MOMENTS];
		struct moments m = { .at = at };

		add_moments(p, &p->records[i], &m);
		for (size_t k = 0; k < m.count; k++)
			last = at[k] > last ? at[k] : last;
	}
	return last;
}

int svg_sequence_make_axis(struct sequence_picture *p)
{
	struct moments m = { .at = calloc(p->count * MOMENTS + p->event_count +
		                              3 * p->handshake_count + 1,
		                 sizeof *m.at) };
	int result = -1;

	for (size_t i = 0; m.at && i < p->count; i++)
		add_moments(p, &p->records[i], &m);
	for (size_t i = 0; m.at && i < p->event_count; i++)
		if (p->events[i].kind != SESSION_EVENT_TCP)
			add_moment(&m, p->events[i].at);
	for (size_t i = 0; m.at && i < p->handshake_count; i++)
		add_packet(p, &p->handshakes[i], &m);
	if (m.at)
		result = time_axis_make(&p->axis, m.at, m.count, QUIET * p->way, p->way, fall(p),
		    AXIS_MAX);
	free(m.at);
	return result;
}

double svg_sequence_place(const struct sequence_picture *p, int64_t moment)
{
	return SVG_SEQUENCE_TOP + time_axis_place(&p->axis, moment);
}
