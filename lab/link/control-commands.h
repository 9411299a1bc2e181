/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control protocol's text: commands to the link and its answers, explained in upcase-lab(1),
 * Orders. */
#pragma once

#include "common/impair-fields.h"
#include "common/send-buffer.h"
#include "lab/link/link.h"

/* Ports in one "events on". */
#define EVENTS_PORTS 8

/* The events that a client gets. All zero: none. */
struct event_filter {
	bool on;
	/* None given: all packets. */
	uint16_t ports[EVENTS_PORTS];
	int count;
};

/* Room for a change's kind and words. */
#define CONTROL_CHANGE (2 * IMPAIR_LINE + 20)

/* Executes a command, `line` without its newline, and answers. Changes `line`. Returns whether the
 * link was changed; then `change` is the kind and words of it, for the line "changed", else it is
 * empty. */
bool lab_control_execute(struct link *link, char *line, int64_t now, struct event_filter *filter,
    struct send_buffer *out, char change[CONTROL_CHANGE]);
