/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/transcript.h"

static struct transcript *transcript;

static int make_transcript(void **state)
{
	(void)state;
	transcript = transcript_new(4);
	return transcript ? 0 : -1;
}

static int free_transcript(void **state)
{
	(void)state;
	transcript_free(transcript);
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
	assert_int_equal(transcript_first(transcript, LIST_ROWS),
	    transcript_end(transcript, LIST_ROWS));
	assert_int_equal(transcript_first(transcript, LIST_UDP),
	    transcript_end(transcript, LIST_UDP));
	assert_null(transcript_item(transcript, 0));
	assert_null(transcript_arrival(transcript, LIST_UDP, 0));
}

static void keeps_what_was_added(void **state)
{
	char text[] = "STRAY";

	(void)state;
	assert_int_equal(transcript_add_line(transcript, some_ledger(), NULL, true, 7), 0);
	assert_int_equal(transcript_add_text(transcript, TRANSCRIPT_STRAY, false, text, 5), 0);
	assert_int_equal(transcript_add_text(transcript, TRANSCRIPT_ERROR, true, NULL, 0), 0);
	memset(text, 'x', sizeof text);

	const uint64_t first = transcript_first(transcript, LIST_ROWS);
	const struct transcript_item *item = transcript_item(transcript, first);
	assert_int_equal(item->kind, TRANSCRIPT_LINE);
	assert_true(item->stream);
	assert_ptr_equal(item->ledger, some_ledger());
	assert_int_equal(item->number, 7);
	assert_null(item->text);
	item = transcript_item(transcript, first + 1);
	assert_int_equal(item->kind, TRANSCRIPT_STRAY);
	assert_false(item->stream);
	assert_null(item->ledger);
	assert_int_equal(item->length, 5);
	assert_memory_equal(item->text, "STRAY", 5);
	item = transcript_item(transcript, first + 2);
	assert_int_equal(item->kind, TRANSCRIPT_ERROR);
	assert_int_equal(item->length, 0);
	assert_int_equal(transcript_end(transcript, LIST_ROWS), first + 3);
	assert_null(transcript_item(transcript, first + 3));
}

static void serials_never_come_again(void **state)
{
	(void)state;
	const uint64_t first = transcript_first(transcript, LIST_ROWS);
	for (uint64_t i = 0; i < 1000; i++) {
		char text[20];
		const int n = snprintf(text, sizeof text, "%d", (int)i);
		assert_int_equal(transcript_add_text(transcript, TRANSCRIPT_NOTICE, false, text,
		                     (size_t)n),
		    0);
		assert_int_equal(transcript_end(transcript, LIST_ROWS), first + i + 1);
		assert_int_equal(transcript_first(transcript, LIST_ROWS),
		    i < 4 ? first : first + i + 1 - 4);
		for (uint64_t s = transcript_first(transcript, LIST_ROWS);
		    s < transcript_end(transcript, LIST_ROWS); s++) {
			const struct transcript_item *item = transcript_item(transcript, s);
			assert_int_equal(item->text[item->length - 1] - '0', (s - first) % 10);
		}
		assert_null(transcript_item(transcript, transcript_end(transcript, LIST_ROWS)));
		if (transcript_first(transcript, LIST_ROWS) > 0)
			assert_null(transcript_item(transcript,
			    transcript_first(transcript, LIST_ROWS) - 1));
	}
}

static void arrivals_have_serials_of_their_own(void **state)
{
	(void)state;
	transcript_add_line(transcript, some_ledger(), NULL, false, 1);
	const uint64_t first = transcript_first(transcript, LIST_TCP);
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(transcript_add_arrival(transcript,
		                     i == 6 ? MATCH_LATE : MATCH_ANSWER, true, i, "ABCDEF", i),
		    0);
	assert_int_equal(transcript_end(transcript, LIST_TCP), first + 6);
	assert_int_equal(transcript_first(transcript, LIST_TCP), first + 2);
	const struct transcript_arrival *a = transcript_arrival(transcript, LIST_TCP, first + 5);
	assert_int_equal(a->match, MATCH_LATE);
	assert_int_equal(a->number, 6);
	assert_int_equal(a->items, transcript_end(transcript, LIST_ROWS));
	assert_int_equal(a->length, 6);
	assert_memory_equal(a->text, "ABCDEF", 6);
	assert_null(transcript_arrival(transcript, LIST_TCP, first + 1));
	assert_null(transcript_arrival(transcript, LIST_TCP, first + 6));
	assert_int_equal(transcript_end(transcript, LIST_ROWS) -
	                     transcript_first(transcript, LIST_ROWS),
	    1);
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
		assert_int_equal(transcript_add_arrival(transcript, MATCH_ANSWER, stream, i, "x",
		                     1),
		    0);
		last[stream][count[stream]++ % 4] = i;
		if (i % 100 == 0) {
			transcript_clear(transcript);
			count[0] = count[1] = 0;
		}
		for (int j = 0; j < 2; j++) {
			uint64_t kept = count[j] < 4 ? count[j] : 4,
			         end = transcript_end(transcript, LIST_UDP + j);
			assert_int_equal(transcript_first(transcript, LIST_UDP + j), end - kept);
			assert_null(transcript_arrival(transcript, LIST_UDP + j, end - kept - 1));
			assert_null(transcript_arrival(transcript, LIST_UDP + j, end));
			for (uint64_t k = 1; k <= kept; k++)
				assert_int_equal(transcript_arrival(transcript, LIST_UDP + j,
				                     end - k)
				                     ->number,
				    last[j][(count[j] - k) % 4]);
		}
	}
}

