/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small program around the input line, the key reader and the screen, for
 * tests/screen/test_prompt.c: row 0 tells what is set, row 1 shows every style, the lines entered
 * follow, the last row is the input line. Some lines do things: "!segv", "!abort" and "!exit" end
 * it in those ways, "!quit" from inside the line's hook. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "view/canvas.h"
#include "terminal/keys.h"
#include "view/layout.h"
#include "terminal/line-editor.h"
#include "terminal/screen.h"

#define LINES_KEPT 64

struct demo {
	struct canvas canvas;
	struct layout layout;
	struct keys *keys;
	char *lines[LINES_KEPT];
	size_t lengths[LINES_KEPT], count, entered, escapes;
	bool leaving, hidden;
	char asked[64];
};

static volatile sig_atomic_t resized, continued, terminated;

static void on_signal(int signal_number)
{
	if (signal_number == SIGWINCH)
		resized = 1;
	else if (signal_number == SIGCONT)
		continued = 1;
	else
		terminated = 1;
}

static void note(struct demo *d, const char *text, size_t n)
{
	if (d->count == LINES_KEPT) {
		free(d->lines[0]);
		memmove(d->lines, d->lines + 1, sizeof(d->lines) - sizeof(d->lines[0]));
		memmove(d->lengths, d->lengths + 1, sizeof(d->lengths) - sizeof(d->lengths[0]));
		d->count--;
	}
	char *copy = malloc(n + 1);
	if (!copy)
		abort();
	memcpy(copy, text, n);
	copy[n] = '\0';
	d->lines[d->count] = copy;
	d->lengths[d->count++] = n;
}

static void notef(struct demo *d, const char *before, const char *text)
{
	char *both;
	if (asprintf(&both, "%s%s", before, text) < 0)
		abort();
	note(d, both, strlen(both));
	free(both);
}

/* --- the prompt's hooks --- */

static void crash(void)
{
	/* In the first page, where nothing is, but not where a sanitizer sees it coming. */
	volatile size_t nowhere = 16;
	kill(getpid(), SIGCONT);
	*(volatile char *)nowhere = 1;
}

static void on_line(void *context, const char *line, size_t n)
{
	struct demo *d = context;
	d->entered++;
	if (strcmp(line, "!segv") == 0)
		crash();
	if (strcmp(line, "!abort") == 0)
		abort();
	if (strcmp(line, "!exit") == 0)
		exit(3);
	if (strcmp(line, "!quit") == 0) {
		line_editor_stop(false);
		d->leaving = true;
		return;
	}
	if (strcmp(line, "!hide") == 0)
		d->hidden = !d->hidden;
	else if (strncmp(line, "!prompt ", 8) == 0)
		line_editor_set_prompt(line + 8);
	else if (n > 200)
		snprintf(d->asked, sizeof(d->asked), "long %zu", n);
	else
		note(d, line, n);
}

static void on_end(void *context)
{
	((struct demo *)context)->leaving = true;
}

static void on_complete(void *context, const char *line, size_t start, struct text *words,
    bool *files)
{
	(void)context;
	*files = start == 6 && strncmp(line, "/save ", 6) == 0;
	if (start == 0 && line[0] == '/')
		text_put(words, "/clear\n/connect\n/stats\n/tcp\n/udp\n");
}

static void on_matches(void *context, char **words, size_t count)
{
	struct demo *d = context;
	snprintf(d->asked, sizeof(d->asked), "matches:");
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(d->asked);
		snprintf(d->asked + n, sizeof(d->asked) - n, " %s", words[i]);
	}
}

static void on_bell(void *context)
{
	(void)context;
	screen_bell();
}

/* --- drawing --- */

static int put(struct demo *d, int row, int column, const char *text, size_t n, enum style style)
{
	if (layout_text(&d->layout, text, n, wcwidth) < 0)
		abort();
	return canvas_cells(&d->canvas, row, column, d->canvas.columns, d->layout.cells,
	    d->layout.count, style);
}

static void draw_input(struct demo *d, int row)
{
	struct view_input s = line_editor_state();
	int column = put(d, row, 0, s.prompt, strlen(s.prompt), STYLE_PROMPT);
	if (layout_text(&d->layout, s.text, s.length, wcwidth) < 0)
		abort();
	const struct layout *l = &d->layout;
	size_t cursor = 0;
	while (cursor < l->count && l->cells[cursor].offset < s.cursor)
		cursor++;
	/* From as far to the left as shows the cursor. */
	int room = d->canvas.columns - column;
	size_t first = cursor;
	while (first > 0 && (int)layout_columns(l, first - 1, cursor) < room)
		first--;
	canvas_cells(&d->canvas, row, column, d->canvas.columns, l->cells + first, l->count - first,
	    STYLE_NORMAL);
	d->canvas.cursor_row = d->hidden ? -1 : row;
	d->canvas.cursor_column = column + (int)layout_columns(l, first, cursor);
}

static void draw_styles(struct demo *d)
{
	int column = 0;
	for (int style = 0; style < STYLES; style++) {
		char name[8];
		int n = snprintf(name, sizeof(name), "s%d", style);
		column = put(d, 1, column, name, (size_t)n, (enum style)style);
		column = put(d, 1, column, " ", 1, STYLE_NORMAL);
	}
}

