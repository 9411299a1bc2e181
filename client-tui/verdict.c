/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>

#include "units.h"

unsigned verdict_judge(const struct schedule_totals *schedule, uint64_t overflows)
{
	unsigned reasons = VERDICT_VALID;

	if ((double)schedule->slipped > VERDICT_SHARE * (double)schedule->due)
		reasons |= VERDICT_SCHEDULE;
	if (overflows)
		reasons |= VERDICT_OVERFLOW;
	return reasons;
}

const char *verdict_name(enum verdict reason)
{
	return reason == VERDICT_SCHEDULE ? "schedule" : reason == VERDICT_OVERFLOW ? "overflow" : NULL;
}

static int put_schedule(const struct schedule_totals *t, char *buf, size_t size)
{
	/* In tenths of a percent; without %f, which writes a comma in some locales. */
	const uint64_t share = t->due ? (uint64_t)((double)t->slipped * 1000 / (double)t->due + 0.5) : 1000;
	char worst[40];

	return snprintf(buf, size, "%" PRIu64 " of %" PRIu64 " lines (%" PRIu64 ".%" PRIu64
	    " %%) were sent more than 10 ms off schedule, at worst %s", t->slipped, t->due, share / 10, share % 10,
	    units_duration_text(t->worst, "µ", worst, sizeof(worst)));
}

char *verdict_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf, size_t size)
{
	const unsigned reasons = verdict_judge(schedule, overflows);
	size_t used;

	if (size)
		buf[0] = '\0';
	if (!reasons)
		return buf;
	used = (size_t)snprintf(buf, size, "INVALID, shaped by this machine: ");
	if (reasons & VERDICT_SCHEDULE && used < size)
		used += (size_t)put_schedule(schedule, buf + used, size - used);
	if (reasons & VERDICT_OVERFLOW && used < size)
		snprintf(buf + used, size - used, "%s%" PRIu64 " %s dropped here, the socket's receive buffer was full",
		    reasons & VERDICT_SCHEDULE ? "; " : "", overflows, overflows == 1 ? "reply was" : "replies were");
	return buf;
}
