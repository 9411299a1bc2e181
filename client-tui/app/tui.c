/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen's loop: network first, then keys, then one draw, at most 60 a second however much happens. */
#include "config.h"

#include "app/tui.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "app/commands.h"
#include "app/xdg.h"
#include "terminal/line-editor.h"
#include "common/standard.h"
#include "app/stop.h"
#include "report/summary.h"

#define FRAME (NS_PER_S / 60)
/* How often a row that waits shows its time anew. */
#define TICK (100 * NS_PER_MS)
#define MESSAGE_TIME (5 * NS_PER_S)
/* What F5 sends before any /burst. */
#define BURST_LINES 100

/* --- telling --- */

void app_say(struct app *app, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(app->message, sizeof app->message, format, args);
	va_end(args);
	app->message_until = clock_monotonic() + MESSAGE_TIME;
	app->changed = true;
}

void app_notice(struct app *app, bool bad, const char *text)
{
	app_event(app, &(const struct record_event){.kind = bad ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE, .session = -1,
		.at = app_time(app, clock_monotonic()), .text = (char *)(uintptr_t)text});
}

void app_event(void *context, const struct record_event *event)
{
	struct app *app = context;

	if (!event->quiet)
		board_add_event(app->board, event);
	recorder_event(app->recorder, event, app_time(app, clock_monotonic()));
	app->changed = true;
}

/* --- drawing --- */

static void draw(struct app *app, int64_t now)
{
	struct app_session *current = app_current(app);
	const struct prompt_state p = prompt_state();
	static const struct ledger_totals none;
	struct view_facts facts = {
		.stream = app->settings.transport == SESSION_TCP && !app->settings.both,
		.peer = current ? session_peer(current->session) : app->settings.host,
		.state = current ? session_state(current->session, now) : NULL,
		.totals = current ? ledger_totals(session_ledger(current->session)) : &none,
		.now = app_time(app, now),
		.wait = app->settings.wait,
		.progress = app->replay ? app_replay_progress(app) : app_burst_progress(app, now),
	};
	struct view_input input = {.prompt = p.prompt, .text = p.text, .length = p.length, .cursor = p.cursor};
	int rows, columns;

	input.message = app->question.open ? app->question.text : app->message_until > now ? app->message : NULL;
	screen_size(&rows, &columns);
	if (canvas_resize(&app->canvas, rows, columns) < 0)
		return;
	if (app->settings.both && app->tcp)
		facts.other = (struct view_side){
			.state = session_state(app->tcp->session, now), .totals = ledger_totals(session_ledger(app->tcp->session))};
	else
		facts.other.totals = &none;
	app_lab_ends(app);
	app_plot_follow(app);
	view_draw(&app->view, &app->canvas, app->board, &facts, &input);
	screen_show(&app->canvas);
	app->changed = false;
	app->drawn_at = now;
}

static int64_t next_draw(struct app *app, int64_t now)
{
	int64_t at = CLOCK_NEVER;

	if (app->changed)
		return app->drawn_at + FRAME;
	/* Rows that wait show a running time, and so do pauses of the link: as of the last draw, so that their end shows. */
	if (app_sessions_busy(app, now) || app_bursting(app) ||
	    (app->truth && link_facts_paused(truth_facts(app->truth), app->drawn_at)))
		at = app->drawn_at + TICK;
	if (app->message_until > app->drawn_at && app->message_until < at)
		at = app->message_until;
	return at;
}

/* --- the loop --- */

static void take_terminal(struct app *app, int64_t now)
{
	unsigned char bytes[65536];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

	if (n == 0 || (n < 0 && errno == EIO))
		app->quit = true; /* the terminal is gone */
	if (n > 0 && keys_feed(app->keys, bytes, (size_t)n, now) < 0)
		app_say(app, "memory is short: keys were lost");
}

static void wait_for_something(struct app *app, struct watch *w)
{
	const int64_t now = clock_monotonic();

	watch_start(w);
	watch_read(w, STDIN_FILENO);
	watch_until(w, keys_deadline(app->keys));
	watch_until(w, next_draw(app, now));
	watch_until(w, app_burst_due(app));
	watch_until(w, app->replay_at);
	if (app->truth)
		truth_watch(app->truth, w);
	app_sessions_watch(app, w);
	stop_wait(w, now);
}

static void loop(struct app *app)
{
	struct watch w;

	while (!app->quit && !stop_asked()) {
		int64_t now;

		if (stop_take_resize()) {
			screen_resize();
			app->changed = true;
		}
		wait_for_something(app, &w);
		now = clock_monotonic();
		app_sessions_turn(app, &w, now);
		/* What the link did shows, as soon as it is told. */
		if (app->truth && truth_turn(app->truth, &w, now))
			app->changed = true;
		app_connections_turn(app, false, now);
		app->replay_at = app_replay_turn(app, now);
		if (watch_can_read(&w, STDIN_FILENO))
			take_terminal(app, now);
		app_keys(app, now);
		app->replay_at = app_replay_turn(app, now);
		app_burst_turn(app);
		now = clock_monotonic();
		if (next_draw(app, now) <= now)
			draw(app, now);
	}
}

/* --- the input line's side --- */

static void on_end(void *context)
{
	((struct app *)context)->quit = true;
}

static char **on_complete(void *context, const char *word, const char *line, size_t start)
{
	(void)context, (void)line;
	return start == 0 && *word == '/' ? command_completions(word) : NULL;
}

static void on_matches(void *context, char **words, size_t count)
{
	char text[300] = "";

	for (size_t i = 0; i < count; i++) {
		strncat(text, words[i], sizeof text - strlen(text) - 1);
		strncat(text, "  ", sizeof text - strlen(text) - 1);
	}
	app_say(context, "%s", text);
}

