/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen's recorder, which /save and --save write out; and a recording that is shown again in
 * place of a session. */
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

int tui_record_start(struct tui *tui, int64_t now, int64_t wall)
{
	tui->run = settings_run(&tui->settings, wall);
	if (tui->replay) {
		tui->run = *replay_run(tui->replay);
		now = replay_origin(tui->replay);
	}
	tui->recorder = recorder_new(RECORD_OUTPUT_JSON, NULL, now, &tui->run);
	return tui->recorder ? 0 : -1;
}

void tui_record_session(struct tui_session *of)
{
	struct tui *tui = of->tui;
	const struct session *s = of->session;
	const struct trace *w = tui->replay ? replay_witness(tui->replay)
	                      : tui->lab    ? lab_trace(tui->lab)
	                                    : NULL;

	of->recorded = recorder_add(tui->recorder, session_ledger(s),
	    session_transport(s) == SESSION_TCP, session_peer(s), session_reply_timeout(s),
	    (size_t)tui->settings.rows, w);
}

int64_t tui_time(const struct tui *tui, int64_t now)
{
	return tui->replay ? replay_now(tui->replay, now) : now;
}

static void record_figures(struct tui *tui, int64_t now)
{
	if (tui->lab)
		lab_report(tui->lab);
	for (size_t i = 0; i < tui->session_count; i++) {
		struct figures figures;

		tui_figures(tui, tui->sessions[i]->session, now, &figures);
		recorder_figures(tui->recorder, tui->sessions[i]->recorded, &figures);
	}
}

int tui_record_save(struct tui *tui, const char *path, const struct transcript *transcript,
    int64_t now, char why[EXPORT_WHY])
{
	struct record_run run = tui->run;
	int result;

	run.ended_at = tui_time(tui, now);
	record_figures(tui, now);
	stop_may_work(true);
	result = export_file(path, tui->recorder, transcript, &run, run.ended_at, why);
	stop_may_work(false);
	return result;
}

void tui_save(struct tui *tui, const char *path, int64_t now)
{
	char why[EXPORT_WHY];

	if (!*path)
		tui_say(tui, "/save FILE; for example /save lecture.txt");
	else if (tui_record_save(tui, path, tui->transcript, now, why) < 0)
		tui_say(tui, "%s", why);
	else
		tui_say(tui, "saved in %s", path);
}

/* --- a recording --- */

static void on_reply(void *context, size_t session, const struct session_reply *reply)
{
	struct tui *tui = context;

	tui_reply(tui->sessions[session], reply);
}

static void on_row(void *context, size_t session, uint64_t number, bool timed)
{
	struct tui *tui = context;

	if (timed)
		recorder_row(tui->recorder, tui->sessions[session]->recorded, number,
		    tui_time(tui, clock_monotonic()));
	tui->changed = true;
}

/* The link's row says how it was set then. */
static void on_event(void *context, const struct session_event *event)
{
	struct tui *tui = context;

	tui_event(tui, event);
	if (event->kind == SESSION_EVENT_LINK)
		snprintf(tui->link_words, sizeof tui->link_words, "%s", event->text);
}

static void on_line(void *context, size_t session, size_t other, uint64_t number)
{
	struct tui *tui = context;
	const struct session *s = tui->sessions[session]->session;

	if (other == SIZE_MAX)
		transcript_add_line(tui->transcript, session_ledger(s),
		    session_transport(s) == SESSION_TCP, number);
	else
		transcript_add_both(tui->transcript, session_ledger(s),
		    session_ledger(tui->sessions[other]->session), number);
	tui->changed = true;
}

/* The last of each transport is what the status line shows. */
static int add_session(struct tui *tui, struct session *session)
{
	struct tui_session *new = calloc(1, sizeof *new);

	if (!new)
		return -1;
	*new = (struct tui_session){ .tui = tui, .session = session, .flow = -1 };
	tui->sessions[tui->session_count++] = new;
	tui_record_session(new);
	if (session_transport(session) == SESSION_TCP)
		tui->tcp = new;
	else
		tui->udp = new;
	tui->settings.reply_timeout = session_reply_timeout(session);
	return 0;
}

static void show_lab(struct tui *tui)
{
	static const struct link_status unknown;

	if (!replay_witness(tui->replay))
		return;
	snprintf(tui->link_words, sizeof tui->link_words, "%s", replay_run(tui->replay)->link);
	tui->lab_view = (struct view_lab){ .link = &unknown,
		.words = tui->link_words,
		.trace = replay_witness(tui->replay),
		.panel = &tui->panel };
	tui->view.lab = &tui->lab_view;
}

int tui_replay_start(struct tui *tui, int64_t now)
{
	const struct replay_hooks hooks = {
		.context = tui, .reply = on_reply, .row = on_row, .event = on_event, .line = on_line
	};

	if (replay_start(tui->replay, &hooks, (size_t)tui->settings.rows, tui->settings.step, now) <
	        0 ||
	    tui_record_start(tui, now, 0) < 0)
		return -1;
	for (size_t i = 0; i < replay_sessions(tui->replay); i++)
		if (add_session(tui, replay_session(tui->replay, i)) < 0)
			return -1;
	tui->settings.both = replay_both(tui->replay);
	tui->settings.transport = tui->udp ? SESSION_UDP : SESSION_TCP;
	show_lab(tui);
	if (!replay_is_whole(tui->replay))
		tui_notice(tui, false,
		    "the recording has no end: what came of its last lines is not known");
	tui_say(tui, tui->settings.step ? "space: the next event"
	                                : "space: stand still and go on; Right: the next event");
	return 0;
}

bool tui_replay_key(struct tui *tui, const unsigned char *bytes, size_t n, int64_t now)
{
	const bool space = n == 1 && bytes[0] == ' ';
	const bool right = n == 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O') &&
	                   bytes[2] == 'C';

	if (!tui->replay || line_editor_state().length > 0 || (!space && !right))
		return false;
	if (right || tui->settings.step)
		replay_step(tui->replay, now);
	else
		replay_pause(tui->replay, !replay_is_paused(tui->replay), now);
	tui->changed = true;
	return true;
}

bool tui_replay_refuses(struct tui *tui)
{
	if (tui->replay)
		tui_say(tui, "a recording is shown: nothing can be sent");
	return tui->replay != NULL;
}

int64_t tui_replay_dispatch(struct tui *tui, int64_t now)
{
	return tui->replay ? replay_dispatch(tui->replay, now) : CLOCK_NEVER;
}

const char *tui_replay_progress(struct tui *tui)
{
	snprintf(tui->progress, sizeof tui->progress, "%s%zu/%zu",
	    replay_at_end(tui->replay)      ? "end "
	    : replay_is_paused(tui->replay) ? "still "
	                                    : "",
	    replay_position(tui->replay), replay_length(tui->replay));
	return tui->progress;
}
