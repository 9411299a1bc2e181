/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/transcript.h"

static struct board *board;

static int start(void **state)
{
	(void)state;
	board = board_new(4);
	return board ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static const struct ledger *some_ledger(void)
{
	static const char mark;
	return (const struct ledger *)(const void *)&mark;
}

static void empty(void **state)
{
	(void)state;
	assert_int_equal(board_first(board), board_end(board));
	assert_int_equal(board_arrivals_first(board, false), board_arrivals_end(board, false));
	assert_null(board_item(board, 0));
	assert_null(board_arrival(board, false, 0));
}

static void keeps_what_was_added(void **state)
{
	char text[] = "STRAY";

	(void)state;
	assert_int_equal(board_add_line(board, some_ledger(), true, 7), 0);
	assert_int_equal(board_add_text(board, BOARD_STRAY, false, text, 5), 0);
	assert_int_equal(board_add_text(board, BOARD_ERROR, true, NULL, 0), 0);
	memset(text, 'x', sizeof text);

	const uint64_t first = board_first(board);
	const struct board_item *item = board_item(board, first);
	assert_int_equal(item->kind, BOARD_LINE);
	assert_true(item->stream);
	assert_ptr_equal(item->ledger, some_ledger());
	assert_int_equal(item->number, 7);
	assert_null(item->text);
	item = board_item(board, first + 1);
	assert_int_equal(item->kind, BOARD_STRAY);
	assert_false(item->stream);
	assert_null(item->ledger);
	assert_int_equal(item->length, 5);
	assert_memory_equal(item->text, "STRAY", 5);
	item = board_item(board, first + 2);
	assert_int_equal(item->kind, BOARD_ERROR);
	assert_int_equal(item->length, 0);
	assert_int_equal(board_end(board), first + 3);
	assert_null(board_item(board, first + 3));
}

static void serials_never_come_again(void **state)
{
	(void)state;
	const uint64_t first = board_first(board);
	for (uint64_t i = 0; i < 1000; i++) {
		char text[20];
		const int n = snprintf(text, sizeof text, "%d", (int)i);
		assert_int_equal(board_add_text(board, BOARD_NOTICE, false, text, (size_t)n), 0);
		assert_int_equal(board_end(board), first + i + 1);
		assert_int_equal(board_first(board), i < 4 ? first : first + i + 1 - 4);
		for (uint64_t s = board_first(board); s < board_end(board); s++) {
			const struct board_item *item = board_item(board, s);
			assert_int_equal(item->text[item->length - 1] - '0', (s - first) % 10);
		}
		assert_null(board_item(board, board_end(board)));
		if (board_first(board) > 0)
			assert_null(board_item(board, board_first(board) - 1));
	}
}

static void arrivals_have_serials_of_their_own(void **state)
{
	(void)state;
	board_add_line(board, some_ledger(), false, 1);
	const uint64_t first = board_arrivals_first(board, true);
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(board_add_arrival(board, i == 6 ? MATCH_LATE : MATCH_ANSWER, true, i, "ABCDEF", i), 0);
	assert_int_equal(board_arrivals_end(board, true), first + 6);
	assert_int_equal(board_arrivals_first(board, true), first + 2);
	const struct board_arrival *a = board_arrival(board, true, first + 5);
	assert_int_equal(a->match, MATCH_LATE);
	assert_int_equal(a->number, 6);
	assert_int_equal(a->items, board_end(board));
	assert_int_equal(a->length, 6);
	assert_memory_equal(a->text, "ABCDEF", 6);
	assert_null(board_arrival(board, true, first + 1));
	assert_null(board_arrival(board, true, first + 6));
	assert_int_equal(board_end(board) - board_first(board), 1);
}

/* Whatever order they come in, each transport keeps its own newest, whatever the other's are. */
static void arrivals_of_one_transport(void **state)
{
	(void)state;
	unsigned seed = 1;
	uint64_t last[2][4] = { { 0 } }, count[2] = { 0 };
	for (uint64_t i = 1; i <= 500; i++) {
		seed = seed * 1103515245u + 12345u;
		bool stream = i % 97 > 80 || seed >> 16 & 1;
		assert_int_equal(board_add_arrival(board, MATCH_ANSWER, stream, i, "x", 1), 0);
		last[stream][count[stream]++ % 4] = i;
		if (i % 100 == 0) {
			board_clear(board);
			count[0] = count[1] = 0;
		}
		for (int j = 0; j < 2; j++) {
			uint64_t kept = count[j] < 4 ? count[j] : 4, end = board_arrivals_end(board, j);
			assert_int_equal(board_arrivals_first(board, j), end - kept);
			assert_null(board_arrival(board, j, end - kept - 1));
			assert_null(board_arrival(board, j, end));
			for (uint64_t k = 1; k <= kept; k++)
				assert_int_equal(board_arrival(board, j, end - k)->number, last[j][(count[j] - k) % 4]);
		}
	}
}

static void clear_forgets_all_but_serials(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		board_add_text(board, BOARD_NOTICE, false, "x", 1);
		board_add_arrival(board, MATCH_STRAY, false, 0, "y", 1);
	}
	const uint64_t end = board_end(board), arrivals = board_arrivals_end(board, false);
	board_clear(board);
	assert_int_equal(board_first(board), end);
	assert_int_equal(board_end(board), end);
	assert_int_equal(board_arrivals_first(board, false), arrivals);
	assert_null(board_item(board, end - 1));
	board_add_text(board, BOARD_NOTICE, false, "again", 5);
	assert_int_equal(board_end(board), end + 1);
	assert_memory_equal(board_item(board, end)->text, "again", 5);
}

