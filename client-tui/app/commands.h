/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands and keys of the screen, written once: /help, F1, completion and the manual's test
 * read these tables. Pure: what a command does stands in tui-commands.c. */
#ifndef UPCASE_COMMANDS_H
#define UPCASE_COMMANDS_H

#include <stddef.h>

enum command {
	COMMAND_UDP,
	COMMAND_TCP,
	COMMAND_BOTH,
	COMMAND_CONNECT,
	COMMAND_ORDER,
	COMMAND_BURST,
	COMMAND_STATS,
	COMMAND_PLOT,
	COMMAND_FIND,
	COMMAND_CLEAR,
	COMMAND_SAVE,
	COMMAND_LINK,
	COMMAND_DROP,
	COMMAND_HOLD,
	COMMAND_UNPLUG,
	COMMAND_HELP,
	COMMAND_QUIT,
	COMMAND_UNKNOWN,
	COMMAND_AMBIGUOUS,
};

struct command_spec {
	enum command command;
	/* Without the slash. NULL in the last entry. */
	const char *name;
	/* What stands behind it ("HOST [PORT]"), or "". */
	const char *arguments;
	const char *help;
};

struct key_spec {
	/* "F2", "PgUp". NULL in the last entry. */
	const char *key;
	/* The key and a word for the last row of the screen, or NULL. */
	const char *hint;
	const char *help;
};

extern const struct command_spec command_table[];
extern const struct key_spec key_table[];

/* The command that `line` ("/conn host 7") names: a whole name, or the unique beginning of one; one
 * letter does not mean /stats nor a command for the lab. *arguments points behind it and blanks,
 * into `line` (at its end when there are none); blanks at the end of the line are part of it. */
enum command command_parse(const char *line, size_t n, const char **arguments);
/* The arguments without the blanks at their end: how many of the `n` bytes at `arguments` that
 * leaves. */
size_t command_trim(const char *arguments, size_t n);
/* The names (with the slash) that begin with `word`: a NULL-ended malloc()ed array of malloc()ed
 * strings, or NULL. */
char **command_completions(const char *word);
/* What an ambiguous line could mean: "/clear, /connect". Writes at most `size` bytes with the end,
 * returns `buf`. */
char *command_candidates(const char *line, size_t n, char *buf, size_t size);
/* The text of the help page: commands and keys. malloc()ed, NULL when memory is short. */
char *command_help_page(void);
/* The last row's hints, "? help  ^D quit". Static. */
const char *command_hints(void);

#endif
