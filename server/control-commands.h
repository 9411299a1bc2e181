/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control socket is asked, and what it answers: upcased(8), CONTROL SOCKET, has the lines.
 * Connections are told in the order of tcp_each(). Pure. */
#ifndef UPCASED_CONTROL_COMMANDS_H
#define UPCASED_CONTROL_COMMANDS_H

#include <linux/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/impair-options.h"
#include "common/send-buffer.h"
#include "server/counters.h"

/* What is told of one TCP client. */
struct control_connection {
	char peer[ADDR_TEXT];
	/* ns. */
	int64_t age, idle;
	uint64_t bytes_in, bytes_out;
	size_t pending;
	/* As the kernel filled it in, and how much of it: kernels differ. */
	struct tcp_info info;
	socklen_t info_size;
	/* How often its retransmission timer ran out, where the kernel tells it; else -1. */
	int total_rto;
};

typedef void control_connection_call(void *context, const struct control_connection *c);

/* What commands ask; all borrowed. */
struct control_sources {
	const struct counters *counters;
	const struct impair_options *link;
	/* Tells of each TCP client. */
	void (*each)(void *tcp, int64_t now, control_connection_call *call, void *context);
	void *tcp;
	/* Brings `counters` up to date; NULL where they always are. */
	void (*sum)(void *server);
	/* Where workers serve, else NULL: gives each of them a command, as workers_ask() tells. */
	int (*ask)(void *server, const char *command, void (*line)(void *context, const char *line),
	    void *context);
	void *server;
};

/* Executes a command, `line` without its newline (it is taken apart), and answers. */
void control_commands_execute(const struct control_sources *o, char *line, int64_t now,
    struct send_buffer *out);

#endif
