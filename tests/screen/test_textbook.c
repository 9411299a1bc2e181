/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen against the textbook's servers in Python. (Their clients and the plain client:
 * e2e/client/textbook.py.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"

#define MORE(...) ((struct client_arguments){ { __VA_ARGS__ } })

static void screen_over_udp(void **state)
{
	struct terminal *t = client_to(child_python("textbook/udp_server.py", "0"), 24, 80,
	    MORE(NULL));

	(void)state;
	client_line(t, "hello");
	client_expect_pair(t, "1 hello", "1 HELLO");
	/* bytes.upper() knows ASCII only. */
	client_line(t, "straße");
	client_expect_pair(t, "2 straße", "STRAßE");
	client_expect_pair(t, "2 straße", "differs");
	client_leave(t);
}

static void screen_over_tcp(void **state)
{
	/* Two rows a line fit: a connection that takes more than a millisecond is told below its
	 * reply. */
	struct terminal *t = client_to(child_python("textbook/tcp_server.py", "0"), 34, 80,
	    MORE("--tcp"));
	char left[40], right[40];

	(void)state;
	/* Typed faster than the server can close. */
	for (int i = 1; i <= 10; i++) {
		snprintf(left, sizeof left, "line %d", i);
		client_line(t, left);
	}
	for (int i = 1; i <= 10; i++) {
		snprintf(left, sizeof left, "%d line %d", i, i);
		snprintf(right, sizeof right, "%d LINE %d", i, i);
		client_expect_pair(t, left, right);
	}
	term_expect_row(t, 0, "answered 10");
	client_leave(t);
	term_expect(t, "answered 10 of 10");
}

#define TEST(name) cmocka_unit_test_teardown(name, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(screen_over_udp), TEST(screen_over_tcp) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
