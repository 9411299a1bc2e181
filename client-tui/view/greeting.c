/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The greeting: what to type, how to compare UDP and TCP, how to see loss. */

#include "view/view-internal.h"

/* The rows, each in forms from the longest to the shortest. A form that ends with a blank goes on
 * with the command that starts a lab. */
enum greeting { TYPE, COMPARE, ONE_AGAIN, LOSS_INSIDE, LOSS_OUTSIDE };
static const char *const forms[][5] = {
	[TYPE] = { "Type a line and press Enter: the reply comes in capitals. F1 or ? is help.",
	    "Type a line and press Enter; F1 or ? is help.", "Type a line, press Enter; ? is help.",
	    "Type a line; ? is help." },
	[COMPARE] = { "F3 or /both sends each line over UDP and TCP; F8 or /mouse: mouse on/off.",
	    "F3 or /both: over UDP and TCP; F8 or /mouse: mouse on/off.",
	    "F3 or /both: UDP and TCP; F8: mouse", "F3 or /both: over UDP and TCP" },
	[ONE_AGAIN] = { "Each line goes over UDP and TCP (F3: one); F8 or /mouse: mouse on/off.",
	    "F3: back from both to one; F8 or /mouse: mouse on/off.",
	    "F3: back to one of them; F8: mouse", "F3: back from both to one" },
	[LOSS_INSIDE] = { "F7 or /link loss 30% makes the link lose packets; /demo plays the tour.",
	    "Loss: F7 or /link loss 30%" },
	[LOSS_OUTSIDE] = { "To see loss, leave with Ctrl-D and run: ", "To see loss, run: ",
	    "Loss: ", "Loss: /link says how" },
};

/* Draws the longest form that fits; the shortest is cut. */
static void draw_form(const struct panes *p, int row, const char *const *form)
{
	const struct layout *l = &p->v->line;
	char text[1000];
	do {
		bool command = (*form)[strlen(*form) - 1] == ' ';
		snprintf(text, sizeof text, "%s%s%s", *form, command ? p->v->greeting : "",
		    command ? " --loss 20%" : "");
		view_lay(p->v, text);
	} while ((int)layout_columns(l, 0, l->count) > p->columns - p->pad && *++form != NULL);
	canvas_cells(p->c, row, p->pad, p->columns, l->cells, l->count, STYLE_NORMAL);
}

void greeting_draw(const struct panes *p, int row)
{
	const int rows[] = { TYPE, p->v->both ? ONE_AGAIN : COMPARE,
		p->v->lab != NULL ? LOSS_INSIDE : LOSS_OUTSIDE };
	int end = p->top + p->height;
	/* A blank row sets it off from what stands above. */
	if (row > p->top && row + 3 < end)
		row++;
	for (int i = 0; i < 3 && row < end; i++)
		draw_form(p, row++, forms[rows[i]]);
}
