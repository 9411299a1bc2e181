/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was recorded of the link, for a witness that has no link to look at. */
#include "config.h"

#include "witness-core.h"

int witness_put(struct witness *w, const struct witness_line *line)
{
	struct record *r = witness_new_record(w, line->stream, line->number);

	if (!r)
		return -1;
	r->line = *line;
	w->totals.judged++;
	return 0;
}
