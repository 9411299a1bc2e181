/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands and keys of the screen, one row each: /help, F1, completion and the manual's test
 * read these tables. CONTRIBUTING.md tells how to add one. */
#pragma once

#include "common/complete.h"
#include "view/view.h"

struct tui;

/* A command that a user gives, with its arguments, which the handler may modify. */
struct command_call {
	struct tui *tui;
	const struct command *of;
	char *arguments;
	int64_t now;
};

/* When help, completion and the last row offer a command or key. Otherwise it is refused. */
enum command_use {
	USE_ALWAYS = 0,
	USE_LIVE = 1,   /* not in a replay */
	USE_STEPS = 2,  /* in a replay with --step */
	USE_PLAYED = 4, /* in a replay without --step */
	USE_REPLAY = USE_STEPS | USE_PLAYED,
	USE_BOTH = 8, /* not in a replay that lacks a transport */
};

struct command {
	const char *name; /* the name without the slash; NULL in the last entry */
	/* The words for its arguments ("HOST [PORT]"), or "". */
	const char *arguments;
	const char *help;
	void (*run)(const struct command_call *c);
	enum command_use use;
	bool two_letters; /* one letter is not enough; another command has it */
	/* Returns true if the command is possible now, else false after a message. NULL: always. */
	bool (*may)(struct tui *tui);
	/* The message without arguments; NULL: they may be left out. */
	const char *example;
};

struct key_spec {
	/* "F2", "PgUp". NULL in the last entry. */
	const char *key;
	/* Key and words of its button on the last row; NULL: there is none. */
	const char *label, *words;
	const char *help;
	/* The command that the key and its button stand for; typed as far as it goes if it ends
	 * with a blank. NULL: tui-keys.c knows what they do. */
	const char *line;
	int function; /* the number of a function key, else 0 */
	/* In a replay, on an empty line: the character, or an arrow's letter as of tui_arrow(). */
	char typed;
	enum command_use use;
};

extern const struct command command_table[];
extern const struct key_spec key_table[];

/* Returns true if that is offered now; `tui` may be NULL, which is no replay. */
bool command_offered(enum command_use use, const struct tui *tui);
/* The same for something that is used, with this name; false after a message. */
bool command_may_use(enum command_use use, struct tui *tui, const char *name);
/* The command that `line` ("/conn host 7") names: a whole name, or the unique beginning of one.
 * Returns NULL if there is none, or if command_candidates() has more than one. *arguments points
 * into `line`, after the name and its blanks (at the end if there are none); blanks at the end of
 * the line are part of it. */
const struct command *command_find(const char *line, size_t n, const char **arguments);
/* The length of the `n` bytes at `arguments` without the blanks at their end. */
size_t command_trim(const char *arguments, size_t n);
/* Executes a line that begins with a slash, or shows why that is not possible. */
void command_run(struct tui *tui, const char *line, size_t n, int64_t now);
/* Writes the possible meanings of an ambiguous line, "/clear, /connect", or "" for none: at most
 * `size` bytes with the end. Returns `buf`. */
char *command_candidates(const char *line, size_t n, char *buf, size_t size);
/* complete.c: writes the words that may follow the first `n` bytes of `line`, in the order of their
 * tables: a line each, some with a description behind a tab, COMPLETE_WORDS bytes at most. Sets
 * *files where a file's name may follow. */
void complete_words(const struct tui *tui, const char *line, size_t n, struct text *words,
    bool *files);
/* The text of the help page: what is offered. malloc()ed; NULL when memory is short. */
char *command_help_page(const struct tui *tui);
/* Makes the last row's buttons, whose ids are indices in key_table. Returns their number. */
int command_buttons(const struct tui *tui, struct view_button buttons[VIEW_BUTTONS]);
