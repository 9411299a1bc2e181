/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys of the screen; all others go to the line editor. */
#include <ctype.h>
#include <uniconv.h>

#include "app/commands.h"
#include "app/tui-state.h"
#include "common/clock.h"
#include "common/text.h"
#include "terminal/line-editor.h"

#define QUIT_TIME (2 * NS_PER_S) /* the time in which a second Ctrl-C leaves the program */

/* --- lines --- */

/* Sends text; the newest row counts again. In a locale other than UTF-8 the terminal's bytes become
 * UTF-8 for the wire; text that cannot be converted is sent unchanged. */
static void send_text(struct tui *tui, const char *text, size_t n, int64_t now)
{
	size_t length = 0;
	uint8_t *utf8 = NULL;

	tui->view.selected = 0;
	if (!tui->run.utf8)
		utf8 = u8_conv_from_encoding(locale_charset(), iconveh_error, text, n, NULL, NULL,
		    &length);
	tui_send(tui, utf8 ? (const char *)utf8 : text, utf8 ? length : n, SESSION_LINE, now);
	free(utf8);
}

void tui_line(void *context, const char *line, size_t n)
{
	struct tui *tui = context;
	const int64_t now = clock_monotonic();

	if (tui_demo_line(tui, line, n))
		return;
	if (n == 0 && tui->view.selected > 0) {
		tui_page(tui, "details", view_detail(&tui->view));
		return;
	}
	view_scroll_end(&tui->view);
	if (n >= 2 && line[0] == '/' && line[1] == '/')
		send_text(tui, line + 1, n - 1, now);
	else if (n >= 1 && line[0] == '/')
		command_run(tui, line, n, now);
	else if (tui->run.replay && n > 0 && strspn(line, "0123456789") == n)
		command_run(tui, TEXT_FORMAT("/goto %s", line), n + strlen("/goto "), now);
	else
		send_text(tui, line, n, now);
}

/* --- pastes --- */

/* Makes LF of a pasted end of line: CR, LF or both. Returns the new length. */
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

static size_t count_lines(const unsigned char *bytes, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += bytes[i] == '\n' || i + 1 == n;
	return lines;
}

static void confirm_paste(struct tui *tui, unsigned char *bytes, size_t n,
    const struct key_event *key)
{
	tui->question.paste = bytes;
	tui->question.length = n;
	snprintf(tui->question.text, sizeof tui->question.text,
	    "Send %zu pasted lines%s? y sends them, n drops them", count_lines(bytes, n),
	    key->clipped      ? " (the rest of the paste is too long)"
	    : key->unfinished ? " (the end did not come)"
	                      : "");
}

static void take_paste(struct tui *tui, const struct key_event *key)
{
	unsigned char *bytes = malloc(key->length + 1);
	size_t n;

	if (!bytes) {
		tui_message(tui, "memory is short: nothing was pasted");
		return;
	}
	memcpy(bytes, key->bytes, key->length);
	n = unify_line_ends(bytes, key->length);
	if (count_lines(bytes, n) > 1) {
		confirm_paste(tui, bytes, n, key);
		return;
	}
	if (n > 0 && bytes[n - 1] == '\n')
		n--;
	line_editor_insert(bytes, n);
	if (key->unfinished)
		tui_message(tui, "the end of the paste did not come; the line is what came of it");
	free(bytes);
}

/* Sends pasted lines as text, never as commands. */
static void send_paste(struct tui *tui, int64_t now)
{
	const char *at = (const char *)tui->question.paste;
	const char *end = at + tui->question.length;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		send_text(tui, at, (size_t)(stop - at), now);
		at = stop + 1;
	}
}

static void answer_question(struct tui *tui, const struct key_event *key, int64_t now)
{
	const bool text = key->key == KEY_TEXT_BYTES && key->length >= 1;
	const unsigned char answer = text ? key->bytes[0] : 0;

	if (answer == 'y' || answer == 'Y')
		send_paste(tui, now);
	else if (answer != 'n' && answer != 'N' && answer != 4 && key->key != KEY_ESCAPE &&
	         key->key != KEY_INTERRUPT)
		return;
	free(tui->question.paste);
	tui->question.paste = NULL;
}

/* --- keys --- */

static void press(struct tui *tui, const struct key_spec *k, int64_t now)
{
	const struct settings *s = &tui->run.settings;
	const size_t n = k->line ? strlen(k->line) : 0;

	if (!command_may_use(k->use, tui, k->key))
		return;
	if (n > 0 && k->line[n - 1] != ' ')
		command_run(tui, k->line, n, now);
	else if (n > 0 && line_editor_state().length == 0)
		line_editor_insert((const unsigned char *)k->line, n);
	else if (k->function == 2)
		tui_switch(tui, !s->session.stream, false, now);
	else if (k->function == 3)
		tui_switch(tui, s->session.stream, !s->both, now);
	else if (k->function == 5 && run_generating(&tui->run))
		tui_burst_stop(tui, now);
	else if (k->function == 5)
		tui_burst(tui, now);
	else if (k->function == 6)
		tui_plot(tui, tui->plot.kind == PLOT_NONE ? PLOT_WAITED : tui->plot.kind + 1);
}

static void function_key(struct tui *tui, int number, int64_t now)
{
	for (const struct key_spec *k = key_table; k->key; k++)
		if (k->function == number)
			press(tui, k, now);
}

/* Handles a key that moves in a recording; returns true if it was one. */
static bool replay_key(struct tui *tui, const struct key_event *key, int64_t now)
{
	const char arrow = tui_arrow(key->bytes, key->length);
	/* An arrow's letter is none. */
	const char typed = key->length == 1 && !isupper(key->bytes[0]) ? (char)key->bytes[0] : 0;

	for (const struct key_spec *k = key_table; k->key && tui->run.replay; k++) {
		if (!k->typed || (k->typed != arrow && k->typed != typed) ||
		    !command_offered(k->use, tui))
			continue;
		press(tui, k, now);
		return true;
	}
	return false;
}

