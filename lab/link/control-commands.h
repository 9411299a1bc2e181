/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control protocol's text: commands to the link and what it answers. upcase-lab(1), Orders, has
 * them. */
#ifndef UPCASE_LAB_CONTROL_COMMANDS_H
#define UPCASE_LAB_CONTROL_COMMANDS_H

#include "lab/link/events.h"
#include "lab/link/link.h"
#include "common/send-buffer.h"

/* Executes a command, `line` without its newline (it is taken apart), and answers. Returns whether
 * the link was changed; then `change` is the kind and words of it, for events_print_changed(). */
bool lab_control_execute(struct link *link, char *line, int64_t now, struct event_filter *filter,
    struct send_buffer *out, char change[EVENTS_CHANGE]);

#endif
