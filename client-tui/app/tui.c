/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen's loop: network first, then keys, then one draw, at most 60 a second however much
 * happens. */
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

void tui_say(struct tui *tui, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(tui->message, sizeof tui->message, format, args);
	va_end(args);
	tui->message_until = clock_monotonic() + MESSAGE_TIME;
	tui->changed = true;
}

void tui_notice(struct tui *tui, bool bad, const char *text)
{
	tui_event(tui,
	    &(const struct session_event){ .kind = bad ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE,
	        .session = -1,
	        .at = tui_time(tui, clock_monotonic()),
	        .text = (char *)(uintptr_t)text });
}

void tui_event(void *context, const struct session_event *event)
{
	struct tui *tui = context;

	if (!event->quiet)
		transcript_add_event(tui->transcript, event);
	recorder_event(tui->recorder, event, tui_time(tui, clock_monotonic()));
	tui->changed = true;
}

/* --- drawing --- */

static void draw(struct tui *tui, int64_t now)
{
	struct tui_session *current = tui_current(tui);
	const struct line_editor_state p = line_editor_state();
	static const struct ledger_totals none;
	struct view_status status = {
		.stream = tui->settings.transport == SESSION_TCP && !tui->settings.both,
		.peer = current ? session_peer(current->session) : tui->settings.host,
		.state = current ? session_state(current->session, now) : NULL,
		.totals = current ? ledger_totals(session_ledger(current->session)) : &none,
		.now = tui_time(tui, now),
		.reply_timeout = tui->settings.reply_timeout,
		.progress = tui->replay ? tui_replay_progress(tui) : tui_burst_progress(tui, now),
	};
	struct view_input input = {
		.prompt = p.prompt, .text = p.text, .length = p.length, .cursor = p.cursor
	};
	int rows, columns;

	input.message = tui->question.open       ? tui->question.text
	              : tui->message_until > now ? tui->message
	                                         : NULL;
	screen_size(&rows, &columns);
	if (canvas_resize(&tui->canvas, rows, columns) < 0)
		return;
	if (tui->settings.both && tui->tcp)
		status.other = (struct view_side){ .state = session_state(tui->tcp->session, now),
			.totals = ledger_totals(session_ledger(tui->tcp->session)) };
	else
		status.other.totals = &none;
	tui_lab_ends(tui);
	tui_plot_follow(tui);
	view_draw(&tui->view, &tui->canvas, tui->transcript, &status, &input);
	screen_show(&tui->canvas);
	tui->changed = false;
	tui->drawn_at = now;
}

static int64_t next_draw(struct tui *tui, int64_t now)
{
	int64_t at = CLOCK_NEVER;

	if (tui->changed)
		return tui->drawn_at + FRAME;
	/* Rows that wait show a running time, and so do pauses of the link: as of the last draw, so
	 * that their end shows. */
	if (tui_sessions_busy(tui, now) || tui_bursting(tui) ||
	    (tui->lab && link_status_paused(lab_link_status(tui->lab), tui->drawn_at)))
		at = tui->drawn_at + TICK;
	if (tui->message_until > tui->drawn_at && tui->message_until < at)
		at = tui->message_until;
	return at;
}

/* --- the loop --- */

static void take_terminal(struct tui *tui, int64_t now)
{
	unsigned char bytes[65536];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);

	if (n == 0 || (n < 0 && errno == EIO))
		tui->quit = true; /* the terminal is gone */
	if (n > 0 && keys_feed(tui->keys, bytes, (size_t)n, now) < 0)
		tui_say(tui, "memory is short: keys were lost");
}

static void wait_for_something(struct tui *tui, struct fd_watch *w)
{
	const int64_t now = clock_monotonic();

	fd_watch_start(w);
	fd_watch_read(w, STDIN_FILENO);
	fd_watch_until(w, keys_deadline(tui->keys));
	fd_watch_until(w, next_draw(tui, now));
	fd_watch_until(w, tui_burst_due(tui));
	fd_watch_until(w, tui->replay_at);
	if (tui->lab)
		lab_watch(tui->lab, w);
	tui_sessions_watch(tui, w);
	stop_wait(w, now);
}

static void loop(struct tui *tui)
{
	struct fd_watch w;

	while (!tui->quit && !stop_asked()) {
		int64_t now;

		if (stop_take_resize()) {
			screen_resize();
			tui->changed = true;
		}
		wait_for_something(tui, &w);
		now = clock_monotonic();
		tui_sessions_dispatch(tui, &w, now);
		/* What the link did shows, as soon as it is told. */
		if (tui->lab && lab_dispatch(tui->lab, &w, now))
			tui->changed = true;
		tui_connections_dispatch(tui, false, now);
		tui->replay_at = tui_replay_dispatch(tui, now);
		if (fd_watch_can_read(&w, STDIN_FILENO))
			take_terminal(tui, now);
		tui_keys(tui, now);
		tui->replay_at = tui_replay_dispatch(tui, now);
		tui_burst_dispatch(tui);
		now = clock_monotonic();
		if (next_draw(tui, now) <= now)
			draw(tui, now);
	}
}

/* --- the input line's side --- */

static void on_end(void *context)
{
	((struct tui *)context)->quit = true;
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
	tui_say(context, "%s", text);
}

static void on_bell(void *context)
{
	(void)context;
	screen_bell();
}

/* --- start and end --- */