static void scroll_key(struct tui *tui, enum key key)
{
	static const struct {
		int lines, pages;
	} steps[] = {
		[KEY_PAGE_UP] = { .pages = -1 },
		[KEY_PAGE_DOWN] = { .pages = 1 },
		[KEY_ROW_UP] = { .lines = -1 },
		[KEY_ROW_DOWN] = { .lines = 1 },
		[KEY_WHEEL_UP] = { .lines = -3 },
		[KEY_WHEEL_DOWN] = { .lines = 3 },
	};
	struct view *v = &tui->view;

	if (key == KEY_TOP)
		view_scroll_top(v);
	else if (key == KEY_BOTTOM)
		view_scroll_end(v);
	else if (key == KEY_SELECT_UP || key == KEY_SELECT_DOWN)
		view_select(v, key == KEY_SELECT_UP ? -1 : 1);
	else if (steps[key].pages)
		view_scroll_page(v, steps[key].pages);
	else
		view_scroll(v, steps[key].lines);
}

/* Handles a key of a page: some move it; q and Enter close it; any other closes it and is typed. */
static bool page_key(struct tui *tui, const struct key_event *key)
{
	const unsigned char byte = key->length == 1 ? key->bytes[0] : 0;
	const char arrow = tui_arrow(key->bytes, key->length);

	if (arrow == 'A' || byte == 'k') {
		scroll_key(tui, KEY_ROW_UP);
	} else if (arrow == 'B' || byte == 'j') {
		scroll_key(tui, KEY_ROW_DOWN);
	} else if (byte == ' ') {
		scroll_key(tui, KEY_PAGE_DOWN);
	} else {
		tui_close_page(tui);
		return key->length == 1 && strchr("q\r\n", byte) != NULL;
	}
	return true;
}

static void text_key(struct tui *tui, const struct key_event *key, int64_t now)
{
	const bool asks = !tui->view.page && key->length == 1 && key->bytes[0] == '?' &&
	                  line_editor_begins_with('?');

	if (!tui->view.page && line_editor_state().length == 0 && replay_key(tui, key, now))
		return;
	if (tui->view.page ? page_key(tui, key) : tui_lab_key(tui, key->bytes, key->length))
		return;
	if (asks) {
		function_key(tui, 1, now);
		return;
	}
	line_editor_feed(key->bytes, key->length);
	if (line_editor_quoting())
		keys_quote(tui->keys);
}

static void escape_key(struct tui *tui)
{
	if (tui->view.page)
		tui_close_page(tui);
	else if (tui->panel.open)
		tui->panel.open = false;
	else if (tui->plot.kind != PLOT_NONE)
		tui_plot(tui, PLOT_NONE);
	else if (tui->demo.step)
		tui_demo_leave(tui, "the demonstration is left");
	else if (tui->view.selected > 0)
		tui->view.selected = 0;
	else
		line_editor_escape();
}

/* Leaves the demonstration; without one, ends the generated lines; without any, the second flow;
 * without one, drops the typed line; else a second Ctrl-C leaves. */
static void interrupt_key(struct tui *tui, int64_t now)
{
	if (tui->demo.step) {
		tui_demo_leave(tui, "the demonstration is left");
	} else if (run_generating(&tui->run)) {
		tui_burst_stop(tui, now);
	} else if (!run_flow_stop(&tui->run, now) && !line_editor_clear()) {
		tui->quit = now < tui->quit_until;
		tui_message(tui, "Ctrl-C once more leaves, as Ctrl-D does; ? is help");
		tui->message_until = tui->quit_until = now + QUIT_TIME;
	}
}

/* A message hides the buttons. */
static void click(struct tui *tui, const struct key_event *key, bool message, int64_t now)
{
	int button;

	/* A report that came late. */
	if (!tui->run.settings.screen.mouse)
		return;
	button = view_button_at(&tui->view, key->row, key->column);
	if (button >= 0 && !message)
		press(tui, &key_table[button], now);
	else
		view_select_at(&tui->view, key->row, key->column);
}

static void take_key(struct tui *tui, const struct key_event *key, int64_t now)
{
	const bool message = tui->message_until > now;

	tui->changed = true;
	if (tui->question.paste && key->key != KEY_SUSPEND && key->key != KEY_REDRAW) {
		answer_question(tui, key, now);
		return;
	}
	tui->message_until = 0;
	if (key->key != KEY_INTERRUPT)
		tui->quit_until = 0;
	if (key->key == KEY_TEXT_BYTES)
		text_key(tui, key, now);
	else if (key->key == KEY_PASTE)
		take_paste(tui, key);
	else if (key->key == KEY_FUNCTION)
		function_key(tui, key->number, now);
	else if (key->key == KEY_INTERRUPT)
		interrupt_key(tui, now);
	else if (key->key == KEY_SUSPEND)
		screen_suspend();
	else if (key->key == KEY_REDRAW)
		screen_repaint();
	else if (key->key == KEY_ESCAPE)
		escape_key(tui);
	else if (key->key == KEY_CLICK)
		click(tui, key, message, now);
	else
		scroll_key(tui, key->key);
}

void tui_keys(struct tui *tui, int64_t now)
{
	struct key_event key;

	while (!tui->quit && keys_next(tui->keys, now, &key))
		take_key(tui, &key, now);
	const struct keys_answers answers = keys_take_answers(tui->keys);
	tui->changed |= screen_take_answers(&answers);
}
