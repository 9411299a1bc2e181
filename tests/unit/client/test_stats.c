/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantiles beside exact ones of the sorted values; runs, delay variation and the ledger's feed
 * beside what walking all lines gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "common/clock.h"
#include "common/random.h"
#include "tests/lib/ledger_check.h"

#define MS NS_PER_MS
/* The histogram's error: half a bucket of the least width that a power of two has. */
#define ERROR (1.0 / (2 * HISTOGRAM_PARTS))

/* ---- the histogram ---- */

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* Hyndman and Fan's type 7 of sorted values. */
static double exact_quantile(const int64_t *values, size_t n, double q)
{
	const double place = q * (double)(n - 1);
	const size_t i = (size_t)place;
	const double next = i + 1 < n ? (double)values[i + 1] : (double)values[i];

	return (double)values[i] + (place - (double)i) * (next - (double)values[i]);
}

static void check_quantiles(const struct histogram *h, int64_t *values, size_t n)
{
	static const double qs[] = { 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999 };

	qsort(values, n, sizeof(*values), by_value);
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		const int64_t got = histogram_quantile(h, qs[i]);
		const bool enough = n >= 2 && (double)n * fmin(qs[i], 1 - qs[i]) >= 1 - 1e-9;

		assert_int_equal(got >= 0, enough);
		if (!enough)
			continue;
		const double exact = exact_quantile(values, n, qs[i]);
		assert_true(fabs((double)got - exact) <= exact * ERROR + 1);
	}
}

/* Values of every size, even ones, equal ones, few and many. */
static void quantiles_are_near(void **state)
{
	struct random dice;
	const size_t counts[] = { 1, 2, 3, 9, 10, 99, 100, 999, 1000, 5000 };

	(void)state;
	random_seed(&dice, 7, 0);
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		for (int kind = 0; kind < 5; kind++) {
			struct histogram *h = calloc(1, sizeof(*h));
			int64_t *values = calloc(counts[c], sizeof(*values));

			for (size_t i = 0; i < counts[c]; i++) {
				const uint64_t r = random_next(&dice);
				values[i] = kind == 0 ? (int64_t)(r % 1000)
				          : kind == 1 ? (int64_t)(r >> (1 + r % 63))
				          : kind == 2 ? 41 * MS
				          : kind == 3
				              ? (int64_t)(40 * MS + r % (2 * MS))
				              : (int64_t)(r % 100 < 90 ? 20 * MS : 220 * MS);
				histogram_add(h, values[i]);
			}
			check_quantiles(h, values, counts[c]);
			assert_int_equal(h->min, values[0]);
			assert_int_equal(h->max, values[counts[c] - 1]);
			assert_int_equal(h->count, counts[c]);
			free(values);
			free(h);
		}
}

/* Buckets follow one another without a gap, and none is wider than it may be. */
static void buckets_are_seamless(void **state)
{
	int64_t low, high, before = 0;

	(void)state;
	for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
		histogram_bounds(b, &low, &high);
		assert_int_equal(low, before);
		assert_true(high > low);
		assert_true(high - low == 1 ||
		            (double)(high - low) <= (double)low / HISTOGRAM_PARTS + 1);
		before = high;
	}
	assert_int_equal(before, INT64_MAX);
}

static void bounds_hold_what_was_added(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));
	struct random dice;

	(void)state;
	random_seed(&dice, 11, 0);
	for (int i = 0; i < 20000; i++) {
		const int64_t value = (int64_t)(random_next(&dice) >> (1 + i % 63));
		int64_t low, high;

		memset(h, 0, sizeof(*h));
		histogram_add(h, value);
		for (unsigned b = 0; b < HISTOGRAM_BUCKETS; b++) {
			if (!h->buckets[b])
				continue;
			histogram_bounds(b, &low, &high);
			assert_true(low <= value && (value < high || value == INT64_MAX));
			break;
		}
		i += 9;
	}
	free(h);
}

static void ends(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));

	(void)state;
	assert_int_equal(histogram_quantile(h, 0.5), -1);
	assert_int_equal(histogram_at_most(h, 5), 0);
	histogram_add(h, -5);
	histogram_add(h, INT64_MAX);
	assert_int_equal(h->min, 0);
	assert_int_equal(h->max, INT64_MAX);
	assert_int_equal(histogram_at_most(h, INT64_MAX), 2);
	assert_int_equal(histogram_at_most(h, 0), 1);
	assert_int_equal(histogram_at_most(h, -1), 0);
	free(h);
}

