/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The descriptors of the server's clients. They are in the loop's own select() sets, as many as
 * FD_SETSIZE holds, or in an epoll set, of which only one descriptor is in select()'s. Then the
 * cost of a turn depends on the ready clients, not on the connected ones. */
#ifndef UPCASED_POLLER_H
#define UPCASED_POLLER_H

#include <stdbool.h>

#include "server/loop.h"

/* Opaque. */
struct poller;

/* `many`: use an epoll set. `loop` is borrowed. Returns NULL with errno: ENOSYS where the system
 * has no epoll. */
struct poller *poller_new(struct loop *loop, bool many);
/* Whether the system has epoll. */
bool poller_has_epoll(void);
/* Does not close the clients' descriptors. NULL is allowed. */
void poller_free(struct poller *p);

/* Only descriptors below this number can be watched. */
int poller_limit(const struct poller *p);
/* Watches `fd`, 0 <= fd < poller_limit(), for reading; calls `call` as loop_add() does. Returns 0,
 * or -1 with errno. */
int poller_add(struct poller *p, int fd, loop_call *call, void *context);
/* Watches `fd` for `want` from now on, a set of LOOP_READ and LOOP_WRITE or 0. Returns 0, or -1
 * with errno: nothing has changed. */
int poller_want(struct poller *p, int fd, unsigned want);
/* Call it before `fd` is closed. */
void poller_remove(struct poller *p, int fd);

#endif