static void clear_forgets_all_but_serials(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		transcript_add_text(transcript, TRANSCRIPT_NOTICE, false, "x", 1);
		transcript_add_arrival(transcript, MATCH_STRAY, false, 0, "y", 1);
	}
	const uint64_t end = transcript_end(transcript, LIST_ROWS),
	               arrivals = transcript_end(transcript, LIST_UDP);
	transcript_clear(transcript);
	assert_int_equal(transcript_first(transcript, LIST_ROWS), end);
	assert_int_equal(transcript_end(transcript, LIST_ROWS), end);
	assert_int_equal(transcript_first(transcript, LIST_UDP), arrivals);
	assert_null(transcript_item(transcript, end - 1));
	transcript_add_text(transcript, TRANSCRIPT_NOTICE, false, "again", 5);
	assert_int_equal(transcript_end(transcript, LIST_ROWS), end + 1);
	assert_memory_equal(transcript_item(transcript, end)->text, "again", 5);
}

static void long_texts_are_clipped(void **state)
{
	char *text = calloc(1, TRANSCRIPT_TEXT_MAX + 10);

	(void)state;
	transcript_add_text(transcript, TRANSCRIPT_STRAY, false, text, TRANSCRIPT_TEXT_MAX + 10);
	assert_int_equal(transcript_item(transcript, transcript_first(transcript, LIST_ROWS))
	                     ->length,
	    TRANSCRIPT_TEXT_MAX);
	transcript_add_arrival(transcript, MATCH_STRAY, false, 0, text, TRANSCRIPT_TEXT_MAX);
	assert_int_equal(transcript_arrival(transcript, LIST_UDP,
	                     transcript_first(transcript, LIST_UDP))
	                     ->length,
	    TRANSCRIPT_TEXT_MAX);
	free(text);
}

/* However many rows there may be, long texts of strangers do not pile up. */
static void bytes_are_bounded(void **state)
{
	struct transcript *t = transcript_new(100000);
	char *text = calloc(1, TRANSCRIPT_TEXT_MAX);
	const uint64_t fit = TRANSCRIPT_BYTES_MAX / TRANSCRIPT_TEXT_MAX;

	(void)state;
	for (uint64_t i = 0; i < 2 * fit; i++) {
		assert_int_equal(transcript_add_text(t, TRANSCRIPT_STRAY, false, text,
		                     TRANSCRIPT_TEXT_MAX),
		    0);
		assert_int_equal(transcript_add_arrival(t, MATCH_STRAY, false, 0, text,
		                     TRANSCRIPT_TEXT_MAX),
		    0);
		assert_int_equal(transcript_end(t, LIST_ROWS) - transcript_first(t, LIST_ROWS),
		    i < fit ? i + 1 : fit);
		assert_int_equal(transcript_end(t, LIST_UDP) - transcript_first(t, LIST_UDP),
		    i < fit ? i + 1 : fit);
	}
	/* What is forgotten makes room again; lines take none of it. */
	for (uint64_t i = 1; i <= 3 * fit; i++)
		transcript_add_line(t, some_ledger(), NULL, false, i);
	assert_int_equal(transcript_end(t, LIST_ROWS) - transcript_first(t, LIST_ROWS), 4 * fit);
	transcript_clear(t);
	for (uint64_t i = 0; i < fit; i++)
		transcript_add_text(t, TRANSCRIPT_STRAY, false, text, TRANSCRIPT_TEXT_MAX);
	assert_int_equal(transcript_end(t, LIST_ROWS) - transcript_first(t, LIST_ROWS), fit);
	free(text);
	transcript_free(t);
}

static void smallest(void **state)
{
	struct transcript *t = transcript_new(0);

	(void)state;
	assert_non_null(t);
	for (uint64_t i = 1; i < 5; i++) {
		transcript_add_line(t, some_ledger(), NULL, false, i);
		assert_int_equal(transcript_end(t, LIST_ROWS) - transcript_first(t, LIST_ROWS), 1);
		assert_int_equal(transcript_item(t, transcript_first(t, LIST_ROWS))->number, i);
	}
	transcript_free(t);
	transcript_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty, make_transcript, free_transcript),
		cmocka_unit_test_setup_teardown(keeps_what_was_added, make_transcript,
		    free_transcript),
		cmocka_unit_test_setup_teardown(serials_never_come_again, make_transcript,
		    free_transcript),
		cmocka_unit_test_setup_teardown(arrivals_have_serials_of_their_own, make_transcript,
		    free_transcript),
		cmocka_unit_test_setup_teardown(arrivals_of_one_transport, make_transcript,
		    free_transcript),
		cmocka_unit_test_setup_teardown(clear_forgets_all_but_serials, make_transcript,
		    free_transcript),
		cmocka_unit_test_setup_teardown(long_texts_are_clipped, make_transcript,
		    free_transcript),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(smallest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
