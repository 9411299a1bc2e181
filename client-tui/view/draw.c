/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws the whole screen: the rows, and the last two, which are the input line, scrolled to its
 * cursor, and the keys or a message. Rows are laid out from the last one shown upwards until the
 * panes are full, so the cost of a draw does not depend on the length of the transcript. */
#include "view/view-internal.h"

/* The minimum width of the input text; the prompt is left out where it would leave less. */
#define INPUT_MIN 8
/* Bytes laid out before and after the cursor, about: a line may have a million. */
#define INPUT_NEAR 8192

/* --- the greeting: what to type, how to compare UDP and TCP, how to see loss --- */

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
	} while ((int)layout_columns(l, 0, l->count) > p->columns - p->pad && *++form);
	canvas_cells(p->c, row, p->pad, p->columns, l->cells, l->count, STYLE_NORMAL);
}

/* Draws the greeting from `row` on, as many of its rows as the panes have room for. */
static void draw_greeting(const struct panes *p, int row)
{
	const int rows[] = { TYPE, p->v->both ? ONE_AGAIN : COMPARE,
		p->v->lab ? LOSS_INSIDE : LOSS_OUTSIDE };
	int end = p->top + p->height;
	/* A blank row sets it off from what stands above. */
	if (row > p->top && row + 3 < end)
		row++;
	for (int i = 0; i < 3 && row < end; i++)
		draw_form(p, row++, forms[rows[i]]);
}

/* --- the rows --- */

/* Draws a list. Returns the canvas row after the last one drawn. */
static int draw_list(const struct list *l, int height, const struct view_place *bottom)
{
	size_t skip;
	int at = l->p->top, end = at + height;
	uint64_t i = scroll_first(l, bottom, height, &skip);
	do {
		const struct view_row row = row_lay(l, i);
		size_t count = row.lines > skip ? row.lines - skip : 0;
		if (count > (size_t)(end - at))
			count = (size_t)(end - at);
		row_draw(l, &row, skip, (int)count, at);
		at += (int)count;
		skip = 0;
	} while (at < end && list_step(l, 1, &i) && i <= bottom->index);
	return at;
}

/* Draws each list, and the greeting below; the bars continue to the end of the longest list. */
static void draw_rows(const struct panes *p)
{
	int bars_end = p->top;
	scroll_settle(p);
	int height = scroll_height(p);
	for (enum transcript_list of = 0; of < LISTS && height > 0; of++) {
		const struct list l = { p, of };
		struct view_place bottom;
		if (!list_shown(p->v, of) || !scroll_bottom(&l, &bottom))
			continue;
		int end = draw_list(&l, height, &bottom);
		for (; of != LIST_ROWS && bars_end < end; bars_end++)
			row_draw_bars(p, bars_end);
		bars_end = end > bars_end ? end : bars_end;
		if (height == p->height)
			continue;
		const struct pane *pane = &p->side[list_side(&l)];
		bool replies = of != LIST_ROWS;
		page_more(p->c, p->top + height, replies ? pane->from : 0,
		    replies          ? pane->to
		    : p->v->arrivals ? p->left_end
		                     : p->columns,
		    scroll_below(&l, &bottom));
	}
	if (p->v->greeting)
		draw_greeting(p, bars_end);
}

/* --- the last two rows --- */

/* The first column of text in a window of `width` columns. The window moves by half its width, so
 * that the text rarely moves with the cursor, and keeps the cursor off the signs at both ends. */
static size_t window_from(size_t cursor, size_t total, size_t width)
{
	/* The cursor needs a column after the end. */
	if (total < width)
		return 0;
	if (width < 4)
		return cursor;
	if (cursor < width - 1)
		return 0;
	size_t half = width / 2;
	return (cursor - (width - 2) + half - 1) / half * half;
}

/* Draws the cells in the window of columns from `from` on; half of a wide cell is a space. */
static void draw_window(struct canvas *c, int row, int column, const struct layout *l, size_t from)
{
	size_t i = 0, at = 0;
	while (i < l->count && at < from)
		at += l->cells[i++].width;
	if (at > from)
		column = canvas_fill(c, row, column, column + (int)(at - from), L' ', STYLE_NORMAL);
	canvas_cells(c, row, column, c->columns, l->cells + i, l->count - i, STYLE_NORMAL);
}

static int draw_prompt(const struct panes *p, const char *prompt)
{
	const struct layout *l = &p->v->line;
	view_lay(p->v, prompt);
	if (p->pad + (int)layout_columns(l, 0, l->count) + INPUT_MIN > p->columns)
		return 0;
	return canvas_cells(p->c, p->input_row, p->pad, p->columns, l->cells, l->count,
	    STYLE_PROMPT);
}

/* The first byte of a character, `at` or up to three bytes after it. */
static size_t character_at(const struct view_input *input, size_t at)
{
	size_t end = at + 3;
	while (at < end && at < input->length && utf8_follows((unsigned char)input->text[at]))
		at++;
	return at;
}

