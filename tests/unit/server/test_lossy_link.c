/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link before the server's UDP side: what becomes of datagrams, when they arrive, and that
 * nothing goes missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/lossy-link.h"
#include "common/clock.h"
#include "tests/lib/child.h"
#include "tests/lib/cmocka-compat.h"

#define HEADERS 28

struct bench {
	struct impair_options options;
	struct counters_link directions[LINK_DIRECTIONS];
	struct lossy_link *link;
};

/* `there` as settings in text, and a link of them. */
static void open_bench(struct bench *b, const char *there, uint64_t seed)
{
	char reason[IMPAIR_REASON];

	memset(b, 0, sizeof *b);
	impair_options_start(&b->options);
	b->options.seed = seed;
	assert_int_equal(impair_fields_parse(&b->options.there, there, reason), 0);
	b->link = lossy_link_new(&b->options, b->directions);
	assert_non_null(b->link);
}

static int meet(struct bench *b, uint32_t number, size_t n, int64_t now, enum impair_fate *fate)
{
	static const unsigned char bytes[65536];
	const struct lossy_link_datagram load = { &number, sizeof number, bytes, n, HEADERS };

	return lossy_link_add(b->link, LINK_GOING, &load, now, fate);
}

/* The number of the next one to arrive, which is taken off. */
static uint32_t take(struct bench *b, size_t *n)
{
	uint32_t number;
	const struct delayed_packet *next = lossy_link_next(b->link, LINK_GOING);

	assert_non_null(next);
	memcpy(&number, next->bytes, sizeof number);
	*n = next->size - sizeof number;
	lossy_link_remove_next(b->link, LINK_GOING);
	return number;
}

static uint64_t lost(const struct counters_link *w)
{
	return w->lost[IMPAIR_LOST_RANDOM] + w->lost[IMPAIR_LOST_BURST] +
	       w->lost[IMPAIR_QUEUE_FULL] + w->lost[IMPAIR_NO_MEMORY];
}

static void test_perfect_way_delivers_at_once(void **state)
{
	struct bench b;
	enum impair_fate fate;

	(void)state;
	open_bench(&b, "", 1);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(meet(&b, i, 10, i, &fate), 1);
		assert_int_equal(fate, IMPAIR_DELIVERED);
	}
	assert_true(lossy_link_deadline(b.link, LINK_GOING) == CLOCK_NEVER);
	assert_true(b.directions[LINK_GOING].datagrams == 100 &&
	            lost(&b.directions[LINK_GOING]) == 0);
	assert_true(b.directions[LINK_COMING].datagrams == 0);
	lossy_link_free(b.link);
}

static void test_delay_is_kept_to_the_nanosecond(void **state)
{
	struct bench b;
	enum impair_fate fate;
	size_t n;

	(void)state;
	open_bench(&b, "delay 20ms", 1);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(meet(&b, i, 100 + i, i * NS_PER_MS, &fate), 0);
	assert_true(b.directions[LINK_GOING].waiting == 5);
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(lossy_link_deadline(b.link, LINK_GOING) == (20 + i) * NS_PER_MS);
		assert_int_equal(take(&b, &n), i);
		assert_int_equal(n, 100 + i);
	}
	assert_true(b.directions[LINK_GOING].waiting == 0);
	assert_null(lossy_link_next(b.link, LINK_GOING));
	lossy_link_free(b.link);
}

/* One that may arrive at once does not overtake one that is due and has not been taken yet. */
static void test_due_ones_are_not_overtaken(void **state)
{
	struct impair_options none;
	struct bench b;
	enum impair_fate fate;
	size_t n;

	(void)state;
	open_bench(&b, "rate 8kbit", 1);
	/* 28 bytes at 1,000 bytes a second. */
	assert_int_equal(meet(&b, 1, 0, 0, &fate), 0);
	assert_true(lossy_link_deadline(b.link, LINK_GOING) == 28 * NS_PER_MS);
	assert_int_equal(meet(&b, 2, 0, NS_PER_S, &fate), 0);
	assert_int_equal(take(&b, &n), 1);
	assert_int_equal(take(&b, &n), 2);
	lossy_link_free(b.link);
	impair_options_start(&none);
	assert_true(impair_options_perfect(&none));
	assert_false(impair_options_perfect(&b.options));
}

/* Everything at once, for 100,000 datagrams: what came and was copied is what arrived, was lost or
 * waits. */
