/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The textbook's space-time diagram of an exchange as SVG: client and server are vertical lines,
 * time runs down, each datagram or segment is a slanted arrow, with a cross where it was lost. With
 * the events of the lab's link, both ends' times are true; without them, the server's end is dashed
 * at half the round trip. UDP and TCP stand side by side on one axis of time. */
#ifndef UPCASE_REPORT_SVG_SEQUENCE_H
#define UPCASE_REPORT_SVG_SEQUENCE_H

#include <stdio.h>

#include "record/record.h"
#include "report/svg.h"

/* Writes page 0, 1 ... (sequence.h) with those of the `event_count` events, in order of time,
 * that fall into it. Returns 0, or -1 when memory is short; errors of writing stay with the stream.
 */
int svg_sequence_page(FILE *out, const struct record *records, size_t count, size_t page,
    const struct session_event *events, size_t event_count, const struct svg_heading *heading);

#endif
