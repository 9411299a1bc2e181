/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots in the terminal, drawn on a canvas with signs and blocks, or in ASCII. UDP and TCP share
 * the axes of one plot; each has a sign of its own besides its colour. Pure. */
#pragma once

#include "view/view.h"

/* A part of the canvas. */
struct plot_area {
	int top, left, rows, columns;
};

/* The first kind whose name begins with `name`; PLOT_NONE for "off"; -1 for no kind. */
int plot_kind(const char *name);
/* The title, such as "time from Enter to reply, over lines". */
const char *plot_title(enum plot_kind kind);

/* Draws a plot, or a message on too small an area. `count` is 1 or 2. */
void plot_draw(struct canvas *c, const struct plot_area *area, enum plot_kind kind,
    const struct plot_source *sources, int count, bool ascii);

/* Draws the last lines' times from Enter to reply in the columns `from` to before `to` of a row: a
 * block for each line, from 0 to the greatest time, a cross for a lost one, the newest at the
 * right. Returns the column after it. */
int plot_sparkline(struct canvas *c, int row, int from, int to, const struct plot_source *source,
    bool ascii);
