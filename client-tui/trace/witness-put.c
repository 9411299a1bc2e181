/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was recorded of the link, for a witness that has no link to look at. */
#include "config.h"

#include "trace/trace-internal.h"

int witness_put(struct witness *w, const struct witness_line *line)
{
	struct record *r = witness_new_record(w, line->stream, line->number);

	if (!r)
		return -1;
	r->line = *line;
	r->keys[EVENT_THERE] = r->keys[EVENT_BACK] = line->number;
	witness_enter(w, r);
	w->flows[r->flow].seen = true;
	return 0;
}

void witness_put_totals(struct witness *w, uint64_t judged, uint64_t mismatches)
{
	w->totals.judged = judged;
	w->totals.mismatches = mismatches;
}

void witness_put_packet(struct witness *w, const struct packet *packet)
{
	packets_add(w->packets, packet);
}