static void curve(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));
	uint64_t last = 0;

	(void)state;
	for (int64_t v = 1; v <= 1000; v++)
		histogram_add(h, v * MS);
	for (int64_t v = 0; v <= 1001; v++) {
		const uint64_t n = histogram_at_most(h, v * MS);
		assert_true(n >= last && n >= (uint64_t)(v > 1000 ? 1000 : v) &&
		            (double)n <= (double)v * (1 + 2 * ERROR) + 1);
		last = n;
	}
	assert_int_equal(last, 1000);
	free(h);
}

/* ---- the statistics ---- */

/* What became of each line, in the order of sending: a time, or one of these. */
enum { LOST = -1, OTHER = -2 };

struct expected {
	uint64_t lost, runs, longest, by_length[STATS_RUNS], ipdv_count, timed;
	double ipdv_sum;
};

static void walk(const int64_t *outcomes, size_t n, struct expected *e)
{
	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < n; i++) {
		size_t length = 0;

		e->timed += outcomes[i] >= 0;
		e->lost += outcomes[i] == LOST;
		if (i > 0 && outcomes[i] >= 0 && outcomes[i - 1] >= 0) {
			e->ipdv_count++;
			e->ipdv_sum += fabs((double)(outcomes[i] - outcomes[i - 1]));
		}
		if (outcomes[i] != LOST || (i > 0 && outcomes[i - 1] == LOST))
			continue;
		while (i + length < n && outcomes[i + length] == LOST)
			length++;
		e->runs++;
		e->longest = length > e->longest ? length : e->longest;
		e->by_length[(length < STATS_RUNS ? length : STATS_RUNS) - 1]++;
	}
}

static void check_stats(const struct stats *s, const int64_t *outcomes, size_t n)
{
	struct expected e;
	int64_t *values = calloc(n + 1, sizeof(*values));
	size_t count = 0;

	walk(outcomes, n, &e);
	assert_int_equal(s->lines, n);
	assert_int_equal(s->lost, e.lost);
	assert_int_equal(s->rtt.count, e.timed);
	assert_int_equal(s->run_count, e.runs);
	assert_int_equal(s->longest_run, e.longest);
	assert_memory_equal(s->runs, e.by_length, sizeof(s->runs));
	assert_int_equal(s->ipdv.count, e.ipdv_count);
	assert_true(fabs(s->ipdv_sum - e.ipdv_sum) <= 1e-9 * e.ipdv_sum);
	if (e.ipdv_count)
		assert_true(fabs(stats_mean_ipdv(s) - e.ipdv_sum / (double)e.ipdv_count) <=
		            1e-6 * e.ipdv_sum + 1e-9);
	else
		assert_true(stats_mean_ipdv(s) < 0);
	assert_true(fabs(stats_mean_run(s) - (e.runs ? (double)e.lost / (double)e.runs : 0)) <
	            1e-12);
	for (size_t i = 0; i < n; i++)
		if (outcomes[i] >= 0)
			values[count++] = outcomes[i];
	if (count) {
		check_quantiles(&s->rtt, values, count);
		const int64_t p90 = histogram_quantile(&s->rtt, 0.9);
		assert_int_equal(stats_pdv(s, 0.9), p90 < 0 ? -1 : p90 - values[0]);
	}
	count = 0;
	for (size_t i = 1; i < n; i++)
		if (outcomes[i] >= 0 && outcomes[i - 1] >= 0)
			values[count++] = llabs(outcomes[i] - outcomes[i - 1]);
	if (count)
		check_quantiles(&s->ipdv, values, count);
	free(values);
}

