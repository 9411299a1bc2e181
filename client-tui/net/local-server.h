/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A private server: with no host given, the client starts an upcased of its own on a free loopback
 * port. The server holds the reading end of a pipe whose only writing end is here, and exits when
 * that end is closed, however this program ended. */
#pragma once

#include <sys/types.h>

struct local_server {
	pid_t process;
	int lifeline; /* the writing end of the pipe */
	uint16_t port;
};

/* Starts one and waits until it is ready. Returns 0, or -1 with one line in `reason`. */
int local_server_start(struct local_server *s, char *reason, size_t size);
/* Ends it and waits for its end. Does nothing when it was not started (process 0). */
void local_server_stop(struct local_server *s);
