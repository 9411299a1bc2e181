/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/validity.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"

unsigned validity_check(const struct schedule_totals *schedule, uint64_t overflows)
{
	unsigned reasons = VALIDITY_OK;

	if ((double)schedule->slipped > VALIDITY_SHARE * (double)schedule->due)
		reasons |= VALIDITY_SCHEDULE;
	if (overflows)
		reasons |= VALIDITY_OVERFLOW;
	return reasons;
}

const char *validity_name(enum validity reason)
{
	return reason == VALIDITY_SCHEDULE ? "schedule"
	     : reason == VALIDITY_OVERFLOW ? "overflow"
	                                   : NULL;
}

static void put_schedule(struct text *out, const struct schedule_totals *t)
{
	text_put(out, "%" PRIu64 " of %" PRIu64 " lines (", t->slipped, t->due);
	text_decimal(out, t->due ? 100 * (double)t->slipped / (double)t->due : 100, 1);
	text_put(out, " %%) were sent more than 10 ms off schedule, at worst ");
	text_span(out, t->worst);
}

char *validity_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf,
    size_t size)
{
	const unsigned reasons = validity_check(schedule, overflows);
	struct text out = text_begin(buf, size);

	if (!reasons)
		return buf;
	text_put(&out, "INVALID, shaped by this machine: ");
	if (reasons & VALIDITY_SCHEDULE)
		put_schedule(&out, schedule);
	if (reasons & VALIDITY_OVERFLOW)
		text_put(&out,
		    "%s%" PRIu64 " %s dropped here, the socket's receive buffer was full",
		    reasons & VALIDITY_SCHEDULE ? "; " : "", overflows,
		    overflows == 1 ? "reply was" : "replies were");
	return buf;
}
