/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shares of two flows: what events add, and the index of fairness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "ledger/shares.h"

static void add(struct shares *s, bool quiet, int64_t at, int64_t took, uint64_t lines,
    uint64_t flow)
{
	shares_add(s, &(const struct session_event){ .kind = SESSION_EVENT_FLOW,
	                  .at = at,
	                  .quiet = quiet,
	                  .text = (char *)(uintptr_t)"",
	                  .duration = took,
	                  .shares = { lines, flow } });
}

/* The values for k of n equal users, and for shares that are not, are by the paper's formula. */
static void fairness(void **state)
{
	static const struct {
		uint64_t bytes[SHARES_FLOWS];
		const char *index;
	} cases[] = {
		{ { 1, 1 }, "1.000000" },
		{ { 700000, 700000 }, "1.000000" },
		{ { 2, 1 }, "0.900000" },
		{ { 1, 3 }, "0.800000" },
		{ { 4, 1 }, "0.735294" },
		{ { 60, 40 }, "0.961538" },
		{ { 9, 1 }, "0.609756" },
		{ { 0, 5 }, "0.500000" },
		{ { 0, 0 }, "-1.000000" },
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, "%.6f", shares_fairness(cases[i].bytes));
		assert_string_equal(text, cases[i].index);
	}
}

static void events_add_shares(void **state)
{
	struct shares s = { .list = NULL };

	(void)state;
	add(&s, false, 5 * NS_PER_S, 0, 0, 0);
	add(&s, true, 5 * NS_PER_S + SHARES_INTERVAL, SHARES_INTERVAL, 1000, 3000);
	add(&s, true, 5 * NS_PER_S + 2 * SHARES_INTERVAL, SHARES_INTERVAL, 0, 4000);
	/* The sums are no share; other events are none. */
	add(&s, false, 6 * NS_PER_S, 2 * SHARES_INTERVAL, 1000, 7000);
	shares_add(&s, &(const struct session_event){ .kind = SESSION_EVENT_LINK, .quiet = true });
	assert_int_equal(s.count, 2);
	assert_int_equal(s.began, 5 * NS_PER_S);
	assert_true(shares_rate(&s.list[0], SHARE_LINES) == 10000);
	assert_true(shares_rate(&s.list[1], SHARE_FLOW) == 40000);
	/* The next flow begins anew. */
	add(&s, false, 9 * NS_PER_S, 0, 0, 0);
	assert_int_equal(s.count, 0);
	assert_int_equal(s.began, 9 * NS_PER_S);
	shares_clear(&s);
}

static void they_are_bounded(void **state)
{
	struct shares s = { .list = NULL };

	(void)state;
	for (int i = 0; i < SHARES_MAX + 10; i++)
		add(&s, true, i, 1, 1, 1);
	assert_int_equal(s.count, SHARES_MAX);
	shares_clear(&s);
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fairness),
		cmocka_unit_test(events_add_shares),
		cmocka_unit_test(they_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
