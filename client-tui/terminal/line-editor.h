/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input line: readline, which only this module and its guard include. It never draws and never
 * reads the terminal: line_editor_feed() gives it bytes, line_editor_state() returns what to show.
 * There is one line editor at a time. */
#pragma once

#include "common/text.h"
#include "terminal/history.h"
#include "view/view.h"

#define LINE_EDITOR_MAX HISTORY_LINE_MAX /* the longest line, bytes */

struct line_editor_hooks {
	void *context;
	/* A line was entered: `line` is borrowed, `length` bytes without the end of line. A text
	 * with line feeds in it makes one call a line. */
	void (*line)(void *context, const char *line, size_t length);
	/* ^D on an empty line. */
	void (*end)(void *context);
	/* Writes the words that may stand at `start` of the line, a line each; what follows a tab
	 * is not part of the word. Sets *files, which is false, where it is a file's name. */
	void (*complete)(void *context, const char *line, size_t start, struct text *words,
	    bool *files);
	/* Several completions are possible: shows them (count words). */
	void (*matches)(void *context, char **words, size_t count);
	/* A key had no effect. May be NULL. */
	void (*bell)(void *context);
	/* Why the history or the inputrc is not used, in one line. May be NULL. */
	void (*notice)(void *context, const char *line);
};

/* Starts readline; call it after setlocale() and screen_start(). `history` is a file to read and
 * later append to, or NULL; it keeps `entries` at most. Returns 0, or -1 when memory is short.
 * Reads the user's inputrc, with "$if upcase". */
int line_editor_start(const struct line_editor_hooks *hooks, const char *history, int entries);
/* Writes the history (creating its folder, 0700) and ends readline. Harmless when not started. With
 * `short_wait` it waits less for others. Returns NULL, or why the history could not be written. */
const char *line_editor_stop(bool short_wait);

/* Sets the prompt ("udp> "), which is copied. */
void line_editor_set_prompt(const char *prompt);
/* Gives whole key sequences to the editor, which executes them all before it returns. A command
 * that reads keys itself gets only these, and a macro that calls itself ends. */
void line_editor_feed(const unsigned char *bytes, size_t n);
/* Inserts text at the cursor as typed, without reading it as keys (a paste). Leaves out zero bytes;
 * refuses, with a bell, text that makes the line longer than LINE_EDITOR_MAX. An incremental search
 * searches for the text. */
void line_editor_insert(const unsigned char *bytes, size_t n);
/* ^C: drops the line, a search, a pending argument. Returns false if there was none of these. */
bool line_editor_clear(void);
/* Returns true if the line is empty and this key would be its first character: false in vi's
 * command mode, and if the inputrc binds the key otherwise. */
bool line_editor_begins_with(unsigned char c);
/* Returns true if quoted-insert waits for the next byte, which is then literal. */
bool line_editor_quoting(void);
/* Handles Esc alone. In vi mode it is the Esc key and takes effect at once; in emacs mode it only
 * ends an incremental search. Never blocks. */
void line_editor_escape(void);
/* The input line, without a message; valid until the next call of this module. */
struct view_input line_editor_state(void);
