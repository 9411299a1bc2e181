/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From bytes to character cells, as a terminal shows them: UTF-8 decoded, wide characters two
 * cells, combining characters joined to the cell before, everything that could drive a terminal
 * made visible: C0 controls as ^X, DEL as ^?, C1 controls, invalid bytes and what has no width as
 * U+FFFD (as '?' where U+FFFD has no width 1 itself: an ASCII terminal); also the bidirectional
 * controls (U+202A-202E, U+2066-2069, U+061C, U+200E, U+200F), and a combining character with
 * nothing to combine with. A tab is ^I. Pure. */
#ifndef UPCASE_LAYOUT_H
#define UPCASE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

/* Characters in one cell at most: a base and combining ones; further ones are left out
 * (ncurses' CCHARW_MAX is 5). */
#define LAYOUT_CELL_CHARS 5

struct layout_cell {
	/* The base character and those that combine with it, zero-ended when fewer. */
	wchar_t chars[LAYOUT_CELL_CHARS];
	/* 1 or 2. A cell of width 2 stands for two columns; there is no second entry for it. */
	uint8_t width;
	/* It is not literally in the text (a visible control character, a replaced byte). */
	bool substitute;
	/* Set by the view: it is part of what was looked for. */
	bool found;
	/* Where it begins in the text. */
	uint32_t offset;
};

/* How wide a character is: -1 not printable, 0 combining, 1, 2. wcwidth() in the programs. */
typedef int layout_width(wchar_t c);

struct layout {
	struct layout_cell *cells;
	size_t count, capacity;
};

/* Lays out `n` bytes into `l` (all zero the first time; grows, is used again; layout_free() at the
 * end). Returns 0, or -1 when memory is short. */
int layout_text(struct layout *l, const void *text, size_t n, layout_width *width);
/* The same behind what is laid out there; where its cells begin is counted from this text's
 * beginning. */
int layout_more(struct layout *l, const void *text, size_t n, layout_width *width);
void layout_free(struct layout *l);

/* The columns that cells `from` to before `to` take. */
size_t layout_columns(const struct layout *l, size_t from, size_t to);

/* Wraps at `columns` (1 or more): returns the index of the first cell of the line after the one
 * that begins with cell `from`; l->count at the end. Breaks after a space where that leaves the
 * line at least half full or the word behind it whole, else anywhere; a space may hang over the end
 * of a full line. A wide cell alone in one column still counts as a line. */
size_t layout_wrap(const struct layout *l, size_t from, size_t columns);
/* How many lines that makes, at least 1. */
size_t layout_lines(const struct layout *l, size_t columns);

#endif
