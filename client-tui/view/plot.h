/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots in the terminal, drawn on a canvas: dots of Braille or blocks, or plain characters where
 * only ASCII can be shown. UDP and TCP stand in one picture with the same axes; TCP has signs of
 * its own besides its colour. Pure. */
#ifndef UPCASE_PLOT_H
#define UPCASE_PLOT_H

#include "view/view.h"

/* A part of the canvas. */
struct plot_area {
	int top, left, rows, columns;
};

/* The kind whose name begins so ("waited", "hist"), PLOT_NONE for "off", -1 for none. */
int plot_kind(const char *name);
/* "time from Enter to reply, over lines". */
const char *plot_title(enum plot_kind kind);

/* Draws it with its axes and a legend; on an area that is too small for a plot, what it would say
 * in words. `count` is 1 or 2. */
void plot_draw(struct canvas *c, const struct plot_area *area, enum plot_kind kind,
    const struct plot_source *sources, int count, bool ascii);

/* The last lines' times from Enter to reply as one row of blocks, the newest at the right, a cross
 * for a lost one; columns `from` to before `to`, as many lines as there are columns. Returns the
 * column after it. */
int plot_sparkline(struct canvas *c, int row, int from, int to, const struct plot_source *source,
    bool ascii);

#endif
