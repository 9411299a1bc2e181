/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen's recorder, which /save and --save write out; and a recording that is shown again in place of a session. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "terminal/line-editor.h"
#include "report/export.h"
#include "app/stop.h"

/* --- the recorder --- */

int app_record_start(struct app *app, int64_t now, int64_t wall)
{
	recorder_run(&app->run, &app->settings, wall);
	if (app->replay) {
		app->run = *replay_run(app->replay);
		now = replay_origin(app->replay);
	}
	app->recorder = recorder_new(CLIENT_JSON, NULL, now, &app->run);
	return app->recorder ? 0 : -1;
}

void app_record_session(struct app_session *of)
{
	struct app *app = of->app;
	const struct session *s = of->session;
	const struct witness *w = app->replay ? replay_witness(app->replay) : app->truth ? truth_witness(app->truth) : NULL;

	of->recorded = recorder_add(app->recorder, session_ledger(s), session_transport(s) == SESSION_TCP, session_peer(s),
	    session_wait(s), (size_t)app->settings.rows, w);
}

int64_t app_time(const struct app *app, int64_t now)
{
	return app->replay ? replay_now(app->replay, now) : now;
}

static void tell_facts(struct app *app, int64_t now)
{
	if (app->truth)
		truth_tell(app->truth);
	for (size_t i = 0; i < app->session_count; i++) {
		struct facts facts;

		app_facts(app, app->sessions[i]->session, now, &facts);
		recorder_facts(app->recorder, app->sessions[i]->recorded, &facts);
	}
}

int app_record_save(struct app *app, const char *path, const struct board *board, int64_t now, char why[SAVE_WHY])
{
	struct record_run run = app->run;
	int result;

	run.ended_at = app_time(app, now);
	tell_facts(app, now);
	stop_may_work(true);
	result = save_file(path, app->recorder, board, &run, run.ended_at, why);
	stop_may_work(false);
	return result;
}

void app_save(struct app *app, const char *path, int64_t now)
{
	char why[SAVE_WHY];

	if (!*path)
		app_say(app, "/save FILE; for example /save lecture.txt");
	else if (app_record_save(app, path, app->board, now, why) < 0)
		app_say(app, "%s", why);
	else
		app_say(app, "saved in %s", path);
}

/* --- a recording --- */

static void on_reply(void *context, size_t session, const struct session_reply *reply)
{
	struct app *app = context;

	app_reply(app->sessions[session], reply);
}

static void on_row(void *context, size_t session, uint64_t number, bool timed)
{
	struct app *app = context;

	if (timed)
		recorder_row(app->recorder, app->sessions[session]->recorded, number, app_time(app, clock_monotonic()));
	app->changed = true;
}

/* The link's row says how it was set then. */
static void on_event(void *context, const struct record_event *event)
{
	struct app *app = context;

	app_event(app, event);
	if (event->kind == SESSION_EVENT_LINK)
		snprintf(app->link_words, sizeof app->link_words, "%s", event->text);
}

static void on_line(void *context, size_t session, size_t other, uint64_t number)
{
	struct app *app = context;
	const struct session *s = app->sessions[session]->session;

	if (other == SIZE_MAX)
		board_add_line(app->board, session_ledger(s), session_transport(s) == SESSION_TCP, number);
	else
		board_add_both(app->board, session_ledger(s), session_ledger(app->sessions[other]->session), number);
	app->changed = true;
}

/* The last of each transport is what the status line shows. */
static int add_session(struct app *app, struct session *session)
{
	struct app_session *new = calloc(1, sizeof *new);

	if (!new)
		return -1;
	*new = (struct app_session){.app = app, .session = session, .flow = -1};
	app->sessions[app->session_count++] = new;
	app_record_session(new);
	if (session_transport(session) == SESSION_TCP)
		app->tcp = new;
	else
		app->udp = new;
	app->settings.wait = session_wait(session);
	return 0;
}

static void show_lab(struct app *app)
{
	static const struct link_facts unknown;

	if (!replay_witness(app->replay))
		return;
	snprintf(app->link_words, sizeof app->link_words, "%s", replay_run(app->replay)->link);
	app->lab = (struct view_lab){.link = &unknown, .words = app->link_words, .witness = replay_witness(app->replay), .panel = &app->panel};
	app->view.lab = &app->lab;
}

int app_replay_start(struct app *app, int64_t now)
{
	const struct replay_hooks hooks = {
		.context = app, .reply = on_reply, .row = on_row, .event = on_event, .line = on_line};

	if (replay_start(app->replay, &hooks, (size_t)app->settings.rows, app->settings.step, now) < 0 ||
	    app_record_start(app, now, 0) < 0)
		return -1;
	for (size_t i = 0; i < replay_sessions(app->replay); i++)
		if (add_session(app, replay_session(app->replay, i)) < 0)
			return -1;
	app->settings.both = replay_both(app->replay);
	app->settings.transport = app->udp ? SESSION_UDP : SESSION_TCP;
	show_lab(app);
	if (!replay_is_whole(app->replay))
		app_notice(app, false, "the recording has no end: what came of its last lines is not known");
	app_say(app, app->settings.step ? "space: the next event" : "space: stand still and go on; Right: the next event");
	return 0;
}

bool app_replay_key(struct app *app, const unsigned char *bytes, size_t n, int64_t now)
{
	const bool space = n == 1 && bytes[0] == ' ';
	const bool right = n == 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O') && bytes[2] == 'C';

	if (!app->replay || prompt_state().length > 0 || (!space && !right))
		return false;
	if (right || app->settings.step)
		replay_step(app->replay, now);
	else
		replay_pause(app->replay, !replay_is_still(app->replay), now);
	app->changed = true;
	return true;
}

bool app_replay_refuses(struct app *app)
{
	if (app->replay)
		app_say(app, "a recording is shown: nothing can be sent");
	return app->replay != NULL;
}

int64_t app_replay_turn(struct app *app, int64_t now)
{
	return app->replay ? replay_turn(app->replay, now) : CLOCK_NEVER;
}

const char *app_replay_progress(struct app *app)
{
	snprintf(app->progress, sizeof app->progress, "%s%zu/%zu", replay_at_end(app->replay) ? "end " :
	    replay_is_still(app->replay) ? "still " : "", replay_position(app->replay), replay_length(app->replay));
	return app->progress;
}
