/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may follow depends on the command and on the word before. */
#include "config.h"

#include "app/complete.h"

#include <stdlib.h>
#include <string.h>

#include "app/commands.h"
#include "common/grow.h"
#include "common/impair-fields.h"
#include "common/text.h"

/* For any word before. */
#define OTHER "*"

/* The words of commands, except those of /link, which are in the tables of the link's settings and
 * of the presets. Without words, a file's name follows. */
static const struct {
	/* `after` is the word before, "" for the command itself. */
	const char *command, *after, *words;
} table[] = {
	{ "burst", "", "10 100 1000" },
	{ "burst", "every", "1ms 10ms 100ms 1s" },
	{ "burst", "size", "10 100 1000" },
	{ "burst", OTHER, "every size" },
	{ "demo", "", "1 2 3 4 5 6 7 8" },
	{ "plot", "", "waited rtt histogram cumulative runs off" },
	{ "save", "", NULL },
	{ "goto", "", "start end +1 -1" },
	{ "speed", "", "1/4 1/2 1 2 4 8 16" },
	{ "mouse", "", "on off" },
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

struct list {
	const char *word;
	char **words;
	size_t count, capacity;
};

/* Adds `name`, with `before` before it, if that begins with the word. */
static void add(struct list *l, const char *before, const char *name)
{
	const char *whole = TEXT_FORMAT("%s%s", before, name);

	if (!text_begins(whole, l->word) ||
	    grow_list(&l->words, &l->capacity, l->count + 2, sizeof *l->words) < 0)
		return;
	l->words[l->count] = strdup(whole);
	l->count += l->words[l->count] != NULL;
	l->words[l->count] = NULL;
}

static void add_words(struct list *l, const char *words)
{
	char word[IMPAIR_VALUE];

	while (impair_fields_word(&words, word))
		add(l, "", word);
}

static void add_settings(struct list *l)
{
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
		add(l, "", impair_fields[id].name);
}

/* Adds the words of /link after `arguments`, of which `last` is the last word. */
static void add_link(struct list *l, const char *arguments, const char *last)
{
	const enum impair_field_id id = impair_field_find(last);

	if (!*last) {
		add_settings(l);
		add_words(l, "preset presets panel");
	} else if (strcmp(arguments, "preset") == 0) {
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			add(l, "", p->name);
	} else if (id < IMPAIR_FIELD_COUNT) {
		add_words(l, impair_fields[id].steps);
	} else if (text_begins(arguments, "preset ")) {
		add_words(l, "there back");
	} else if (!text_begins(arguments, "p")) {
		add_settings(l);
		add_words(l, "there back");
	}
}

static void add_table(struct list *l, const char *command, const char *last, bool *files)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		const char *after = table[i].after;

		if (strcmp(table[i].command, command) != 0 ||
		    (strcmp(after, last) != 0 && (strcmp(after, OTHER) != 0 || !*last)))
			continue;
		*files = !table[i].words;
		add_words(l, table[i].words ? table[i].words : "");
		return;
	}
}

/* Adds the words that follow the `n` bytes before the word: a command and some of its words. */
static void add_arguments(struct list *l, const struct tui *tui, const char *line, size_t n,
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
			add_link(l, copy, last);
		else
			add_table(l, c->name, last, files);
	}
	free(copy);
}

char **complete_word(const struct tui *tui, const char *line, size_t n, const char *word,
    bool *files)
{
	struct list l = { .word = word };

	*files = false;
	if (n > 0)
		add_arguments(&l, tui, line, n, files);
	for (const struct command *c = command_table; n == 0 && *word == '/' && c->name; c++)
		if (command_offered(c->use, tui))
			add(&l, "/", c->name);
	return l.words;
}
