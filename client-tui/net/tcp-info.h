/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's state of a TCP connection (TCP_INFO, tcp(7)), and the totals of many samples. */
#pragma once

#include "common/os.h"
#include "ledger/figures.h"

/* Returns 0, or -1 when the kernel does not give it. */
int tcp_info_read(int fd, struct tcp_sample *out);
/* The connection's congestion control, "" where it is not known. Returns `name`. */
char *tcp_congestion(int fd, char name[OS_CONGESTION]);
/* The congestion controls that this user may choose, with blanks; "" where that is not known.
 * Returns `names`. */
char *tcp_congestion_names(char *names, size_t size);
/* Finds out whether a connection may have this congestion control. Returns 0, or -1 with the
 * reason, behind its name: "is none that this kernel has; choose of: reno cubic". */
int tcp_congestion_check(const char *name, char *reason, size_t size);
/* Adds a sample; the connections before this one retransmitted `retransmitted_before` segments. */
void tcp_info_add(struct figures_tcp *f, const struct tcp_sample *now,
    uint64_t retransmitted_before);
