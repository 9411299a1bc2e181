/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generator: what is read, when lines are due, what they say, what is told of the schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "app/generator.h"
#include "app/settings.h"
#include "common/clock.h"

#define MS NS_PER_MS
#define START (1000 * NS_PER_S)

/* --- reading --- */

static void plans_are_read(void **state)
{
	static const struct {
		const char *text;
		struct generator_plan plan;
	} cases[] = {
		{ "1", { 1, 10 * MS, 0, 0 } },
		{ "200 every 5ms size 100", { 200, 5 * MS, 100, 0 } },
		{ "200 size 100 every 5ms", { 200, 5 * MS, 100, 0 } },
		{ "1M every 20us", { 1000000, 20 * NS_PER_US, 0, 0 } },
		{ "7 every 0", { 7, 0, 0, 0 } },
		{ " 7\tevery  1h ", { 7, 3600 * NS_PER_S, 0, 0 } },
		{ "1000000000 size 65507", { 1000000000, 10 * MS, 65507, 0 } },
		{ "7 every 1s every 2s", { 7, 2 * NS_PER_S, 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct generator_plan plan = { 5, 5, 5, 0 };
		char reason[GENERATOR_REASON];

		assert_int_equal(generator_read(cases[i].text, false, &plan, reason), 0);
		assert_int_equal(plan.count, cases[i].plan.count);
		assert_int_equal(plan.interval, cases[i].plan.interval);
		assert_int_equal(plan.size, cases[i].plan.size);
	}
}

static void wrong_plans_give_a_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "/burst wants a number of lines" },
		{ "  ", "/burst wants a number of lines" },
		{ "0", "'0' is not a number of lines" },
		{ "-3", "'-3' is not a number of lines" },
		{ "1000000001", "is not a number of lines, 1 to 1000000000" },
		{ "99999999999999999999", "is not a number of lines" },
		{ "many", "'many' is not a number of lines" },
		{ "every 5ms", "'every' is not a number of lines" },
		{ "5 every", "every wants a duration" },
		{ "5 size", "size wants a number of bytes" },
		{ "5 every soon", "every 'soon' is not a duration" },
		{ "5 every -1ms", "every '-1ms' is not a duration" },
		{ "5 every 2h", "every '2h' is not a duration, 0 to 1h" },
		{ "5 size 0", "size '0' is not a number of bytes" },
		{ "5 size 65508", "size '65508' is not a number of bytes, 1 to 65507" },
		{ "5 at 5ms", "'at' is neither 'every' nor 'size'" },
		{ "5 6", "'6' is neither" },
		{ "5 every 5 ms", "'ms' is neither" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct generator_plan plan = { 5, 6, 7, 0 };
		char reason[GENERATOR_REASON] = "";

		assert_int_equal(generator_read(cases[i].text, false, &plan, reason), -1);
		if (!strstr(reason, cases[i].reason) || *reason == ' ' ||
		    !strstr(reason, "; for example /burst 200 every 5ms size 100"))
			fail_msg("'%s': '%s'", cases[i].text, reason);
		assert_true(plan.count == 5 && plan.interval == 6 && plan.size == 7);
	}
}

static void bulk_plans_are_read(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "/bulk wants a duration" },
		{ "0", "'0' is not a duration, 1ms to 1h" },
		{ "61m", "'61m' is not a duration" },
		{ "fast", "'fast' is not a duration" },
		{ "5s every 1s", "'every' is not 'size'" },
		{ "5s size", "size wants a number of bytes" },
	};
	struct generator_plan plan;
	char reason[GENERATOR_REASON];

	(void)state;
	assert_int_equal(generator_read("5s", true, &plan, reason), 0);
	assert_true(generator_is_bulk(&plan));
	assert_true(plan.duration == 5 * NS_PER_S && plan.size == 1000);
	assert_int_equal(generator_read("1ms size 7", true, &plan, reason), 0);
	assert_true(plan.duration == MS && plan.size == 7);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(generator_read(wrong[i][0], true, &plan, reason), -1);
		if (!strstr(reason, wrong[i][1]) ||
		    !strstr(reason, "; for example /bulk 5s size 1000"))
			fail_msg("'%s': '%s'", wrong[i][0], reason);
	}
	assert_true(plan.duration == MS);
	assert_int_equal(generator_read("7 every 0", false, &plan, reason), 0);
	assert_false(generator_is_bulk(&plan));
}

