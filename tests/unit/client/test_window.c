/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows over time: what is kept, and where it stands in a plot's columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "trace/window.h"

#define MS NS_PER_MS

static struct tcp_window window(int cwnd, int ssthresh, int in_flight)
{
	return (struct tcp_window){ .cwnd = cwnd,
		.ssthresh = ssthresh,
		.in_flight = in_flight,
		.mss = 1000,
		.peer_window = 65500,
		.state = TCP_STATE_OPEN };
}

static void sample(struct window_log *l, int64_t at, int way, int cwnd, int in_flight)
{
	window_add(l, &(struct window_sample){ .at = at,
	                  .way = (uint8_t)way,
	                  .queue = -1,
	                  .queued = -1,
	                  .tcp = window(cwnd, -1, in_flight) });
}

static void queue(struct window_log *l, int64_t at, int way, int packets)
{
	window_add(l,
	    &(struct window_sample){
	        .at = at, .way = (uint8_t)way, .queue = packets, .queued = packets * 1000 });
}

static void mark(struct window_log *l, int64_t at, int way, enum window_mark what)
{
	window_add(l, &(struct window_sample){
	                  .at = at, .way = (uint8_t)way, .mark = (uint8_t)what, .queue = -1 });
}

/* What says the same as before is left out, for each end, flow and kind alone. */
static void only_news(void **state)
{
	struct window_log l = { .count = 0 };
	size_t i = 0;

	(void)state;
	sample(&l, 1 * MS, LINK_GOING, 10, 1);
	sample(&l, 2 * MS, LINK_COMING, 10, 1);
	sample(&l, 3 * MS, LINK_GOING, 10, 1);
	sample(&l, 4 * MS, LINK_COMING, 10, 0);
	assert_int_equal(l.count, 3);
	queue(&l, 5 * MS, LINK_GOING, 3);
	queue(&l, 6 * MS, LINK_GOING, 3);
	queue(&l, 14 * MS, LINK_GOING, 3);
	assert_int_equal(l.count, 4);
	queue(&l, 15 * MS, LINK_GOING, 3);
	mark(&l, 16 * MS, LINK_GOING, WINDOW_LOST);
	mark(&l, 16 * MS, LINK_GOING, WINDOW_LOST);
	assert_int_equal(l.count, 7);
	/* What was written is passed by its serial. */
	assert_int_equal(window_after(&l, 2, &i)->at, 4 * MS);
	assert_int_equal(i, 2);
	assert_null(window_after(&l, 7, &i));
	i = 0;
	assert_null(window_after(NULL, 0, &i));
	window_free(&l);
}

/* Of very many the beginning stays, with every mark and of both ends, and serials go on. */
static void many_are_thinned(void **state)
{
	struct window_log l = { .count = 0 };
	uint64_t serial = 0;
	int marks = 0, ends[2] = { 0 };
	const int count = 3 * WINDOW_SAMPLES;

	(void)state;
	for (int i = 0; i < count; i++) {
		sample(&l, i * MS, i & 1, 10 + i, 1);
		if (i % 1000 == 0)
			mark(&l, i * MS, LINK_GOING, WINDOW_FAST);
		assert_true(l.count <= WINDOW_SAMPLES);
	}
	for (size_t i = 0; i < l.count; i++) {
		assert_true(l.samples[i].serial > serial);
		serial = l.samples[i].serial;
		marks += l.samples[i].mark != 0;
		ends[l.samples[i].way] += l.samples[i].mark == 0;
	}
	assert_int_equal(l.samples[0].at, 0);
	assert_int_equal(marks, (count + 999) / 1000);
	assert_true(abs(ends[0] - ends[1]) <= 3);
	assert_true(l.count > WINDOW_SAMPLES / 2 - 10);
	/* Marks alone go when they are too many. */
	for (int i = 0; i < 2 * WINDOW_SAMPLES; i++)
		mark(&l, (count + i) * MS, LINK_GOING, WINDOW_LOST);
	assert_true(l.count <= WINDOW_SAMPLES && l.samples[l.count - 1].serial == l.added);
	window_free(&l);
}

