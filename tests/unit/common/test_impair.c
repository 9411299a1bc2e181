/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model against theory, on a million packets a case. Seeds are fixed, so nothing here can fail
 * by chance; bounds are 4.5 standard errors, which a wrong model misses by far. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/random.h"
#include "common/impair.h"
#include "tests/lib/cmocka-compat.h"

#define MILLION 1000000
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)
#define ERRORS 4.5

static const struct impair_packet usual = { .size = 1000, .bits = 8000 };

static struct impair *begin(const struct impair_settings *s, uint64_t seed)
{
	char reason[IMPAIR_REASON];
	assert_int_equal(impair_check(s, reason), 0);
	struct impair *impair = impair_new(s, seed, 0);
	assert_non_null(impair);
	return impair;
}

static void assert_near(double got, double want, double standard_error)
{
	if (fabs(got - want) > ERRORS * standard_error)
		fail_msg("got %.9g, want %.9g +- %.3g", got, want, ERRORS * standard_error);
}

static void assert_rate(int64_t hits, int64_t n, double p)
{
	assert_near((double)hits / (double)n, p, sqrt(p * (1 - p) / (double)n));
}

static void test_dice_are_xoshiro(void **state)
{
	(void)state;
	/* What the definition gives from the state 1, 2, 3, 4; the first is rotl(2 * 5, 7) * 9. */
	struct random dice = { { 1, 2, 3, 4 } };
	assert_true(random_next(&dice) == 11520);
	assert_true(random_next(&dice) == 0);
	assert_true(random_next(&dice) == 1509978240);
	assert_true(random_next(&dice) == UINT64_C(1215971899390074240));
}

static void test_dice_streams_differ(void **state)
{
	(void)state;
	struct random all[3];
	random_seed(&all[0], 1, 0);
	random_seed(&all[1], 1, 1);
	random_seed(&all[2], 0, 1);
	int same = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t x[3];
		for (int k = 0; k < 3; k++) {
			x[k] = random_next(&all[k]);
			for (int j = 0; j < k; j++)
				same += x[j] == x[k];
		}
	}
	assert_int_equal(same, 0);
}

static void test_dice_are_uniform(void **state)
{
	(void)state;
	struct random dice;
	int count[100] = { 0 };
	double chi = 0;

	random_seed(&dice, 7, 0);
	for (int i = 0; i < MILLION; i++) {
		double u = random_share(&dice);
		assert_true(u >= 0 && u < 1);
		count[(int)(u * 100)]++;
	}
	for (int i = 0; i < 100; i++)
		chi += (count[i] - 10000.) * (count[i] - 10000.) / 10000.;
	/* Chi-square with 99 degrees of freedom has mean 99 and deviation 14.1. */
	assert_near(chi, 99, 14.1);
}

static void test_perfect_wire_delivers_at_once(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	struct impair *impair = begin(&s, 1);
	struct impair_decision v;

	for (int64_t now = 0; now < 1000; now++) {
		impair_decide(impair, &usual, now, &v);
		assert_int_equal(v.fate, IMPAIR_DELIVERED);
		assert_int_equal(v.copies, 1);
		assert_true(v.at[0] == now);
		assert_int_equal(v.flip, -1);
		assert_false(v.reordered || v.held);
	}
	free(impair);
}

/* Loss, and the lengths of the runs of lost packets. */
struct runs {
	int64_t lost, bursts, pairs, longest;
	double squares;
};

static struct runs lose_million(const struct impair_settings *s, uint64_t seed)
{
	struct impair *impair = begin(s, seed);
	struct impair_decision v;
	struct runs r = { 0 };
	int64_t run = 0;

	for (int i = 0; i <= MILLION; i++) {
		impair_decide(impair, &usual, i, &v);
		bool lost = v.fate != IMPAIR_DELIVERED && i < MILLION;
		if (lost) {
			assert_int_equal(v.fate,
			    s->burst > 0 ? IMPAIR_LOST_BURST : IMPAIR_LOST_RANDOM);
			assert_int_equal(v.copies, 0);
			r.lost++;
			r.pairs += run > 0;
			run++;
		} else if (run > 0) {
			r.bursts++;
			r.squares += (double)(run * run);
			r.longest = run > r.longest ? run : r.longest;
			run = 0;
		}
	}
	free(impair);
	return r;
}

