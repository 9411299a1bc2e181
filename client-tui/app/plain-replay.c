/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/plain-replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "record/record-file.h"
#include "report/export.h"
#include "common/standard.h"
#include "report/summary.h"

struct replay_output {
	const struct settings *settings;
	struct replay *replay;
	struct recorder *recorder;
	/* Our time of what is told: the recording's. */
	int64_t start;
	bool utf8;
	bool prefixes;
};

static void say(const struct replay_output *p, bool bad, const char *words)
{
	char text[SESSION_EVENT_WORDS];

	if (!bad && p->settings->quiet)
		return;
	snprintf(text, sizeof text, "%s", words);
	standard_say("upcase: %s", p->utf8 ? text : summary_ascii(text));
}

static bool is_stream(const struct replay_output *p, size_t session)
{
	return session_transport(replay_session(p->replay, session)) == SESSION_TCP;
}

static void on_reply(void *context, size_t session, const struct session_reply *reply)
{
	struct replay_output *p = context;
	const enum ledger_match match = reply->matched.match;

	recorder_reply(p->recorder, (int)session, reply, replay_now(p->replay, 0));
	if (p->settings->output != RECORD_OUTPUT_TEXT || match == MATCH_DUPLICATE ||
	    (match == MATCH_STRAY && !is_stream(p, session)))
		return;
	if (p->prefixes)
		fputs(is_stream(p, session) ? "tcp " : "udp ", stdout);
	fwrite(reply->text, 1, reply->length, stdout);
	putchar('\n');
}

static void on_row(void *context, size_t session, uint64_t number, bool timed)
{
	struct replay_output *p = context;

	if (timed)
		recorder_row(p->recorder, (int)session, number, replay_now(p->replay, 0));
}

static void on_event(void *context, const struct session_event *event)
{
	struct replay_output *p = context;
	char words[SESSION_EVENT_WORDS];

	recorder_event(p->recorder, event, replay_now(p->replay, 0));
	if (!event->quiet)
		say(p, event->kind == SESSION_EVENT_ERROR, session_event_words(event, words));
}

static int add_sessions(struct replay_output *p)
{
	for (size_t i = 0; i < replay_sessions(p->replay); i++) {
		struct session *s = replay_session(p->replay, i);

		if (recorder_add(p->recorder, session_ledger(s), is_stream(p, i), session_peer(s),
		        session_reply_timeout(s), SIZE_MAX, replay_witness(p->replay)) < 0)
			return -1;
	}
	return 0;
}

/* Whether all was answered. */
static bool summarise(const struct replay_output *p)
{
	bool all = true;
	struct figures figures;
	char text[2000];

	for (size_t i = 0; i < replay_sessions(p->replay); i++) {
		session_give_up(replay_session(p->replay, i), 0);
		session_figures(replay_session(p->replay, i), 0, &figures);
		recorder_figures(p->recorder, (int)i, &figures);
		all = all && figures.totals.answered == figures.totals.typed;
		if (!p->settings->quiet)
			standard_put(stderr,
			    p->utf8
			        ? summary_peer(&figures, NULL, text, sizeof text)
			        : summary_ascii(summary_peer(&figures, NULL, text, sizeof text)));
	}
	return all;
}

static int write_failed(int error)
{
	standard_say("upcase: standard output: %s", strerror(error));
	return 1;
}

static int finish(struct replay_output *p)
{
	struct record_run run = *replay_run(p->replay);
	const bool all = summarise(p);
	char why[EXPORT_WHY];

	run.ended_at = replay_is_whole(p->replay) ? run.ended_at + p->start
	                                          : replay_now(p->replay, 0);
	recorder_end(p->recorder, &run);
	if (recorder_error(p->recorder))
		return write_failed(recorder_error(p->recorder));
	if (fflush(stdout) != 0 || ferror(stdout))
		return write_failed(errno);
	if (!replay_is_whole(p->replay))
		say(p, false, "the recording has no end: what came of its last lines is not known");
	if (p->settings->save &&
	    export_file(p->settings->save, p->recorder, NULL, &run, run.ended_at, why) < 0) {
		say(p, true, why);
		return 1;
	}
	return all ? 0 : 1;
}

int plain_replay(const struct settings *settings, struct replay *replay)
{
	struct replay_output p = { .settings = settings,
		.replay = replay,
		.utf8 = standard_utf8(),
		.prefixes = replay_sessions(replay) > 1 };
	const struct replay_hooks hooks = {
		.context = &p, .reply = on_reply, .row = on_row, .event = on_event
	};
	int status = 1;

	standard_filter();
	signal(SIGPIPE, SIG_IGN);
	/* Any time does: only differences are written. */
	if (replay_start(replay, &hooks, RECORD_FILE_MAX + 1, true, NS_PER_S) == 0) {
		p.start = replay_origin(replay);
		p.recorder = recorder_new(settings->output,
		    settings->output == RECORD_OUTPUT_TEXT ? NULL : stdout, p.start,
		    replay_run(replay));
	}
	if (p.recorder && add_sessions(&p) == 0) {
		replay_dispatch(replay, INT64_MAX);
		status = finish(&p);
	} else {
		standard_say("upcase: memory is short");
	}
	recorder_free(p.recorder);
	return status;
}