static int tui_start(struct tui *tui, const struct settings *settings)
{
	tui->settings = *settings;
	tui->plan = (struct generator_plan){
		.count = settings->count > 0 ? (uint64_t)settings->count : BURST_LINES,
		.interval = settings->interval,
		.size = (size_t)settings->size
	};
	tui->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	tui->view.ascii = settings->ascii || !tui->utf8;
	tui->view.width = wcwidth;
	tui->view.keys = command_hints();
	tui->plot.kind = PLOT_NONE;
	tui->transcript = transcript_new((size_t)settings->rows);
	tui->keys = keys_new();
	tui->replay_at = CLOCK_NEVER;
	if (!tui->transcript || !tui->keys)
		return -1;
	return tui->replay ? tui_replay_start(tui, clock_monotonic())
	                   : tui_record_start(tui, clock_monotonic(), clock_realtime());
}

static bool same_peer(const struct session *a, const struct session *b)
{
	return strcmp(session_peer(a), session_peer(b)) == 0 &&
	       ledger_totals(session_ledger(b))->typed > 0;
}

/* The other transport's session with the same peer, or NULL, also when a transport had more than
 * one; *told: it comes earlier, so this one was told with it. */
static struct session *counterpart(const struct tui *tui, size_t index, bool *reported)
{
	const struct session *s = tui->sessions[index]->session;
	struct session *found = NULL;
	size_t same = 0, others = 0;

	*reported = false;
	for (size_t i = 0; i < tui->session_count; i++) {
		struct session *other = tui->sessions[i]->session;

		if (!same_peer(s, other))
			continue;
		if (session_transport(other) == session_transport(s)) {
			same++;
			continue;
		}
		others++;
		found = other;
		*reported = i < index;
	}
	*reported = *reported && same == 1 && others == 1;
	return same == 1 && others == 1 ? found : NULL;
}

static void summarise_session(const struct tui *tui, size_t index)
{
	const struct session *s = tui->sessions[index]->session;
	struct session *other;
	struct figures one, two;
	bool reported;
	char text[6000];

	tui_figures(tui, s, clock_monotonic(), &one);
	if (one.totals.typed == 0 && tui->session_count > 1)
		return;
	other = counterpart(tui, index, &reported);
	if (reported)
		return;
	if (other)
		tui_figures(tui, other, clock_monotonic(), &two);
	summary_peer(!one.stream ? &one
	             : other     ? &two
	                         : NULL,
	    one.stream ? &one
	    : other    ? &two
	               : NULL,
	    text, sizeof text);
	standard_put(stdout, tui->utf8 ? text : summary_ascii(text));
}

static void summarise(struct tui *tui)
{
	char text[1000];

	for (size_t i = 0; i < tui->session_count; i++)
		summarise_session(tui, i);
	if (tui->lab)
		standard_put(stdout,
		    link_report_end(trace_totals(lab_trace(tui->lab)), text, sizeof text));
	fflush(stdout);
}

static void tui_free(struct tui *tui)
{
	recorder_free(tui->recorder);
	for (size_t i = 0; i < tui->session_count; i++) {
		if (!tui->replay)
			session_close(tui->sessions[i]->session);
		free(tui->sessions[i]);
	}
	transcript_free(tui->transcript);
	keys_free(tui->keys);
	view_free(&tui->view);
	canvas_free(&tui->canvas);
	lab_close(tui->lab);
	free(tui->page_text);
	free(tui->find);
	free(tui->question.paste);
	free(tui);
}

static void on_notice(void *tui, const char *line)
{
	tui_notice(tui, true, line);
}

static int start_terminal(struct tui *tui, char *why, size_t size)
{
	const struct line_editor_hooks hooks = { .context = tui,
		.line = tui_line,
		.end = on_end,
		.complete = on_complete,
		.matches = on_matches,
		.bell = on_bell,
		.notice = on_notice };
	char *history = tui->settings.history > 0 ? xdg_history() : NULL;
	int result = screen_start(&tui->settings.screen, why, size);

	if (result == 0 && line_editor_start(&hooks, history, (int)tui->settings.history) < 0) {
		screen_stop();
		snprintf(why, size, "memory is short");
		result = -1;
	}
	free(history);
	return result;
}

static void run(struct tui *tui, const char *notice)
{
	const int64_t now = clock_monotonic();

	tui_prompt(tui);
	if (notice)
		tui_notice(tui, false, notice);
	if (!tui->replay)
		tui_lab_start(tui, now);
	tui_open_current(tui, now);
	if (tui->settings.count > 0)
		tui_burst(tui, now);
	tui->changed = true;
	loop(tui);
	tui_sessions_end(tui);
}

/* --save. Returns the exit status. */
static int save_at_end(struct tui *tui)
{
	char why[EXPORT_WHY];

	if (!tui->settings.save ||
	    tui_record_save(tui, tui->settings.save, tui->transcript, clock_monotonic(), why) == 0)
		return 0;
	standard_say("upcase: %s", why);
	return 1;
}

int tui_run(const struct settings *settings, struct replay *replay, const char *notice)
{
	struct tui *tui = calloc(1, sizeof *tui);
	char why[200] = "memory is short";
	const char *unsaved;
	int status;

	if (tui)
		tui->replay = replay;
	/* Before the screen, which may wait for its terminal. */
	stop_catch(false);
	signal(SIGPIPE, SIG_IGN);
	if (!tui || tui_start(tui, settings) < 0 || start_terminal(tui, why, sizeof why) < 0) {
		standard_say("upcase: %s", why);
		if (tui)
			tui_free(tui);
		return 1;
	}
	run(tui, notice);
	unsaved = line_editor_stop(stop_asked() != 0);
	screen_stop();
	summarise(tui);
	if (unsaved)
		standard_say("upcase: the history was not saved: %s", unsaved);
	status = save_at_end(tui);
	tui_free(tui);
	return status;
}
