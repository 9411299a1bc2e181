/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: a row for the link, a panel over the panes that changes it, and a row with
 * TCP_INFO of the connection in use from both ends. The server's kernel retransmits a lost reply,
 * which this end's kernel cannot see. */
#include "view/view-internal.h"

#include "common/units.h"

/* Columns of a setting's name and, at most, of a value. */
#define NAME_COLUMNS 13
#define VALUE_COLUMNS 14

/* --- the row --- */

/* Draws the number of mismatches at the right unless it is 0, in a shorter form if necessary;
 * returns the column where the link's words must end. */
static int draw_trace(const struct panes *p, int linked)
{
	const struct trace_totals *t = trace_totals(p->v->lab->trace);
	char text[80];
	if (t->mismatches == 0)
		return p->columns;
	snprintf(text, sizeof text, "truth: %" PRIu64 " mismatch%s in %" PRIu64, t->mismatches,
	    t->mismatches == 1 ? "" : "es", t->compared);
	if (linked + 2 + utf8_columns(text) >= p->columns)
		*strstr(text, " in ") = '\0';
	int from = p->columns - 1 - utf8_columns(text);
	canvas_text(p->c, p->link_row, from > p->pad ? from : p->pad, p->columns, text,
	    STYLE_ERROR);
	return from - 2;
}

void link_row_draw(const struct panes *p)
{
	const struct view *v = p->v;
	char link[900] = "link: ";
	size_t used = strlen(link);
	if (p->link_row < 0)
		return;
	if (v->lab->gone)
		snprintf(link + used, sizeof link - used, "the lab has ended");
	else if (v->lab->link->known)
		link_status_line(v->lab->link, v->now, link + used, sizeof link - used);
	else if (v->lab->words)
		snprintf(link + used, sizeof link - used, "%.880s", v->lab->words);
	panes_draw_cut(p, p->link_row, p->pad, draw_trace(p, p->pad + utf8_columns(link)), link,
	    STYLE_HEADING);
}

/* --- the panel --- */

static const char *const panel_directions[LINK_STEPS_DIRECTIONS] = { "both ways", "there", "back" };

/* Draws the name of a panel's row; returns the column of its values. */
static int draw_name(const struct panes *p, int row, const char *name, bool chosen)
{
	int column = p->pad + 2;
	if (chosen)
		canvas_text(p->c, row, p->pad, p->columns, ">", STYLE_PROMPT);
	canvas_text(p->c, row, column, column + NAME_COLUMNS - 1, name,
	    chosen ? STYLE_PROMPT : STYLE_NORMAL);
	return column + NAME_COLUMNS;
}

/* On a narrow screen both values share the columns after the name. */
static int value_columns(const struct panes *p)
{
	int columns = (p->columns - p->pad - 2 - NAME_COLUMNS) / 2;
	return columns < VALUE_COLUMNS ? columns : VALUE_COLUMNS;
}

static void draw_preset(const struct panes *p, int row)
{
	const struct link_steps *panel = p->v->lab->panel;
	const struct impair_preset *preset = &impair_presets[panel->preset];
	bool chosen = panel->field == LINK_STEPS_PRESET;
	int column = draw_name(p, row, "preset", chosen);
	if (chosen)
		canvas_text(p->c, row, column, p->columns, TEXT_FORMAT("[%s]", preset->name),
		    STYLE_FOUND);
	panes_draw_cut(p, row, column + value_columns(p), p->columns,
	    chosen ? preset->about : "all settings of a link that has a name", STYLE_FAINT);
}

static void draw_drop(const struct panes *p, int row)
{
	const struct link_steps *panel = p->v->lab->panel;
	bool chosen = panel->field == LINK_STEPS_DROP;
	int column = draw_name(p, row, "drop", chosen), values = column + 2 * value_columns(p);
	if (chosen) {
		canvas_text(p->c, row, column, values,
		    TEXT_FORMAT("[%s]", link_steps_packets[panel->packets]), STYLE_FOUND);
		canvas_text(p->c, row, column + value_columns(p), values,
		    TEXT_FORMAT("[%s]", link_steps_which[panel->which]), STYLE_FOUND);
	}
	panes_draw_cut(p, row, chosen ? values : column + value_columns(p), p->columns,
	    "packets by their number from now on", STYLE_FAINT);
}

static void draw_setting(const struct panes *p, int row, int field)
{
	const struct view_lab *lab = p->v->lab;
	const struct impair_field *f = &impair_fields[field];
	bool chosen = field == lab->panel->field;
	int column = draw_name(p, row, f->name, chosen), columns = value_columns(p);
	for (enum link_direction direction = 0; direction < LINK_DIRECTIONS;
	    direction++, column += columns) {
		bool touched = chosen && link_steps_touches(lab->panel, direction);
		char value[64];
		link_status_value(&lab->link->settings[direction], field, value, sizeof value);
		panes_draw_cut(p, row, column, column + columns,
		    TEXT_FORMAT(touched ? "[%s]" : " %s", value),
		    touched ? STYLE_FOUND : STYLE_NORMAL);
	}
	panes_draw_cut(p, row, column, p->columns, f->help, STYLE_FAINT);
}

