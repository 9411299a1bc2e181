/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of the control socket and their answers, whose lines upcased(8), CONTROL SOCKET,
 * explains. Connections come in the order of tcp_each(). Pure. */
#pragma once

#include "common/addr.h"
#include "common/impair-options.h"
#include "common/os.h"
#include "common/send-buffer.h"
#include "server/counters.h"

/* One TCP client. */
struct control_connection {
	char peer[ADDR_TEXT_SIZE];
	/* ns. */
	int64_t age, idle;
	uint64_t bytes_in, bytes_out;
	size_t pending;
	struct os_tcp kernel;
};

typedef void control_connection_call(void *context, const struct control_connection *c);

struct server;
struct tcp;

/* The sources of the answers; all borrowed. */
struct control_sources {
	const struct counters *counters;
	const struct impair_options *link;
	/* Calls for each TCP client. */
	void (*each)(const struct tcp *tcp, int64_t now, control_connection_call *call,
	    void *context);
	const struct tcp *tcp;
	/* Updates `counters`; NULL where they always are up to date. */
	void (*sum)(struct server *server);
	/* With workers, gives each of them a command, as workers_query() does; else NULL. */
	int (*query)(struct server *server, const char *command,
	    void (*line)(void *context, const char *line), void *context);
	struct server *server;
};

/* Executes a command, `line` without its newline, and answers. Changes `line`. */
void control_commands_execute(const struct control_sources *s, char *line, int64_t now,
    struct send_buffer *out);