/* A plot begins after a pause; a timeout of many seconds is none, since a segment is out. */
static void a_span(void **state)
{
	struct window_log l = { .count = 0 };
	int64_t from, to;

	(void)state;
	assert_false(window_span(NULL, INT64_MAX, &from, &to));
	assert_false(window_span(&l, INT64_MAX, &from, &to));
	queue(&l, 1 * MS, LINK_GOING, 0);
	assert_false(window_span(&l, INT64_MAX, &from, &to));
	sample(&l, 100 * MS, LINK_GOING, 10, 1);
	sample(&l, 200 * MS, LINK_GOING, 10, 0);
	sample(&l, 5000 * MS, LINK_GOING, 10, 1);
	sample(&l, 5001 * MS, LINK_COMING, 10, 0);
	sample(&l, 9000 * MS, LINK_GOING, 1, 1);
	/* The cause of a repetition comes later than it happened. */
	mark(&l, 8999 * MS, LINK_GOING, WINDOW_TIMEOUT);
	assert_true(window_span(&l, INT64_MAX, &from, &to));
	assert_int_equal(from, 5000 * MS);
	assert_int_equal(to, 9000 * MS);
	assert_true(window_span(&l, 3000 * MS, &from, &to));
	assert_int_equal(from, 1 * MS);
	assert_int_equal(to, 200 * MS);
	/* Queues alone, of datagrams, are no window. */
	sample(&l, 9001 * MS, LINK_GOING, 2, 0);
	queue(&l, 20000 * MS, LINK_GOING, 1);
	mark(&l, 20001 * MS, LINK_GOING, WINDOW_LOST);
	assert_true(window_span(&l, INT64_MAX, &from, &to));
	assert_int_equal(from, 5000 * MS);
	assert_int_equal(to, 9001 * MS);
	window_free(&l);
}

static void columns(void **state)
{
	struct window_log l = { .count = 0 };
	struct window_plot p;

	(void)state;
	sample(&l, 0, LINK_GOING, 10, 0);
	sample(&l, 20 * MS, LINK_GOING, 14, 3);
	sample(&l, 20 * MS + 1, LINK_GOING, 7, 2);
	queue(&l, 30 * MS, LINK_GOING, 5);
	mark(&l, 50 * MS, LINK_GOING, WINDOW_LOST);
	mark(&l, 50 * MS, LINK_GOING, WINDOW_PROBE);
	window_add(&l,
	    &(struct window_sample){ .at = 80 * MS, .queue = -1, .tcp = window(7, 7, 2) });
	sample(&l, 100 * MS, LINK_COMING, 30, 1);
	assert_int_equal(window_plot_begin(&p, &l, INT64_MAX, 11), 0);
	assert_int_equal(p.flow_count, 1);
	assert_int_equal(p.parts[WINDOW_HERE], 14);
	assert_int_equal(p.parts[WINDOW_SERVER], 30);
	assert_int_equal(p.parts[WINDOW_QUEUES], 5);
	window_plot_fill(&p, 0, LINK_GOING);
	for (int i = 0; i < 11; i++) {
		const struct window_column *c = &p.columns[i];

		assert_int_equal(c->min[WINDOW_CWND], i < 2 ? 10 : 7);
		assert_int_equal(c->max[WINDOW_CWND], i < 2 ? 10 : i == 2 ? 14 : 7);
		assert_int_equal(c->max[WINDOW_SSTHRESH], i < 8 ? -1 : 7);
		assert_int_equal(c->max[WINDOW_IN_FLIGHT], i < 2 ? 0 : i == 2 ? 3 : 2);
		assert_int_equal(c->max[WINDOW_PEER], 65);
		assert_int_equal(c->max[WINDOW_QUEUE], i == 3 || i == 4 ? 5 : -1);
		assert_int_equal(c->marks, i == 5 ? 1 << WINDOW_LOST | 1 << WINDOW_PROBE : 0);
	}
	window_plot_fill(&p, 1, LINK_GOING);
	assert_int_equal(p.columns[0].max[WINDOW_CWND], -1);
	window_plot_end(&p);
	window_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_news),
		cmocka_unit_test(many_are_thinned),
		cmocka_unit_test(a_span),
		cmocka_unit_test(columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
