/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen's loop: network first, then keys, then one draw, at most 60 a second. */
#include "app/tui.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <wchar.h>

#include "app/commands.h"
#include "app/stop.h"
#include "app/tui-state.h"
#include "common/clock.h"
#include "common/standard.h"
#include "common/text.h"
#include "terminal/line-editor.h"

#define FRAME (NS_PER_S / 60)
#define TICK (100 * NS_PER_MS) /* the interval between updates of the time in waiting rows */
#define BURST_LINES 100        /* the number of lines that F5 sends before any /burst */

/* --- drawing --- */

/* Sets the plot's sources: the present peer's transports with lines, UDP first. */
static void follow_plot(struct tui *tui)
{
	tui->plot.count = 0;
	tui->plot.windows = trace_windows(run_trace(&tui->run));
	for (int i = 0; i < 2; i++) {
		const struct run_session *of = tui->run.peer[i];
		const struct ledger *ledger = of ? session_ledger(of->session) : NULL;

		if (ledger && ledger_totals(ledger)->typed > 0)
			tui->plot.sources[tui->plot.count++] = (struct plot_source){ ledger,
				ledger_stats(ledger), of->stream };
	}
	tui->plot.shares = &tui->shares;
	tui->view.plot = &tui->plot;
}

static struct view_side side_of(const struct run_session *r, int64_t now)
{
	static const struct ledger_totals none;

	return (struct view_side){ .state = r ? run_state(r, now) : NULL,
		.totals = r ? ledger_totals(session_ledger(r->session)) : &none };
}

static void lay_out(struct tui *tui, int64_t now, bool clean)
{
	const struct settings *s = &tui->run.settings;
	const struct run_session *current = run_current(&tui->run);
	const struct run_session *tcp = tui->run.peer[SESSION_TCP];
	const struct view_status status = {
		.stream = run_is_tcp_alone(&tui->run),
		.peer = current ? session_peer(current->session) : s->session.host,
		.sides = { side_of(current, now), side_of(s->both ? tcp : NULL, now) },
		.now = run_time(&tui->run, now),
		.reply_timeout = s->session.reply_timeout,
		.progress = tui_progress(tui, now),
	};
	struct view_input input = line_editor_state();

	input.message = tui->question.paste      ? tui->question.text
	              : tui->message_until > now ? tui->message
	                                         : NULL;
	if (clean)
		input = (struct view_input){ .prompt = input.prompt, .text = "" };
	if (canvas_resize(&tui->canvas, tui->view.rows, tui->view.columns) < 0)
		return;
	tui->view.button_count = command_buttons(tui, tui->buttons);
	tui_lab_ends(tui);
	follow_plot(tui);
	tui->view.greeting = tui->run.replay || s->count > 0 || tui->run.last_number > 0 ? NULL
	                   : *s->lab_command ? s->lab_command
	                                     : "upcased";
	view_draw(&tui->view, &tui->canvas, &status, &input);
}

/* Returns true if a row, or the state of a connection, shows a running time. */
static bool busy(const struct tui *tui, int64_t now)
{
	if (!run_settled(&tui->run))
		return true;
	for (size_t i = 0; i < tui->run.used_count; i++)
		if (run_state(tui->run.used[i], now))
			return true;
	return false;
}

static int64_t next_draw(struct tui *tui, int64_t now)
{
	int64_t at = CLOCK_NEVER;

	if (tui->changed)
		return tui->drawn_at + FRAME;
	/* Waiting rows and pauses of the link show a running time. A pause counts if the last draw
	 * showed it, so that its end is drawn too. */
	if (busy(tui, now) || run_generating(&tui->run) ||
	    (tui->run.lab && link_status_paused(&lab_status(tui->run.lab)->link, tui->drawn_at)))
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
		tui_message(tui, "memory is short: keys were lost");
}

static void wait_for_something(struct tui *tui, struct fd_watch *w)
{
	const int64_t now = clock_monotonic();

	fd_watch_start(w);
	fd_watch_read(w, STDIN_FILENO);
	fd_watch_until(w, keys_deadline(tui->keys));
	fd_watch_until(w, next_draw(tui, now));
	fd_watch_until(w, run_generate_at(&tui->run));
	fd_watch_until(w, tui->replay_at);
	fd_watch_until(w, tui_demo_due(tui));
	run_watch(&tui->run, w);
	stop_wait(w, now);
}

static void dispatch_replay(struct tui *tui, int64_t now)
{
	const struct replay_status *status = tui->run.replay ? replay_status(tui->run.replay)
	                                                     : NULL;
	const size_t before = status ? status->position : 0;

	if (!status)
		return;
	tui->replay_at = replay_dispatch(tui->run.replay, now);
	tui->changed |= status->position != before;
}

static void loop(struct tui *tui)
{
	struct fd_watch w;

	while (!tui->quit && !stop_requested()) {
		int64_t now;

		if (stop_take_resize()) {
			screen_resize();
			tui->changed = true;
		}
		screen_size(&tui->view.rows, &tui->view.columns);
		wait_for_something(tui, &w);
		now = clock_monotonic();
		if (run_dispatch(&tui->run, &w, now))
			tui->changed = true;
		dispatch_replay(tui, now);
		if (fd_watch_can_read(&w, STDIN_FILENO))
			take_terminal(tui, now);
		tui_keys(tui, now);
		dispatch_replay(tui, now);
		tui_burst_dispatch(tui);
		tui_demo_dispatch(tui, now);
		now = clock_monotonic();
		if (next_draw(tui, now) > now)
			continue;
		lay_out(tui, now, false);
		screen_show(&tui->canvas);
		tui->changed = false;
		tui->drawn_at = now;
	}
}

