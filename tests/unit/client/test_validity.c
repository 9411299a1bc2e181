/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/figures.h"

static void check(uint64_t due, uint64_t slipped, int64_t worst, uint64_t overflows,
    unsigned reasons, const char *text)
{
	const struct schedule_totals t = { .due = due, .slipped = slipped, .worst = worst };
	char buf[300];

	assert_int_equal(validity_check(&t, overflows), reasons);
	assert_string_equal(validity_text(&t, overflows, buf, sizeof buf), text);
}

static void compared(void **state)
{
	(void)state;
	check(0, 0, 0, 0, VALIDITY_OK, "");
	check(1000, 0, 9 * NS_PER_MS, 0, VALIDITY_OK, "");
	/* Over 1 %, not at it. */
	check(1000, 10, 85 * NS_PER_MS, 0, VALIDITY_OK, "");
	check(1000, 11, 85 * NS_PER_MS, 0, VALIDITY_SCHEDULE,
	    "INVALID, shaped by this machine: 11 of 1000 lines (1.1 %) were sent more than 10 ms "
	    "off schedule, at worst 85.0 ms");
	check(1, 1, NS_PER_S, 0, VALIDITY_SCHEDULE,
	    "INVALID, shaped by this machine: 1 of 1 lines (100.0 %) were sent more than 10 ms off "
	    "schedule, at worst 1.00 s");
	check(0, 0, 0, 1, VALIDITY_OVERFLOW,
	    "INVALID, shaped by this machine: 1 reply was dropped here, the socket's receive "
	    "buffer was full");
	check(200, 31, 85 * NS_PER_MS, 12, VALIDITY_SCHEDULE | VALIDITY_OVERFLOW,
	    "INVALID, shaped by this machine: 31 of 200 lines (15.5 %) were sent more than 10 ms off schedule, at worst 85.0 ms; "
	    "12 replies were dropped here, the socket's receive buffer was full");
}

static void small_buffers(void **state)
{
	const struct schedule_totals t = {
		.due = UINT64_MAX, .slipped = UINT64_MAX, .worst = INT64_MAX
	};
	char whole[300], buf[300];

	(void)state;
	validity_text(&t, UINT64_MAX, whole, sizeof whole);
	assert_true(strlen(whole) < sizeof whole - 1);
	for (size_t size = 1; size < sizeof buf; size++) {
		memset(buf, 'x', sizeof buf);
		validity_text(&t, UINT64_MAX, buf, size);
		assert_int_equal(strncmp(buf, whole, strlen(buf)), 0);
		assert_true(strlen(buf) < size);
	}
}

static void names(void **state)
{
	(void)state;
	for (int bit = 0; bit < VALIDITY_REASONS; bit++)
		assert_string_equal(validity_names[bit],
		    1u << bit == VALIDITY_SCHEDULE ? "schedule" : "overflow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compared),
		cmocka_unit_test(small_buffers),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
