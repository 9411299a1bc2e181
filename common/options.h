/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, written once in a table: it feeds the command line (getopt_long), the configuration
 * file (whose lines are the long options), --help, and the test that compares the manual. */
#ifndef UPCASE_OPTIONS_H
#define UPCASE_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "common/text.h"
#include "common/units.h"

/* Room for why a value was refused. */
#define OPTIONS_WHY 160

struct options_spec {
	/* The long name, without dashes. NULL in the last entry of a table. */
	const char *name;
	/* The letter, or 0. */
	char letter;
	/* What the argument is called in the help ("PORT"); NULL for a switch. */
	const char *argument;
	/* One line of help, no full stop. */
	const char *help;
	/* An example of a value that is right ("12000"), for messages; NULL for a switch. */
	const char *example;
	/* Puts `value` (NULL for a switch) into `settings`. Returns 0, or -1 with what is wrong
	 * with the value in `why` ("is not a port, 0 to 65535"). A value of the command line lives
	 * as long as argv, one of a file during the call only: copy it. */
	int (*set)(void *settings, const char *value, char why[OPTIONS_WHY]);
	/* Not to be used in a configuration file (--help, --version, --config). */
	int command_line_only;
};

/* The setter of a switch: `field` of the settings, a `struct type`, becomes `to`; so does that of a
 * text, of which it is `value`. */
#define OPTIONS_SETTER(setter, type, field, to) \
	static int setter(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		(void)value, (void)why; \
		((struct type *)settings)->field = to; \
		return 0; \
	}
/* The setter of an int64_t from `low` to `high`; then comes the format of what is said of others.
 */
#define OPTIONS_COUNT(setter, type, field, low, high, ...) \
	static int setter(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return units_count(value, low, high, &((struct type *)settings)->field) == 0 \
		         ? 0 \
		         : text_refuse(why, OPTIONS_WHY, __VA_ARGS__); \
	}

/* The command line. Returns the index in argv of the first operand; or -1 after one line on
 * stderr that names the program, the option and what would be right:
 *   upcase: --wait=3x: is not a duration; for example --wait=500ms
 * Operands may stand between options unless POSIXLY_CORRECT; "--" ends options. Long names may be
 * abbreviated. It reorders argv so that operands come last; to read the same argv again is fine.
 * Not for threads: getopt_long() has state of its own. */
int options_command_line(const struct options_spec *table, void *settings, int argc, char **argv);

/* One configuration line, `n` bytes without its end, 4096 at most: "wait 2s", "wait = 2s",
 * "wait=2s", "ordered", "# comment", "". Names are written out, not abbreviated. Blanks around the
 * value and a carriage return at the end do not count. Pure but for the setters. Returns 0, or -1
 * with the whole reason in `why`, in which nothing drives a terminal. */
int options_line(const struct options_spec *table, void *settings, const char *line, size_t n,
    char why[OPTIONS_WHY]);

/* A configuration file, an ordinary one of 1 MiB at most, up to the first line that is wrong.
 * Returns 0; 1 if it does not exist; -1 after one line on stderr: upcase:
 * /home/x/.config/upcase/config:3: wait: '3x' is not a duration; for example wait = 500ms */
int options_file(const struct options_spec *table, void *settings, const char *program,
    const char *path);

/* The options part of --help, aligned, at most 80 columns. */
void options_help(const struct options_spec *table, FILE *out);

#endif
