/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keys do: the screen's own, and those that go on to the input line. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>
#include <uniconv.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "app/commands.h"
#include "terminal/line-editor.h"
#include "report/summary.h"

/* How long a second Ctrl-C leaves. */
#define QUIT_TIME (2 * NS_PER_S)

/* --- pages --- */

void app_page(struct app *app, const char *title, char *text)
{
	if (!text) {
		app_say(app, "memory is short");
		return;
	}
	free(app->page_text);
	app->page_text = text;
	app->page = (struct view_page){.title = title, .text = app->utf8 ? text : summary_ascii(text)};
	app->view.page = &app->page;
	app->changed = true;
}

void app_close_page(struct app *app)
{
	app->view.page = NULL;
	app->changed = true;
}

static void toggle_help(struct app *app)
{
	if (app->view.page)
		app_close_page(app);
	else
		app_page(app, "help", command_help_page());
}

/* --- lines --- */

/* In a locale other than UTF-8 the terminal's bytes become UTF-8 for the wire; what cannot be converted goes as it
 * is. */
static void send_text(struct app *app, const char *text, size_t n, int64_t now)
{
	size_t length = 0;
	uint8_t *utf8 = NULL;

	if (!app->utf8)
		utf8 = u8_conv_from_encoding(locale_charset(), iconveh_error, text, n, NULL, NULL, &length);
	app_send(app, utf8 ? (const char *)utf8 : text, utf8 ? length : n, SESSION_LINE, now);
	free(utf8);
}

void app_line(void *context, const char *line, size_t n)
{
	struct app *app = context;
	const int64_t now = clock_monotonic();

	view_scroll_end(&app->view);
	if (n >= 2 && line[0] == '/' && line[1] == '/')
		send_text(app, line + 1, n - 1, now);
	else if (n >= 1 && line[0] == '/')
		app_command(app, line, n, now);
	else
		send_text(app, line, n, now);
}

/* --- pastes --- */

static size_t count_lines(const unsigned char *bytes, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '\n' || i + 1 == n)
			lines++;
	return lines;
}

/* Terminals send a pasted end of line as CR, LF or both: all become LF. Returns the new length. */
static size_t unify_line_ends(unsigned char *bytes, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n')
			continue;
		bytes[used++] = bytes[i] == '\r' ? '\n' : bytes[i];
	}
	return used;
}

static void ask_about_paste(struct app *app, unsigned char *bytes, size_t n,
    const struct key_event *key)
{
	free(app->question.paste);
	app->question.paste = bytes;
	app->question.length = n;
	app->question.open = true;
	snprintf(app->question.text, sizeof app->question.text, "Send %zu pasted lines%s? y sends them, n drops them",
	    count_lines(bytes, n), key->clipped ? " (the rest of the paste is too long)" :
	    key->unfinished ? " (the end did not come)" : "");
}

static void take_paste(struct app *app, const struct key_event *key)
{
	unsigned char *bytes = malloc(key->length + 1);
	size_t n;

	if (!bytes) {
		app_say(app, "memory is short: nothing was pasted");
		return;
	}
	memcpy(bytes, key->bytes, key->length);
	n = unify_line_ends(bytes, key->length);
	if (count_lines(bytes, n) > 1) {
		ask_about_paste(app, bytes, n, key);
		return;
	}
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	prompt_insert(bytes, n);
	if (key->unfinished)
		app_say(app, "the end of the paste did not come; the line is what came of it");
	free(bytes);
}

/* Pasted lines are text, never commands. */
static void send_paste(struct app *app, int64_t now)
{
	const char *at = (const char *)app->question.paste;
	const char *end = at + app->question.length;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		send_text(app, at, (size_t)(stop - at), now);
		at = stop + 1;
	}
}

static void answer_question(struct app *app, const struct key_event *key, int64_t now)
{
	const bool text = key->key == KEY_TEXT_BYTES && key->length >= 1;
	const unsigned char answer = text ? key->bytes[0] : 0;

	if (answer == 'y' || answer == 'Y')
		send_paste(app, now);
	else if (answer != 'n' && answer != 'N' && answer != 4 && key->key != KEY_ESCAPE && key->key != KEY_INTERRUPT)
		return;
	app->question.open = false;
	free(app->question.paste);
	app->question.paste = NULL;
}

/* --- keys --- */

