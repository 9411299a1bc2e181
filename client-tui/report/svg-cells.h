/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A screen as SVG: each cell in its place, with its colours. */
#pragma once

#include <wchar.h>

#define SVG_CELL_CHARS 6
/* Pixels. A cell has the size of DejaVu Sans Mono's. */
#define SVG_CELL_WIDTH 8.43
#define SVG_CELL_HEIGHT 17.0
#define SVG_CELL_BORDER 12.0 /* around the screen */

struct svg_cell {
	/* Zero-ended if there are fewer; a blank, or 0 for the second column of a wide cell. */
	wchar_t chars[SVG_CELL_CHARS];
	int width;            /* 1, 2, or 0 for the second column of a wide cell */
	unsigned ink, ground; /* 0xrrggbb */
	bool bold, underline;
};

/* Begins a picture of `rows` x `columns` on that ground, `more` pixels higher than these need;
 * screen readers get the title. svg_end() ends it. */
void svg_cells_begin(FILE *out, int rows, int columns, double more, unsigned ground,
    const char *title);
/* A row of cells, in the locale's characters; cells on `ground` have no box of their own. */
void svg_cells_row(FILE *out, int row, const struct svg_cell *cells, int columns, unsigned ground);
/* The cells of a row from `column` up to `end` in one colour. */
void svg_cells_box(FILE *out, int row, int column, int end, unsigned colour);
