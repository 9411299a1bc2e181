/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether it is worth looking for the next message instead of sleeping until it comes. A peer that
 * waits for each reply and then sends at once is back in less time than falling asleep and being
 * woken up take. Whether there is such a peer is found out by looking, which is tried less and less
 * often where it is in vain: never for longer than a sleep costs. */
#ifndef UPCASED_BUSY_POLL_H
#define UPCASED_BUSY_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

/* How long to look. */
#define BUSY_POLL_TIME (10 * NS_PER_US)

struct busy_poll {
	/* The descriptor of the peer, -1 for none, and when its last message came, ns. */
	int fd;
	int64_t came;
	/* Messages in a row that came from there, alone and soon, and how many it takes for a look.
	 */
	unsigned run, needed;
	/* When the look ends; 0 while there is none. */
	int64_t until;
};

void busy_poll_start(struct busy_poll *p);
/* In the turn that began at `now` messages came and have been answered by `answered`; from `fd`
 * alone if it was one, else `fd` is -1. */
void busy_poll_note(struct busy_poll *p, int fd, int64_t now, int64_t answered);
/* Whether to look at `fd` rather than sleep. */
bool busy_poll_active(struct busy_poll *p, int64_t now);

#endif