static void by_hand(void **state)
{
	/* RFC 3393: pairs 10-14 and 14-13 and 20-30; the loss and the refusal take theirs away. */
	static const int64_t outcomes[] = { 10 * MS, 14 * MS, 13 * MS, LOST, LOST, 20 * MS, 30 * MS,
		OTHER, 9 * MS, LOST, OTHER, LOST };
	struct stats *s = calloc(1, sizeof(*s));

	(void)state;
	assert_true(stats_mean_run(s) == 0 && stats_mean_ipdv(s) < 0 && stats_pdv(s, 0.5) == -1);
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		stats_add(s, outcomes[i] == LOST, outcomes[i] >= 0 ? outcomes[i] : -1,
		    outcomes[i] >= 0 ? outcomes[i] + MS : -1);
	assert_int_equal(s->run_count, 3);
	assert_int_equal(s->longest_run, 2);
	assert_int_equal(s->runs[0], 2);
	assert_int_equal(s->runs[1], 1);
	assert_int_equal(s->ipdv.count, 3);
	assert_true(s->ipdv_sum == 15.0 * MS);
	assert_int_equal(s->ipdv.max, 10 * MS);
	assert_int_equal(s->rtt.min, 9 * MS);
	assert_int_equal(s->waited.min, 10 * MS);
	assert_int_equal(s->waited.count, s->rtt.count);
	check_stats(s, outcomes, sizeof(outcomes) / sizeof(outcomes[0]));
	free(s);
}

static void long_runs(void **state)
{
	struct stats *s = calloc(1, sizeof(*s));
	static const size_t lengths[] = { 63, 64, 65, 200, 1 };
	int64_t outcomes[500];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (size_t k = 0; k < lengths[i]; k++)
			outcomes[n++] = LOST;
		outcomes[n++] = OTHER;
	}
	for (size_t i = 0; i < n; i++)
		stats_add(s, outcomes[i] == LOST, -1, -1);
	check_stats(s, outcomes, n);
	assert_int_equal(s->runs[STATS_RUNS - 1], 3);
	assert_int_equal(s->longest_run, 200);
	free(s);
}

/* ---- the ledger feeds them ---- */

#define LINES 400

/* What was done to each line of a ledger. `position`: its place in the order of sending. */
struct line {
	bool sent, decided;
	int64_t typed_at, sent_at, outcome;
	uint64_t position;
};

struct play {
	struct ledger *ledger;
	struct line lines[LINES + 1];
	uint64_t typed, positions;
	int64_t now;
	struct random dice;
	bool stream;
};

static uint64_t below(struct play *p, uint64_t n)
{
	return random_next(&p->dice) % n;
}

static void type_and_send(struct play *p)
{
	char text[40];

	if (p->typed == LINES)
		return;
	snprintf(text, sizeof text, "line %llu", (unsigned long long)++p->typed);
	assert_int_equal(ledger_add(p->ledger, p->typed, text, strlen(text), p->now), 0);
	struct line *x = &p->lines[p->typed];
	const int64_t typed_at = p->now;
	x->position = ++p->positions;
	/* Some lines are queued before they are sent. */
	if (below(p, 2) == 0)
		p->now += (int64_t)below(p, 30 * (uint64_t)MS);
	if (below(p, 20) == 0) {
		ledger_failed(p->ledger, p->typed, 90, 0);
		*x = (struct line){
			.sent = true, .decided = true, .outcome = OTHER, .position = x->position
		};
		return;
	}
	ledger_sent(p->ledger, p->typed, p->now);
	*x = (struct line){
		.sent = true, .typed_at = typed_at, .sent_at = p->now, .position = x->position
	};
	/* The kernel says a little later that it left a little later. */
	if (below(p, 3) == 0 && ledger_stamped(p->ledger, p->typed, p->now + 7))
		x->sent_at += 7;
}

static void decide(struct line *x, int64_t outcome)
{
	x->decided = true;
	x->outcome = outcome;
}

static void expire(struct play *p, int64_t wait)
{
	while (ledger_expire(p->ledger, p->now))
		;
	for (uint64_t i = 1; i <= p->typed; i++)
		if (p->lines[i].sent && !p->lines[i].decided && p->now > p->lines[i].sent_at + wait)
			decide(&p->lines[i], LOST);
}

static void answer_datagram(struct play *p)
{
	const uint64_t number = 1 + below(p, p->typed ? p->typed : 1);
	struct line *x = &p->lines[number];
	const struct ledger_row *row = ledger_find(p->ledger, number);
	char text[40];

	if (!x->sent || x->decided || !row)
		return;
	snprintf(text, sizeof text, "LINE %llu", (unsigned long long)number);
	const struct ledger_reply_match v = ledger_reply(p->ledger, text, strlen(text), p->now);
	assert_int_equal(v.match, MATCH_ANSWER);
	assert_int_equal(v.number, number);
	decide(x, p->now - x->sent_at);
}

