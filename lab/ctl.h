/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "upcase-lab ctl": shows and changes the link of a running lab. */
#pragma once

/* argv[0] is "ctl"; its arguments follow. Returns the exit status: 0, 1 when the
 * link refused or there is no lab, 2 for wrong use. */
int ctl_run(int argc, char **argv);
/* Prints what completes the last word, as options.h says. Returns the exit status. */
int ctl_complete(int argc, char **argv);

/* Room for one line. */
#define EVENT_TEXT_LINE 1000
/* TCP flows that are kept at once; a further flow replaces the oldest. */
#define EVENT_TEXT_FLOWS 32

/* One direction of a TCP connection. */
struct event_text_flow {
	/* The direction and the ports; 0: unused. */
	uint64_t key;
	/* The sequence number after the last byte sent. */
	uint32_t next;
	/* The time of its last segment that takes a sequence number. */
	int64_t last;
};

/* The packets so far, for the time since the first and for retransmissions. All zero at first. */
struct event_text {
	bool begun;
	int64_t start;
	struct event_text_flow flows[EVENT_TEXT_FLOWS];
	unsigned oldest;
};

/* Turns a line of the control socket, `event` without its newline, into a line for people, which
 * names what TCP retransmits. Changes `event`. Returns false for a line that is no event. Pure. */
bool event_text_line(struct event_text *t, char *event, char text[EVENT_TEXT_LINE]);