static void function_key(struct app *app, int number, int64_t now)
{
	switch (number) {
	case 1:
		toggle_help(app);
		break;
	case 2:
		app_switch(app, app->settings.transport == SESSION_TCP ? SESSION_UDP : SESSION_TCP, now);
		break;
	case 3:
		if (app->settings.both)
			app_switch(app, app->settings.transport, now);
		else
			app_both(app, now);
		break;
	case 4:
		app->view.arrivals = !app->view.arrivals;
		break;
	case 5:
		app_burst_toggle(app, now);
		break;
	case 6:
		app_plot_next(app);
		break;
	case 7:
		app_lab_panel(app);
		break;
	case 10:
		app->quit = true;
		break;
	default:
		break;
	}
}

/* A page takes the keys that move it, and those that leave it; any other key leaves it and is typed. */
static bool page_key(struct app *app, const struct key_event *key)
{
	static const struct {
		const char *bytes;
		int lines;
	} moves[] = {{"\033[A", -1}, {"\033OA", -1}, {"\033[B", 1}, {"\033OB", 1}, {"k", -1}, {"j", 1}};
	int rows, columns;

	screen_size(&rows, &columns);
	for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
		if (key->length != strlen(moves[i].bytes) || memcmp(key->bytes, moves[i].bytes, key->length) != 0)
			continue;
		view_scroll(&app->view, app->board, rows, columns, moves[i].lines);
		return true;
	}
	if (key->length == 1 && key->bytes[0] == ' ') {
		view_scroll_page(&app->view, app->board, rows, columns, 1);
		return true;
	}
	app_close_page(app);
	return key->length == 1 && strchr("q\r\n", key->bytes[0]) != NULL;
}

static void text_key(struct app *app, const struct key_event *key, int64_t now)
{
	const bool asks = !app->view.page && key->length == 1 && key->bytes[0] == '?' &&
	    prompt_begins_with('?');

	if (!app->view.page && app_replay_key(app, key->bytes, key->length, now))
		return;
	if (app->view.page ? page_key(app, key) : app_lab_key(app, key->bytes, key->length))
		return;
	if (asks) {
		toggle_help(app);
		return;
	}
	prompt_feed(key->bytes, key->length);
	if (prompt_quoting())
		keys_quote(app->keys);
}

static void escape_key(struct app *app)
{
	if (app->view.page)
		app_close_page(app);
	else if (app->panel.open)
		app->panel.open = false;
	else if (app_plot_close(app))
		return;
	else
		prompt_escape();
}

/* Generated lines end first, then what is typed. */
static void interrupt_key(struct app *app, int64_t now)
{
	if (app_bursting(app)) {
		app_burst_stop(app, now);
	} else if (!prompt_clear()) {
		app->quit = now < app->quit_until;
		app_say(app, "Ctrl-C once more leaves, as Ctrl-D does; ? is help");
		app->message_until = app->quit_until = now + QUIT_TIME;
	}
}

static void scroll_key(struct app *app, enum key key)
{
	int rows, columns;

	screen_size(&rows, &columns);
	switch (key) {
	case KEY_PAGE_UP:
	case KEY_PAGE_DOWN:
		view_scroll_page(&app->view, app->board, rows, columns, key == KEY_PAGE_UP ? -1 : 1);
		break;
	case KEY_TOP:
		view_scroll_top(&app->view, app->board, rows, columns);
		break;
	case KEY_BOTTOM:
		view_scroll_end(&app->view);
		break;
	case KEY_ROW_UP:
	case KEY_ROW_DOWN:
		view_scroll(&app->view, app->board, rows, columns, key == KEY_ROW_UP ? -1 : 1);
		break;
	case KEY_WHEEL_UP:
	case KEY_WHEEL_DOWN:
		view_scroll(&app->view, app->board, rows, columns, key == KEY_WHEEL_UP ? -3 : 3);
		break;
	default:
		break;
	}
}

static void take_key(struct app *app, const struct key_event *key, int64_t now)
{
	app->changed = true;
	if (app->question.open && key->key != KEY_SUSPEND && key->key != KEY_REDRAW) {
		answer_question(app, key, now);
		return;
	}
	app->message_until = 0;
	if (key->key != KEY_INTERRUPT)
		app->quit_until = 0;
	switch (key->key) {
	case KEY_TEXT_BYTES:
		text_key(app, key, now);
		break;
	case KEY_PASTE:
		take_paste(app, key);
		break;
	case KEY_FUNCTION:
		function_key(app, key->number, now);
		break;
	case KEY_INTERRUPT:
		interrupt_key(app, now);
		break;
	case KEY_SUSPEND:
		screen_suspend();
		break;
	case KEY_REDRAW:
		screen_repaint();
		break;
	case KEY_ESCAPE:
		escape_key(app);
		break;
	default:
		scroll_key(app, key->key);
		break;
	}
}

void app_keys(struct app *app, int64_t now)
{
	struct key_event key;

	while (!app->quit && keys_next(app->keys, now, &key))
		take_key(app, &key, now);
}
