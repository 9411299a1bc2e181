/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands and keys of the screen, one row each: /help, F1, completion and the manual's test
 * read these tables. A new command is a row with its handler in commands.c, and an item in
 * upcase(1). */
#ifndef UPCASE_COMMANDS_H
#define UPCASE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/view.h"

struct tui;

/* A command that a user gives, with its arguments, which the handler may modify. */
struct command_call {
	struct tui *tui;
	const struct command *of;
	char *arguments;
	int64_t now;
};

struct command {
	/* The name without the slash; NULL in the last entry. */
	const char *name;
	/* The words for its arguments ("HOST [PORT]"), or "". */
	const char *arguments;
	const char *help;
	void (*run)(const struct command_call *c);
	/* One letter is not enough; another command has it. */
	bool two_letters;
	/* Returns true if the command is possible now, else false after a message. NULL: always. */
	bool (*may)(struct tui *tui);
	/* The message without arguments; NULL: they may be left out. */
	const char *example;
};

struct key_spec {
	/* "F2", "PgUp". NULL in the last entry. */
	const char *key;
	/* The key and the words behind it on the last row of the screen, where they are a button;
	 * NULL: the key is not there. */
	const char *label, *words;
	const char *help;
	/* The number of a function key, else 0. */
	int function;
	/* What the key and its button do. NULL: only the keyboard has the key, see tui-keys.c. */
	void (*press)(struct tui *tui, int64_t now);
};

extern const struct command command_table[];
extern const struct key_spec key_table[];

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
/* Returns the text of the help page, commands and keys: malloc()ed, NULL when memory is short. */
char *command_help_page(void);
/* Makes the buttons of the last row; the id of each is its key's index in key_table. Returns their
 * number. */
int command_buttons(struct view_button buttons[VIEW_BUTTONS]);
/* Does what that function key does. */
void command_function_key(struct tui *tui, int number, int64_t now);

#endif
