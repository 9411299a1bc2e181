/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates of sources: one, two, and a million that try to get more by crowding the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/sources.h"
#include "common/clock.h"

static const struct siphash_key key = { 7, 11 };

static struct source_key source(uint32_t n)
{
	struct source_key s = { .scope = 0 };

	memcpy(s.host + 4, &n, sizeof n);
	return s;
}

static int taken(struct rate_limit *l, uint32_t who, int times, int64_t now)
{
	const struct source_key s = source(who);
	int n = 0;

	for (int i = 0; i < times; i++)
		n += rate_limit_take(l, &s, now);
	return n;
}

static void burst_then_rate(void **state)
{
	struct rate_limit *l = rate_limit_new(&key, 100, 20);

	(void)state;
	assert_int_equal(taken(l, 1, 50, NS_PER_S), 20);
	assert_int_equal(taken(l, 1, 50, NS_PER_S + 100 * NS_PER_MS), 10);
	/* Another one has its own. */
	assert_int_equal(taken(l, 2, 50, NS_PER_S + 100 * NS_PER_MS), 20);
	/* It never holds more than a burst. */
	assert_int_equal(taken(l, 1, 50, 100 * NS_PER_S), 20);
	free(l);
}

/* A source that is over its rate is still so after a million others came by. */
static void crowding_gives_nothing(void **state)
{
	struct rate_limit *l = rate_limit_new(&key, 1, 10);
	int64_t now = NS_PER_S;
	int got = taken(l, 1, 100, now);

	(void)state;
	assert_int_equal(got, 10);
	for (uint32_t n = 0; n < 1000000; n++)
		taken(l, 1000 + n, 1, now);
	/* By now every bucket of its set has been drawn on. */
	assert_true(taken(l, 1, 100, now) <= 10);
	/* All of them together cannot get more than the buckets of the table hold, however many
	 * they are. */
	got = 0;
	for (uint32_t n = 0; n < 1000000; n++)
		got += taken(l, 2000000 + n, 1, now);
	assert_true(got <= 4096 * 4 * 10);
	free(l);
}

/* While a flood of ever new sources goes on at a rate that the table can bear, a source within its
 * rate is served. */
static void flood_harms_no_one(void **state)
{
	struct rate_limit *l = rate_limit_new(&key, 1000, 2000);
	const struct source_key good = source(1);
	int64_t now = NS_PER_S;
	int refused = 0;

	(void)state;
	for (uint32_t n = 0; n < 1000000; n++) {
		const struct source_key other = source(1000 + n);

		rate_limit_take(l, &other, now);
		if (n % 1000 == 0)
			refused += !rate_limit_take(l, &good, now);
		now += NS_PER_US;
	}
	assert_int_equal(refused, 0);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_rate),
		cmocka_unit_test(crowding_gives_nothing),
		cmocka_unit_test(flood_harms_no_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
