/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting of a screen without lines: what to type, how to compare UDP and TCP, how to see
 * loss. */
#include "config.h"

#include <stdio.h>

#include "view/view-internal.h"

/* The forms of a row, the longest first; NULL ends them. Text that ends with a blank goes on with
 * the command that starts a lab. */
typedef const char *const forms[5];

static forms typed = {
	"Type a line and press Enter: the reply comes in capitals. F1 or ? is help.",
	"Type a line and press Enter; F1 or ? is help.",
	"Type a line, press Enter; ? is help.",
};
static forms both = {
	"F3 or /both sends each line over UDP and TCP; F8 or /mouse turns the mouse on.",
	"F3 or /both sends each line over UDP and TCP.",
	"F3 or /both: over UDP and TCP",
};
static forms one = {
	"Each line goes over UDP and TCP; F3 goes back to one of them.",
	"F3: back from both to one",
};
static forms inside = {
	"To see loss, press F7 or type /link loss 30%.",
	"Loss: F7 or /link loss 30%",
};
static forms outside = {
	"To see loss, leave with Ctrl-D and run: ",
	"To see loss, run: ",
	"Loss: ",
	"Loss: /link says how",
};

/* Draws the longest form that fits; the shortest is cut. */
static void draw_forms(const struct panes *p, int row, forms of)
{
	const struct layout *l = &p->v->line;
	char text[1000];
	size_t n;
	do {
		n = (size_t)snprintf(text, sizeof text, "%s", *of);
		if (text[n - 1] == ' ')
			snprintf(text + n, sizeof text - n, "%s --loss 20%%", p->v->greeting);
		view_lay(p->v, text);
	} while ((int)layout_columns(l, 0, l->count) > p->columns - p->pad && *++of != NULL);
	canvas_cells(p->c, row, p->pad, p->columns, l->cells, l->count, STYLE_NORMAL);
}

void greeting_draw(const struct panes *p, int row)
{
	const char *const *const rows[] = { typed, p->v->both ? one : both,
		p->v->lab != NULL ? inside : outside };
	int end = p->top + p->height;
	/* A blank row sets it off from what stands above. */
	if (row > p->top && row + 3 < end)
		row++;
	for (int i = 0; i < 3 && row < end; i++)
		draw_forms(p, row++, rows[i]);
}
