/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture's file is in the order of its times. With kernels' stamps in it, it is for the end-to-end tests. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture.h"
#include "clock.h"

static const char *const names[] = { "near", "far" };

static void add(struct capture *c, int host, enum pcapng_way way, int64_t at, const char *text)
{
	const struct capture_packet packet = {
		.host = host, .way = way, .at = at, .bytes = text, .n = strlen(text), .comment = text,
	};

	capture_add(c, &packet);
}

static bool comes_before(const char *bytes, size_t n, const char *first, const char *second)
{
	const char *a = memmem(bytes, n, first, strlen(first)), *b = memmem(bytes, n, second, strlen(second));

	assert_non_null(a);
	assert_non_null(b);
	return a < b;
}

static void test_file_is_in_order(void **state)
{
	char *bytes = NULL;
	size_t n = 0;
	struct capture *c = capture_new(open_memstream(&bytes, &n), names, NULL);
	const int64_t now = clock_monotonic();

	(void) state;
	assert_non_null(c);
	add(c, 0, PCAPNG_OUT, now, "ALPHA");
	add(c, 1, PCAPNG_IN, now + 3000, "DELTA");
	add(c, 0, PCAPNG_OUT, now + 1000, "BRAVO");
	capture_turn(c, now + 4000);
	add(c, 1, PCAPNG_OUT, now + 2000, "CHARLIE");
	capture_turn(c, now + 5000);
	assert_int_equal(capture_finish(c), 0);
	assert_true(comes_before(bytes, n, "ALPHA", "BRAVO"));
	assert_true(comes_before(bytes, n, "BRAVO", "CHARLIE"));
	assert_true(comes_before(bytes, n, "CHARLIE", "DELTA"));
	capture_free(c);
	assert_non_null(memmem(bytes, n, "the link's own", 14));
	free(bytes);
}

static void test_packets_are_written_in_time(void **state)
{
	char *bytes = NULL;
	size_t n = 0;
	struct capture *c = capture_new(open_memstream(&bytes, &n), names, NULL);
	const int64_t now = clock_monotonic();
	int64_t due;

	(void) state;
	/* The beginning of the file. */
	capture_turn(c, capture_due(c));
	assert_true(capture_due(c) == CLOCK_NEVER);
	add(c, 0, PCAPNG_OUT, now, "ALPHA");
	while ((due = capture_due(c)) != CLOCK_NEVER)
		capture_turn(c, due);
	assert_non_null(memmem(bytes, n, "ALPHA", 5));
	capture_free(c);
	free(bytes);
}

static void test_a_long_comment_is_cut(void **state)
{
	char *bytes = NULL, text[1000];
	size_t n = 0;
	struct capture *c = capture_new(open_memstream(&bytes, &n), names, NULL);
	const struct capture_packet packet = { .way = PCAPNG_IN, .bytes = "E", .n = 1, .comment = text };

	(void) state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	capture_add(c, &packet);
	assert_int_equal(capture_finish(c), 0);
	assert_non_null(memmem(bytes, n, text, PCAPNG_COMMENT));
	assert_null(memmem(bytes, n, text, PCAPNG_COMMENT + 1));
	capture_free(c);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_in_order),
		cmocka_unit_test(test_packets_are_written_in_time),
		cmocka_unit_test(test_a_long_comment_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
