/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input line: readline, which only this module and its guard include. It never draws and never
 * reads the terminal: line_editor_feed() gives it bytes, line_editor_state() returns what to show.
 * One at a time. */
#ifndef UPCASE_LINE_EDITOR_H
#define UPCASE_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal/history.h"
#include "view/view.h"

/* The longest line, bytes. */
#define LINE_EDITOR_MAX HISTORY_LINE_MAX

struct line_editor_hooks {
	void *context;
	/* A line was entered: `line` is borrowed, `length` bytes without the end of line. A text
	 * with line feeds in it makes one call a line. */
	void (*line)(void *context, const char *line, size_t length);
	/* ^D on an empty line. */
	void (*end)(void *context);
	/* The words that complete `word` (NULL-ended, each malloc()ed, as is the array; NULL for
	 * none), given the text of the line before it. `word` begins at `start`. */
	char **(*complete)(void *context, const char *word, const char *line, size_t start);
	/* Several completions are possible: shows them (count words). */
	void (*matches)(void *context, char **words, size_t count);
	/* A key had no effect. May be NULL. */
	void (*bell)(void *context);
	/* One line for the user: the history, or the inputrc, is not used, and why. May be NULL. */
	void (*notice)(void *context, const char *line);
};

/* Starts readline. After setlocale() and after the screen has started. `history` is a file to read
 * and later append to, or NULL; `entries` kept at most. Returns 0, or -1 when memory is short.
 * Reads the user's inputrc, with "$if upcase". */
int line_editor_start(const struct line_editor_hooks *hooks, const char *history, int entries);
/* Writes the history (creating its folder, 0700) and ends readline. Harmless when not started. With
 * `hurry` it waits less for others. Returns NULL, or why the history could not be written. */
const char *line_editor_stop(bool hurry);

/* What stands before the line ("udp> "). Copied. */
void line_editor_set_prompt(const char *prompt);
/* Whole key sequences for the editor; it takes them all before it returns. A command that reads
 * keys by itself finds no more than these, and a macro that calls itself ends. */
void line_editor_feed(const unsigned char *bytes, size_t n);
/* Inserts text at the cursor as typed, without reading it as keys (a paste). Zero bytes are left
 * out; what would make the line longer than LINE_EDITOR_MAX is refused with a bell. In an
 * incremental search it is searched for. */
void line_editor_insert(const unsigned char *bytes, size_t n);
/* ^C: drops the line, an incremental search, a pending argument. Returns false if there was nothing
 * of the kind. */
bool line_editor_clear(void);
/* Returns true if the line is empty and this key would be its first character: false in vi's
 * command mode, and if the inputrc binds the key otherwise. */
bool line_editor_begins_with(unsigned char c);
/* The next byte is taken literally (quoted-insert waits for it). */
bool line_editor_quoting(void);
/* Esc alone. In vi mode it is the Esc key and takes effect at once; in emacs mode it only ends an
 * incremental search. Never blocks. */
void line_editor_escape(void);
/* What to show, without a message; valid until the next call of this module. */
struct view_input line_editor_state(void);

#endif
