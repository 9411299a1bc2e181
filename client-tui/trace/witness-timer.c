/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a segment was sent again. The link sees that it was; whether the retransmission timer ran out, and after how long, is said by
 * the sender's kernel, in what is asked of it before and after. What the two do not settle stays open: then only the time that the
 * link measured is known. */
#include "config.h"

#include <string.h>

#include "common/clock.h"
#include "trace/trace-internal.h"

/* RFC 6298, 2.5, as Linux has it: a timeout this long does not double any more (TCP_RTO_MAX). */
#define LONGEST (120 * NS_PER_S)

/* The timeout that ran out, ns; 0 when it is not known that one did. */
static int64_t ran_out(const struct again *a, const struct witness_timer *after)
{
	const struct witness_timer *before = &a->before;
	/* Asked between the try before and this one, so that it speaks of this wait alone. */
	const bool fresh = before->answered > a->last;

	if (after->doubled > 0 && (!fresh || after->doubled > before->doubled))
		return after->timeout < LONGEST ? after->timeout / 2 : LONGEST;
	if (!fresh)
		return 0;
	if (before->ran_out >= 0 && after->ran_out >= 0)
		return after->ran_out > before->ran_out ? before->timeout : 0;
	/* Once it has run out nothing else sends the segment again. */
	return before->doubled > 0 ? before->timeout : 0;
}

static void settle(struct witness *w, const struct again *a, const struct witness_timer *after)
{
	struct record *r = witness_record(w, true, a->number);
	const int64_t us = ran_out(a, after) / NS_PER_US;

	if (r)
		r->line.legs[a->way].timeout[a->slot] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void witness_sent_again(struct witness *w, struct flow *f, const struct record *r, const struct again *again)
{
	struct again a = *again;

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
	if (w->again_count == AGAINS)
		memmove(w->agains, w->agains + 1, (size_t)--w->again_count * sizeof a);
	w->agains[w->again_count++] = a;
}

void witness_timer(struct witness *w, int flow, enum event_way way, const struct witness_timer *timer)
{
	struct flow *f = &w->flows[flow];
	int kept = 0;

	for (int i = 0; i < w->again_count; i++) {
		const struct again *a = &w->agains[i];

		if (a->flow == flow && a->way == way && timer->asked > a->at)
			settle(w, a, timer);
		else
			w->agains[kept++] = *a;
	}
	w->again_count = kept;
	f->timers[way][1] = f->timers[way][0];
	f->timers[way][0] = *timer;
}

void witness_timers_forget(struct witness *w, struct flow *f)
{
	const int flow = (int)(f - w->flows);
	int kept = 0;

	for (int i = 0; i < w->again_count; i++)
		if (w->agains[i].flow != flow)
			w->agains[kept++] = w->agains[i];
	w->again_count = kept;
	for (int way = 0; way < EVENT_WAYS; way++)
		for (int i = 0; i < 2; i++)
			f->timers[way][i] = (struct witness_timer){ .asked = INT64_MIN, .answered = INT64_MIN };
}

bool witness_asks(const struct witness *w, int flow, enum event_way way)
{
	for (int i = 0; i < w->again_count; i++)
		if (w->agains[i].flow == flow && w->agains[i].way == way)
			return true;
	return false;
}
