/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "ledger/figures.h"

#define MS NS_PER_MS
#define RTT (40 * MS)
/* The least silence that is one. */
#define LEAST (RTT + STALL_MARGIN + 1)

static void check(const struct stall_totals *t, uint64_t count, int64_t total, int64_t longest)
{
	assert_int_equal(t->count, count);
	assert_int_equal(t->total, total);
	assert_int_equal(t->longest, longest);
}

/* From the sending when the line was sent after the last byte, from the last byte when it was sent
 * before. */
static void from_the_later(void **state)
{
	struct stall s = { .last_byte = 0 };

	(void)state;
	stall_end(&s, 1000 * MS, RTT, 1040 * MS);
	check(&s.totals, 0, 0, 0);
	stall_end(&s, 2000 * MS, RTT, 2500 * MS);
	check(&s.totals, 1, 500 * MS, 500 * MS);
	stall_end(&s, 2100 * MS, RTT, 2800 * MS);
	check(&s.totals, 2, 800 * MS, 500 * MS);
}

static void exactly_too_long(void **state)
{
	struct stall s = { .last_byte = 0 };

	(void)state;
	stall_end(&s, 1000 * MS, RTT, 1000 * MS + LEAST - 1);
	check(&s.totals, 0, 0, 0);
	stall_end(&s, 5000 * MS, RTT, 5000 * MS + LEAST);
	check(&s.totals, 1, LEAST, LEAST);
}

/* Nobody waits: it may be silent for ever. */
static void idle(void **state)
{
	struct stall s = { .last_byte = 0 };

	(void)state;
	stall_end(&s, 1 * MS, RTT, 41 * MS);
	stall_end(&s, STALL_NONE, RTT, 100000 * MS);
	stall_end(&s, 200000 * MS, RTT, 200040 * MS);
	check(&s.totals, 0, 0, 0);
}

/* What came while a line waited ends one stall and begins the next. */
static void byte_by_byte(void **state)
{
	struct stall s = { .last_byte = 0 };

	(void)state;
	stall_end(&s, 1000 * MS, RTT, 1300 * MS);
	stall_end(&s, 1000 * MS, RTT, 1310 * MS);
	stall_end(&s, 1000 * MS, RTT, 1610 * MS);
	check(&s.totals, 2, 600 * MS, 300 * MS);
}

/* The one that goes on is told, and not counted twice. */
static void going_on(void **state)
{
	struct stall s = { .last_byte = 0 };
	struct stall_totals t = stall_now(&s, 1000 * MS, RTT, 1100 * MS);

	(void)state;
	check(&t, 0, 0, 0);
	t = stall_now(&s, 1000 * MS, RTT, 1900 * MS);
	check(&t, 1, 900 * MS, 900 * MS);
	stall_end(&s, 1000 * MS, RTT, 2000 * MS);
	t = stall_now(&s, STALL_NONE, RTT, 9000 * MS);
	check(&t, 1, 1000 * MS, 1000 * MS);
	/* A new connection has had no byte yet: from the sending. */
	s.last_byte = 0;
	t = stall_now(&s, 1500 * MS, RTT, 2000 * MS);
	check(&t, 2, 1500 * MS, 1000 * MS);
}

/* A reply may be stamped a little before the sending is; and a stamp may be older than the one
 * before. */
static void clocks_that_disagree(void **state)
{
	struct stall s = { .last_byte = 0 };

	(void)state;
	stall_end(&s, 1000 * MS, RTT, 999 * MS);
	stall_end(&s, 500 * MS, RTT, 998 * MS);
	check(&s.totals, 0, 0, 0);
	assert_int_equal(s.last_byte, 999 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_the_later),
		cmocka_unit_test(exactly_too_long),
		cmocka_unit_test(idle),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(going_on),
		cmocka_unit_test(clocks_that_disagree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
