/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was recorded of the link, for a trace that has no link to look at. */
#include "config.h"

#include "trace/trace-internal.h"

int trace_restore(struct trace *w, const struct trace_line *line)
{
	struct trace_slot *r = trace_new_slot(w, line->stream, line->number);

	if (!r)
		return -1;
	r->line = *line;
	r->keys[LINK_GOING] = r->keys[LINK_COMING] = line->number;
	trace_enter(w, r);
	w->flows[r->flow].seen = true;
	return 0;
}

void trace_restore_totals(struct trace *w, uint64_t compared, uint64_t mismatches)
{
	w->totals.compared = compared;
	w->totals.mismatches = mismatches;
}

void trace_restore_packet(struct trace *w, const struct logged_packet *packet)
{
	packet_log_add(w->packets, packet);
}
