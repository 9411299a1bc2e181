/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a segment was sent again. The link sees that it was; whether the retransmission timer ran
 * out, and after how long, is said by the sender's kernel, in what is asked of it before and after.
 * What the two do not settle stays open: then only the time that the link measured is known. */
#include "config.h"

#include <string.h>

#include "common/clock.h"
#include "trace/trace-internal.h"

/* RFC 6298, 2.5, as Linux has it: a timeout this long does not double any more (TCP_RTO_MAX). */
#define LONGEST (120 * NS_PER_S)

/* The timeout that ran out, ns; 0 when it is not known that one did. */
static int64_t ran_out(const struct retransmission *a, const struct trace_timer *after)
{
	const struct trace_timer *before = &a->before;
	/* Asked between the try before and this one, so that it speaks of this wait alone. */
	const bool fresh = before->answered > a->last;

	if (after->backoff > 0 && (!fresh || after->backoff > before->backoff))
		return after->timeout < LONGEST ? after->timeout / 2 : LONGEST;
	if (!fresh)
		return 0;
	if (before->ran_out >= 0 && after->ran_out >= 0)
		return after->ran_out > before->ran_out ? before->timeout : 0;
	/* Once it has run out nothing else sends the segment again. */
	return before->backoff > 0 ? before->timeout : 0;
}

static void settle(struct trace *w, const struct retransmission *a, const struct trace_timer *after)
{
	struct trace_slot *r = trace_slot(w, true, a->number);
	const int64_t us = ran_out(a, after) / NS_PER_US;

	if (r)
		r->line.legs[a->way].timeout[a->slot] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void trace_retransmitted(struct trace *w, struct trace_flow *f, const struct trace_slot *r,
    const struct retransmission *retransmission)
{
	struct retransmission a = *retransmission;

	a.flow = r->flow;
	a.number = r->line.number;
	a.before = f->timers[a.way][0].answered < a.at ? f->timers[a.way][0] : f->timers[a.way][1];
	if (a.before.answered >= a.at)
		a.before.answered = INT64_MIN;
	if (f->timers[a.way][0].asked > a.at) {
		settle(w, &a, &f->timers[a.way][0]);
		return;
	}
	/* Where nobody asks, they pile up: the oldest goes. */
	if (w->retransmission_count == RETRANSMISSIONS)
		memmove(w->retransmissions, w->retransmissions + 1,
		    (size_t)--w->retransmission_count * sizeof a);
	w->retransmissions[w->retransmission_count++] = a;
}

void trace_timer(struct trace *w, int flow, enum link_way way, const struct trace_timer *timer)
{
	struct trace_flow *f = &w->flows[flow];
	int kept = 0;

	for (int i = 0; i < w->retransmission_count; i++) {
		const struct retransmission *a = &w->retransmissions[i];

		if (a->flow == flow && a->way == way && timer->asked > a->at)
			settle(w, a, timer);
		else
			w->retransmissions[kept++] = *a;
	}
	w->retransmission_count = kept;
	f->timers[way][1] = f->timers[way][0];
	f->timers[way][0] = *timer;
}

void trace_timers_reset(struct trace *w, struct trace_flow *f)
{
	const int flow = (int)(f - w->flows);
	int kept = 0;

	for (int i = 0; i < w->retransmission_count; i++)
		if (w->retransmissions[i].flow != flow)
			w->retransmissions[kept++] = w->retransmissions[i];
	w->retransmission_count = kept;
	for (int way = 0; way < LINK_WAYS; way++)
		for (int i = 0; i < 2; i++)
			f->timers[way][i] = (struct trace_timer){ .asked = INT64_MIN,
				.answered = INT64_MIN };
}

bool trace_wants_timer(const struct trace *w, int flow, enum link_way way)
{
	for (int i = 0; i < w->retransmission_count; i++)
		if (w->retransmissions[i].flow == flow && w->retransmissions[i].way == way)
			return true;
	return false;
}
