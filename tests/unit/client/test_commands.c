/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands.h"
#include "app/tui-state.h"
#include "common/impair-fields.h"

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

/* What may follow the first `n` bytes of the line, for next_word(). */
static char words[COMPLETE_WORDS], *words_left;

static bool complete(const char *line, size_t n)
{
	struct text t = text_begin(words, sizeof words);
	bool files;

	complete_words(NULL, line, n, &t, &files);
	words_left = words;
	return files;
}

/* The next of these words, without its description; NULL at the end. */
static const char *next_word(void)
{
	char *word = strtok_r(NULL, "\n", &words_left);

	if (word)
		word[strcspn(word, "\t")] = '\0';
	return word;
}

/* The words that complete the last word of the line, with their blanks; "files" for those. */
static void check_completions(const char *line, const char *expected)
{
	const char *blank = strrchr(line, ' '), *begun = blank ? blank + 1 : line;
	char got[300] = "";

	if (complete(line, (size_t)(begun - line)))
		strcpy(got, "files");
	for (const char *word; (word = next_word()) != NULL;)
		if (text_begins(word, begun))
			strcat(strcat(got, word), " ");
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
		if (command_offered(spec->use, NULL))
			used += (size_t)snprintf(text + used, sizeof text - used, "/%s ",
			    spec->name);
	check_completions("/goto ", "");
	check_completions("/", text);
	check_completions("/x", "");
	check_completions("", "");
	check_completions("udp", "");
	assert_string_equal(command_candidates("/c x", 4, text, sizeof text), "/connect, /clear");
	assert_string_equal(command_candidates("/x", 2, text, sizeof text), "");
	assert_string_equal(command_candidates("/c", 2, text, 9), "/connect");
	assert_string_equal(command_candidates("/c", 2, text, 1), "");
}

static void completed_words(void **state)
{
	(void)state;
	check_completions("/link lo", "loss ");
	check_completions("/li re", "reorder reorder-by ");
	check_completions("/link p", "preset presets panel ");
	check_completions("/link loss 2", "2% 20% 25% ");
	check_completions("/link order ", "kept free ");
	check_completions("/link loss 20% d", "delay distribution duplicate ");
	check_completions("/link loss 20% b", "burst back ");
	check_completions("/link loss 20% delay 5", "5ms 50ms 500ms 5s ");
	check_completions("/link loss 20% back ", "");
	check_completions("/link preset wifi", "wifi wifi-far ");
	check_completions("/link preset wifi ", "there back ");
	check_completions("/link preset wifi there ", "");
	check_completions("/link presets ", "");
	check_completions("/link panel l", "");
	check_completions("/drop ",
	    "next none udp tcp request:3 reply:2 segment:6 syn:1 ack:every:2 ");
	check_completions("/packet delay ", "10ms 50ms 200ms ");
	check_completions("/drop next ", "udp tcp request reply datagram segment syn ack fin ");
	check_completions("/drop next udp ", "request reply datagram ");
	check_completions("/drop next tcp a", "ack ");
	check_completions("/drop next tcp ack ", "there back ");
	check_completions("/drop none ", "");
	check_completions("/ho 3s ", "there back ");
	check_completions("/unplug 3s there ", "");
	check_completions("/plot r", "rtt runs ");
	check_completions("/plot rtt ", "");
	check_completions("/burst 10 ", "every size ");
	check_completions("/burst 10 every ", "1ms 10ms 100ms 1s ");
	check_completions("/bulk 5s ", "size ");
	check_completions("/save ", "files");
	check_completions("/save talk.svg --", "--title --dark ");
	check_completions("/save talk.svg last ", "10 20 50 ");
	check_completions("/connect l", "");
	check_completions("/udp u", "");
	check_completions("/l lo", "");
	check_completions("/nosuch lo", "");
}

/* Behind every command that has arguments something is offered, but for free text and hosts. */
static void completed_arguments(void **state)
{
	char line[40];

	(void)state;
	for (const struct command *c = command_table; c->name; c++) {
		const int n = snprintf(line, sizeof line, "/%s ", c->name);
		const bool is_free = !*c->arguments || strcmp(c->name, "connect") == 0 ||
		                     strcmp(c->name, "find") == 0;

		if (command_offered(c->use, NULL) &&
		    is_free != (!complete(line, (size_t)n) && !next_word()))
			fail_msg("what may follow /%s?", c->name);
	}
}

/* What completion offers is accepted: each value by its setting, each kind of plot. */
static void completed_words_are_right(void **state)
{
	struct impair_settings s = impair_perfect();
	char reason[IMPAIR_REASON], line[80];
	const char *word;

	(void)state;
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		const int n = snprintf(line, sizeof line, "/link %s ", impair_fields[id].name);

		complete(line, (size_t)n);
		assert_string_not_equal(words, "");
		while ((word = next_word()) != NULL)
			assert_int_equal(impair_fields_set(&s, id, word, reason), 0);
	}
	complete("/plot ", 6);
	assert_string_not_equal(words, "");
	while ((word = next_word()) != NULL)
		assert_true(plot_kind(word) >= 0);
}

/* First the keys of the last row, then the commands, then the lab's, then the other keys. */
static void check_order(const char *page)
{
	static const char *const order[] = { "\nKeys\n  ? ", "\n  F7 ", "\nCommands\n  /udp ",
		"\n  /quit ", "\nIn the lab\n  /link ", "\n  /unplug ", "\nMore keys\n",
		"\n  PgUp ", "\n  F8 " };
	const char *at = page;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		at = strstr(at, order[i]);
		assert_non_null(at);
	}
}

/* The page has every command and key, and fits 80 columns. */
static void help_page(void **state)
{
	char *page = command_help_page(NULL);
	char what[60];

	(void)state;
	assert_non_null(page);
	for (const struct command *spec = command_table; spec->name; spec++) {
		snprintf(what, sizeof what, "  /%s %s", spec->name, spec->arguments);
		assert_int_equal(strstr(page, what) != NULL, command_offered(spec->use, NULL));
		if (!command_offered(spec->use, NULL))
			continue;
		assert_non_null(strstr(page, spec->help));
	}
	for (const struct key_spec *spec = key_table; spec->key; spec++) {
		if (!command_offered(spec->use, NULL))
			continue;
		snprintf(what, sizeof what, "\n  %s ", spec->key);
		assert_non_null(strstr(page, what));
		assert_non_null(strstr(page, spec->help));
	}
	assert_non_null(strstr(page, "//"));
	check_order(page);
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
	static const struct tui live;
	const int count = command_buttons(&live, buttons);
	int at = 0;

	(void)state;
	for (const struct key_spec *spec = key_table; spec->key; spec++) {
		/* A button does something. */
		assert_true(!spec->label || spec->line || spec->function);
		if (!spec->label || !command_offered(spec->use, &live))
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
		cmocka_unit_test(completed_words),
		cmocka_unit_test(completed_arguments),
		cmocka_unit_test(completed_words_are_right),
		cmocka_unit_test(help_page),
		cmocka_unit_test(buttons_of_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
