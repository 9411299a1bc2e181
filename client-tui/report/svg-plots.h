/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plots of the screen as one SVG: times from Enter to reply over lines, histogram, cumulative
 * share, runs of lost lines; UDP and TCP on the same axes. */
#ifndef UPCASE_SVG_PLOTS_H
#define UPCASE_SVG_PLOTS_H

#include <stdio.h>

#include "record/record.h"
#include "ledger/stats.h"
#include "report/svg.h"

/* Writes the page for lines in order of their numbers, with times since the session's start
 * (RECORD_NEVER for none) and without their texts; events stand between the lines typed before and
 * after them. Returns 0, or -1 when memory is short; errors of writing stay with the
 * stream. */
int plots_page(FILE *out, const struct ledger_row *lines, size_t count,
    const struct session_event *events, size_t event_count, const struct svg_heading *heading);

#endif
