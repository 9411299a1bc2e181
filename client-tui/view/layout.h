/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lays bytes out as character cells, as a terminal shows them. A wide character is one cell of two
 * columns; a combining one joins the cell before. Everything that could control a terminal becomes
 * visible. C0 controls become ^X (a tab is ^I), DEL becomes ^?. U+FFFD (or '?' where U+FFFD does
 * not have width 1, as on an ASCII terminal) replaces C1 controls, invalid bytes, characters
 * without a width, the bidirectional controls (U+202A-202E, U+2066-2069, U+061C, U+200E, U+200F)
 * and a combining character with nothing to combine with. Pure. */
#pragma once

#include <wchar.h>

/* Characters of a cell at most, further ones are left out (ncurses' CCHARW_MAX is 5). */
#define LAYOUT_CELL_CHARS 5
/* Variation selector 16 makes an emoji of the character before it: its cell has two columns. */
#define LAYOUT_EMOJI 0xfe0f

struct layout_cell {
	/* The base character and those that combine with it, zero-ended when fewer. */
	wchar_t chars[LAYOUT_CELL_CHARS];
	/* 1 or 2. A cell of width 2 stands for two columns; there is no second entry for it. */
	uint8_t width;
	/* The cell replaces a character (a control character, an invalid byte). */
	bool substitute;
	bool found;      /* part of a match of /find; the view sets it */
	uint32_t offset; /* the offset of its first byte in the text */
};

/* The width of a character, as of wcwidth(): -1 not printable, 0 combining, 1, 2. */
typedef int layout_width(wchar_t c);

struct layout {
	struct layout_cell *cells;
	size_t count, capacity;
};

/* Lays out `n` bytes into `l` (all zero at first; it grows and can be used again; free it by
 * layout_free()). Returns 0, or -1 when memory is short. */
int layout_text(struct layout *l, const void *text, size_t n, layout_width *width);
/* Appends the cells of another text; their offsets count from the beginning of that one. */
int layout_more(struct layout *l, const void *text, size_t n, layout_width *width);
void layout_free(struct layout *l);

/* The number of columns of the cells from `from` to before `to`. */
size_t layout_columns(const struct layout *l, size_t from, size_t to);

/* Wraps at `columns` (1 or more): returns the index of the first cell of the line after the one
 * that begins with cell `from`; l->count at the end. Breaks after a space where that leaves the
 * line at least half full or the next word whole, else anywhere; a space may go past the end of a
 * full line. A wide cell alone in one column still counts as a line. */
size_t layout_wrap(const struct layout *l, size_t from, size_t columns);
