/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The descriptors of the server's clients, however many: watched either in the loop's own select()
 * sets, as many as FD_SETSIZE holds, or in a set of the system's (epoll) of which only one
 * descriptor stands in select()'s, so that a turn costs by the clients that are ready, not by those
 * that are connected. */
#ifndef UPCASED_POLLER_H
#define UPCASED_POLLER_H

#include <stdbool.h>

#include "server/loop.h"

/* What it is and how it does each; made by one of the two below. */
struct poller {
	/* Descriptors below this number can be watched. */
	int limit;
	int (*add)(struct poller *c, int fd, loop_call *call, void *context);
	int (*want)(struct poller *c, int fd, unsigned want);
	void (*remove)(struct poller *c, int fd);
	void (*free)(struct poller *c);
};

/* NULL with errno. `loop` is borrowed. */
struct poller *poller_select(struct loop *loop);
/* ENOSYS where the system has no such set. */
struct poller *poller_epoll(struct loop *loop);
/* Whether it has. */
bool poller_has_epoll(void);
/* Closes none of the descriptors. NULL is nothing. */
void poller_free(struct poller *c);

/* Watches `fd`, 0 <= fd < limit, for something to be read; as loop_add() tells. Returns 0, or -1
 * with errno. */
static inline int poller_add(struct poller *c, int fd, loop_call *call, void *context)
{
	return c->add(c, fd, call, context);
}

/* From now on for `want`, some of LOOP_READ and LOOP_WRITE or 0. Returns 0, or -1 with errno:
 * nothing has changed. */
static inline int poller_want(struct poller *c, int fd, unsigned want)
{
	return c->want(c, fd, want);
}

/* To be called before `fd` is closed. */
static inline void poller_remove(struct poller *c, int fd)
{
	c->remove(c, fd);
}

#endif
