/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client of a control socket that sends one command and waits for the answer. */
#ifndef UPCASE_COMMON_CONTROL_REQUEST_H
#define UPCASE_COMMON_CONTROL_REQUEST_H

#include <stdbool.h>

#include "common/control-socket.h"

struct control_request {
	const char *path, *command;
	/* Read on after the "ok", until the server is gone: for lines that come between answers. */
	bool follow;
	/* Receives each line of the answer without its newline, which it may change; with `follow`
	 * the "ok" too. Returns true when it has enough. */
	bool (*line)(void *context, char *line);
	void *context;
};

/* Returns 0; 1 when the server refused, with its `reason`; -1 with errno when it cannot be
 * reached. */
int control_request_send(const struct control_request *request, char reason[CONTROL_REASON]);

#endif
