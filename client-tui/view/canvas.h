/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of the whole screen in memory: what the view draws and the terminal shows. Pure. */
#pragma once

#include <wchar.h>

#include "view/layout.h"

/* The meaning of a cell; the screen chooses its colour and attributes. */
enum style {
	STYLE_NORMAL,
	STYLE_STATUS,  /* the status line and the line of keys */
	STYLE_HEADING, /* the names of the panes */
	STYLE_FAINT,   /* rules between panes, numbers, hints */
	STYLE_UDP,     /* the word UDP, its wire */
	STYLE_TCP,     /* the word TCP, its wire */
	STYLE_ANSWERED,
	STYLE_WAITING,
	STYLE_LOST, /* lost, failed, cut off, refused */
	STYLE_LATE, /* a reply that is late, reordered, duplicated, or differs */
	STYLE_NOTICE,
	STYLE_ERROR,
	STYLE_FOUND,      /* text that matches /find */
	STYLE_SUBSTITUTE, /* a control character made visible */
	STYLE_PROMPT,
	STYLE_KEY,      /* a key on the line of keys, apart from its word, which has STYLE_STATUS */
	STYLE_SELECTED, /* the mark and the number of the selected row */
	STYLES,
};

struct canvas_cell {
	/* Zero-ended if there are fewer; chars[0] is 0 for the second column of a wide cell. */
	wchar_t chars[LAYOUT_CELL_CHARS];
	unsigned char style;
	unsigned char width; /* 1, 2, or 0 for the second column of a wide cell */
};

struct canvas {
	int rows, columns;
	struct canvas_cell *cells;     /* rows * columns, row by row */
	int cursor_row, cursor_column; /* the cursor; row -1 for none */
};

/* Resizes the canvas (all zero the first time) to `rows` x `columns`, 1x1 or more, and clears it.
 * Returns 0, or -1 when memory is short; the canvas is then unchanged. */
int canvas_resize(struct canvas *c, int rows, int columns);
void canvas_free(struct canvas *c);
void canvas_clear(struct canvas *c);
struct canvas_cell *canvas_at(const struct canvas *c, int row, int column);

/* All three functions clip: they write nothing outside the limits, and a wide cell that does not
 * fit whole becomes a space. They return the column after the last one written. Substitutes and
 * matches have STYLE_SUBSTITUTE and STYLE_FOUND instead of `style`. */
int canvas_cells(struct canvas *c, int row, int column, int limit, const struct layout_cell *cells,
    size_t count, enum style style);
/* The program's own text in UTF-8 (messages, headings), up to column `limit`. */
int canvas_text(struct canvas *c, int row, int column, int limit, const char *utf8,
    enum style style);
/* Fills up to `limit` with one character of width 1. */
int canvas_fill(struct canvas *c, int row, int column, int limit, wchar_t ch, enum style style);