/* --- the schedule --- */

static void lines_are_due_on_schedule(void **state)
{
	const struct generator_plan plan = { 3, 10 * MS, 0, 0 };
	struct generator g;

	(void)state;
	generator_start(&g, &plan, START);
	assert_true(g.running);
	for (int i = 0; i < 3; i++) {
		const int64_t due = START + i * 10 * MS;

		assert_int_equal(generator_due(&g), due);
		assert_false(generator_next(&g, due - 1));
		assert_true(generator_next(&g, due));
		assert_int_equal(g.sent, i + 1);
	}
	assert_false(g.running);
	assert_true(generator_due(&g) == INT64_MAX);
	assert_false(generator_next(&g, START + NS_PER_S));
	assert_int_equal(g.sent, 3);
	assert_int_equal(g.worst, 0);
	assert_int_equal(g.end, START + 20 * MS);
}

/* The first line goes alone until it is known how the server takes it; the schedule goes on behind
 * that. */
static void the_first_line_may_go_alone(void **state)
{
	const struct generator_plan plan = { 3, 10 * MS, 0, 0 };
	struct generator g;

	(void)state;
	generator_start(&g, &plan, START);
	/* Nothing was sent yet. */
	generator_pause(&g, START + 5 * MS, START);
	assert_true(generator_next(&g, START));
	generator_pause(&g, START + 2 * NS_PER_S, START);
	/* No longer than that. */
	assert_true(generator_due(&g) == START + GENERATOR_PAUSE_MAX);
	assert_false(generator_next(&g, START + 10 * MS));
	/* The reply came. */
	generator_pause(&g, START + 70 * MS, START + 20 * MS);
	assert_true(generator_due(&g) == START + 70 * MS);
	assert_false(generator_next(&g, START + 69 * MS));
	generator_pause(&g, START + 70 * MS, START + 71 * MS);
	assert_true(generator_next(&g, START + 71 * MS));
	assert_int_equal(g.worst, 0);
	assert_true(generator_due(&g) == START + 81 * MS);
	/* Only behind the first line. */
	generator_pause(&g, START + 99 * MS, START + 80 * MS);
	assert_true(generator_next(&g, START + 81 * MS));
	assert_false(g.running);
	assert_int_equal(g.slipped, 0);
}

/* A late line does not shift those behind it: they come at once, and each says how late it was. */
static void late_lines_catch_up_and_are_counted(void **state)
{
	const struct generator_plan plan = { 100, 1 * MS, 0, 0 };
	struct generator g;
	int64_t now = START + 30 * MS;

	(void)state;
	generator_start(&g, &plan, START);
	assert_true(generator_next(&g, START));
	for (int i = 1; i <= 30; i++)
		assert_true(generator_next(&g, now));
	assert_false(generator_next(&g, now));
	assert_int_equal(g.worst, 29 * MS);
	/* Lines 1 to 19 were due more than 10 ms ago; line 20 exactly so long. */
	assert_int_equal(g.slipped, 19);
	while (g.running) {
		now += 1 * MS;
		assert_true(generator_next(&g, now));
	}
	assert_int_equal(now, START + 99 * MS);
	assert_int_equal(g.slipped, 19);
	assert_true(generator_failed(&g));
}

static void one_late_line_is_no_fault(void **state)
{
	const struct generator_plan plan = { 10, 100 * MS, 0, 0 };
	struct generator g;

	(void)state;
	generator_start(&g, &plan, START);
	for (int i = 0; i < 10; i++)
		assert_true(generator_next(&g, START + i * 100 * MS + (i == 4 ? 12 * MS : 0)));
	assert_int_equal(g.slipped, 1);
	assert_false(generator_failed(&g));
	/* Nor are some of many. */
	g.sent = 1000;
	g.slipped = 9;
	assert_false(generator_failed(&g));
	g.slipped = 11;
	assert_true(generator_failed(&g));
}