static void test_nothing_goes_missing(void **state)
{
	struct bench b;
	struct counters_link *w = &b.directions[LINK_GOING];
	enum impair_fate fate;
	uint64_t arrived = 0;
	size_t n;

	(void)state;
	open_bench(&b,
	    "loss 20% burst 3 delay 5ms jitter 4ms order free duplicate 10% reorder 10% rate 10mbit queue 20p",
	    7);
	for (uint32_t i = 0; i < 100000; i++) {
		int64_t now = i * (NS_PER_MS / 10);

		while (lossy_link_deadline(b.link, LINK_GOING) <= now) {
			take(&b, &n);
			arrived++;
		}
		arrived += (uint64_t)meet(&b, i, 100 + i % 100, now, &fate);
		assert_true(w->datagrams + w->copies == arrived + lost(w) + w->waiting);
	}
	assert_true(w->datagrams == 100000);
	/* Ten standard deviations of bursts, and of copies; the queue takes its part first. */
	assert_uint_in_range(w->lost[IMPAIR_LOST_BURST] * 1000 /
	                         (w->datagrams - w->lost[IMPAIR_QUEUE_FULL]),
	    180, 220);
	assert_uint_in_range(w->copies * 1000 / (w->datagrams - lost(w)), 90, 110);
	assert_uint_in_range(w->held_back * 1000 / (w->datagrams - lost(w)), 90, 110);
	assert_true(w->lost[IMPAIR_QUEUE_FULL] > 0 && w->lost[IMPAIR_LOST_RANDOM] == 0 &&
	            w->lost[IMPAIR_NO_MEMORY] == 0 && w->waiting > 0);
	lossy_link_free(b.link);
}

/* Sizes that never fit where others were: each arrives as it was sent. */
static void test_bytes_stay_together(void **state)
{
	static unsigned char bytes[70000];
	struct bench b;
	enum impair_fate fate;
	uint32_t number;

	(void)state;
	open_bench(&b, "delay 5ms jitter 5ms order free", 3);
	for (uint32_t i = 0; i < 20000; i++) {
		const struct lossy_link_datagram load = { &i, sizeof i, bytes,
			i % 50 ? i * 7919 % 3000 : 65507, HEADERS };

		memset(bytes, (int)(i % 251), load.n);
		assert_int_equal(lossy_link_add(b.link, LINK_GOING, &load, i * (NS_PER_MS / 10),
		                     &fate),
		    0);
		while (lossy_link_deadline(b.link, LINK_GOING) <= i * (NS_PER_MS / 10)) {
			const struct delayed_packet *came = lossy_link_next(b.link, LINK_GOING);

			memcpy(&number, came->bytes, sizeof number);
			assert_int_equal(came->size - sizeof number,
			    number % 50 ? number * 7919 % 3000 : 65507);
			for (size_t k = sizeof number; k < came->size; k++)
				if (came->bytes[k] != number % 251)
					fail_msg("byte %zu of datagram %u", k, number);
			lossy_link_remove_next(b.link, LINK_GOING);
		}
	}
	lossy_link_free(b.link);
}

/* Of this process, KiB; AddressSanitizer's memory is counted too. */
static long resident(void)
{
	long pages[2] = { 0 };
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &pages[0], &pages[1]), 2);
	fclose(file);
	return pages[1] * (sysconf(_SC_PAGESIZE) >> 10);
}

static long larger(long a, long b)
{
	return a > b ? a : b;
}

/* Whatever comes: the way as a whole takes no more than is promised, keeps a useful number, and
 * gives back what it took. */
static void test_memory_is_bounded(void **state)
{
	/* Bytes, and how many are kept at least. */
	static const struct {
		size_t n;
		uint64_t least;
	} sizes[] = { { 0, 100000 }, { 1, 100000 }, { 250, 50000 }, { 1400, 18000 },
		{ 65507, 430 } };
	long most = 0, kept = 0;

	(void)state;
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		const long before = resident();
		enum impair_fate fate;
		struct bench b;
		uint32_t i = 0;
		size_t n;

		/* All of the queue's memory is used too. */
		open_bench(&b, "delay 60s rate 1kbit queue 100MB", 1);
		const struct counters_link *w = &b.directions[LINK_GOING];
		while (i < 400000 && !w->lost[IMPAIR_NO_MEMORY])
			meet(&b, i++, sizes[k].n, 0, &fate);
		for (int extra = 0; extra < 150000; extra++)
			meet(&b, i++, sizes[k].n, 0, &fate);
		most = larger(most, resident() - before);
		lossy_link_free(b.link);

		open_bench(&b, "delay 60s", 1);
		for (i = 0; i < 400000; i++)
			meet(&b, i, sizes[k].n, 0, &fate);
		assert_uint_in_range(w->waiting, sizes[k].least, 400000);
		/* On 32 bits the small ones all have room. */
		assert_true(fate == IMPAIR_NO_MEMORY || w->waiting == 400000);
		assert_int_equal(w->waiting + w->lost[IMPAIR_NO_MEMORY], 400000);
		most = larger(most, resident() - before);
		for (i = 0; w->waiting; i++) {
			assert_int_equal(take(&b, &n), i);
			assert_int_equal(n, sizes[k].n);
		}
		kept = larger(kept, resident() - before);
		lossy_link_free(b.link);
	}
