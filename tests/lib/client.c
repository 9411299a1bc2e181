/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/child.h"

const char *client_path(void)
{
	const char *path = getenv("UPCASE");

	return path ? path : "client-tui/upcase";
}

static const char *lab_program(void)
{
	static char path[4096];
	const char *build = getenv("abs_top_builddir");

	snprintf(path, sizeof path, "%s/lab/upcase-lab", build ? build : ".");
	return path;
}

void need_hosts(void)
{
	static int tried, status;
	char command[5000];

	snprintf(command, sizeof command, "%s --check >/dev/null 2>&1", lab_program());
	if (!tried++)
		status = system(command);
	if (status != 0)
		not_here("upcase-lab --check: no back end works");
}

const char *lab_path(void)
{
	need_hosts();
	return lab_program();
}

static bool has_prompt(struct terminal *t, void *context)
{
	static const char *const prompts[] = { "udp>", "tcp>", "both>" };
	int row, column;

	(void)context;
	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++)
		if (term_find(t, prompts[i], &row, &column))
			return true;
	return false;
}

static struct terminal *start(int rows, int columns, const char *host, const char *port,
    struct client_arguments more)
{
	const char *argv[12] = { client_path() };
	size_t n = 1;
	struct terminal *t;

	for (size_t i = 0; i < 8 && more.list[i]; i++)
		argv[n++] = more.list[i];
	if (host) {
		argv[n++] = host;
		argv[n++] = port;
	}
	argv[n] = NULL;
	t = term_start(rows, columns, argv, NULL);
	if (rows >= 3 && columns >= 10)
		term_expect_that(t, has_prompt, NULL, "a prompt");
	return t;
}

struct terminal *client_private(int rows, int columns, struct client_arguments more)
{
	return start(rows, columns, NULL, NULL, more);
}

struct terminal *client_to(int port, int rows, int columns, struct client_arguments more)
{
	char text[12];

	snprintf(text, sizeof text, "%d", port);
	return start(rows, columns, "127.0.0.1", text, more);
}

void client_line(struct terminal *t, const char *text)
{
	term_type(t, text);
	term_type(t, "\r");
}

struct pair {
	const char *left, *right;
};

static bool row_has_pair(struct terminal *t, void *context)
{
	const struct pair *p = context;

	for (int row = 0; row < term_rows(t); row++) {
		const char *left = strstr(term_row(t, row), p->left);

		if (left && strstr(left + strlen(p->left), p->right))
			return true;
	}
	return false;
}

void client_expect_pair_at(struct terminal *t, const char *left, const char *right,
    const char *file, int line)
{
	struct pair p = { left, right };
	char what[200];

	snprintf(what, sizeof what, "a row with '%s' and then '%s'", left, right);
	term_expect_that_at(t, row_has_pair, &p, what, file, line);
}

void client_expect_first_timeout(struct terminal *t, const char *before)
{
	char text[100];
	int row, column;
	double seconds;

	snprintf(text, sizeof text, "%s1.", before);
	term_expect(t, text);
	assert_true(term_find(t, text, &row, &column));
	seconds = strtod(strstr(term_row(t, row), text) + strlen(before), NULL);
	assert_true(seconds >= 1 && seconds < 1.5);
}

/* A word, then `next` behind blanks; NULL if it does not follow. */
static const char *behind(const char *text, const char *word)
{
	text += strspn(text, " ");
	return strncmp(text, word, strlen(word)) == 0 ? text + strlen(word) : NULL;
}

struct test_figures {
	const char *words[3];
};

static bool row_has_figures(struct terminal *t, void *context)
{
	const struct test_figures *f = context;

	for (int row = 0; row < term_rows(t); row++) {
		const char *at = term_row(t, row);

		for (int i = 0; i < 3 && at; i++)
			at = behind(at, f->words[i]);
		if (at && at[strspn(at, " ")] == '\0')
			return true;
	}
	return false;
}

void client_expect_figures_at(struct terminal *t, const char *name, const char *udp,
    const char *tcp, const char *file, int line)
{
	struct test_figures f = { { name, udp, tcp } };
	char what[200];

	snprintf(what, sizeof what, "a row with the figures '%s', '%s', '%s'", name, udp, tcp);
	term_expect_that_at(t, row_has_figures, &f, what, file, line);
}

static bool are_compared(struct terminal *t, void *context)
{
	static const char words[] = " 0 mismatches in ";
	long compared = -1;
	int row, column;

	client_line(t, "/stats");
	term_type(t, "\033[1;5F");
	term_expect(t, " compared");
	if (term_find(t, words, &row, &column))
		compared = strtol(strstr(term_row(t, row), words) + strlen(words), NULL, 10);
	term_type(t, "q");
	term_expect_gone(t, " compared");
	/* The draw after the next key comes when the page's place is drawn whole. */
	term_type(t, "@@");
	term_expect(t, "> @@");
	term_type(t, "\x7f\x7f");
	term_expect_gone(t, "> @@");
	return compared == *(const long *)context;
}

void client_expect_compared(struct terminal *t, long lines)
{
	term_expect_that(t, are_compared, &lines, "all lines compared with what the link did");
}

void client_leave(struct terminal *t)
{
	term_key(t, (VTermKey)VTERM_KEY_FUNCTION(10), VTERM_MOD_NONE);
	assert_int_equal(term_exit_status(t), 0);
}

int client_teardown(void **state)
{
	term_teardown(state);
	child_stop_all();
	return 0;
}