static void draw(struct demo *d)
{
	char head[160];
	int rows, columns;
	screen_size(&rows, &columns);
	if (canvas_resize(&d->canvas, rows, columns) < 0)
		abort();
	canvas_clear(&d->canvas);
	int n = snprintf(head, sizeof(head), "%dx%d entered %zu esc %zu%s %s", rows, columns,
	    d->entered, d->escapes, line_editor_quoting() ? " quoting" : "", d->asked);
	put(d, 0, 0, head, (size_t)n, STYLE_STATUS);
	draw_styles(d);
	int room = rows - 3;
	size_t first = (int)d->count > room ? d->count - (size_t)(room > 0 ? room : 0) : 0;
	for (size_t i = first; i < d->count; i++)
		put(d, 2 + (int)(i - first), 0, d->lines[i], d->lengths[i], STYLE_NORMAL);
	draw_input(d, rows - 1);
	screen_show(&d->canvas);
}

/* --- the loop --- */

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void handle_key(struct demo *d, const struct key_event *e)
{
	char name[32];
	switch (e->key) {
	case KEY_TEXT_BYTES:
		line_editor_feed(e->bytes, e->length);
		if (line_editor_quoting())
			keys_quote(d->keys);
		break;
	case KEY_PASTE:
		line_editor_insert(e->bytes, e->length);
		break;
	case KEY_INTERRUPT:
		line_editor_clear();
		break;
	case KEY_SUSPEND:
		screen_suspend();
		break;
	case KEY_REDRAW:
		screen_repaint();
		break;
	case KEY_ESCAPE:
		d->escapes++;
		line_editor_escape();
		break;
	case KEY_FUNCTION:
		snprintf(name, sizeof(name), "F%d", e->number);
		notef(d, "key ", name);
		break;
	default:
		snprintf(name, sizeof(name), "%d", (int)e->key);
		notef(d, "key ", name);
	}
}

static void act_on_keys(struct demo *d)
{
	struct key_event e;
	while (!d->leaving && keys_next(d->keys, now_ns(), &e))
		handle_key(d, &e);
}

static void act_on_signals(struct demo *d)
{
	if (terminated)
		d->leaving = true;
	if (resized || continued)
		screen_resize();
	resized = continued = 0;
}

static void wait_and_read(struct demo *d, const sigset_t *open)
{
	char buffer[4096];
	fd_set ready;
	struct timespec timeout, *limit = NULL;
	int64_t deadline = keys_deadline(d->keys), now = now_ns();
	if (deadline != INT64_MAX) {
		int64_t left = deadline > now ? deadline - now : 0;
		timeout = (struct timespec){ left / 1000000000, left % 1000000000 };
		limit = &timeout;
	}
	FD_ZERO(&ready);
	FD_SET(STDIN_FILENO, &ready);
	if (pselect(STDIN_FILENO + 1, &ready, NULL, NULL, limit, open) <= 0)
		return;
	ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));
	if (n <= 0)
		d->leaving = true;
	else if (keys_feed(d->keys, buffer, (size_t)n, now_ns()) < 0)
		abort();
}

static void loop(struct demo *d)
{
	static const int signals[] = { SIGWINCH, SIGCONT, SIGTERM, SIGTSTP };
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t blocked, open;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&blocked, signals[i]);
		if (signals[i] != SIGTSTP)
			sigaction(signals[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, &open);
	sigaddset(&open, SIGTSTP);
	while (!d->leaving) {
		act_on_signals(d);
		draw(d);
		if (!d->leaving)
			wait_and_read(d, &open);
		act_on_keys(d);
	}
}

static void tidy_up(struct demo *d)
{
	while (d->count > 0)
		free(d->lines[--d->count]);
	keys_free(d->keys);
	layout_free(&d->layout);
	canvas_free(&d->canvas);
}

static const char *read_options(int argc, char **argv, struct screen_settings *settings,
    int *entries)
{
	const char *history = NULL;
	int c;
	while ((c = getopt(argc, argv, "h:n:mc:b:")) >= 0) {
		if (c == 'h')
			history = optarg;
		else if (c == 'n')
			*entries = atoi(optarg);
		else if (c == 'm')
			settings->mouse = true;
		else if (c == 'c')
			settings->colour = optarg[0] == 'n' ? SCREEN_COLOUR_NEVER
			                                    : SCREEN_COLOUR_ALWAYS;
		else if (c == 'b')
			settings->background = optarg[0] == 'd' ? BACKGROUND_DARK
			                                        : BACKGROUND_LIGHT;
		else
			exit(2);
	}
	return history;
}

int main(int argc, char **argv)
{
	struct demo d = { .entered = 0 };
	struct screen_settings settings = { .mouse = false };
	struct line_editor_hooks hooks = { .context = &d,
		.line = on_line,
		.end = on_end,
		.complete = on_complete,
		.matches = on_matches,
		.bell = on_bell };
	char reason[200];
	int entries = 1000;
	setlocale(LC_ALL, "");
	const char *history = read_options(argc, argv, &settings, &entries);
	if (screen_start(&settings, reason, sizeof(reason)) < 0) {
		fprintf(stderr, "demo_prompt: %s\n", reason);
		return 2;
	}
	d.keys = keys_new();
	if (!d.keys || line_editor_start(&hooks, history, entries) < 0)
		abort();
	line_editor_set_prompt("demo> ");
	loop(&d);
	screen_stop();
	const char *unsaved = line_editor_stop(false);
	if (unsaved)
		fprintf(stderr, "demo_prompt: history: %s\n", unsaved);
	printf("demo: %zu entered%s\n", d.entered, terminated ? ", terminated" : "");
	tidy_up(&d);
	return 0;
}
