/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain front end's records: --json and --csv to standard output instead of the replies, --save
 * into a file. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "app/plain-internal.h"
#include "report/export.h"
#include "common/standard.h"
#include "app/stop.h"

int plain_record_start(struct plain *p, int64_t now, int64_t wall)
{
	const struct settings *s = p->settings;
	char words[RECORD_LINK];

	p->record_at = CLOCK_NEVER;
	if (s->output == RECORD_OUTPUT_TEXT && !s->save)
		return 0;
	/* A reader that has gone is told like a disk that is full. */
	if (s->output != RECORD_OUTPUT_TEXT)
		signal(SIGPIPE, SIG_IGN);
	p->run = settings_run(s, wall);
	p->recorder = recorder_new(s->output, s->output == RECORD_OUTPUT_TEXT ? NULL : stdout, now,
	    &p->run);
	if (p->recorder && p->lab)
		recorder_link(p->recorder,
		    link_status_line(lab_link_status(p->lab), now, words, sizeof words));
	return p->recorder ? 0 : -1;
}

int plain_record_channel(struct channel *channel)
{
	struct plain *p = channel->plain;

	if (!p->recorder)
		return 0;
	channel->recorded = recorder_add(p->recorder, session_ledger(channel->session),
	    channel->stream, session_peer(channel->session), p->settings->reply_timeout,
	    (size_t)p->settings->rows, p->lab ? lab_trace(p->lab) : NULL);
	return channel->recorded < 0 ? -1 : 0;
}

void plain_record_reply(struct channel *channel, const struct session_reply *reply)
{
	if (channel->plain->recorder)
		recorder_reply(channel->plain->recorder, channel->recorded, reply,
		    clock_monotonic());
}

void plain_record_row(struct channel *channel, uint64_t number)
{
	if (channel->plain->recorder)
		recorder_row(channel->plain->recorder, channel->recorded, number,
		    clock_monotonic());
}

static void report_peers(struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++)
		recorder_peer(p->recorder, p->channels[i].recorded,
		    session_peer(p->channels[i].session));
}

void plain_record_event(struct plain *p, const struct session_event *event)
{
	if (!p->recorder)
		return;
	report_peers(p);
	recorder_event(p->recorder, event, clock_monotonic());
}

void plain_record_dispatch(struct plain *p, int64_t now)
{
	p->passed_on = 0;
	if (!p->recorder)
		return;
	report_peers(p);
	p->record_at = recorder_dispatch(p->recorder, now);
	if (!p->write_error)
		p->write_error = recorder_error(p->recorder);
}

void plain_figures(const struct plain *p, const struct channel *channel, int64_t now,
    struct figures *figures)
{
	const struct generator *g = &p->generator;

	session_figures(channel->session, now, figures);
	figures->schedule = (struct schedule_totals){
		.due = g->sent, .slipped = g->slipped, .worst = g->worst
	};
	if (p->lab && channel->stream)
		figures->tcp.has_server = server_retransmitted(lab_server_tcp(p->lab),
		    &figures->tcp.server_retransmitted);
}

int plain_record_end(struct plain *p, bool complete, int64_t now)
{
	char why[EXPORT_WHY];
	struct figures figures;
	int result = 0;

	if (!p->recorder)
		return 0;
	stop_may_work(true);
	for (size_t i = 0; i < p->channel_count; i++) {
		plain_figures(p, &p->channels[i], now, &figures);
		recorder_figures(p->recorder, p->channels[i].recorded, &figures);
	}
	p->run.ended_at = now;
	p->run.stopped = !complete;
	recorder_end(p->recorder, &p->run);
	if (recorder_error(p->recorder)) {
		standard_say("upcase: standard output: %s", strerror(recorder_error(p->recorder)));
		result = -1;
	}
	if (p->settings->save &&
	    export_file(p->settings->save, p->recorder, NULL, &p->run, now, why) < 0) {
		standard_say("upcase: %s", why);
		result = -1;
	}
	return result;
}
