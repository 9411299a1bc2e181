/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server waits for: what each descriptor is watched for, kept from turn to turn, and the
 * function that is called when it is ready. pselect() watches the descriptors of clients too, as
 * many as FD_SETSIZE allows. For more clients there is an epoll set, of which pselect() watches the
 * one descriptor; then the cost of a turn depends on the ready clients, not on the connected ones.
 *
 * A turn is loop_wait(), then the caller's timers, then loop_dispatch(). */
#pragma once

#include <signal.h>
#include <sys/select.h>

#include "common/clock.h"

/* Conditions to watch for. */
#define LOOP_READ 1u
#define LOOP_WRITE 2u

/* `ready` is a set of LOOP_READ and LOOP_WRITE; it may be wrong by the time of the call, so nothing
 * may block. The work is bounded. The function may remove any descriptor and add others. */
typedef void loop_call(void *context, int fd, unsigned ready, int64_t now);

struct loop;

/* `many`: the clients are in an epoll set. Returns NULL with errno. */
struct loop *loop_new(bool many);
/* Does not close the descriptors that it watches. NULL is allowed. */
void loop_free(struct loop *l);

/* Watches `fd`, 0 <= fd < FD_SETSIZE, for `want`; calls `call` when it is ready. */
void loop_add(struct loop *l, int fd, unsigned want, loop_call *call, void *context);
/* Watches a client's `fd` for reading. Returns 0, or -1 with errno: EMFILE if select() cannot. */
int loop_add_client(struct loop *l, int fd, loop_call *call, void *context);
/* Watches `fd` for `want` from now on, 0 for nothing. Returns 0; for a client perhaps -1 with
 * errno: nothing has changed. */
int loop_want(struct loop *l, int fd, unsigned want);
/* Call it before `fd` is closed. */
void loop_remove(struct loop *l, int fd);

/* Waits until something is ready, `deadline` has come or a signal that `mask` lets pass was caught.
 * Returns how many conditions hold; -1 with errno when pselect() cannot work at all. */
int loop_wait(struct loop *l, int64_t deadline, int64_t now, const sigset_t *mask);
/* Calls the function of each ready descriptor. Returns the only one; -1 for none or several. */
int loop_dispatch(struct loop *l, int64_t now);
/* Calls the function of `fd`, -1 for none, as if it could be read, if it is watched for that. */
void loop_call_reader(struct loop *l, int fd, int64_t now);
