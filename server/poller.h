/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The descriptors of the server's clients, however many: in the loop's own select() sets, as many
 * as FD_SETSIZE holds, or in an epoll set, of which only one descriptor stands in select()'s. Then
 * a turn costs by the clients that are ready, not by those that are connected. */
#ifndef UPCASED_POLLER_H
#define UPCASED_POLLER_H

#include <stdbool.h>

#include "server/loop.h"

/* Opaque. */
struct poller;

/* `many`: an epoll set. `loop` is borrowed. NULL with errno: ENOSYS where the system has no epoll.
 */
struct poller *poller_new(struct loop *loop, bool many);
/* Whether the system has epoll. */
bool poller_has_epoll(void);
/* Closes none of the clients' descriptors. NULL is nothing. */
void poller_free(struct poller *p);

/* Descriptors below this number can be watched. */
int poller_limit(const struct poller *p);
/* Watches `fd`, 0 <= fd < poller_limit(), for something to be read; calls as loop_add() says.
 * Returns 0, or -1 with errno. */
int poller_add(struct poller *p, int fd, loop_call *call, void *context);
/* From now on for `want`, some of LOOP_READ and LOOP_WRITE or 0. Returns 0, or -1 with errno:
 * nothing has changed. */
int poller_want(struct poller *p, int fd, unsigned want);
/* To be called before `fd` is closed. */
void poller_remove(struct poller *p, int fd);

#endif