static void draw_line(const struct panes *p, const struct view_input *input)
{
	struct layout *l = &p->v->line;
	int row = p->input_row, column = draw_prompt(p, input->prompt);
	/* The beginning moves in steps of INPUT_NEAR bytes, as the window does. */
	size_t nth = input->cursor / INPUT_NEAR,
	       begin = nth > 1 ? character_at(input, (nth - 1) * INPUT_NEAR) : 0;
	size_t end = input->length - input->cursor > INPUT_NEAR
	               ? character_at(input, input->cursor + INPUT_NEAR)
	               : input->length;
	if (layout_text(l, input->text + begin, end - begin, view_width(p->v)) != 0)
		l->count = 0;
	size_t width = (size_t)(p->columns - column), total = layout_columns(l, 0, l->count);
	size_t cell = 0;
	while (cell < l->count && l->cells[cell].offset < input->cursor - begin)
		cell++;
	size_t cursor = layout_columns(l, 0, cell);
	size_t from = window_from(cursor, total, width);
	draw_window(p->c, row, column, l, from);
	if (from + begin > 0 && width >= 4)
		canvas_text(p->c, row, column, p->columns, "<", STYLE_FAINT);
	if ((total > from + width || end < input->length) && width >= 4)
		canvas_text(p->c, row, p->columns - 1, p->columns, ">", STYLE_FAINT);
	p->c->cursor_row = row;
	p->c->cursor_column = column + (int)(cursor - from);
}

/* A message replaces the status line if there is no row of keys: the user must see a question. */
static void draw_message(const struct panes *p, const char *message)
{
	int row = p->keys_row >= 0   ? p->keys_row
	        : p->status_row >= 0 ? p->status_row
	                             : p->input_row;
	canvas_fill(p->c, row, 0, p->columns, L' ', STYLE_STATUS);
	int column = panes_draw_cut(p, row, p->pad, p->columns, message, STYLE_STATUS);
	if (row == p->input_row) {
		p->c->cursor_row = row;
		p->c->cursor_column = column < p->columns ? column : p->columns - 1;
	}
}

/* --- buttons --- */

/* The columns from button `i` to the end of its words, or of those that it shares. */
static int button_columns(const struct view *v, int i)
{
	const struct view_button *b = &v->buttons[i];
	return utf8_columns(b->key) + 1 +
	       (b->words ? utf8_columns(b->words) : button_columns(v, i + 1));
}

/* Draws text, unless the screen is only measured. Returns the column after it. */
static int draw_part(const struct panes *p, int column, const char *text, enum style style)
{
	if (p->c)
		canvas_text(p->c, p->keys_row, column, p->columns, text, style);
	return column + utf8_columns(text);
}

/* Draws the buttons that fit whole. Returns the id of the one at column `at`, else -1. */
static int walk_buttons(const struct panes *p, int at)
{
	const struct view *v = p->v;
	int from = p->pad, found = -1;
	for (int i = 0; i < v->button_count && from + button_columns(v, i) <= p->columns; i++) {
		const struct view_button *b = &v->buttons[i];
		int end = draw_part(p, from, b->key, STYLE_KEY);
		if (b->words)
			end = draw_part(p, end + 1, b->words, STYLE_STATUS);
		if (at >= from && at < end)
			found = b->id;
		from = end + (b->words ? 2 : 1);
	}
	return found;
}

int view_button_at(struct view *v, int row, int column)
{
	const struct panes p = panes_measure(v, NULL);
	return row >= 0 && row == p.keys_row ? walk_buttons(&p, column) : -1;
}

static void draw_input(const struct panes *p, const struct view_input *input)
{
	draw_line(p, input);
	if (input->message) {
		draw_message(p, input->message);
	} else if (p->keys_row >= 0) {
		canvas_fill(p->c, p->keys_row, 0, p->columns, L' ', STYLE_STATUS);
		walk_buttons(p, -1);
	}
}

/* --- the screen --- */

void view_draw(struct view *v, struct canvas *c, const struct view_status *status,
    const struct view_input *input)
{
	v->rows = c->rows;
	v->columns = c->columns;
	v->now = status->now;
	v->stream = status->stream;
	const struct panes p = panes_measure(v, c);
	canvas_clear(c);
	status_draw(&p, status);
	link_row_draw(&p);
	link_row_draw_ends(&p);
	if (v->page) {
		page_draw(&p);
	} else if (v->lab && v->lab->panel->open) {
		link_row_draw_panel(&p);
	} else if (v->plot && v->plot->kind < PLOT_NONE) {
		plot_draw_panes(&p);
	} else {
		panes_draw_headings(&p);
		draw_rows(&p);
		detail_draw(&p);
	}
	plot_draw_spark_row(&p);
	page_draw_caption(&p);
	draw_input(&p, input);
}

void view_free(struct view *v)
{
	struct view_bytes *const bytes[] = { &v->words[0], &v->words[1], &v->words[2], &v->notice,
		&v->shown, &v->capitals };
	row_drop_texts(v);
	layout_free(&v->line);
	for (int i = 0; i <= VIEW_SIDES; i++)
		row_free_laid(&v->brief[i]);
	for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
		free(bytes[i]->bytes);
		*bytes[i] = (struct view_bytes){ 0 };
	}
}
