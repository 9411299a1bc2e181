/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The run on the screen: rows for its sessions' events; lines that are typed or generated. */
#include <errno.h>

#include "app/screen-picture.h"
#include "app/stop.h"
#include "app/tui-state.h"
#include "common/file.h"
#include "common/text.h"
#include "terminal/line-editor.h"
#include "terminal/screen.h"

/* --- hooks --- */

void tui_reply(void *context, struct run_session *of, const struct session_reply *reply)
{
	struct tui *tui = context;

	/* The screen does not show pieces of an endless line; only its end is reported. */
	if (reply->more)
		return;
	if (reply->matched.match == MATCH_STRAY)
		transcript_add_text(tui->transcript, TRANSCRIPT_STRAY, of->stream, reply->text,
		    reply->length);
	transcript_add_arrival(tui->transcript, reply->matched.match, of->stream,
	    reply->matched.number, reply->text, reply->length);
	tui->changed = true;
}

void tui_row(void *context, struct run_session *of, uint64_t number)
{
	(void)of, (void)number;
	((struct tui *)context)->changed = true;
}

void tui_add_line(void *context, const struct run_session *of, const struct run_session *other,
    uint64_t number)
{
	struct tui *tui = context;

	transcript_add_line(tui->transcript, session_ledger(of->session),
	    other ? session_ledger(other->session) : NULL, of->stream, number);
	tui->changed = true;
}

void tui_connection(void *context, const struct session_event *event, struct connection_note *note,
    bool final)
{
	struct tui *tui = context;

	(void) final;
	if (!event->quiet && !note->row) {
		note->row = transcript_end(tui->transcript, LIST_ROWS);
		transcript_add_event(tui->transcript, event);
	} else if (!event->quiet) {
		transcript_change_event(tui->transcript, note->row, event);
	}
	tui->changed = true;
}

/* --- sessions --- */

int tui_open_sessions(struct tui *tui, int64_t now)
{
	if (run_open_sessions(&tui->run, now) == 0)
		return 0;
	tui_message(tui, tui->run.count == RUN_SESSIONS ? "too many peers in one run: start anew"
	                                                : "memory is short");
	return -1;
}

void tui_prompt(struct tui *tui)
{
	const struct settings *s = &tui->run.settings;

	tui->view.both = s->both;
	line_editor_set_prompt(tui->run.replay     ? "read> "
	                       : s->both           ? "both> "
	                       : s->session.stream ? "tcp> "
	                                           : "udp> ");
}

void tui_switch(struct tui *tui, bool stream, bool both, int64_t now)
{
	tui->run.settings.session.stream = stream;
	tui->run.settings.both = both;
	tui_prompt(tui);
	tui_open_sessions(tui, now);
	tui->changed = true;
}

int tui_send(void *context, const char *text, size_t n, int pieces, int64_t now)
{
	struct tui *tui = context;
	struct run *run = &tui->run;
	const struct run_session *sent[2] = { NULL, NULL };
	unsigned failed;
	size_t count = 0;

	if (run->replay)
		tui_message(tui,
		    "a recording is shown: nothing can be sent; a number goes to that line");
	if (run->replay || tui_open_sessions(tui, now) < 0)
		return -1;
	if (run->lab)
		lab_report(run->lab);
	run->last_number++;
	failed = run_send(run, text, n, pieces, now, now);
	if (failed)
		tui_message(tui, "memory is short: the line was not sent");
	for (size_t i = 0; i < run->used_count; i++)
		if (!(failed & 1u << run->used[i]->stream))
			sent[count++] = run->used[i];
	if (count > 0)
		tui_add_line(tui, sent[0], sent[1], run->last_number);
	return count > 0 ? 0 : -1;
}

static int save_screen(struct tui *tui, const struct export_request *q, char reason[EXPORT_REASON])
{
	struct screen_picture picture = { .canvas = &tui->canvas,
		.title = *q->title ? q->title : "The screen of upcase" };
	struct stat made;

	picture.coloured = screen_coloured(&picture.background);
	if (q->dark || picture.background == BACKGROUND_UNKNOWN)
		picture.background = BACKGROUND_DARK;
	return file_make(q->path, screen_picture_write, &picture, &made) < 0
	         ? export_refuse(reason, q->path, errno)
	         : 1;
}

int tui_save(struct tui *tui, const struct export_request *q, int64_t now,
    char reason[EXPORT_REASON])
{
	struct run *run = &tui->run;
	int result = export_check(q, reason);

	if (result < 0)
		return -1;
	if (q->screen)
		return save_screen(tui, q, reason);
	run->record.ended_at = run_time(run, now);
	if (run->lab)
		lab_report(run->lab);
	run_record_figures(run, now);
	stop_may_work(true);
	result = export_file(q, run->recorder, tui->transcript, reason);
	stop_may_work(false);
	return result;
}

/* --- generated lines --- */

static const char *plan_name(const struct generator_plan *plan)
{
	return generator_is_bulk(plan) ? "bulk" : "burst";
}

static void report_result(struct tui *tui)
{
	const struct generator *g = &tui->run.generator;
	char text[250];

	run_notice(&tui->run, -1, generator_failed(g),
	    TEXT_FORMAT("%s: %s", plan_name(&g->plan),
	        run_generated(&tui->run, text, sizeof text)));
}

void tui_burst_stop(struct tui *tui, int64_t now)
{
	if (tui->run.generator.running) {
		generator_stop(&tui->run.generator, now);
		report_result(tui);
	} else if (tui->run.due) {
		tui_message(tui, "no lines were sent yet, and none will be");
	}
	tui->run.due = false;
	tui->changed = true;
}

void tui_burst(struct tui *tui, int64_t now)
{
	tui_burst_stop(tui, now);
	/* --duration with the interval 0 goes over any transport. */
	if ((tui->run.settings.count == 0 || tui->run.settings.bulk > 0) &&
	    generator_is_bulk(&tui->run.plan) && !run_is_tcp_alone(&tui->run)) {
		tui_message(tui,
		    "/bulk is for TCP alone, UDP has no flow control: /tcp first, or /burst");
		return;
	}
	view_scroll_end(&tui->view);
	tui->run.due = tui_open_sessions(tui, now) == 0;
}

void tui_burst_dispatch(struct tui *tui)
{
	if (run_generate(&tui->run))
		report_result(tui);
}

const char *tui_progress(struct tui *tui, int64_t now)
{
	char text[sizeof tui->progress - 8];

	if (tui->run.replay)
		return tui_replay_progress(tui);
	if (tui->run.due)
		return generator_is_bulk(&tui->run.plan) ? "bulk: waits for the connection"
		                                         : "burst: waits for the connection";
	if (!tui->run.generator.running && !tui->run.flow)
		return NULL;
	if (!tui->run.generator.running) {
		snprintf(tui->progress, sizeof tui->progress, "flow %.1f s left",
		    (double)flow_left(tui->run.flow, now) / NS_PER_S);
		return flow_left(tui->run.flow, now) > 0 ? tui->progress : NULL;
	}
	snprintf(tui->progress, sizeof tui->progress, "%s %s", plan_name(&tui->run.generator.plan),
	    generator_progress(&tui->run.generator, now, tui->run.utf8 ? "·" : "-", text,
	        sizeof text));
	return tui->progress;
}