static void test_independent_loss(void **state)
{
	(void)state;
	static const double shares[] = { 0.001, 0.05, 0.2, 0.5, 0.9 };
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		struct impair_settings s = impair_perfect();
		s.loss = shares[i];
		struct runs r = lose_million(&s, 10 + i);
		assert_rate(r.lost, MILLION, s.loss);
		/* Independent: a lost one follows a lost one as often as any other. */
		assert_rate(r.pairs, r.lost, s.loss);
		/* Runs are geometric with mean 1 / (1 - p) and variance p / (1 - p)^2. */
		double mean = impair_mean_burst(&s);
		assert_near((double)r.lost / (double)r.bursts, mean,
		    sqrt(s.loss) * mean / sqrt((double)r.bursts));
	}
}

static void test_extreme_loss(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	assert_int_equal(lose_million(&s, 1).lost, 0);
	s.loss = 1;
	assert_int_equal(lose_million(&s, 1).lost, MILLION);
	s.burst = 3;
	assert_int_equal(lose_million(&s, 1).lost, MILLION);
}

static void test_bursts(void **state)
{
	(void)state;
	/* The last three are p = 0.01, r = 0.1; p = 0.05, r = 0.25; and p = 1/19, r = 0.5. */
	static const double cases[][2] = { { 0.01, 2 }, { 0.05, 5 }, { 0.2, 4 }, { 0.2, 1 },
		{ 0.5, 20 }, { 0.75, 3 }, { 1. / 11, 10 }, { 1. / 6, 4 }, { 2. / 21, 2 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct impair_settings s = impair_perfect();
		double p, r;
		s.loss = cases[i][0];
		s.burst = cases[i][1];
		impair_chain(&s, &p, &r);
		assert_near(p / (p + r), s.loss, 1e-12);
		struct runs runs = lose_million(&s, 20 + i);
		print_message("# loss %g, burst %g, p %g, r %g, seed %zu: lost %g, again %g\n",
		    s.loss, s.burst, p, r, 20 + i, (double)runs.lost / MILLION,
		    (double)runs.pairs / (double)runs.lost);
		/* A lost one follows a lost one when the chain stays in its bad state. */
		assert_rate(runs.pairs, runs.lost, 1 - r);
		/* Successive packets are correlated by 1 - p - r, which widens the error of the
		 * mean. */
		double widen = (1 + (1 - p - r)) / (1 - (1 - p - r));
		assert_near((double)runs.lost / MILLION, s.loss,
		    sqrt(widen * s.loss * (1 - s.loss) / MILLION));
		double n = (double)runs.bursts, mean = (double)runs.lost / n;
		double deviation = sqrt(1 - r) / r;
		assert_near(mean, s.burst, deviation / sqrt(n) + 1e-12);
		/* Geometric, not only in the mean: the variance too, whose own error is taken from
		 * the fourth moment's order of magnitude (kurtosis 9 at most). */
		double variance = runs.squares / n - mean * mean;
		assert_near(variance, deviation * deviation,
		    deviation * deviation * sqrt(9 / n) + 1e-9);
		if (s.burst == 1)
			assert_int_equal(runs.longest, 1);
	}
}

static void test_first_packet_has_no_bias(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	struct impair_decision v;
	int64_t lost = 0;

	s.loss = 0.3;
	s.burst = 50;
	for (uint64_t seed = 0; seed < 10000; seed++) {
		struct impair *impair = begin(&s, seed);
		impair_decide(impair, &usual, 0, &v);
		lost += v.fate != IMPAIR_DELIVERED;
		free(impair);
	}
	assert_rate(lost, 10000, 0.3);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double uniform_below(double x, const struct impair_settings *s)
{
	double lo = (double)(s->delay - s->jitter), width = 2 * (double)s->jitter;
	return fmin(1, fmax(0, (x - lo) / width));
}

static double normal_below(double x, const struct impair_settings *s)
{
	return 0.5 * erfc(-(x - (double)s->delay) / (double)s->jitter / sqrt(2));
}

/* Delays of packets so far apart that order costs nothing. The caller frees. */
static int64_t *delays(const struct impair_settings *s, int n, uint64_t seed)
{
	struct impair *impair = begin(s, seed);
	int64_t *delay = malloc((size_t)n * sizeof *delay);
	struct impair_decision v;

	assert_non_null(delay);
	for (int i = 0; i < n; i++) {
		int64_t now = i * 10 * S;
		impair_decide(impair, &usual, now, &v);
		delay[i] = v.at[0] - now;
		assert_true(delay[i] >= 0);
	}
	free(impair);
	return delay;
}

/* The Kolmogorov-Smirnov distance; over 1.95 / sqrt(n) a fit has less than one chance in a
 * thousand. */
static void assert_distribution(const struct impair_settings *s, uint64_t seed,
    double (*below)(double, const struct impair_settings *))
{
	int64_t *delay = delays(s, MILLION, seed);
	double mean = 0, square = 0, distance = 0;
	double deviation = (double)s->jitter / (s->distribution == IMPAIR_UNIFORM ? sqrt(3) : 1);

	qsort(delay, MILLION, sizeof *delay, compare);
	for (int i = 0; i < MILLION; i++) {
		double x = (double)delay[i], f = below(x, s);
		mean += x / MILLION;
		distance = fmax(distance, fmax(f - i / 1e6, (i + 1) / 1e6 - f));
	}
	for (int i = 0; i < MILLION; i++)
		square += ((double)delay[i] - mean) * ((double)delay[i] - mean) / MILLION;
	free(delay);
	assert_near(mean, (double)s->delay, deviation / 1000);
	assert_near(sqrt(square), deviation, deviation / sqrt(2.) / 1000);
	assert_true(distance < 1.95 / 1000);
}

static void test_uniform_jitter(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 50 * MS;
	s.jitter = 10 * MS;
	assert_distribution(&s, 31, uniform_below);
}

static void test_normal_jitter(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 100 * MS;
	s.jitter = 10 * MS;
	s.distribution = IMPAIR_NORMAL;
	assert_distribution(&s, 32, normal_below);
}

static void test_delay_is_never_negative(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 1 * MS;
	s.jitter = 10 * MS;
	s.distribution = IMPAIR_NORMAL;
	int64_t *delay = delays(&s, 100000, 33), zero = 0;
	for (int i = 0; i < 100000; i++)
		zero += delay[i] == 0;
	free(delay);
	/* What the distribution has below 0 is at 0. */
	assert_rate(zero, 100000, 0.5 * erfc(0.1 / sqrt(2)));
}

static void test_order_is_kept(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 20 * MS;
	s.jitter = 20 * MS;
	s.duplicate = 0.1;
	s.loss = 0.1;
	struct impair *impair = begin(&s, 41);
	struct impair_decision v;
	int64_t last = 0;

	for (int i = 0; i < MILLION; i++) {
		impair_decide(impair, &usual, i * 1000, &v);
		for (int c = 0; c < v.copies; c++) {
			assert_true(v.at[c] >= last);
			last = v.at[c];
		}
	}
	free(impair);
}

static void test_free_order_overtakes(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 20 * MS;
	s.jitter = 20 * MS;
	s.any_order = true;
	struct impair *impair = begin(&s, 42);
	struct impair_decision v;
	int64_t last = 0, overtaken = 0;

	for (int i = 0; i < 100000; i++) {
		impair_decide(impair, &usual, i * 100 * MS, &v);
		int64_t first = v.at[0];
		impair_decide(impair, &usual, i * 100 * MS, &v);
		overtaken += v.at[0] < first;
		last = v.at[0];
	}
	assert_true(last > 0);
	/* Two at once: each order is as likely. */
	assert_rate(overtaken, 100000, 0.5);
	free(impair);
}

static void test_copies_travel_on_their_own(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = 20 * MS;
	s.jitter = 20 * MS;
	s.any_order = true;
	s.duplicate = 1;
	struct impair *impair = begin(&s, 52);
	struct impair_decision v;
	int64_t first = 0;

	for (int i = 0; i < 100000; i++) {
		impair_decide(impair, &usual, i * 100 * MS, &v);
		assert_int_equal(v.copies, 2);
		first += v.at[1] < v.at[0];
	}
	assert_rate(first, 100000, 0.5);
	free(impair);
}

static void test_duplicates(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.duplicate = 0.07;
	s.loss = 0.2;
	struct impair *impair = begin(&s, 51);
	struct impair_decision v;
	int64_t twice = 0, delivered = 0;

	for (int i = 0; i < MILLION; i++) {
		impair_decide(impair, &usual, i, &v);
		delivered += v.copies > 0;
		twice += v.copies == 2;
	}
	/* Loss takes both copies: duplication does not hide it. */
	assert_rate(delivered, MILLION, 0.8);
	assert_rate(twice, delivered, 0.07);
	free(impair);
}

struct arrival {
	int64_t at;
	int number;
};

static int compare_arrivals(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->number - y->number;
}

static void test_reordered_are_overtaken_without_delay(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.reorder = 0.1;
	s.reorder_by = 5 * MS;
	struct impair *impair = begin(&s, 61);
	struct arrival *arrivals = calloc(MILLION, sizeof *arrivals);
	struct impair_decision v;
	int64_t picked = 0, reordered = 0;
	int expected = 0;

	assert_non_null(arrivals);
	for (int i = 0; i < MILLION; i++) {
		impair_decide(impair, &usual, i * MS, &v);
		picked += v.reordered;
		assert_true(v.at[0] == i * MS + (v.reordered ? 5 * MS : 0));
		arrivals[i] = (struct arrival){ v.at[0], i };
	}
	assert_rate(picked, MILLION, 0.1);
	/* RFC 4737: out of order is what has a number less than one that is there. */
	qsort(arrivals, MILLION, sizeof *arrivals, compare_arrivals);
	for (int i = 0; i < MILLION; i++) {
		reordered += arrivals[i].number < expected;
		if (arrivals[i].number >= expected)
			expected = arrivals[i].number + 1;
	}
	/* All that are picked but those (0.1^4 of them) whose four followers are picked too. */
	assert_true(reordered <= picked && reordered >= picked - 40);
	free(arrivals);
	free(impair);
}

static void test_corruption(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.corrupt = 0.25;
	struct impair *impair = begin(&s, 71);
	struct impair_packet packet = { .size = 28, .bits = 32 };
	struct impair_decision v;
	int64_t bit[32] = { 0 }, hits = 0;

	for (int i = 0; i < MILLION; i++) {
		impair_decide(impair, &packet, i, &v);
		assert_uint_in_range(v.flip + 1, 0, 32);
		assert_int_equal(v.copies, 1);
		if (v.flip >= 0) {
			bit[v.flip]++;
			hits++;
		}
	}
	assert_rate(hits, MILLION, 0.25);
	for (int i = 0; i < 32; i++)
		assert_rate(bit[i], hits, 1. / 32);
	packet.bits = 0;
	for (int i = 0; i < 100; i++) {
		impair_decide(impair, &packet, MILLION, &v);
		assert_int_equal(v.flip, -1);
	}
	free(impair);
}

static void test_rate_shapes(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	/* Not a divisor of anything: 1,000 bytes take 8,000,000,000,000 / 7,777,777 ns. */
	s.rate = 7777777;
	s.queue_packets = IMPAIR_QUEUE_PACKETS_MAX;
	struct impair *impair = begin(&s, 81);
	struct impair_decision v;

	for (int i = 1; i <= 50000; i++) {
		impair_decide(impair, &usual, 0, &v);
		assert_int_equal(v.fate, IMPAIR_DELIVERED);
		assert_true(llabs(v.at[0] - (int64_t)(i * 8000. * 1e9 / 7777777)) <= 1);
	}
	free(impair);
}

static void test_queue_in_packets(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.rate = 8000000;
	s.queue_packets = 5;
	struct impair *impair = begin(&s, 82);
	struct impair_decision v;

	/* 1 ms each. One is sent and five wait; the seventh finds no room. */
	for (int i = 0; i < 8; i++) {
		impair_decide(impair, &usual, 0, &v);
		assert_int_equal(v.fate, i < 6 ? IMPAIR_DELIVERED : IMPAIR_QUEUE_FULL);
		/* What waits when it comes, without the one that is sent. */
		assert_true(v.has_queue);
		assert_int_equal(v.queue_packets, i == 0 ? 0 : i < 6 ? i - 1 : 5);
		assert_int_equal(v.queue_bytes, v.queue_packets * (uint32_t)usual.size);
		if (i < 6)
			assert_true(v.at[0] == (i + 1) * MS);
	}
	/* When the first is out there is room for one. */
	impair_decide(impair, &usual, MS - 1, &v);
	assert_int_equal(v.fate, IMPAIR_QUEUE_FULL);
	impair_decide(impair, &usual, MS, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	assert_true(v.at[0] == 7 * MS);
	impair_decide(impair, &usual, MS, &v);
	assert_int_equal(v.fate, IMPAIR_QUEUE_FULL);
	/* And when all is out, an idle transmitter does not make up for lost time. */
	impair_decide(impair, &usual, 100 * MS, &v);
	assert_true(v.at[0] == 101 * MS);
	assert_int_equal(v.queue_packets, 0);
	s.rate = 0;
	impair_change(impair, &s);
	impair_decide(impair, &usual, 200 * MS, &v);
	assert_false(v.has_queue);
	free(impair);
}

/* However small they are: each takes memory. */
static void test_queue_in_bytes_has_packets_too(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.rate = IMPAIR_RATE_MIN;
	s.queue_packets = 0;
	s.queue_bytes = IMPAIR_QUEUE_BYTES_MAX;
	struct impair *impair = begin(&s, 84);
	const struct impair_packet least = { .size = 28 };
	struct impair_decision v;
	int let_in = 0;

	for (int i = 0; i < 2 * IMPAIR_QUEUE_PACKETS_MAX; i++) {
		impair_decide(impair, &least, 0, &v);
		let_in += v.fate == IMPAIR_DELIVERED;
	}
	/* And the one that is being sent. */
	assert_int_equal(let_in, IMPAIR_QUEUE_PACKETS_MAX + 1);
	free(impair);
}

static void test_queue_in_bytes(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.rate = 8000000;
	s.queue_packets = 0;
	s.queue_bytes = 2500;
	struct impair *impair = begin(&s, 83);
	struct impair_packet small = usual;
	struct impair_decision v;

	for (int i = 0; i < 4; i++) {
		impair_decide(impair, &usual, 0, &v);
		assert_int_equal(v.fate, i < 3 ? IMPAIR_DELIVERED : IMPAIR_QUEUE_FULL);
	}
	/* 500 bytes are left: a small one passes where a big one does not. */
	small.size = 501;
	impair_decide(impair, &small, 0, &v);
	assert_int_equal(v.fate, IMPAIR_QUEUE_FULL);
	small.size = 500;
	impair_decide(impair, &small, 0, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	free(impair);
}

/* Offered twice what it carries, a link delivers its rate and loses half. */
static void test_overload_halves(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.rate = 8000000;
	struct impair *impair = begin(&s, 84);
	struct impair_decision v;
	int64_t delivered = 0, last = 0;

	for (int i = 0; i < MILLION; i++) {
		impair_decide(impair, &usual, i * MS / 2, &v);
		delivered += v.copies;
		last = v.copies ? v.at[0] : last;
		assert_true(v.copies == 0 || v.at[0] - i * MS / 2 <= 101 * MS);
	}
	assert_true(llabs(delivered - MILLION / 2) < 200);
	assert_true(llabs(last - delivered * MS) <= MS);
	free(impair);
}

static void test_mtu(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.mtu = 1000;
	struct impair *impair = begin(&s, 91);
	struct impair_packet big = usual;
	struct impair_decision v;

	impair_decide(impair, &usual, 0, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	big.size = 1001;
	impair_decide(impair, &big, 0, &v);
	assert_int_equal(v.fate, IMPAIR_TOO_BIG);
	assert_int_equal(v.copies, 0);
	s.no_icmp = true;
	impair_change(impair, &s);
	impair_decide(impair, &big, 0, &v);
	assert_int_equal(v.fate, IMPAIR_NO_ICMP);
	assert_int_equal(v.copies, 0);
	impair_decide(impair, &usual, 0, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	free(impair);
}

static void test_requested_drop(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.mtu = 1000;
	struct impair *impair = begin(&s, 92);
	struct impair_packet asked = { .size = 1000, .request.drop = true },
	                     big = { .size = 1001, .request.drop = true };
	struct impair_decision v;

	impair_decide(impair, &asked, 0, &v);
	assert_int_equal(v.fate, IMPAIR_REQUESTED_DROP);
	assert_int_equal(v.copies, 0);
	/* A packet that is lost before it comes to requested drops has that fate. */
	impair_decide(impair, &big, 0, &v);
	assert_int_equal(v.fate, IMPAIR_TOO_BIG);
	impair_pause(impair, IMPAIR_UNPLUG, 5);
	impair_decide(impair, &asked, 0, &v);
	assert_int_equal(v.fate, IMPAIR_UNPLUGGED);
	impair_decide(impair, &usual, 5, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	free(impair);
}

/* A request does what it says, takes no random number and leaves all other packets as they are. */
static void test_requests(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.loss = s.duplicate = s.reorder = s.corrupt = 0.3;
	s.burst = 2;
	s.delay = MS;
	struct impair *plain = begin(&s, 94), *ruled = begin(&s, 94);
	const struct impair_request requests[] = { { .drop = true }, { .duplicate = true },
		{ .corrupt = true }, { .delay = 7 * MS } };

	for (int i = 0; i < 4000; i++) {
		const struct impair_request *r = i % 10 ? NULL : &requests[i / 10 % 4];
		struct impair_packet p = { .size = 100, .bits = 800 };
		struct impair_decision a, b;

		impair_decide(plain, &p, i * MS, &a);
		if (r)
			p.request = *r;
		impair_decide(ruled, &p, i * MS, &b);
		if (!r) {
			assert_memory_equal(&a, &b, sizeof a);
			continue;
		}
		assert_int_equal(b.requested, r->drop || b.fate == IMPAIR_DELIVERED);
		assert_true(b.fate == (r->drop ? IMPAIR_REQUESTED_DROP : a.fate));
		if (b.fate != IMPAIR_DELIVERED)
			continue;
		assert_int_equal(b.copies, r->duplicate ? 2 : a.copies);
		assert_true(r->corrupt ? b.flip >= 0 : b.flip == a.flip);
		assert_true(b.at[0] == a.at[0] + r->delay);
		assert_int_equal(b.held, r->delay > 0);
	}
	free(plain);
	free(ruled);
}

static void test_hold_and_unplug(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	s.delay = MS;
	struct impair *impair = begin(&s, 93);
	struct impair_decision v;

	impair_pause(impair, IMPAIR_HOLD, 100 * MS);
	for (int i = 0; i < 10; i++) {
		impair_decide(impair, &usual, i * MS, &v);
		assert_true(v.held && v.at[0] == 100 * MS);
	}
	/* Its own way ends after the hold. */
	impair_decide(impair, &usual, 99 * MS + 1, &v);
	assert_true(!v.held && v.at[0] == 100 * MS + 1);
	impair_pause(impair, IMPAIR_UNPLUG, 300 * MS);
	impair_decide(impair, &usual, 300 * MS - 1, &v);
	assert_int_equal(v.fate, IMPAIR_UNPLUGGED);
	impair_decide(impair, &usual, 300 * MS, &v);
	assert_int_equal(v.fate, IMPAIR_DELIVERED);
	free(impair);
}

static struct impair_settings everything(void)
{
	struct impair_settings s = impair_perfect();
	s.loss = 0.1;
	s.burst = 3;
	s.delay = 20 * MS;
	s.jitter = 5 * MS;
	s.duplicate = 0.05;
	s.reorder = 0.05;
	s.corrupt = 0.05;
	s.rate = 100000000;
	s.mtu = 1400;
	return s;
}

static bool same(const struct impair_decision *a, const struct impair_decision *b)
{
	return a->fate == b->fate && a->copies == b->copies && a->at[0] == b->at[0] &&
	       a->at[1] == b->at[1] && a->flip == b->flip && a->reordered == b->reordered &&
	       a->held == b->held;
}

static void test_same_seed_same_fates(void **state)
{
	(void)state;
	struct impair_settings s = everything();
	struct impair *a = begin(&s, 5), *b = begin(&s, 5), *c = begin(&s, 6);
	struct impair_decision va, vb, vc;
	int differ = 0;

	for (int i = 0; i < 100000; i++) {
		struct impair_packet packet = usual;
		packet.size = 40 + i * 7919 % 1460;
		impair_decide(a, &packet, i * INT64_C(50000), &va);
		impair_decide(b, &packet, i * INT64_C(50000), &vb);
		impair_decide(c, &packet, i * INT64_C(50000), &vc);
		assert_true(same(&va, &vb));
		differ += !same(&va, &vc);
	}
	assert_true(differ > 50000);
	free(a);
	free(b);
	free(c);
}

/* Fates by chance do not depend on times, nor on what else is switched on. */
static void test_settings_do_not_disturb_each_other(void **state)
{
	(void)state;
	struct impair_settings s = everything(), bare = impair_perfect();
	bare.loss = s.loss;
	bare.burst = s.burst;
	s.rate = 0;
	struct impair *a = begin(&s, 5), *b = begin(&bare, 5);
	struct impair_decision va, vb;

	for (int i = 0; i < 100000; i++) {
		impair_decide(a, &usual, i * 1000, &va);
		impair_decide(b, &usual, i * 77, &vb);
		assert_int_equal(va.fate, vb.fate);
		if (i == 50000) {
			s.duplicate = 1;
			s.corrupt = 1;
			s.jitter = 0;
			impair_change(a, &s);
		}
	}
	free(a);
	free(b);
}

static void test_impossible_settings_are_refused(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	char reason[IMPAIR_REASON];

	assert_int_equal(impair_check(&s, reason), 0);
	s.loss = 0.9;
	s.burst = 2;
	assert_int_equal(impair_check(&s, reason), -1);
	assert_string_equal(reason,
	    "90% loss cannot come in bursts of 2 packets; for example burst 9");
	s.burst = 9;
	assert_int_equal(impair_check(&s, reason), 0);
}

static void test_through(void **state)
{
	(void)state;
	struct impair_settings s = impair_perfect();
	assert_near(impair_delivery_probability(&s), 1, 1e-15);
	s.loss = 0.2;
	s.corrupt = 0.1;
	assert_near(impair_delivery_probability(&s), 0.72, 1e-15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dice_are_xoshiro),
		cmocka_unit_test(test_dice_streams_differ),
		cmocka_unit_test(test_dice_are_uniform),
		cmocka_unit_test(test_perfect_wire_delivers_at_once),
		cmocka_unit_test(test_independent_loss),
		cmocka_unit_test(test_extreme_loss),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_first_packet_has_no_bias),
		cmocka_unit_test(test_uniform_jitter),
		cmocka_unit_test(test_normal_jitter),
		cmocka_unit_test(test_delay_is_never_negative),
		cmocka_unit_test(test_order_is_kept),
		cmocka_unit_test(test_free_order_overtakes),
		cmocka_unit_test(test_copies_travel_on_their_own),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_reordered_are_overtaken_without_delay),
		cmocka_unit_test(test_corruption),
		cmocka_unit_test(test_rate_shapes),
		cmocka_unit_test(test_queue_in_packets),
		cmocka_unit_test(test_queue_in_bytes),
		cmocka_unit_test(test_queue_in_bytes_has_packets_too),
		cmocka_unit_test(test_overload_halves),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_requested_drop),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_hold_and_unplug),
		cmocka_unit_test(test_same_seed_same_fates),
		cmocka_unit_test(test_settings_do_not_disturb_each_other),
		cmocka_unit_test(test_impossible_settings_are_refused),
		cmocka_unit_test(test_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
