/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lab/output.h"

static void expect(const struct output_tail *tail, const char *want)
{
	char line[80];

	assert_string_equal(output_tail_last_line(tail, line, sizeof(line)), want);
}

static void gives_the_last_line(void **state)
{
	struct output_tail tail = { .n = 0 };

	(void)state;
	expect(&tail, "");
	output_tail_add(&tail, "one\ntw", 6);
	expect(&tail, "tw");
	output_tail_add(&tail, "o\n\n\n", 4);
	expect(&tail, "two");
	output_tail_add(&tail, "\033[31mred\177\r\n", 11);
	expect(&tail, "?[31mred??");
}

static void forgets_the_oldest(void **state)
{
	char much[3 * OUTPUT_TAIL_SIZE];
	struct output_tail tail = { .n = 0 };

	(void)state;
	memset(much, 'x', sizeof(much));
	much[0] = '\n';
	output_tail_add(&tail, "first\n", 6);
	for (int i = 0; i < 5000; i++)
		output_tail_add(&tail, "line\n", 5);
	assert_int_equal(tail.n, OUTPUT_TAIL_SIZE);
	expect(&tail, "line");
	output_tail_add(&tail, much, sizeof(much));
	assert_int_equal(tail.n, OUTPUT_TAIL_SIZE);
	output_tail_add(&tail, "\nend", 4);
	assert_int_equal(tail.n, OUTPUT_TAIL_SIZE);
	expect(&tail, "end");
	assert_int_equal(tail.text[0], 'x');
}

static void cuts_a_long_line(void **state)
{
	struct output_tail tail = { .n = 0 };
	char line[5];

	(void)state;
	output_tail_add(&tail, "abcdefgh", 8);
	assert_string_equal(output_tail_last_line(&tail, line, sizeof(line)), "abcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_last_line),
		cmocka_unit_test(forgets_the_oldest),
		cmocka_unit_test(cuts_a_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
