/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting of a screen without lines, and what the link's commands say outside of a lab. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "tests/lib/client.h"

#define NO_MORE ((struct client_arguments){ { NULL } })

static void give_command(const char *command)
{
	if (command)
		setenv("UPCASE_LAB_COMMAND", command, 1);
	else
		unsetenv("UPCASE_LAB_COMMAND");
}

static int teardown(void **state)
{
	give_command(NULL);
	return client_teardown(state);
}

/* Each row is whole: on a small screen it is a shorter one. */
static void greets_on_every_size(void **state)
{
	static const struct {
		int rows, columns;
		const char *greeting[3];
	} sizes[] = {
		{ 24, 80,
		    { " Type a line and press Enter: the reply comes in capitals. F1 or ? is help.",
		        " F3 or /both sends each line over UDP and TCP; F8 or /mouse: mouse on/off.",
		        " To see loss, leave with Ctrl-D and run: ./start --lab --loss 20%" } },
		{ 40, 120,
		    { " Type a line and press Enter: the reply comes in capitals. F1 or ? is help.",
		        " F3 or /both sends each line over UDP and TCP; F8 or /mouse: mouse on/off.",
		        " To see loss, leave with Ctrl-D and run: ./start --lab --loss 20%" } },
		{ 18, 64,
		    { " Type a line and press Enter; F1 or ? is help.",
		        " F3 or /both: over UDP and TCP; F8 or /mouse: mouse on/off.",
		        " To see loss, run: ./start --lab --loss 20%" } },
		{ 12, 40,
		    { " Type a line, press Enter; ? is help.",
		        " F3 or /both: UDP and TCP; F8: mouse",
		        " Loss: ./start --lab --loss 20%" } },
	};

	(void)state;
	give_command("./start --lab");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct terminal *t = client_private(sizes[i].rows, sizes[i].columns, NO_MORE);
		int row, column;

		for (int k = 0; k < 3; k++)
			term_expect(t, sizes[i].greeting[k]);
		assert_true(term_find(t, sizes[i].greeting[0], &row, &column));
		for (int k = 0; k < 3; k++)
			term_expect_row_is(t, row + k, sizes[i].greeting[k]);
		client_leave(t);
	}
}

/* What the program has to say stands there, and the greeting takes the rows that are left. */
static void covers_nothing(void **state)
{
	struct terminal *t = client_private(8, 30, NO_MORE);

	(void)state;
	term_expect(t, "-- no host given: a private");
	term_expect(t, "leave");
	term_resize(t, 9, 30);
	term_expect_row(t, 6, "Type a line");
	term_resize(t, 24, 80);
	term_expect(t, "F3 or /both");
	client_leave(t);
}

static void leaves_with_the_first_line(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);

	(void)state;
	term_expect(t, "Type a line and press Enter");
	client_line(t, "/both");
	term_expect(t, "Each line goes over UDP and TCP (F3: one); F8 or /mouse: mouse on/off.");
	client_line(t, "hello");
	term_expect(t, "HELLO");
	term_expect_gone(t, "Type a line");
	term_expect_gone(t, "To see loss");
	client_line(t, "/clear");
	client_line(t, "/udp");
	client_expect_pair(t, "udp>", "");
	term_expect_gone(t, "Type a line");
	client_leave(t);
}

/* It is no part of the session, which a file has. */
static void is_in_no_file(void **state)
{
	struct terminal *t = client_private(24, 80, NO_MORE);
	char path[4096], text[4096] = "";
	FILE *file;

	(void)state;
	term_expect(t, "Type a line and press Enter");
	snprintf(path, sizeof path, "%s/empty.txt", term_home(t));
	client_line(t, TEXT_FORMAT("/save %s", path));
	term_expect(t, "saved in ");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "no host given"));
	assert_null(strstr(text, "Type a line"));
	client_leave(t);
}

/* Lines that come by themselves need none, nor does a recording, whose keys are others. */
static void greets_nobody_who_looks_on(void **state)
{
	static const char record[] =
	    "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1}\n"
	    "{\"type\":\"notice\",\"at_ns\":1,\"bad\":false,\"text\":\"of old\"}\n";
	struct terminal *t = term_open(24, 80);
	const char *const argv[] = { client_path(), "--read", term_file(t, "old.jsonl", record),
		NULL };

	(void)state;
	term_run(t, argv);
	term_expect(t, "of old");
	client_line(t, "/link loss 20%");
	term_expect(t, "a recording is shown: nothing can be sent");
	term_expect_gone(t, "Type a line");
	client_leave(t);
	/* The lines wait for a connection that does not come. */
	t = client_to(1, 24, 80, (struct client_arguments){ { "--tcp", "--count=5" } });
	term_expect(t, "refused");
	term_expect_gone(t, "Type a line");
	client_leave(t);
}

/* The command works from where the user stands. */
static void says_how_to_start_a_lab(void **state)
{
	static const char *const commands[] = { "/link", "/link loss 30%", "/drop next request",
		"/hold 1s", "/unplug 1s" };
	struct terminal *t;

	(void)state;
	give_command("'../up case/start' --lab");
	t = client_private(24, 80, NO_MORE);
	term_expect(t, "and run: '../up case/start' --lab --loss 20%");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		client_line(t, commands[i]);
		term_expect_row(t, -1, "needs a lab: '../up case/start' --lab --loss 20%");
		/* It goes with the next key. */
		term_type(t, "x");
		term_expect_row(t, -1, "? help");
		term_bytes(t, "\x7f", 1);
	}
	term_key(t, VTERM_KEY_FUNCTION(7), VTERM_MOD_NONE);
	term_expect_row(t, -1, "needs a lab: '../up case/start' --lab --loss 20%");
	client_leave(t);
	/* What the environment says is shown, never obeyed. */
	give_command("\033]0;EVIL\007");
	t = client_private(24, 80, NO_MORE);
	term_expect(t, "^[]0;EVIL^G --loss 20%");
	client_leave(t);
}

/* Without ./start the client looks for one: in a built tree it is two folders up, elsewhere the lab
 * is installed. */
static void finds_the_tree(void **state)
{
	struct terminal *t = term_open(24, 80);
	const char *const copy[] = { "/bin/sh", "-c",
		"mkdir -p \"$HOME/tree/build/client-tui\" && cd \"$HOME/tree\" && "
		"cp \"$UPCASE\" build/client-tui/upcase && "
		"touch start && chmod +x start && exec build/client-tui/upcase 127.0.0.1",
		NULL };
	const char *const bare[] = { "/bin/sh", "-c",
		"rm \"$HOME/tree/start\" && exec \"$HOME/tree/build/client-tui/upcase\" 127.0.0.1",
		NULL };

	const char *without = HAVE_LAB ? "and run: upcase-lab --loss 20%"
	                               : "and run: upcased --loss 20%";

	(void)state;
	term_setenv(t, "UPCASE", client_path());
	term_run(t, copy);
	/* Where it does not know its own place it cannot find the tree. */
	term_expect(t, HAVE_PROC ? "and run: ./start --lab --loss 20%" : without);
	client_leave(t);
	term_run(t, bare);
	term_expect(t, without);
	client_leave(t);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(greets_on_every_size),
		TEST(covers_nothing),
		TEST(leaves_with_the_first_line),
		TEST(is_in_no_file),
		TEST(greets_nobody_who_looks_on),
		TEST(says_how_to_start_a_lab),
		TEST(finds_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
