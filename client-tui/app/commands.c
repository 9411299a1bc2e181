/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The hints of the key table, which command_hints() puts into one string without memory of its own.
 * The first ones stay on a narrow screen: they are the keys that no terminal keeps for itself, as
 * some do F1 and F10. */
#define HELP_HINT "? help"
#define QUIT_HINT "^D quit"
#define TRANSPORT_HINT "F2 udp/tcp"
#define BOTH_HINT "F3 both"
#define ORDER_HINT "F4 order"
#define BURST_HINT "F5 burst"
#define PLOT_HINT "F6 plot"
#define LINK_HINT "F7 link"

const struct command_spec command_table[] = {
	{ COMMAND_UDP, "udp", "", "send over UDP from now on" },
	{ COMMAND_TCP, "tcp", "", "send over TCP from now on" },
	{ COMMAND_BOTH, "both", "", "send each line over UDP and TCP at once from now on" },
	{ COMMAND_CONNECT, "connect", "HOST [PORT]", "go to another server" },
	{ COMMAND_ORDER, "order", "", "replies beside their lines, or in the order they came" },
	{ COMMAND_BURST, "burst", "N [every D] [size S]",
	    "send N numbered lines, one every D; Ctrl-C stops it" },
	{ COMMAND_STATS, "stats", "", "what became of all lines, in figures" },
	{ COMMAND_PLOT, "plot", "[KIND]", "a plot: waited, rtt, histogram, cumulative, runs; off" },
	{ COMMAND_FIND, "find", "[TEXT]", "look for TEXT upwards; alone, go on to the next older" },
	{ COMMAND_CLEAR, "clear", "", "forget what the screen shows; the counts stay" },
	{ COMMAND_SAVE, "save", "FILE", "write all rows into a new file, by its ending" },
	{ COMMAND_LINK, "link", "[NAME VALUE]...",
	    "in the lab: show the link, or change it: loss 30% back" },
	{ COMMAND_DROP, "drop", "next [udp|tcp] WHAT",
	    "in the lab: drop the next request, reply, syn or ack" },
	{ COMMAND_HOLD, "hold", "TIME", "in the lab: keep all packets back for so long" },
	{ COMMAND_UNPLUG, "unplug", "TIME", "in the lab: lose all packets for so long" },
	{ COMMAND_HELP, "help", "", "this page" },
	{ COMMAND_QUIT, "quit", "", "leave; a summary stays" },
	{ .name = NULL },
};

const struct key_spec key_table[] = {
	{ "?", HELP_HINT, "this page, on an empty line; once more types a ?" },
	{ "Ctrl-D", QUIT_HINT, "leave, on an empty line; a summary stays" },
	{ "Ctrl-C", NULL, "stop generated lines, drop what is typed; twice: leave" },
	{ "PgUp", NULL, "a page towards older rows" },
	{ "PgDn", NULL, "a page towards newer rows" },
	{ "F2", TRANSPORT_HINT, "the other transport; or /udp, /tcp" },
	{ "F3", BOTH_HINT, "each line over both, or over one again; or /both, /udp" },
	{ "F4", ORDER_HINT, "replies beside their lines, or as they came; or /order" },
	{ "F5", BURST_HINT, "send lines as the last /burst; stop them; or /burst N" },
	{ "F6", PLOT_HINT, "the plots, and away with them; or /plot KIND, /plot off" },
	{ "F7", LINK_HINT, "in the lab: the link, by arrow keys; or /link panel" },
	{ "Ctrl-Home", NULL, "the oldest row" },
	{ "Ctrl-End", NULL, "the newest row, and follow new ones again" },
	{ "Shift-Up", NULL, "one row towards older ones" },
	{ "Shift-Down", NULL, "one row towards newer ones" },
	{ "wheel", NULL, "three rows, with --mouse" },
	{ "Tab", NULL, "complete a command" },
	{ "Up", NULL, "the line typed before" },
	{ "Down", NULL, "the line typed after" },
	{ "Ctrl-R", NULL, "search the lines typed before" },
	{ "Ctrl-L", NULL, "draw the screen anew" },
	{ "Ctrl-Z", NULL, "stop; fg in the shell goes on" },
	{ "F1", NULL, "this page, and away with it; or ?, /help" },
	{ "F10", NULL, "leave; or Ctrl-D, /quit" },
	{ "Esc", NULL, "close a page, a plot or the panel" },
	{ .key = NULL },
};

