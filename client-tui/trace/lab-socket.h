/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection to a control socket, of the lab (upcase-lab(1), CONTROL) or of the server. It sends
 * commands and receives answers and events. Only lab_socket_settle() blocks. */
#pragma once

#include "common/fd-watch.h"

/* Commands that may wait for their answers, and the longest one, bytes. */
#define LAB_SOCKET_COMMANDS 64
#define LAB_SOCKET_COMMAND_MAX 900

/* An answer. Borrowed for the call. */
struct lab_socket_answer {
	int purpose; /* as in lab_socket_command() */
	int64_t note;
	/* The lines before "ok", each ended by \n; if not `ok`, the reason of the refusal. */
	bool ok;
	const char *text;
};

struct lab_socket_hooks {
	void *context;
	void (*answer)(void *context, const struct lab_socket_answer *answer);
	/* Lines that come between answers: "event ...", "undelivered ...", "changed ...". */
	void (*line)(void *context, const char *line);
	/* The peer has ended; commands without an answer get none. Called once. */
	void (*gone)(void *context);
};

struct lab_socket;

/* Connects. The hooks are copied. Returns NULL with errno when nothing answers at `path`. */
struct lab_socket *lab_socket_open(const char *path, const struct lab_socket_hooks *hooks);
void lab_socket_close(struct lab_socket *s);
bool lab_socket_is_gone(const struct lab_socket *s);

/* Sends a command, one line without its end. Returns 0, or -1 when the peer is gone, or too many
 * commands wait already. */
int lab_socket_command(struct lab_socket *s, int purpose, int64_t note, const char *command);
/* Waits until all commands have their answers, at most `max` ns. */
void lab_socket_settle(struct lab_socket *s, int64_t max);

void lab_socket_watch(const struct lab_socket *s, struct fd_watch *w);
void lab_socket_dispatch(struct lab_socket *s, const struct fd_watch *w);