/* --- the input line's side --- */

static void on_end(void *context)
{
	((struct tui *)context)->quit = true;
}

static void on_complete(void *context, const char *line, size_t start, struct text *words,
    bool *files)
{
	if (*line == '/')
		complete_words(context, line, start, words, files);
}

/* Shows the words on the last row, as many as it has columns for. */
static void on_matches(void *context, char **words, size_t count)
{
	const struct tui *tui = context;
	char text[300];
	struct text t = text_begin(text, sizeof text);

	for (size_t i = 0; i < count; i++) {
		if (t.used + strlen(words[i]) + strlen(" ....") > (size_t)tui->view.columns) {
			text_put(&t, "...");
			break;
		}
		text_put(&t, "%s ", words[i]);
	}
	tui_message(context, "%s", text);
}

static void on_bell(void *context)
{
	(void)context;
	screen_bell();
}

/* --- start and end --- */

static int start(struct tui *tui, const struct settings *settings)
{
	const int64_t now = clock_monotonic();

	run_init(&tui->run, settings,
	    &(struct run_hooks){ .lab = { .context = tui,
	                             .answer = tui_lab_answer,
	                             .changed = tui_lab_changed,
	                             .event = tui_event,
	                             .gone = tui_lab_gone },
	        .reply = tui_reply,
	        .row = tui_row,
	        .connection = tui_connection,
	        .generated = tui_send,
	        .line = tui_add_line });
	tui->run.screen = true;
	if (settings->count == 0)
		tui->run.plan.count = BURST_LINES;
	tui->view.ascii = settings->ascii || !tui->run.utf8;
	tui->view.width = wcwidth;
	tui->view.buttons = tui->buttons;
	tui->plot.kind = PLOT_NONE;
	tui->view.transcript = tui->transcript = transcript_new(settings->session.rows);
	tui->lay_out = lay_out;
	tui->keys = keys_new();
	tui->replay_at = CLOCK_NEVER;
	if (!tui->transcript || !tui->keys)
		return -1;
	return tui->run.replay ? tui_replay_start(tui, now)
	                       : run_open_recorder(&tui->run, now, clock_realtime());
}

static void tui_free(struct tui *tui)
{
	run_close(&tui->run);
	transcript_free(tui->transcript);
	shares_clear(&tui->shares);
	keys_free(tui->keys);
	view_free(&tui->view);
	canvas_free(&tui->canvas);
	free(tui->page_text);
	free(tui->find);
	free(tui->question.paste);
	free(tui);
}

static void on_notice(void *context, const char *line)
{
	struct tui *tui = context;

	run_notice(&tui->run, -1, true, line);
}

static int start_terminal(struct tui *tui, char *reason, size_t size)
{
	const struct line_editor_hooks hooks = { .context = tui,
		.line = tui_line,
		.end = on_end,
		.complete = on_complete,
		.matches = on_matches,
		.bell = on_bell,
		.notice = on_notice };
	char *history = tui->run.settings.history > 0 ? settings_history() : NULL;
	int result = screen_start(&tui->run.settings.screen, reason, size);

	if (result == 0 && line_editor_start(&hooks, history, (int)tui->run.settings.history) < 0) {
		screen_stop();
		snprintf(reason, size, "memory is short");
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
		run_notice(&tui->run, -1, false, notice);
	if (!tui->run.replay)
		tui_lab_start(tui, now);
	tui_open_sessions(tui, now);
	if (tui->run.settings.count > 0)
		tui_burst(tui, now);
	tui->changed = true;
	loop(tui);
	tui_demo_leave(tui, NULL);
	run_give_up(&tui->run, clock_monotonic());
}

/* Writes the file of --save. Returns the exit status. */
static int save_at_end(struct tui *tui)
{
	const char *words = tui->run.settings.save;
	struct export_request q;
	char reason[EXPORT_REASON];

	if (!words)
		return 0;
	if (export_request(words, &q, reason) == 0 &&
	    tui_save(tui, &q, clock_monotonic(), reason) >= 0) {
		if (q.own_name)
			standard_report("saved in %s", q.path);
		return 0;
	}
	standard_report("%s", reason);
	return 1;
}

int tui_run(const struct settings *settings, struct replay *replay, const char *notice)
{
	struct tui *tui = calloc(1, sizeof *tui);
	char reason[200] = "memory is short";
	const char *unsaved;
	int status;

	if (tui)
		tui->run.replay = replay;
	/* Catch the signals before the screen starts, which may block on its terminal. */
	stop_catch(false);
	signal(SIGPIPE, SIG_IGN);
	if (!tui || start(tui, settings) < 0 || start_terminal(tui, reason, sizeof reason) < 0) {
		standard_report("%s", reason);
		if (tui)
			tui_free(tui);
		return 1;
	}
	run(tui, notice);
	stop_may_work(true);
	unsaved = line_editor_stop(stop_requested() != 0);
	stop_may_work(false);
	screen_stop();
	run_put_summaries(&tui->run, stdout, clock_monotonic());
	fflush(stdout);
	if (unsaved)
		standard_report("the history was not saved: %s", unsaved);
	status = save_at_end(tui);
	tui_free(tui);
	return status;
}
