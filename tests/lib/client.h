/* SPDX-License-Identifier: GPL-3.0-or-later */
/* upcase in a terminal, as the screen tests start it. */
#pragma once

#include "tests/lib/terminal.h"

/* Up to eight arguments. */
struct client_arguments {
	const char *list[8];
};

/* upcase with a private server on 80x24, or of another size; ready for input. */
struct terminal *client_private(int rows, int columns, struct client_arguments more);
/* upcase to a server on 127.0.0.1 and that port. */
struct terminal *client_to(int port, int rows, int columns, struct client_arguments more);
/* The program's path. */
const char *client_path(void);
/* Ends a test on a machine where upcase-lab can make no hosts, as below chroot(8), and says so. */
void need_hosts(void);
/* The path of upcase-lab; needs hosts. */
const char *lab_path(void);
/* Types a line and Enter. */
void client_line(struct terminal *t, const char *text);
/* Waits until some row has `left` and behind it `right`, the cells between them as they may be. */
#define client_expect_pair(t, left, right) \
	client_expect_pair_at((t), (left), (right), __FILE__, __LINE__)
void client_expect_pair_at(struct terminal *t, const char *left, const char *right,
    const char *file, int line);
/* Waits until `before` stands in a row, and behind it the seconds that a lost SYN takes: the first
 * timeout, 1 s (RFC 6298, 2.1), and less than half a second more on a busy machine. */
void client_expect_first_timeout(struct terminal *t, const char *before);
/* Waits until a row of the table "UDP beside TCP" says so: the figure's name, UDP's and TCP's. */
#define client_expect_figures(t, name, udp, tcp) \
	client_expect_figures_at((t), (name), (udp), (tcp), __FILE__, __LINE__)
void client_expect_figures_at(struct terminal *t, const char *name, const char *udp,
    const char *tcp, const char *file, int line);
/* In the lab: waits until so many lines are compared with what the link did, as the page of /stats
 * says, without a mismatch. */
void client_expect_compared(struct terminal *t, long lines);
/* What is said outside of a lab where one is needed. */
#define CLIENT_NEEDS_LAB (HAVE_LAB ? "needs a lab: " : "needs a lab, which runs on Linux alone")

/* Leaves with F10 and expects status 0. */
void client_leave(struct terminal *t);
/* Closes terminals and children. */
int client_teardown(void **state);
