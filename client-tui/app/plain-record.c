/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain front end's records: --json and --csv to standard output instead of the replies, --save into a file. */
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
	const struct client_settings *s = p->settings;
	char words[RECORD_LINK];

	p->record_at = CLOCK_NEVER;
	if (s->output == CLIENT_TEXT && !s->save)
		return 0;
	/* A reader that has gone is told like a disk that is full. */
	if (s->output != CLIENT_TEXT)
		signal(SIGPIPE, SIG_IGN);
	recorder_run(&p->run, s, wall);
	p->recorder = recorder_new(s->output, s->output == CLIENT_TEXT ? NULL : stdout, now, &p->run);
	if (p->recorder && p->truth)
		recorder_link(p->recorder, link_facts_line(truth_facts(p->truth), now, words, sizeof words));
	return p->recorder ? 0 : -1;
}

int plain_record_lane(struct lane *lane)
{
	struct plain *p = lane->plain;

	if (!p->recorder)
		return 0;
	lane->recorded = recorder_add(p->recorder, session_ledger(lane->session), lane->stream, session_peer(lane->session),
	    p->settings->wait, (size_t)p->settings->rows, p->truth ? truth_witness(p->truth) : NULL);
	return lane->recorded < 0 ? -1 : 0;
}

void plain_record_reply(struct lane *lane, const struct session_reply *reply)
{
	if (lane->plain->recorder)
		recorder_reply(lane->plain->recorder, lane->recorded, reply, clock_monotonic());
}

void plain_record_row(struct lane *lane, uint64_t number)
{
	if (lane->plain->recorder)
		recorder_row(lane->plain->recorder, lane->recorded, number, clock_monotonic());
}

static void tell_peers(struct plain *p)
{
	for (size_t i = 0; i < p->lane_count; i++)
		recorder_peer(p->recorder, p->lanes[i].recorded, session_peer(p->lanes[i].session));
}

void plain_record_event(struct plain *p, const struct record_event *event)
{
	if (!p->recorder)
		return;
	tell_peers(p);
	recorder_event(p->recorder, event, clock_monotonic());
}

void plain_record_turn(struct plain *p, int64_t now)
{
	p->passed_on = 0;
	if (!p->recorder)
		return;
	tell_peers(p);
	p->record_at = recorder_turn(p->recorder, now);
	if (!p->write_error)
		p->write_error = recorder_error(p->recorder);
}

void plain_facts(const struct plain *p, const struct lane *lane, int64_t now, struct facts *facts)
{
	const struct generator *g = &p->generator;

	session_facts(lane->session, now, facts);
	facts->schedule = (struct schedule_totals){.due = g->sent, .slipped = g->slipped, .worst = g->worst};
	if (p->truth && lane->stream)
		facts->tcp.has_far = far_again(truth_far(p->truth), &facts->tcp.far_again);
}

int plain_record_end(struct plain *p, bool complete, int64_t now)
{
	char why[SAVE_WHY];
	struct facts facts;
	int result = 0;

	if (!p->recorder)
		return 0;
	stop_may_work(true);
	for (size_t i = 0; i < p->lane_count; i++) {
		plain_facts(p, &p->lanes[i], now, &facts);
		recorder_facts(p->recorder, p->lanes[i].recorded, &facts);
	}
	p->run.ended_at = now;
	p->run.stopped = !complete;
	recorder_end(p->recorder, &p->run);
	if (recorder_error(p->recorder)) {
		standard_say("upcase: standard output: %s", strerror(recorder_error(p->recorder)));
		result = -1;
	}
	if (p->settings->save && save_file(p->settings->save, p->recorder, NULL, &p->run, now, why) < 0) {
		standard_say("upcase: %s", why);
		result = -1;
	}
	return result;
}
