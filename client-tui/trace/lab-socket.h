/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line to the lab: orders out, answers and events in, over the Unix socket that upcase-lab
 * hands to its command (the protocol stands in upcase-lab(1), CONTROL). Never blocks but where it
 * says so. A lab that is gone is reported once. */
#ifndef UPCASE_TRACE_LAB_SOCKET_H
#define UPCASE_TRACE_LAB_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fd-watch.h"

/* Orders that may wait for their answers, and the longest one. */
#define LAB_SOCKET_COMMANDS 64
#define LAB_SOCKET_COMMAND_MAX 900

/* An answer. Borrowed for the call. */
struct lab_socket_answer {
	/* What lab_socket_command() was given. */
	int purpose;
	int64_t note;
	/* The lines before "ok", each ended by \n; without it the reason of the refusal. */
	bool ok;
	const char *text;
};

struct lab_socket_hooks {
	void *context;
	void (*answer)(void *context, const struct lab_socket_answer *answer);
	/* Lines that come between answers: "event ...", "undelivered ...", "changed ...". */
	void (*line)(void *context, const char *line);
	/* The lab has ended, or has stopped talking to us; the orders without an answer get none.
	 * Told once. */
	void (*gone)(void *context);
};

struct lab_socket;

/* Connects. The hooks are copied. NULL with errno when there is no lab at `path`. */
struct lab_socket *lab_socket_open(const char *path, const struct lab_socket_hooks *hooks);
void lab_socket_close(struct lab_socket *s);
bool lab_socket_is_gone(const struct lab_socket *s);

/* An order, one line without its end. Returns 0, or -1 when the lab is gone, or too much waits
 * already. */
int lab_socket_command(struct lab_socket *s, int purpose, int64_t note, const char *order);
/* Waits until all orders have their answers, at most `max` ns: for the moments in which what
 * follows must not come first. */
void lab_socket_settle(struct lab_socket *s, int64_t max);

void lab_socket_watch(const struct lab_socket *s, struct fd_watch *w);
void lab_socket_dispatch(struct lab_socket *s, const struct fd_watch *w);

#endif
