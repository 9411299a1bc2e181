/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab's link between the judge and the program. The judge runs on the near host. A server is
 * started on the far one; a client on the near one, and the judge's sockets are the far one's. How
 * many packets the link has lost tells whether a missing reply is the program's fault. */
#pragma once

struct lab_link;

/* Executes upcase-lab, in which this command line is executed again. Returns an exit status when it
 * cannot. */
int lab_link_execute(char **argv);
/* Whether lab_link_execute() has done so, and this is that host, "near" or "far". */
bool lab_link_is_inside(const char *host);
/* The far host's command: keeps the host, until a signal ends it. */
int lab_link_hold(void);

/* Finds the far host, and gives the link its settings and, as a test, the rules of --drop, both
 * borrowed. Returns NULL after one line on stderr. */
struct lab_link *lab_link_open(const char *settings, const char *const *drops, int drop_count);
void lab_link_close(struct lab_link *l);
/* Before a case: the rules of --drop count from here on. Returns 0 or -1. */
int lab_link_begin(struct lab_link *l);
/* How many packets the link has lost so far. */
uint64_t lab_link_lost(struct lab_link *l);
/* The network namespace of the far host; a new socket there, or -1 with errno. */
int lab_link_far(const struct lab_link *l);
int lab_link_far_socket(const struct lab_link *l, int family, int type);
