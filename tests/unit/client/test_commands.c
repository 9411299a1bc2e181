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

#include "app/commands.h"

/* The name of the command; "more" when several are meant, "none" when none is. */
static const char *find(const char *line, size_t n, const char **arguments)
{
	const struct command *command = command_find(line, n, arguments);
	char text[300];

	if (command)
		return command->name;
	return *command_candidates(line, n, text, sizeof text) ? "more" : "none";
}

static void check(const char *line, const char *command, const char *arguments)
{
	const char *rest = NULL;

	assert_string_equal(find(line, strlen(line), &rest), command);
	assert_string_equal(rest, arguments);
	assert_true(rest >= line && rest <= line + strlen(line));
}

/* Each row has its handler and its help. */
static void whole_names(void **state)
{
	(void)state;
	for (const struct command *spec = command_table; spec->name; spec++) {
		char line[40];

		assert_true(spec->run && spec->help && *spec->help);
		snprintf(line, sizeof line, "/%s", spec->name);
		check(line, spec->name, "");
	}
}

static void arguments_behind_blanks(void **state)
{
	(void)state;
	check("/connect host 7", "connect", "host 7");
	check("/connect \t  host 7", "connect", "host 7");
	check("/find  two  words", "find", "two  words");
	check("/find\ttab", "find", "tab");
	check("/save ", "save", "");
	check("/save a/b", "save", "a/b");
	assert_int_equal(command_trim("host 7 \t ", 9), 6);
	assert_int_equal(command_trim("   ", 3), 0);
	assert_int_equal(command_trim("x", 0), 0);
}

static void beginnings(void **state)
{
	(void)state;
	check("/u", "udp", "");
	check("/t", "tcp", "");
	check("/conn host", "connect", "host");
	check("/q", "quit", "");
	check("/h", "help", "");
	check("/f x", "find", "x");
	check("/c", "more", "");
	check("/cl", "clear", "");
	check("/co h", "connect", "h");
}

static void not_commands(void **state)
{
	(void)state;
	check("/", "none", "");
	check("/ udp", "none", "udp");
	check("//", "none", "");
	check("/udpx", "none", "");
	check("/UDP", "none", "");
	check("/xyz a", "none", "a");
	check("", "none", "");
	check("udp", "none", "udp");
	check("/statistics", "none", "");
	check("/s", "save", "");
}

/* Only `n` bytes count, whatever stands behind them. */
static void only_so_many_bytes(void **state)
{
	const char *rest, *line = "/udpx y";

	(void)state;
	assert_string_equal(find(line, 4, &rest), "udp");
	assert_ptr_equal(rest, line + 4);
	assert_string_equal(find(line, 1, &rest), "none");
	assert_string_equal(find(line, 0, &rest), "none");
}

static void check_completions(const char *word, const char *expected)
{
	char got[300] = "";
	char **words = command_completions(word);

	for (size_t i = 0; words && words[i]; i++) {
		strcat(strcat(got, words[i]), " ");
		free(words[i]);
	}
	free(words);
	assert_string_equal(got, expected);
}

static void completions(void **state)
{
	char text[300];
	size_t used = 0;

	(void)state;
	check_completions("/c", "/connect /clear ");
	check_completions("/u", "/udp /unplug ");
	check("/u", "udp", "");
	check("/un", "unplug", "");
	check("/ho 3s", "hold", "3s");
	check_completions("/udp", "/udp ");
	for (const struct command *spec = command_table; spec->name; spec++)
		used += (size_t)snprintf(text + used, sizeof text - used, "/%s ", spec->name);
	check_completions("/", text);
	check_completions("/x", "");
	check_completions("", "");
	check_completions("udp", "");
	assert_string_equal(command_candidates("/c x", 4, text, sizeof text), "/connect, /clear");
	assert_string_equal(command_candidates("/x", 2, text, sizeof text), "");
	assert_string_equal(command_candidates("/c", 2, text, 9), "/connect");
	assert_string_equal(command_candidates("/c", 2, text, 1), "");
}

/* The page has every command and key, and fits 80 columns. */
static void help_page(void **state)
{
	char *page = command_help_page();
	char what[60];

	(void)state;
	assert_non_null(page);
	for (const struct command *spec = command_table; spec->name; spec++) {
		snprintf(what, sizeof what, "  /%s %s", spec->name, spec->arguments);
		assert_non_null(strstr(page, what));
		assert_non_null(strstr(page, spec->help));
	}
	for (const struct key_spec *spec = key_table; spec->key; spec++) {
		snprintf(what, sizeof what, "\n  %s ", spec->key);
		assert_non_null(strstr(page, what));
		assert_non_null(strstr(page, spec->help));
	}
	assert_non_null(strstr(page, "//"));
	for (const char *line = page; *line; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\n") <= 79);
		assert_int_equal(line[strcspn(line, "\n")], '\n');
	}
	free(page);
}

/* The buttons are those of the table, in its order. */
static void buttons_of_keys(void **state)
{
	struct view_button buttons[VIEW_BUTTONS];
	const int count = command_buttons(buttons);
	int at = 0;

	(void)state;
	for (const struct key_spec *spec = key_table; spec->key; spec++) {
		/* A button does something, and so does a function key. */
		assert_true((!spec->label && !spec->function) || spec->press);
		if (!spec->label)
			continue;
		assert_true(at < count);
		assert_ptr_equal(buttons[at].key, spec->label);
		assert_ptr_equal(buttons[at].words, spec->words);
		assert_ptr_equal(&key_table[buttons[at++].id], spec);
	}
	assert_int_equal(at, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_names),
		cmocka_unit_test(arguments_behind_blanks),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(not_commands),
		cmocka_unit_test(only_so_many_bytes),
		cmocka_unit_test(completions),
		cmocka_unit_test(help_page),
		cmocka_unit_test(buttons_of_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
