/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any size from 1x1 up, and a storm of 200 random ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define NO_MORE ((struct client_arguments){ { NULL } })

static void write_lines(struct terminal *t)
{
	client_line(t, "hello");
	client_line(t,
	    "漢字 wide and e\xcc\x81 combining, long enough to be wrapped over more than one row of "
	    "a pane");
	client_line(t, "");
	client_line(t, "the last one");
	term_expect(t, "THE LAST ONE");
}

static void common_sizes(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 8, 30 }, { 3, 20 },
		{ 50, 200 } };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = client_private(24, 80, NO_MORE);

		write_lines(t);
		term_resize(t, sizes[i][0], sizes[i][1]);
		client_line(t, "after");
		term_expect(t, "AFTER");
		term_expect_row(t, 0, "UDP");
		term_expect(t, "udp>");
		client_leave(t);
	}
}

/* Both transports' times stand at 80 columns, whatever leaves for them; on a narrower screen the
 * counts that are not 0 do. */
static void times_stand(void **state)
{
	static const int sizes[][2] = { { 24, 80 }, { 40, 120 }, { 18, 64 }, { 12, 40 } };
	static const char *const seen[] = { "min/avg/max ", "min/avg/max ", "answered 200",
		"sent 200" };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = client_private(sizes[i][0], sizes[i][1],
		    (struct client_arguments){ { "--both" } });

		client_line(t, "/burst 200 every 1ms");
		term_expect(t, "burst: 200 lines sent");
		for (int row = 0; row <= 1; row++) {
			term_expect_row(t, row, "sent 200");
			term_expect_row(t, row, seen[i]);
		}
		client_leave(t);
	}
}

static void starts_at_1x1(void **state)
{
	struct terminal *t = client_private(1, 1, NO_MORE);

	(void)state;
	client_line(t, "hello");
	term_resize(t, 24, 80);
	client_expect_pair(t, "1 hello", "1 HELLO");
	client_leave(t);
}

static void storm(void **state)
{
	const char *given = getenv("TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 12000;
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	write_lines(t);
	for (int i = 0; i < 200; i++) {
		int rows = 1 + (int)(random() % (i % 3 ? 60 : 5)),
		    columns = 1 + (int)(random() % (i % 5 ? 200 : 12));

		term_resize(t, rows, columns);
		if (i % 7 == 0)
			term_key(t, i % 2 ? VTERM_KEY_PAGEUP : VTERM_KEY_PAGEDOWN, VTERM_MOD_NONE);
		if (i % 11 == 0)
			client_line(t, "storm");
		term_update(t);
	}
	term_resize(t, 24, 80);
	term_key(t, VTERM_KEY_END, VTERM_MOD_CTRL);
	client_line(t, "calm again");
	client_expect_pair(t, "calm again", "CALM AGAIN");
	term_expect_row(t, 1, "typed");
	client_leave(t);
}

#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(common_sizes), TEST(times_stand),
		TEST(starts_at_1x1), TEST(storm) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