const char *command_hints(void)
{
	return HELP_HINT "  " QUIT_HINT "  " TRANSPORT_HINT "  " BOTH_HINT "  " ORDER_HINT
	                 "  " BURST_HINT "  " PLOT_HINT "  " LINK_HINT;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The name in a line without its slash, up to a blank. */
static size_t name_of(const char *line, size_t n, const char **name)
{
	size_t length = 0;

	*name = line;
	if (n == 0 || line[0] != '/')
		return 0;
	*name = line + 1;
	while (length < n - 1 && !is_blank((*name)[length]))
		length++;
	return length;
}

static bool begins(const struct command_spec *spec, const char *name, size_t n)
{
	return strncmp(spec->name, name, n) == 0 && strlen(spec->name) >= n;
}

/* These commands came later: one letter goes on to mean what it meant. */
static bool too_short(const struct command_spec *spec, size_t n)
{
	return n < 2 && (spec->command == COMMAND_LINK || spec->command == COMMAND_DROP ||
	                    spec->command == COMMAND_HOLD || spec->command == COMMAND_UNPLUG ||
	                    spec->command == COMMAND_STATS);
}

static enum command find(const char *name, size_t n)
{
	enum command found = COMMAND_UNKNOWN;

	if (n == 0)
		return COMMAND_UNKNOWN;
	for (const struct command_spec *spec = command_table; spec->name; spec++) {
		if (!begins(spec, name, n) || too_short(spec, n))
			continue;
		if (strlen(spec->name) == n)
			return spec->command;
		found = found == COMMAND_UNKNOWN ? spec->command : COMMAND_AMBIGUOUS;
	}
	return found;
}

enum command command_parse(const char *line, size_t n, const char **arguments)
{
	const char *name, *end = line + n;
	size_t length = name_of(line, n, &name);

	*arguments = name + length;
	while (*arguments < end && is_blank(**arguments))
		++*arguments;
	return find(name, length);
}

size_t command_trim(const char *arguments, size_t n)
{
	while (n && is_blank(arguments[n - 1]))
		n--;
	return n;
}

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

char **command_completions(const char *word)
{
	char **words = calloc(COUNT(command_table), sizeof(*words));
	size_t count = 0;

	if (!words || word[0] != '/') {
		free(words);
		return NULL;
	}
	for (const struct command_spec *spec = command_table; spec->name; spec++) {
		if (!begins(spec, word + 1, strlen(word + 1)))
			continue;
		if (asprintf(&words[count], "/%s", spec->name) < 0) {
			words[count] = NULL;
			free_words(words);
			return NULL;
		}
		count++;
	}
	if (count == 0) {
		free(words);
		return NULL;
	}
	return words;
}

char *command_candidates(const char *line, size_t n, char *buf, size_t size)
{
	const char *name;
	const size_t length = name_of(line, n, &name);
	struct text t = text_begin(buf, size);

	for (const struct command_spec *spec = command_table; spec->name; spec++)
		if (begins(spec, name, length) && !too_short(spec, length))
			text_put(&t, "%s/%s", t.used ? ", " : "", spec->name);
	return buf;
}

/* The width of a page's first column. */
#define COLUMN 22

/* What, in a column of its own, and the words; below it when it is too long. */
static void put_row(struct text *t, const char *what, const char *help)
{
	if (strlen(what) >= COLUMN)
		text_put(t, "  %s\n  %-*s%s\n", what, COLUMN, "", help);
	else
		text_put(t, "  %-*s%s\n", COLUMN, what, help);
}

static size_t write_page(char *buf, size_t size)
{
	struct text t = text_begin(buf, size);
	char what[40];

	text_put(&t,
	    "Each line is sent as it is; the reply is the line in capitals.\n\nCommands\n");
	for (const struct command_spec *spec = command_table; spec->name; spec++) {
		snprintf(what, sizeof(what), "/%s %s", spec->name, spec->arguments);
		put_row(&t, what, spec->help);
	}
	text_put(&t,
	    "\nThe beginning of a name is enough where only one begins so: /u, /conn.\n"
	    "The commands for the lab want two letters at least: /li, /dr.\n"
	    "A line that itself begins with / is sent with one more: //etc sends /etc.\n\nKeys\n");
	for (const struct key_spec *spec = key_table; spec->key; spec++)
		put_row(&t, spec->key, spec->help);
	text_put(&t,
	    "\nThe other keys are those of the line editor, readline; ~/.inputrc counts.\n");
	return t.used;
}

char *command_help_page(void)
{
	const size_t size = write_page(NULL, 0) + 1;
	char *text = malloc(size);

	if (text)
		write_page(text, size);
	return text;
}