static void no_interval_no_schedule(void **state)
{
	const struct generator_plan plan = { 5, 0, 0, 0 };
	struct generator g;

	(void)state;
	generator_start(&g, &plan, START);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(generator_due(&g), START);
		assert_true(generator_next(&g, START + i * NS_PER_S));
	}
	assert_int_equal(g.slipped, 0);
	assert_int_equal(g.worst, 0);
}

static void it_can_be_stopped(void **state)
{
	const struct generator_plan plan = { 5, MS, 0, 0 };
	struct generator g;

	(void)state;
	generator_start(&g, &plan, START);
	assert_true(generator_next(&g, START));
	generator_stop(&g, START + MS);
	assert_false(generator_next(&g, START + 2 * MS));
	assert_int_equal(g.sent, 1);
	generator_stop(&g, START + 9 * MS);
	assert_int_equal(g.end, START + MS);
}

/* A billion lines an hour apart are due beyond the end of time. */
static void big_counts(void **state)
{
	const struct generator_plan plan = { 1000000000, 3600 * NS_PER_S, 0, 0 };
	struct generator g;
	char text[100];

	(void)state;
	generator_start(&g, &plan, START);
	g.sent = plan.count - 1;
	assert_true(generator_due(&g) == INT64_MAX);
	assert_false(generator_next(&g, INT64_MAX - 1));
	g.sent = 1;
	generator_progress(&g, START + 5, "-", text, sizeof text);
	assert_non_null(strstr(text, "1/1000000000 - "));
}

/* With a duration, the lines that are due before its end. */
static void lines_end_with_the_duration(void **state)
{
	const struct generator_plan plan = {
		.count = SETTINGS_ENDLESS, .interval = 10 * MS, .duration = 25 * MS
	};
	struct generator g;
	char text[100];

	(void)state;
	generator_start(&g, &plan, START);
	for (int i = 0; i < 3; i++) {
		generator_expire(&g, START + i * 10 * MS);
		assert_true(generator_next(&g, START + i * 10 * MS));
	}
	generator_progress(&g, START + 20 * MS, "-", text, sizeof text);
	assert_string_equal(text, "3 - 100/s - 0.0 s left");
	generator_expire(&g, START + 25 * MS - 1);
	assert_true(g.running);
	assert_false(generator_is_complete(&g));
	generator_expire(&g, START + 25 * MS);
	assert_false(g.running);
	assert_true(generator_is_complete(&g));
	/* The rate is that of the schedule. */
	generator_result(&g, "u", text, sizeof text);
	assert_string_equal(text, "3 lines sent in 20.0 ms, 100/s; on schedule, at most 0 s late");
}

static void lines_without_an_end(void **state)
{
	const struct generator_plan endless = { .count = SETTINGS_ENDLESS, .interval = MS },
	                            five = { .count = 5, .interval = MS, .duration = 9 * MS };
	struct generator g;
	char text[100];

	(void)state;
	generator_start(&g, &endless, START);
	for (int i = 0; i < 1000; i++)
		assert_true(generator_next(&g, START + i * MS));
	generator_progress(&g, START + 999 * MS, "-", text, sizeof text);
	assert_string_equal(text, "1000 - 1000/s");
	generator_stop(&g, START + 999 * MS);
	assert_true(generator_is_complete(&g));
	/* What comes first ends them: here the count. */
	generator_start(&g, &five, START);
	for (int i = 0; i < 4; i++)
		assert_true(generator_next(&g, START + i * MS));
	assert_false(generator_is_complete(&g));
	assert_true(generator_next(&g, START + 4 * MS));
	assert_false(g.running);
	assert_true(generator_is_complete(&g));
}

