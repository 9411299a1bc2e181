/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/screen-picture.h"

#include "report/svg-cells.h"
#include "report/svg.h"
#include "terminal/palette.h"

static struct svg_cell cell_of(const struct screen_picture *p, const struct canvas_cell *from)
{
	const bool dark = p->background == BACKGROUND_DARK;
	const struct palette_entry e = palette_entry((enum style)from->style, p->coloured ? 256 : 0,
	    p->background);
	const unsigned ink = e.colour < 0 ? svg_ink(dark) : colours_rgb(e.colour);
	const bool reverse = e.marks & PALETTE_REVERSE;
	struct svg_cell cell = { .width = from->width,
		.ink = reverse ? svg_ground(dark) : ink,
		.ground = reverse ? ink : svg_ground(dark),
		.bold = e.marks & PALETTE_BOLD,
		.underline = e.marks & PALETTE_UNDERLINE };

	_Static_assert(LAYOUT_CELL_CHARS <= SVG_CELL_CHARS, "a cell of the canvas has room");
	memcpy(cell.chars, from->chars, sizeof from->chars);
	return cell;
}

int screen_picture_write(void *picture, FILE *out)
{
	const struct screen_picture *p = picture;
	const struct canvas *c = p->canvas;
	const bool dark = p->background == BACKGROUND_DARK;
	struct svg_cell *cells = malloc((size_t)c->columns * sizeof *cells);

	if (!cells)
		return -1;
	svg_cells_begin(out, c->rows, c->columns, 0, svg_ground(dark), p->title);
	for (int row = 0; row < c->rows; row++) {
		for (int column = 0; column < c->columns; column++)
			cells[column] = cell_of(p, canvas_at(c, row, column));
		svg_cells_row(out, row, cells, c->columns, svg_ground(dark));
	}
	if (c->cursor_row >= 0)
		svg_cells_box(out, c->cursor_row, c->cursor_column, c->cursor_column + 1,
		    svg_ink(dark));
	svg_end(out);
	free(cells);
	return 0;
}
