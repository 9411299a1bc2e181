/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion with Tab: the names of commands, and the words that may follow them, which depend on
 * the command and on the word before. */
#include "app/commands.h"

#include "app/demo.h"

/* The words of commands, except those that orders to the link have too, and the numbers of /demo.
 */
static const struct complete_row table[] = {
	{ "burst", "", "10 100 1000" },
	{ "burst", "every", "1ms 10ms 100ms 1s" },
	{ "burst", "size", "10 100 1000" },
	{ "burst", COMPLETE_ANY, "every size" },
	{ "bulk", "", "1s 5s 10s 30s" },
	{ "bulk", "size", "100 1000 10000" },
	{ "bulk", COMPLETE_ANY, "size" },
	{ "flow", "", "5s 10s 30s off" },
	{ "flow", COMPLETE_ANY, "reno cubic" },
	{ "plot", "", "waited rtt histogram cumulative runs shares window off" },
	{ "save", "", NULL },
	{ "save", "last", "10 20 50" },
	{ "save", COMPLETE_ANY, "last screen --title --dark" },
	{ "goto", "", "start end +1 -1 > <" },
	{ "speed", "", "1/4 1/2 1 2 4 8 16" },
	{ "mouse", "", "on off" },
	{ .command = NULL },
};

/* The words of /link after `arguments`, of which `last` is the last word. */
static void put_link(struct text *t, const char *arguments, const char *last)
{
	if (text_begins_word(arguments, "preset"))
		complete_order(t, "preset", arguments[6] ? last : "");
	else if (!text_begins(arguments, "p"))
		complete_order(t, "set", last);
	if (!*last)
		complete_put(t, "preset presets panel");
}

/* The words that follow the `n` bytes of a line: a command and some of its words. */
static void put_arguments(struct text *t, const struct tui *tui, const char *line, size_t n,
    bool *files)
{
	const struct complete_row *row;
	const char *arguments, *last;
	const struct command *c = command_find(line, n, &arguments);
	char *copy = c && command_offered(c->use, tui)
	               ? strndup(arguments, command_trim(arguments, n - (size_t)(arguments - line)))
	               : NULL;

	if (!copy)
		return;
	last = copy + strlen(copy);
	while (last > copy && !strchr(" \t", last[-1]))
		last--;
	row = complete_find(table, c->name, last);
	*files = row && !row->words;
	if (row)
		complete_put(t, row->words ? row->words : "");
	else if (strcmp(c->name, "link") == 0)
		put_link(t, copy, last);
	else if (strcmp(c->name, "demo") == 0)
		for (int number = 1; !*last && demo_find(number); number++)
			text_put(t, "%d\n", number);
	else
		complete_order(t, c->name, last);
	free(copy);
}

void complete_words(const struct tui *tui, const char *line, size_t n, struct text *words,
    bool *files)
{
	*files = false;
	if (n > 0)
		put_arguments(words, tui, line, n, files);
	for (const struct command *c = command_table; n == 0 && *line == '/' && c->name; c++)
		if (command_offered(c->use, tui))
			text_put(words, "/%s\n", c->name);
}