/* The keys of the panel, the first ones where there is not room for all. The way out is there, if
 * need be in place of the words for the first. */
static void draw_panel_keys(const struct panes *p, int row)
{
	const struct link_steps *panel = p->v->lab->panel;
	const char *way = panel_directions[panel->directions];
	const bool drop = panel->field == LINK_STEPS_DROP;
	const char *keys[] = { drop ? "Enter drops; Left/Right others"
		               : panel->field == LINK_STEPS_PRESET
		                   ? TEXT_FORMAT("Enter sets %s; Left/Right others", way)
		                   : TEXT_FORMAT("Left/Right change %s", way),
		"; Esc leaves", "; Up/Down choose",
		drop ? "; Tab other packets" : "; Tab other ways" };
	const bool brief = p->pad + utf8_columns(keys[0]) + utf8_columns(keys[1]) > p->columns;
	int column = p->pad;
	if (brief)
		keys[0] = panel->field < 0 ? "Enter; Left/Right" : "Left/Right";
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (i == 0 || column + utf8_columns(keys[i]) <= p->columns)
			column = canvas_text(p->c, row, column, p->columns, keys[i], STYLE_FAINT);
}

void link_row_draw_panel(const struct panes *p)
{
	const struct link_steps *panel = p->v->lab->panel;
	const int values = p->pad + 2 + NAME_COLUMNS + 1;
	int height = p->height > 1 ? p->height - 1 : p->height, first = panel->field - height + 1;
	if (first < LINK_STEPS_DROP)
		first = LINK_STEPS_DROP;
	panes_draw_heading(p, "the link", p->columns);
	canvas_text(p->c, p->heading_row, values, p->columns, panel_directions[1], STYLE_HEADING);
	canvas_text(p->c, p->heading_row, values + value_columns(p), p->columns,
	    panel_directions[2], STYLE_HEADING);
	for (int i = 0; i < height && first + i < IMPAIR_FIELD_COUNT; i++)
		if (first + i == LINK_STEPS_DROP)
			draw_drop(p, p->top + i);
		else if (first + i == LINK_STEPS_PRESET)
			draw_preset(p, p->top + i);
		else
			draw_setting(p, p->top + i, first + i);
	if (p->height >= 2)
		draw_panel_keys(p, p->top + p->height - 1);
}

/* --- both ends of TCP --- */

/* The forms of the words: whole, without the round trip, with shorter words, without the doublings,
 * the retransmissions alone. */
enum { WHOLE, WITHOUT_ROUND_TRIP, SHORT, BRIEF, COUNTS, LENGTHS };

static void put_end(struct text *t, const char *name, const struct tcp_sample *tcp, int length,
    bool ascii)
{
	const char *times = glyph(GLYPH_TIMES, ascii), *micro = glyph(GLYPH_MICRO, ascii);
	text_put(t, "%s %u %s", name, tcp->retransmitted, length >= SHORT ? "again" : "sent again");
	if (length < COUNTS)
		text_put(t, ", RTO %s", UNITS_DURATION(tcp->timeout, micro));
	/* The number of doublings of the timeout; the short form has the factor. */
	if (tcp->backoff > 0 && length <= WITHOUT_ROUND_TRIP)
		text_put(t, " (doubled %u%s)", tcp->backoff, times);
	else if (tcp->backoff > 0 && length == SHORT)
		text_put(t, " (%s%llu)", times, 1ULL << (tcp->backoff < 63 ? tcp->backoff : 63));
	if (length == WHOLE && tcp->round_trip > 0)
		text_put(t, ", rtt %s", UNITS_DURATION(tcp->round_trip, micro));
}

void link_row_draw_ends(const struct panes *p)
{
	const struct tcp_sample *server = p->v->senders[LINK_COMING];
	bool ascii = p->v->ascii;
	char words[400];
	if (p->ends_row < 0)
		return;
	int column = canvas_text(p->c, p->ends_row, p->pad, p->columns, "TCP ", STYLE_TCP);
	for (int length = WHOLE; length < LENGTHS; length++) {
		struct text t = text_begin(words, sizeof words);
		put_end(&t, "here:", p->v->senders[LINK_GOING], length, ascii);
		text_put(&t, "%s", server ? glyph(GLYPH_BAR, ascii) : "");
		if (server)
			put_end(&t, "server:", server, length, ascii);
		if (utf8_columns(words) <= p->columns - column)
			break;
	}
	panes_draw_cut(p, p->ends_row, column, p->columns, words, STYLE_HEADING);
}