static void rows_for_what_is_open(void **state)
{
	const struct generator_plan slow = { 1000000, 10 * MS, 0, 0 },
	                            fast = { 1000000, 20 * NS_PER_US, 0, 0 },
	                            at_once = { 100000000, 0, 0, 0 }, few = { 500, 0, 0, 0 };

	(void)state;
	assert_int_equal(generator_rows(&slow, NS_PER_S, 100000), 100000);
	assert_int_equal(generator_rows(&fast, NS_PER_S, 100000), 150001);
	assert_int_equal(generator_rows(&at_once, NS_PER_S, 100000), 1000000);
	assert_int_equal(generator_rows(&few, NS_PER_S, 1), 500);
	assert_int_equal(generator_rows(&fast, INT64_MAX, 1), 1000000);
}

/* --- the lines --- */

static void says(uint64_t number, size_t size, const char *wanted)
{
	char text[100];
	const size_t n = generator_text(number, size, text, sizeof text);

	if (n != strlen(wanted) || memcmp(text, wanted, n) != 0)
		fail_msg("line %u of %zu bytes: '%.*s', not '%s'", (unsigned)number, size, (int)n,
		    text, wanted);
}

static void texts(void **state)
{
	(void)state;
	says(1, 0, "line 1");
	says(1234567, 0, "line 1234567");
	says(UINT64_MAX, 0, "line 18446744073709551615");
	says(17, 7, "line 17");
	says(17, 8, "line 17 ");
	says(17, 9, "line 17 a");
	says(17, 12, "line 17 abcd");
	says(17, 36, "line 17 abcdefghijklmnopqrstuvwxyzab");
	says(17, 6, "line17");
	says(17, 5, "lin17");
	says(17, 3, "l17");
	says(17, 2, "17");
	says(17, 1, "17");
	says(100, 1, "100");
}

static void texts_of_any_size(void **state)
{
	static char text[65536];

	(void)state;
	for (size_t size = 5; size <= 65507; size = size * 3 / 2)
		assert_int_equal(generator_text(12345, size, text, sizeof text), size);
	assert_int_equal(generator_text(12345, 65507, text, sizeof text), 65507);
	assert_memory_equal(text, "line 12345 abc", 14);
	/* Never more than there is room for. */
	memset(text, '!', 20);
	for (size_t room = 0; room < 20; room++) {
		assert_int_equal(generator_text(12345, 20, text, room), room);
		assert_int_equal(text[room], '!');
	}
}

static void no_two_texts_are_the_same(void **state)
{
	static char texts[2000][24];

	(void)state;
	for (size_t size = 0; size < 20; size++) {
		for (unsigned i = 0; i < 2000; i += 7) {
			memset(texts[i], 0, sizeof texts[i]);
			generator_text(i + 1, size, texts[i], sizeof texts[i]);
			for (unsigned k = 0; k < i; k += 7)
				assert_string_not_equal(texts[k], texts[i]);
		}
	}
}

/* --- in words --- */

static void progress(void **state)
{
	const struct generator_plan plan = { 1000, 10 * MS, 0, 0 };
	struct generator g;
	char text[100];

	(void)state;
	generator_start(&g, &plan, START);
	assert_string_equal(generator_progress(&g, START, "-", text, sizeof text),
	    "0/1000 - 0.0/s - 10.0 s left");
	assert_true(generator_next(&g, START));
	assert_string_equal(generator_progress(&g, START + 1, "-", text, sizeof text),
	    "1/1000 - 0.0/s - 10.0 s left");
	for (int i = 1; i < 341; i++)
		assert_true(generator_next(&g, START + i * 10 * MS));
	assert_string_equal(generator_progress(&g, START + 3400 * MS, "·", text, sizeof text),
	    "341/1000 · 100/s · 6.6 s left");
	/* Behind its schedule it takes as long as the rate so far says. */
	generator_start(&g, &plan, START);
	for (int i = 0; i < 101; i++)
		assert_true(generator_next(&g, START + 10 * NS_PER_S));
	assert_string_equal(generator_progress(&g, START + 10 * NS_PER_S, "-", text, sizeof text),
	    "101/1000 - 10/s - 1 min 30 s left");
}

