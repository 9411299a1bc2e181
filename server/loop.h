/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's pselect(): what each descriptor is watched for, kept from turn to turn, and the
 * function that is called when it is ready.
 *
 * A turn is loop_wait(), then the caller's timers, then loop_dispatch(). */
#ifndef UPCASED_LOOP_H
#define UPCASED_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>

#include "common/clock.h"

/* Conditions to watch for. */
#define LOOP_READ 1u
#define LOOP_WRITE 2u

/* `ready` is a set of LOOP_READ and LOOP_WRITE; it may be wrong by the time of the call, so nothing
 * may block. The work is bounded. The function may remove any descriptor and add others. */
typedef void loop_call(void *context, int fd, unsigned ready, int64_t now);

struct loop;

/* The caller frees with free(), which closes nothing. Returns NULL when memory is short. */
struct loop *loop_new(void);

/* Watches `fd`, 0 <= fd < FD_SETSIZE, for `want`; calls `call` when it is ready. */
void loop_add(struct loop *l, int fd, unsigned want, loop_call *call, void *context);
/* Watches `fd` for `want` from now on, 0 for nothing. */
void loop_want(struct loop *l, int fd, unsigned want);
/* Call it before `fd` is closed. */
void loop_remove(struct loop *l, int fd);

/* Waits until something is ready, `deadline` has come or a signal that `mask` lets pass was caught.
 * Returns 0; -1 with errno when pselect() cannot work at all. */
int loop_wait(struct loop *l, int64_t deadline, int64_t now, const sigset_t *mask);
/* Whether it found something ready; valid until loop_dispatch(). */
bool loop_found(const struct loop *l);
/* The only descriptor that was ready, -1 if there were none or several; after loop_dispatch(). */
int loop_only_ready(const struct loop *l);
/* Calls the function of each ready descriptor. */
void loop_dispatch(struct loop *l, int64_t now);
/* Calls the function of `fd`, -1 for none, as if it could be read, unless it is not watched for
 * that. */
void loop_call_reader(struct loop *l, int fd, int64_t now);

#endif
