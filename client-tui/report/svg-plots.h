/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plots of the screen as one SVG: times from Enter to reply over lines, histogram, cumulative
 * share, runs of lost lines; UDP and TCP on the same axes. */
#ifndef UPCASE_SVG_PLOTS_H
#define UPCASE_SVG_PLOTS_H

#include <stdio.h>

#include "record/record.h"
#include "ledger/stats.h"
#include "report/svg.h"

/* The data of a line that the plots need. */
struct plots_line {
	uint64_t number;
	bool stream, late;
	enum ledger_fate fate;
	/* From Enter to the reply, ns, -1 unless it was answered in time. */
	int64_t waited;
	/* ns since the session's start. */
	int64_t typed_at;
};

/* Of lines in the order of number; the figures are made of them; events stand between the lines
 * typed before and after. Returns 0, or -1 when memory is short; errors of writing stay with the
 * stream. */
int plots_page(FILE *out, const struct plots_line *lines, size_t count,
    const struct session_event *events, size_t event_count, const struct svg_heading *heading);

#endif
