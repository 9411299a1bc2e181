/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstrations: each of upcase-tour(7) has a script of which every word is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/demo.h"
#include "common/clock.h"
#include "common/impair-fields.h"
#include "ledger/ledger.h"
#include "tests/lib/cmocka-compat.h"

static FILE *open_page(void)
{
	const char *folder = getenv("abs_top_srcdir");
	char path[4096];
	FILE *page;

	snprintf(path, sizeof path, "%s/man/upcase-tour.7", folder ? folder : ".");
	page = fopen(path, "r");
	assert_non_null(page);
	return page;
}

/* Numbers and titles are the manual's. */
static void titles(void **state)
{
	FILE *page = open_page();
	char line[300], title[320];
	int64_t number = 0;

	(void)state;
	while (fgets(line, sizeof line, page)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Ss ", 4) != 0)
			continue;
		if (!demo_find(++number))
			fail_msg("'%s' of the manual has no script", line + 4);
		assert_string_equal(demo_find(number)->words, line + 4);
		snprintf(title, sizeof title, "demo %d: %s", (int)number, line + 4);
		assert_string_equal(demo_find(number)->text, title);
	}
	fclose(page);
	assert_int_equal(number, 8);
	assert_null(demo_find(number + 1));
}

static void check_figures(const char *words)
{
	char text[1000];
	int figures = 0, named = 0;

	demo_compare(&(const struct demo_lines){ .count = 1 }, words, 1, 0, text, sizeof text);
	for (const char *at = text; (at = strstr(at, " over ")); at++)
		figures++;
	for (const char *at = words; (at = strchr(at, ' ')); at++)
		named++;
	assert_int_equal(figures, strncmp(words, "both ", 5) == 0 ? 2 * named : named);
	assert_true(figures > 0);
}

static void check_step(const struct demo_step *s)
{
	struct impair_settings link = impair_perfect();
	struct generator_plan plan;
	char reason[IMPAIR_REASON];

	switch (s->kind) {
	case DEMO_SAY:
	case DEMO_WHY:
		assert_true(strlen(s->text) > 20);
		break;
	case DEMO_ASK:
		assert_true(s->text[strlen(s->text) - 1] == '?');
		assert_true(strcmp(s->words, "number") == 0 || strcmp(s->words, "which") == 0);
		break;
	case DEMO_SET:
		assert_int_equal(impair_fields_parse(&link, s->words, reason), 0);
		break;
	case DEMO_OVER:
		assert_non_null(strstr(" udp tcp both ", s->words));
		break;
	case DEMO_SEND:
		plan = demo_plan(s);
		assert_uint_in_range(plan.count, 1, DEMO_LINES);
		assert_true(plan.size <= DEMO_LINE_SIZE);
		break;
	case DEMO_POINT:
	case DEMO_EXPECT:
		check_figures(s->words);
		break;
	default:
		break;
	}
	for (const char *c = s->text; *c; c++)
		assert_uint_in_range(*c, ' ', '~');
}

/* A part says, asks, sends, waits, points, compares and says why, in this order. */
static void scripts(void **state)
{
	static const enum demo_kind order[] = { DEMO_ROUND, DEMO_SAY, DEMO_ASK, DEMO_SEND,
		DEMO_WAIT, DEMO_POINT, DEMO_EXPECT, DEMO_WHY };
	const size_t last = sizeof order / sizeof *order - 1;
	size_t at = last;

	(void)state;
	for (const struct demo_step *s = demo_find(1); s->kind != DEMO_END; s++) {
		check_step(s);
		if (s->kind == DEMO_DEMO) {
			assert_int_equal(s[1].kind, DEMO_ROUND);
		} else if (s->kind == DEMO_ROUND) {
			assert_int_equal(at, last);
			at = 0;
		} else if (at < last && s->kind == order[at + 1]) {
			at++;
		}
	}
	assert_int_equal(at, last);
}

static void where_they_play(void **state)
{
	char *page = demo_page();

	(void)state;
	assert_true(demo_needs_lab(demo_find(1)));
	assert_false(demo_needs_lab(demo_find(3)));
	assert_false(demo_needs_lab(demo_find(7)));
	assert_non_null(strstr(page, "  1  UDP loses "));
	assert_non_null(strstr(page, "needs the lab\n  3  Messages"));
	free(page);
}