#ifndef __GLIBC__
	/* The share that another C library's allocator takes for itself. */
	most -= most / 8;
#endif
	if (SANITIZED || (most <= 32 << 10 && kept <= 8 << 10))
		return;
	if (CROSS_COMPILED)
		not_here("the program's own resident memory: the emulator's is counted with it");
	if (most <= 32 << 10 && !HAVE_MALLOC_TRIM)
		not_here("memory that goes back to the system: this build has no malloc_trim()");
	fail_msg("%ld KiB are used, %ld are kept", most, kept);
}

static void test_same_seed_same_fates(void **state)
{
	struct bench a, b, c;
	enum impair_fate fates[3];
	int differ = 0;

	(void)state;
	open_bench(&a, "loss 50%", 5);
	open_bench(&b, "loss 50%", 5);
	open_bench(&c, "loss 50%", 6);
	for (uint32_t i = 0; i < 1000; i++) {
		meet(&a, i, 10, i, &fates[0]);
		meet(&b, i, 10, i, &fates[1]);
		meet(&c, i, 10, i, &fates[2]);
		assert_int_equal(fates[0], fates[1]);
		differ += fates[0] != fates[2];
	}
	assert_uint_in_range(differ, 400, 600);
	lossy_link_free(a.link);
	lossy_link_free(b.link);
	lossy_link_free(c.link);
}

/* The setter of an option of the link. */
static int set_option(struct impair_options *o, const char *name, const char *value,
    char reason[OPTIONS_REASON])
{
	struct options_spec rows[IMPAIR_OPTIONS_ROWS];

	impair_options_append(rows, true, true);
	for (const struct options_spec *row = rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return options_set(row, o, value, reason);
	fail_msg("no option %s", name);
	return -1;
}

static void test_options(void **state)
{
	char reason[OPTIONS_REASON], line[IMPAIR_OPTIONS_LINE];
	struct impair_options o;

	(void)state;
	impair_options_start(&o);
	impair_options_seed(&o, 1234567);
	assert_string_equal(impair_options_line(&o, line), "each way: perfect; seed 234567");
	assert_int_equal(set_option(&o, "loss", "20%", reason), 0);
	assert_string_equal(impair_options_line(&o, line), "each way: loss 20%; seed 234567");
	assert_int_equal(set_option(&o, "loss-back", "off", reason), 0);
	assert_int_equal(set_option(&o, "delay-there", "5ms", reason), 0);
	assert_int_equal(set_option(&o, "seed", "42", reason), 0);
	impair_options_seed(&o, 7);
	assert_string_equal(impair_options_line(&o, line),
	    "there: loss 20%, delay 5ms; back: perfect; seed 42");
	assert_int_equal(set_option(&o, "seed", "-1", reason), -1);
	assert_int_equal(set_option(&o, "preset", "nope", reason), -1);
	assert_non_null(strstr(reason, "satellite"));
	/* The last one's name is whole. */
	assert_non_null(strstr(reason, ", chaos"));
	assert_int_equal(set_option(&o, "preset", "classroom", reason), 0);
	assert_string_equal(impair_options_line(&o, line),
	    "each way: loss 20%, delay 20ms; seed 42");
	assert_int_equal(impair_options_check(&o, reason), 0);
	assert_int_equal(set_option(&o, "loss-back", "90%", reason), 0);
	assert_int_equal(set_option(&o, "burst-back", "2", reason), 0);
	assert_int_equal(impair_options_check(&o, reason), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfect_way_delivers_at_once),
		cmocka_unit_test(test_delay_is_kept_to_the_nanosecond),
		cmocka_unit_test(test_due_ones_are_not_overtaken),
		cmocka_unit_test(test_nothing_goes_missing),
		cmocka_unit_test(test_bytes_stay_together),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_same_seed_same_fates),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