static void long_texts_are_clipped(void **state)
{
	char *text = calloc(1, BOARD_TEXT_MAX + 10);

	(void)state;
	board_add_text(board, BOARD_STRAY, false, text, BOARD_TEXT_MAX + 10);
	assert_int_equal(board_item(board, board_first(board))->length, BOARD_TEXT_MAX);
	board_add_arrival(board, MATCH_STRAY, false, 0, text, BOARD_TEXT_MAX);
	assert_int_equal(board_arrival(board, false, board_arrivals_first(board, false))->length, BOARD_TEXT_MAX);
	free(text);
}

/* However many rows there may be, long texts of strangers do not pile up. */
static void bytes_are_bounded(void **state)
{
	struct board *b = board_new(100000);
	char *text = calloc(1, BOARD_TEXT_MAX);
	const uint64_t fit = BOARD_BYTES_MAX / BOARD_TEXT_MAX;

	(void)state;
	for (uint64_t i = 0; i < 2 * fit; i++) {
		assert_int_equal(board_add_text(b, BOARD_STRAY, false, text, BOARD_TEXT_MAX), 0);
		assert_int_equal(board_add_arrival(b, MATCH_STRAY, false, 0, text, BOARD_TEXT_MAX), 0);
		assert_int_equal(board_end(b) - board_first(b), i < fit ? i + 1 : fit);
		assert_int_equal(board_arrivals_end(b, false) - board_arrivals_first(b, false), i < fit ? i + 1 : fit);
	}
	/* What is forgotten makes room again; lines take none of it. */
	for (uint64_t i = 1; i <= 3 * fit; i++)
		board_add_line(b, some_ledger(), false, i);
	assert_int_equal(board_end(b) - board_first(b), 4 * fit);
	board_clear(b);
	for (uint64_t i = 0; i < fit; i++)
		board_add_text(b, BOARD_STRAY, false, text, BOARD_TEXT_MAX);
	assert_int_equal(board_end(b) - board_first(b), fit);
	free(text);
	board_free(b);
}

static void smallest(void **state)
{
	struct board *b = board_new(0);

	(void)state;
	assert_non_null(b);
	for (uint64_t i = 1; i < 5; i++) {
		board_add_line(b, some_ledger(), false, i);
		assert_int_equal(board_end(b) - board_first(b), 1);
		assert_int_equal(board_item(b, board_first(b))->number, i);
	}
	board_free(b);
	board_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty, start, stop),
		cmocka_unit_test_setup_teardown(keeps_what_was_added, start, stop),
		cmocka_unit_test_setup_teardown(serials_never_come_again, start, stop),
		cmocka_unit_test_setup_teardown(arrivals_have_serials_of_their_own, start, stop),
		cmocka_unit_test_setup_teardown(arrivals_of_one_transport, start, stop),
		cmocka_unit_test_setup_teardown(clear_forgets_all_but_serials, start, stop),
		cmocka_unit_test_setup_teardown(long_texts_are_clipped, start, stop),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(smallest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