static int answer(const char *kind, const char *line, int64_t *value, char reason[DEMO_REASON])
{
	const struct demo_step ask = { DEMO_ASK, kind, "" };

	return demo_answer(&ask, line, strlen(line), value, reason);
}

static void answers(void **state)
{
	char reason[DEMO_REASON];
	int64_t value = -1;

	(void)state;
	assert_int_equal(answer("number", "14", &value, reason), 0);
	assert_int_equal(value, 14);
	assert_int_equal(answer("number", "many", &value, reason), -1);
	assert_string_equal(reason, "'many' is not a number; for example 12");
	assert_int_equal(answer("number", "-1", &value, reason), -1);
	assert_int_equal(answer("which", "tcp", &value, reason), 0);
	assert_int_equal(value, 1);
	assert_int_equal(answer("which", "t", &value, reason), 0);
	assert_int_equal(value, 1);
	assert_int_equal(answer("which", "UDP", &value, reason), 0);
	assert_int_equal(value, 0);
	value = -1;
	assert_int_equal(answer("which", "3", &value, reason), -1);
	assert_int_equal(value, -1);
	assert_string_equal(reason, "'3' is neither udp nor tcp; type one of them");
}

/* Three lines of which the second is lost, and another user's line between them. */
static void compares(void **state)
{
	struct ledger *l = ledger_new(&(const struct ledger_settings){
	    .reply_timeout = NS_PER_S, .capacity = 10, .answerable = 10 * NS_PER_S });
	struct demo_lines lines = { .ledgers = { l, NULL }, .numbers = { 1, 2, 4 }, .count = 3 };
	char text[300];

	(void)state;
	assert_non_null(l);
	for (uint64_t i = 1; i <= 4; i++) {
		char line[20];

		snprintf(line, sizeof line, "line %d", (int)i);
		ledger_add(l, i, line, strlen(line), 0);
		ledger_sent(l, i, 0);
	}
	assert_false(demo_decided(&lines));
	ledger_reply(l, "LINE 1", 6, 40 * NS_PER_MS);
	/* Times are rounded, as on the row. */
	ledger_reply(l, "LINE 4", 6, 90 * NS_PER_MS - NS_PER_MS / 2);
	while (ledger_expire(l, 2 * NS_PER_S))
		;
	assert_true(demo_decided(&lines));
	assert_int_equal(demo_point(&lines, "udp lost"), 2);
	assert_int_equal(demo_point(&lines, "udp slowest"), 4);
	assert_int_equal(demo_point(&lines, "udp wrong"), 0);
	assert_int_equal(demo_point(&lines, "tcp lost"), 0);
	assert_string_equal(demo_compare(&lines, "udp lost slowest", 2, 2, text, sizeof text),
	    "You expected 2. Lost over UDP: 1 of 3 lines (33 %). Slowest reply over UDP: 90 ms. "
	    "Look at line 2, which is marked.");
	assert_string_equal(demo_compare(&lines, "both answered", 1, 0, text, sizeof text),
	    "You expected TCP, but it is the other. Answered over UDP: 2 of 3 lines (67 %). Answered over TCP: 0 of 3 "
	    "lines (0 %).");
	assert_string_equal(demo_compare(&lines, "both lost", 0, 0, text, sizeof text),
	    "You expected UDP, and so it is. Lost over UDP: 1 of 3 lines (33 %). Lost over TCP: 0 of 3 "
	    "lines (0 %).");
	assert_string_equal(demo_compare(&lines, "both wrong", 0, 0, text, sizeof text),
	    "You expected UDP, but both are equal. Wrong replies over UDP: 0 of 3 lines (0 %). Wrong "
	    "replies over TCP: 0 of 3 lines (0 %).");
	assert_string_equal(demo_compare(&lines, "udp lost", 1, 0, text, sizeof text),
	    "You expected 1, and so it is. Lost over UDP: 1 of 3 lines (33 %).");
	assert_string_equal(demo_compare(&lines, "udp wrong", -1, 0, text, sizeof text),
	    "No answer. Wrong replies over UDP: 0 of 3 lines (0 %).");
	ledger_free(l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles),
		cmocka_unit_test(scripts),
		cmocka_unit_test(where_they_play),
		cmocka_unit_test(answers),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
