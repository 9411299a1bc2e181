/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that is judged: started on a terminal of its own, which does not echo, and ended with
 * all that it has started. */
#pragma once

#include <sys/types.h>

#include "common/addr.h"
#include "common/fd-watch.h"

/* Output that is kept, bytes: of more, the older half goes. */
#define PROGRAM_OUTPUT 65536

/* At first all zero, and -1 where it says so. */
struct program {
	/* 0: it is not started. */
	pid_t process;
	/* It has ended, with this status of waitpid(). */
	bool ended;
	int status;
	/* The network namespace to start it in; -1: this process's. */
	int network;
	/* The other end of its terminal, or -1; it stays open, since its end would end the program.
	 * Closed: nothing holds the terminal open to write. */
	int fd;
	bool closed;
	char output[PROGRAM_OUTPUT];
	size_t used;
	/* Where the output begins that was printed since the last line was typed; since the case
	 * began. */
	size_t seen, begin;
};

/* Starts `command`, in whose words {host} and {port} are replaced. Returns 0, or -1 with errno when
 * it cannot be executed. */
int program_start(struct program *p, char **command, const struct addr *address);
void program_watch(const struct program *p, struct fd_watch *w);
void program_dispatch(struct program *p, const struct fd_watch *w);
bool program_has_ended(struct program *p);
/* "ended with status 1", "was ended by signal 11 (Segmentation fault)"; the block's memory. */
#define PROGRAM_END(p) program_end_text(p, (char[80]){ 0 })
char *program_end_text(const struct program *p, char buf[80]);
void program_type(struct program *p, const void *bytes, size_t n);
/* Whether it has printed these bytes since the last line was typed. */
bool program_printed(const struct program *p, const void *bytes, size_t n);
/* The transports that have a socket with this port on the program's host, CASE_UDP and CASE_TCP. */
unsigned program_serves(const struct program *p, uint16_t port);
/* Ends it and all that it has started, at the latest after three seconds. */
void program_end(struct program *p);
