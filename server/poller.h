/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The descriptors of the server's clients, however many: watched either in the loop's own select() sets, as many as
 * FD_SETSIZE holds, or in a set of the system's (epoll) of which only one descriptor stands in select()'s, so that a turn
 * costs by the clients that are ready, not by those that are connected. */
#ifndef UPCASED_CROWD_H
#define UPCASED_CROWD_H

#include <stdbool.h>

#include "server/loop.h"

/* What it is and how it does each; made by one of the two below. */
struct crowd {
	/* Descriptors below this number can be watched. */
	int limit;
	int (*add)(struct crowd *c, int fd, loop_call *call, void *context);
	int (*want)(struct crowd *c, int fd, unsigned want);
	void (*remove)(struct crowd *c, int fd);
	void (*free)(struct crowd *c);
};

/* NULL with errno. `loop` is borrowed. */
struct crowd *crowd_select(struct loop *loop);
/* ENOSYS where the system has no such set. */
struct crowd *crowd_epoll(struct loop *loop);
/* Whether it has. */
bool crowd_has_epoll(void);
/* Closes none of the descriptors. NULL is nothing. */
void crowd_free(struct crowd *c);

/* Watches `fd`, 0 <= fd < limit, for something to be read; as loop_add() tells. Returns 0, or -1 with errno. */
static inline int crowd_add(struct crowd *c, int fd, loop_call *call, void *context)
{
	return c->add(c, fd, call, context);
}

/* From now on for `want`, some of LOOP_READ and LOOP_WRITE or 0. Returns 0, or -1 with errno: nothing has changed. */
static inline int crowd_want(struct crowd *c, int fd, unsigned want)
{
	return c->want(c, fd, want);
}

/* To be called before `fd` is closed. */
static inline void crowd_remove(struct crowd *c, int fd)
{
	c->remove(c, fd);
}

#endif
