/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Busy polling: whether to poll for the next message instead of sleeping until it comes. A peer
 * that waits for each reply and then sends at once is back in less time than falling asleep and
 * waking up take. Polling finds out whether there is such a peer: less and less often where it is
 * in vain, and never for longer than a sleep costs. */
#pragma once

#include "common/clock.h"

/* How long to poll. */
#define BUSY_POLL_TIME (10 * NS_PER_US)

struct busy_poll {
	/* The descriptor of the peer, -1 for none, and when its last message came, ns. */
	int fd;
	int64_t last_at;
	/* Messages in a row that came from `fd`, alone and soon; how many are needed to poll. */
	unsigned run, needed;
	/* When polling ends; 0 while there is none. */
	int64_t until;
};

void busy_poll_start(struct busy_poll *p);
/* Notes that messages came in the turn that began at `now` and were answered by `answered`: one,
 * from `fd`, or several, with `fd` -1. */
void busy_poll_note(struct busy_poll *p, int fd, int64_t now, int64_t answered);
/* Whether to poll `fd` rather than sleep. */
bool busy_poll_active(struct busy_poll *p, int64_t now);
