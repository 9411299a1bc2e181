/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket, --control: a Unix stream socket that answers the commands of
 * control-commands.h, only for the server's owner. */
#pragma once

#include "common/options.h"
#include "server/control-commands.h"
#include "server/loop.h"

/* Clients at once; one more waits. */
#define CONTROL_CLIENTS 8
/* The most descriptors that it has open. */
#define CONTROL_DESCRIPTORS (CONTROL_CLIENTS + 1)
/* The longest command; a longer one gets an error. */
#define CONTROL_LINE 200

struct control;

/* Listens at `path`; replaces a socket there that nobody listens on any more. Borrows `loop` and
 * what `sources` points to. Returns NULL with the `reason`. */
struct control *control_open(struct loop *loop, const char *path,
    const struct control_sources *sources, char reason[OPTIONS_REASON]);
/* Answers on the connected socket `fd` alone, which it takes over. NULL when memory is short. */
struct control *control_answer(struct loop *loop, int fd, const struct control_sources *sources);
/* Closes all and removes the socket's file, unless it is another's by now. NULL is allowed. */
void control_close(struct control *c);
/* Closes all and leaves the file to the process that this one was forked from. NULL is allowed. */
void control_leave(struct control *c);

/* When control_timers() is to be called, ns, or CLOCK_NEVER. NULL is allowed. */
int64_t control_deadline(const struct control *c);
void control_timers(struct control *c, int64_t now);