static uint64_t oldest_waiting(const struct play *p)
{
	for (uint64_t i = 1; i <= p->typed; i++)
		if (p->lines[i].sent && !p->lines[i].decided)
			return i;
	return 0;
}

static void answer_stream(struct play *p)
{
	const uint64_t number = oldest_waiting(p);
	char text[40];

	if (!number)
		return;
	snprintf(text, sizeof text, "LINE %llu", (unsigned long long)number);
	const struct ledger_reply_match v = ledger_stream_reply(p->ledger, 0, text, strlen(text),
	    false, p->now);
	/* A row that is forgotten has no time. */
	decide(&p->lines[number], v.number ? p->now - p->lines[number].sent_at : OTHER);
}

static void cut(struct play *p)
{
	ledger_cut_off(p->ledger, 0, 0);
	for (uint64_t i = 1; i <= p->typed; i++)
		if (p->lines[i].sent && !p->lines[i].decided)
			decide(&p->lines[i], OTHER);
}

/* The lines in the order of sending, up to the first that is not decided. */
static void check_play(const struct play *p)
{
	int64_t outcomes[LINES] = { 0 }, waited[LINES] = { 0 };
	size_t n = 0, timed = 0;

	assert_true(ledger_balanced(p->ledger));
	for (uint64_t i = 1; i <= p->typed && p->lines[i].decided; i++) {
		outcomes[n++] = p->lines[i].outcome;
		if (p->lines[i].outcome >= 0)
			waited[timed++] = p->lines[i].sent_at - p->lines[i].typed_at +
			                  p->lines[i].outcome;
	}
	check_stats(ledger_stats(p->ledger), outcomes, n);
	assert_int_equal(ledger_stats(p->ledger)->waited.count, timed);
	if (timed > 0)
		check_quantiles(&ledger_stats(p->ledger)->waited, waited, timed);
}

/* Few rows, so that lines are forgotten in every state. */
static void play(bool stream, uint64_t seed)
{
	struct play *p = calloc(1, sizeof(*p));
	const int64_t wait = 100 * MS;

	p->stream = stream;
	random_seed(&p->dice, seed, 0);
	p->now = NS_PER_S;
	p->ledger = ledger_new(&(struct ledger_settings){
	    .kind = stream ? LEDGER_STREAM : LEDGER_DATAGRAM,
	    .tag = LEDGER_TAG_NEVER,
	    .capacity = 1 + below(p, 40),
	    .reply_timeout = wait,
	    .answerable = 60 * NS_PER_S });
	for (int step = 0; step < 600; step++) {
		const uint64_t what = below(p, 100);

		p->now += (int64_t)below(p, 4 * (uint64_t)MS);
		if (!stream)
			expire(p, wait);
		if (what < 50)
			type_and_send(p);
		else if (what < 98)
			(stream ? answer_stream : answer_datagram)(p);
		else if (stream && what < 99)
			cut(p);
		if (step % 50 == 0 && stream)
			check_play(p);
	}
	p->now += 100 * wait;
	if (stream)
		cut(p);
	else
		expire(p, wait);
	check_play(p);
	ledger_free(p->ledger);
	free(p);
}

static void counted_by_datagrams(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		play(false, seed);
}

static void counted_by_a_stream(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		play(true, seed);
}

static struct ledger *with_lines(int n)
{
	struct ledger *l = ledger_new(&(struct ledger_settings){ .kind = LEDGER_DATAGRAM,
	    .capacity = 100,
	    .reply_timeout = 100 * MS,
	    .answerable = 60 * NS_PER_S });

	for (int i = 1; i <= n; i++) {
		const char text[] = { (char)('a' + i) };
		assert_int_equal(ledger_add(l, (uint64_t)i, text, 1, 0), 0);
		ledger_sent(l, (uint64_t)i, i * MS);
	}
	return l;
}

/* Lines are told in the order of sending however they are decided; one that goes back to the queue
 * has a new position. */
