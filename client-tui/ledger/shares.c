/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/shares.h"

#include "common/clock.h"
#include "common/grow.h"

void shares_clear(struct shares *s)
{
	free(s->list);
	*s = (struct shares){ .list = NULL };
}

void shares_add(struct shares *s, const struct session_event *e)
{
	struct share share = { .at = e->at, .took = e->duration };

	if (e->kind == SESSION_EVENT_FLOW && e->duration == 0) {
		shares_clear(s);
		s->began = e->at;
	}
	/* The last event has the sums. */
	if (e->kind != SESSION_EVENT_FLOW || !e->quiet || s->count == SHARES_MAX ||
	    grow_list(&s->list, &s->capacity, s->count + 1, sizeof *s->list) < 0)
		return;
	memcpy(share.bytes, e->shares, sizeof share.bytes);
	s->list[s->count++] = share;
}

double shares_rate(const struct share *share, enum shares_flow flow)
{
	return share->took > 0 ? (double)share->bytes[flow] * NS_PER_S / (double)share->took : 0;
}

double shares_fairness(const uint64_t bytes[SHARES_FLOWS])
{
	double sum = 0, squares = 0;

	for (int i = 0; i < SHARES_FLOWS; i++) {
		sum += (double)bytes[i];
		squares += (double)bytes[i] * (double)bytes[i];
	}
	return sum > 0 ? sum * sum / (SHARES_FLOWS * squares) : -1;
}