static void on_bell(void *context)
{
	(void)context;
	screen_bell();
}

/* --- start and end --- */

static int app_start(struct app *app, const struct client_settings *settings)
{
	app->settings = *settings;
	app->plan = (struct generator_plan){.count = settings->count > 0 ? (uint64_t)settings->count : BURST_LINES,
		.interval = settings->interval, .size = (size_t)settings->size};
	app->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	app->view.ascii = settings->ascii || !app->utf8;
	app->view.width = wcwidth;
	app->view.keys = command_hints();
	app->plot.kind = PLOT_NONE;
	app->board = board_new((size_t)settings->rows);
	app->keys = keys_new();
	app->replay_at = CLOCK_NEVER;
	if (!app->board || !app->keys)
		return -1;
	return app->replay ? app_replay_start(app, clock_monotonic()) :
	    app_record_start(app, clock_monotonic(), clock_realtime());
}

static bool same_peer(const struct session *a, const struct session *b)
{
	return strcmp(session_peer(a), session_peer(b)) == 0 && ledger_totals(session_ledger(b))->typed > 0;
}

/* The other transport's session with the same peer, or NULL, also when a transport had more than one; *told: it comes earlier, so this
 * one was told with it. */
static struct session *beside(const struct app *app, size_t index, bool *told)
{
	const struct session *s = app->sessions[index]->session;
	struct session *found = NULL;
	size_t same = 0, others = 0;

	*told = false;
	for (size_t i = 0; i < app->session_count; i++) {
		struct session *other = app->sessions[i]->session;

		if (!same_peer(s, other))
			continue;
		if (session_transport(other) == session_transport(s)) {
			same++;
			continue;
		}
		others++;
		found = other;
		*told = i < index;
	}
	*told = *told && same == 1 && others == 1;
	return same == 1 && others == 1 ? found : NULL;
}

static void summarise_session(const struct app *app, size_t index)
{
	const struct session *s = app->sessions[index]->session;
	struct session *other;
	struct facts one, two;
	bool told;
	char text[6000];

	app_facts(app, s, clock_monotonic(), &one);
	if (one.totals->typed == 0 && app->session_count > 1)
		return;
	other = beside(app, index, &told);
	if (told)
		return;
	if (other)
		app_facts(app, other, clock_monotonic(), &two);
	summary_peer(!one.stream ? &one : other ? &two : NULL, one.stream ? &one : other ? &two : NULL, text, sizeof text);
	standard_put(stdout, app->utf8 ? text : summary_ascii(text));
}

static void summarise(struct app *app)
{
	char text[1000];

	for (size_t i = 0; i < app->session_count; i++)
		summarise_session(app, i);
	if (app->truth)
		standard_put(stdout, link_report_end(witness_totals(truth_witness(app->truth)), text, sizeof text));
	fflush(stdout);
}

static void app_free(struct app *app)
{
	recorder_free(app->recorder);
	for (size_t i = 0; i < app->session_count; i++) {
		if (!app->replay)
			session_close(app->sessions[i]->session);
		free(app->sessions[i]);
	}
	board_free(app->board);
	keys_free(app->keys);
	view_free(&app->view);
	canvas_free(&app->canvas);
	truth_close(app->truth);
	free(app->page_text);
	free(app->find);
	free(app->question.paste);
	free(app);
}

static void on_notice(void *app, const char *line)
{
	app_notice(app, true, line);
}

static int start_terminal(struct app *app, char *why, size_t size)
{
	const struct prompt_hooks hooks = {
		.context = app, .line = app_line, .end = on_end, .complete = on_complete, .matches = on_matches,
		.bell = on_bell, .notice = on_notice};
	char *history = app->settings.history > 0 ? paths_history() : NULL;
	int result = screen_start(&app->settings.screen, why, size);

	if (result == 0 && prompt_start(&hooks, history, (int)app->settings.history) < 0) {
		screen_stop();
		snprintf(why, size, "memory is short");
		result = -1;
	}
	free(history);
	return result;
}

static void run(struct app *app, const char *notice)
{
	const int64_t now = clock_monotonic();

	app_prompt(app);
	if (notice)
		app_notice(app, false, notice);
	if (!app->replay)
		app_lab_start(app, now);
	app_open_current(app, now);
	if (app->settings.count > 0)
		app_burst(app, now);
	app->changed = true;
	loop(app);
	app_sessions_end(app);
}

/* --save. Returns the exit status. */
static int save_at_end(struct app *app)
{
	char why[SAVE_WHY];

	if (!app->settings.save || app_record_save(app, app->settings.save, app->board, clock_monotonic(), why) == 0)
		return 0;
	standard_say("upcase: %s", why);
	return 1;
}

int tui_run(const struct client_settings *settings, struct replay *replay, const char *notice)
{
	struct app *app = calloc(1, sizeof *app);
	char why[200] = "memory is short";
	const char *unsaved;
	int status;

	if (app)
		app->replay = replay;
	/* Before the screen, which may wait for its terminal. */
	stop_catch(false);
	signal(SIGPIPE, SIG_IGN);
	if (!app || app_start(app, settings) < 0 || start_terminal(app, why, sizeof why) < 0) {
		standard_say("upcase: %s", why);
		if (app)
			app_free(app);
		return 1;
	}
	run(app, notice);
	unsaved = prompt_stop(stop_asked() != 0);
	screen_stop();
	summarise(app);
	if (unsaved)
		standard_say("upcase: the history was not saved: %s", unsaved);
	status = save_at_end(app);
	app_free(app);
	return status;
}