static void results(void **state)
{
	const struct generator_plan plan = { 3, 10 * MS, 0, 0 }, one = { 1, 10 * MS, 0, 0 },
	                            at_once = { 3, 0, 0, 0 };
	struct generator g;
	char text[200];

	(void)state;
	generator_start(&g, &plan, START);
	for (int i = 0; i < 3; i++)
		generator_next(&g, START + i * 10 * MS + 20000);
	assert_string_equal(generator_result(&g, "u", text, sizeof text),
	    "3 lines sent in 20.0 ms, 100/s; on schedule, at most "
	    "20.0 us late");
	generator_start(&g, &plan, START);
	generator_next(&g, START);
	generator_next(&g, START + 60 * MS);
	generator_stop(&g, START + 100 * MS);
	assert_string_equal(generator_result(&g, "u", text, sizeof text),
	    "2 of 3 lines sent in 100 ms, 10/s; the schedule slipped: "
	    "1 was more than 10 ms late, the worst 50.0 ms");
	generator_start(&g, &one, START);
	generator_next(&g, START);
	assert_string_equal(generator_result(&g, "u", text, sizeof text),
	    "1 line sent in 0 s; on schedule, at most 0 s late");
	generator_start(&g, &at_once, START);
	for (int i = 0; i < 3; i++)
		generator_next(&g, START + 2 * MS);
	assert_string_equal(generator_result(&g, "u", text, sizeof text),
	    "3 lines sent in 2.00 ms, 1000/s");
}

/* The first line goes alone until 30 ms; of the rest, 2 MB are answered in a second. */
static void bulk_lines_are_measured(void **state)
{
	const struct generator_plan plan = {
		.count = SETTINGS_ENDLESS, .size = 999, .duration = NS_PER_S
	};
	struct generator g;
	char text[200];

	(void)state;
	generator_start(&g, &plan, START);
	generator_measure(&g, 5000, START);
	assert_true(generator_next(&g, START));
	generator_pause(&g, START + 30 * MS, START);
	generator_measure(&g, 6000, START + 20 * MS);
	generator_pause(&g, START + 30 * MS, START + 30 * MS);
	for (int i = 0; i < 2499; i++)
		assert_true(generator_next(&g, START + 30 * MS));
	g.bytes = 2500000;
	generator_measure(&g, 1006000, START + 530 * MS);
	assert_string_equal(generator_progress(&g, START + 530 * MS, "-", text, sizeof text),
	    "2.00 MB/s - 0.5 s left");
	generator_measure(&g, 2006000, START + 1030 * MS);
	generator_expire(&g, START + 1029 * MS);
	assert_true(g.running);
	generator_expire(&g, START + 1030 * MS);
	assert_false(g.running);
	assert_true(generator_is_complete(&g));
	assert_int_equal(generator_measured(&g).answered, 2000000);
	assert_string_equal(generator_result(&g, "u", text, sizeof text),
	    "2500 lines of 999 bytes in 1.00 s: 2.50 MB sent, goodput 2.00 MB/s");
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		TEST(plans_are_read),
		TEST(wrong_plans_give_a_reason),
		TEST(bulk_plans_are_read),
		TEST(bulk_lines_are_measured),
		TEST(the_first_line_may_go_alone),
		TEST(lines_are_due_on_schedule),
		TEST(late_lines_catch_up_and_are_counted),
		TEST(one_late_line_is_no_fault),
		TEST(no_interval_no_schedule),
		TEST(it_can_be_stopped),
		TEST(big_counts),
		TEST(lines_end_with_the_duration),
		TEST(lines_without_an_end),
		TEST(rows_for_what_is_open),
		TEST(texts),
		TEST(texts_of_any_size),
		TEST(no_two_texts_are_the_same),
		TEST(progress),
		TEST(results),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