static void order_of_sending(void **state)
{
	struct ledger *l = with_lines(3);
	const struct stats *s = ledger_stats(l);

	(void)state;
	ledger_reply(l, "D", 1, 20 * MS);
	ledger_reply(l, "C", 1, 21 * MS);
	assert_int_equal(s->lines, 0);
	ledger_requeue(l, 1);
	assert_int_equal(s->lines, 2);
	assert_int_equal(s->ipdv.max, 2 * MS);
	ledger_sent(l, 1, 30 * MS);
	ledger_reply(l, "B", 1, 40 * MS);
	assert_int_equal(s->lines, 3);
	assert_int_equal(s->ipdv.count, 2);
	assert_int_equal(s->ipdv.max, 7 * MS);
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

/* Read too late, but in time: it counts. */
static void answered_after_all(void **state)
{
	struct ledger *l = with_lines(2);
	const struct stats *s = ledger_stats(l);

	(void)state;
	assert_int_equal(ledger_expire(l, 200 * MS), 1);
	assert_int_equal(ledger_expire(l, 200 * MS), 2);
	assert_int_equal(s->longest_run, 2);
	assert_int_equal(ledger_reply(l, "B", 1, 50 * MS).match, MATCH_ANSWER);
	assert_int_equal(s->amended, 1);
	assert_int_equal(s->rtt.count, 1);
	assert_int_equal(s->waited.count, 1);
	assert_true(ledger_balanced(l));
	/* Behind an open one it was not told yet, and is exact. */
	ledger_free(l);
	l = with_lines(3);
	ledger_requeue(l, 1);
	ledger_sent(l, 1, 150 * MS);
	assert_int_equal(ledger_expire(l, 200 * MS), 2);
	ledger_free(l);
}

static void stamps(void **state)
{
	struct ledger *l = with_lines(2);

	(void)state;
	assert_false(ledger_stamped(l, 1, 0));
	assert_false(ledger_stamped(l, 7, 2 * MS));
	assert_true(ledger_stamped(l, 1, MS + 5000));
	assert_int_equal(ledger_find(l, 1)->sent_at, MS + 5000);
	assert_int_equal(ledger_deadline(l), 101 * MS + 5000 + 1);
	/* At exactly its own sent + wait it is in time. */
	assert_int_equal(ledger_reply(l, "B", 1, 101 * MS + 5000).match, MATCH_ANSWER);
	assert_int_equal(ledger_totals(l)->rtt.max, 100 * MS);
	assert_false(ledger_stamped(l, 1, 3 * MS));
	assert_int_equal(ledger_expire(l, 102 * MS + 1), 2);
	assert_false(ledger_stamped(l, 2, 3 * MS));
	assert_true(ledger_balanced(l));
	ledger_free(l);
}

static void waiting_since(void **state)
{
	struct ledger *l = with_lines(2);

	(void)state;
	assert_int_equal(ledger_waiting_since(l, 0), MS);
	ledger_reply(l, "B", 1, 5 * MS);
	assert_int_equal(ledger_waiting_since(l, 0), 2 * MS);
	ledger_reply(l, "C", 1, 5 * MS);
	assert_true(ledger_waiting_since(l, 0) == INT64_MAX);
	ledger_free(l);
}

/* Each row of the table is for records or for the page, and stands alone in its place. */
static void rows_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < figures_count; i++) {
		const struct figure *a = &figures_table[i];

		assert_true(a->key || a->place > 0);
		assert_true(!a->key == !a->group && !a->title == !a->place);
		assert_true(a->named == FIGURE_UNNAMED ? !a->one && !a->many : a->one && a->many);
		assert_true(a->type != FIGURE_CLOCK || (a + 1)->type == FIGURE_COUNT);
		for (const struct figure *b = figures_table; b < a; b++) {
			assert_true(!a->place || a->place != b->place);
			assert_true(!a->key || !b->key || strcmp(a->key, b->key) != 0 ||
			            strcmp(a->group, b->group) != 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_near),
		cmocka_unit_test(buckets_are_seamless),
		cmocka_unit_test(bounds_hold_what_was_added),
		cmocka_unit_test(ends),
		cmocka_unit_test(curve),
		cmocka_unit_test(by_hand),
		cmocka_unit_test(long_runs),
		cmocka_unit_test(counted_by_datagrams),
		cmocka_unit_test(counted_by_a_stream),
		cmocka_unit_test(order_of_sending),
		cmocka_unit_test(answered_after_all),
		cmocka_unit_test(stamps),
		cmocka_unit_test(waiting_since),
		cmocka_unit_test(rows_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
