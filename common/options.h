/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, written once in a table, for the command line (getopt_long), the configuration file
 * (whose lines are the long options), --help, and the test that compares the manual. A row has the
 * correct values and their field in the settings. */
#pragma once

#include "common/text.h"
#include "common/units.h"

/* Room for why a value was refused. */
#define OPTIONS_REASON 160
/* Writes it. Returns -1. */
#define OPTIONS_REFUSE(reason, ...) text_refuse(reason, OPTIONS_REASON, __VA_ARGS__)

/* How a value is read, `low` to `high`; `high` 0 of a time or a text is no limit. */
enum options_kind {
	/* By the row's own function. */
	OPTIONS_SETTER,
	/* No value: `low` goes to a bool, an enum or an int64_t. */
	OPTIONS_SWITCH,
	/* An int or int64_t by units_count(), or by units_bytes(). */
	OPTIONS_NUMBER,
	OPTIONS_BYTES,
	/* An int64_t in ns by units_duration(). */
	OPTIONS_TIME,
	/* A text of `low` to `high` bytes, borrowed from the command line: const char *. */
	OPTIONS_TEXT,
	/* A text of `low` bytes at least that is copied into a char[]. */
	OPTIONS_COPY,
	/* One of `words`, an enum whose values are 0, 1, and so on. */
	OPTIONS_WORD,
};

struct options_spec {
	/* The long name, without dashes. NULL in the last entry of a table. */
	const char *name;
	/* The letter, or 0. */
	char letter;
	/* The name of the argument in the help ("PORT"); NULL for a switch. */
	const char *argument;
	/* One line of help, no full stop. */
	const char *help;
	/* An example of a correct value ("12000"), for messages; NULL for a switch. */
	const char *example;
	enum options_kind kind;
	/* The field in the settings: OPTIONS_FIELD(). */
	size_t at, size;
	int64_t low, high;
	/* The fault of a value that cannot be read or, without `range`, is out of range ("is not a
	 * number of clients"); NULL: a text that fits the kind. */
	const char *wrong;
	/* The range of a time, for a message ("1ms to 1h"). */
	const char *range;
	/* The words of OPTIONS_WORD ("auto, always, never"); of others, what completion offers. */
	const char *words;
	/* Puts `value` into the field `at` of the settings: without one, into the settings. Returns
	 * 0, or -1 with the fault of the value in `reason` ("is not a port, 0 to 65535"). A value
	 * of the command line lives as long as argv, a value of a file only during the call: copy
	 * it. */
	int (*read)(void *to, const char *value, char reason[OPTIONS_REASON]);
	/* The same, by what the row says; `value` is NULL for a switch. */
	int (*set)(const struct options_spec *o, void *settings, const char *value,
	    char reason[OPTIONS_REASON]);
	/* One way of the link only: Tab offers it behind "--loss-". */
	bool one_way;
	/* Not allowed in a configuration file (--help, --version, --config). */
	bool command_line_only;
};

/* The members `at` and `size` of a row: a field of the settings, which are of that type. */
#define OPTIONS_FIELD(type, field) .at = offsetof(type, field), .size = sizeof((type *)NULL)->field

/* The row of a switch: its names, its line of help, the field, and the value that it sets, if that
 * is not true. */
#define OPTIONS_FLAG(long_name, short_name, words, ...) \
	{ long_name, short_name, NULL, words, NULL, OPTIONS_SWITCH, __VA_ARGS__ }

/* A macro's number as a string, for the text of `wrong`. */
#define OPTIONS_DIGITS(number) OPTIONS_DIGITS_OF(number)
#define OPTIONS_DIGITS_OF(number) #number

/* Puts a value into the settings, as `set` of the row does. */
int options_set(const struct options_spec *o, void *settings, const char *value,
    char reason[OPTIONS_REASON]);

/* Appends `rows` to a table, and an end row, which it returns. */
struct options_spec *options_append(struct options_spec *to, const struct options_spec *rows);

/* Reads the command line. Returns the index in argv of the first operand; or -1 after one line on
 * stderr that names the program, the option and what would be right:
 *   upcase: --wait=3x: is not a duration; for example --wait=500ms
 * Operands may stand between options unless POSIXLY_CORRECT; "--" ends options. Long names may be
 * abbreviated. It reorders argv so that operands come last; to read the same argv again is fine.
 * Not for threads: getopt_long() has state of its own. */
int options_command_line(const struct options_spec *table, void *settings, int argc, char **argv);

/* Completion in a shell, whose script runs "PROGRAM --complete WORD..." with the words up to the
 * cursor. What may stand for the last one, which may be empty or half written, is printed, a line
 * each: the whole word, and behind a tab its help. A line that begins with a tab tells the shell
 * what it knows itself:
 *   ARGUMENT: HELP   the value; FILE, PATH, HOST and COMMAND are names of such
 *   command N        the words behind the first N are a command line of their own
 * The shell chooses those that fit. */
static inline bool options_completing(int argc, char **argv)
{
	return argc > 2 && strcmp(argv[1], "--complete") == 0;
}

/* Prints the options, or the values of one; the words begin at argv[1]. With `permute` options may
 * stand behind operands. May reorder argv. Returns -1; or, where the last word is an operand,
 * prints nothing and returns the number of operands before it. */
int options_complete(const struct options_spec *table, bool permute, int argc, char **argv,
    FILE *out);

/* Reads one configuration line, `n` bytes without its end, 4096 at most: "wait 2s", "wait = 2s",
 * "wait=2s", "ordered", "# comment", "". Names are not abbreviated. Blanks around the value and a
 * carriage return at the end do not count. Pure except for the setters. Returns 0, or -1 with the
 * whole `reason`, in which nothing drives a terminal. */
int options_line(const struct options_spec *table, void *settings, const char *line, size_t n,
    char reason[OPTIONS_REASON]);

/* Reads a configuration file, an ordinary one of 1 MiB at most, up to the first line that is wrong.
 * Returns 0; 1 if it does not exist; -1 after one line on stderr: upcase:
 * /home/x/.config/upcase/config:3: wait: '3x' is not a duration; for example wait = 500ms */
int options_file(const struct options_spec *table, void *settings, const char *path);

/* The options part of --help, aligned, at most 80 columns. */
void options_help(const struct options_spec *table, FILE *out);

/* "a" or "an", the article of a word. */
const char *options_article(const char *word);
