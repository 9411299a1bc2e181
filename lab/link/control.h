/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: a Unix stream socket that shows and changes the link while it runs. The text
 * is that of control-commands.h. One part of a pselect() loop; a slow or rude client costs only its
 * own connection. */
#pragma once

#include "common/fd-watch.h"
#include "common/send-buffer.h"
#include "lab/link/link.h"

struct control;

/* Serves the clients of `listener`, which it takes over, CONTROL_CLIENTS_MAX at once;
 * one more is refused. A command has CONTROL_LINE_MAX bytes at most. Becomes the link's observer.
 * Returns NULL when memory runs out. */
struct control *control_new(int listener, struct link *link);
/* NULL is allowed. Call it before the link is freed. */
void control_free(struct control *control);

void control_watch(const struct control *control, struct fd_watch *w);
void control_dispatch(struct control *control, const struct fd_watch *w, int64_t now);

/* Adds the line of an event, with its newline, as in upcase-lab(1), Events. */
void control_print_event(const struct link_event *event, struct send_buffer *out);
