/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may follow depends on the command and on the word before. */
#include "config.h"

#include "app/complete.h"

#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "app/demo.h"
#include "common/impair-fields.h"
#include "common/text.h"

#define WORDS 1000 /* room for all words that may follow */
#define OTHER "*"  /* for any word before */

/* The words of commands, except those of /link, which are in the tables of the link's settings and
 * of the presets, and the numbers of /demo. Without words, a file's name follows. */
static const struct {
	/* `after` is the word before, "" for the command itself. */
	const char *command, *after, *words;
} table[] = {
	{ "burst", "", "10 100 1000" },
	{ "burst", "every", "1ms 10ms 100ms 1s" },
	{ "burst", "size", "10 100 1000" },
	{ "burst", OTHER, "every size" },
	{ "plot", "", "waited rtt histogram cumulative runs off" },
	{ "save", "", NULL },
	{ "save", "last", "10 20 50" },
	{ "save", OTHER, "last screen --title --dark" },
	{ "goto", "", "start end +1 -1 > <" },
	{ "speed", "", "1/4 1/2 1 2 4 8 16" },
	{ "mouse", "", "on off" },
	{ "drop", "", "next none" },
	{ "drop", "next", "udp tcp request reply syn ack" },
	{ "drop", "udp", "request reply" },
	{ "drop", "tcp", "request reply syn ack" },
	{ "drop", "syn", "there back" },
	{ "drop", "ack", "there back" },
	{ "hold", "", "1s 3s 5s 10s" },
	{ "hold", OTHER, "there back" },
	{ "unplug", "", "1s 3s 5s 10s" },
	{ "unplug", OTHER, "there back" },
};

/* The words of /link after `arguments`, of which `last` is the last word. */
static void put_link(struct text *t, const char *arguments, const char *last)
{
	const enum impair_field_id id = impair_field_find(last);

	if (strcmp(arguments, "preset") == 0) {
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			text_put(t, "%s ", p->name);
	} else if (id < IMPAIR_FIELD_COUNT) {
		text_put(t, "%s", impair_fields[id].steps);
	} else if (text_begins(arguments, "preset ")) {
		text_put(t, "there back");
	} else if (!text_begins(arguments, "p")) {
		for (int other = 0; other < IMPAIR_FIELD_COUNT; other++)
			text_put(t, "%s ", impair_fields[other].name);
		text_put(t, *last ? "there back" : "preset presets panel");
	}
}

static void put_table(struct text *t, const char *command, const char *last, bool *files)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *after = table[i].after;

		if (strcmp(table[i].command, command) != 0 ||
		    (strcmp(after, last) != 0 && (strcmp(after, OTHER) != 0 || !*last)))
			continue;
		*files = !table[i].words;
		text_put(t, "%s", table[i].words ? table[i].words : "");
		return;
	}
}

/* The words that follow the `n` bytes of a line: a command and some of its words. */
static void put_arguments(struct text *t, const struct tui *tui, const char *line, size_t n,
    bool *files)
{
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
	if (strcmp(last, "there") != 0 && strcmp(last, "back") != 0) {
		if (strcmp(c->name, "link") == 0)
			put_link(t, copy, last);
		else if (strcmp(c->name, "demo") == 0)
			for (int number = 1; !*last && demo_find(number); number++)
				text_put(t, "%d ", number);
		else
			put_table(t, c->name, last, files);
	}
	free(copy);
}

char **complete_word(const struct tui *tui, const char *line, size_t n, const char *word,
    bool *files)
{
	char words[WORDS] = "", each[IMPAIR_VALUE], **list = calloc(WORDS / 2 + 1, sizeof *list);
	struct text t = text_begin(words, sizeof words);
	size_t count = 0;

	*files = false;
	if (n > 0)
		put_arguments(&t, tui, line, n, files);
	for (const struct command *c = command_table; n == 0 && *word == '/' && c->name; c++)
		if (command_offered(c->use, tui))
			text_put(&t, "/%s ", c->name);
	for (const char *at = words; list && impair_fields_word(&at, each);)
		if (text_begins(each, word) && (list[count] = strdup(each)))
			count++;
	if (count > 0)
		return list;
	free(list);
	return NULL;
}
