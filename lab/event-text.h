/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the link did, as a person reads it: an event's line (events.h) becomes one with the time
 * since the first event, and what TCP sends once more is said to be so. Pure. */
#ifndef UPCASE_LAB_EVENT_TEXT_H
#define UPCASE_LAB_EVENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for one line. */
#define EVENT_TEXT_LINE 1000
/* Flows of TCP that are remembered at once; further ones push out the oldest. */
#define EVENT_TEXT_FLOWS 32

/* What one end of a TCP connection has sent so far. */
struct event_text_flow {
	/* The direction and the ports; 0: unused. */
	uint64_t key;
	/* The number behind the last byte sent. */
	uint32_t next;
	/* When it last sent something that takes a number. */
	int64_t last;
};

/* All zero at first. */
struct event_text {
	bool begun;
	int64_t start;
	struct event_text_flow flows[EVENT_TEXT_FLOWS];
	unsigned oldest;
};

/* One line of the control socket, `event` without its newline (it is taken apart), into `text`.
 * Returns whether there is something to show: other lines are none. */
bool event_text_line(struct event_text *t, char *event, char text[EVENT_TEXT_LINE]);

#endif
