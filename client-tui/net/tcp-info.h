/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel says of a TCP connection (TCP_INFO, see tcp(7)), and what many looks at it add up
 * to. */
#ifndef UPCASE_NET_TCP_INFO_H
#define UPCASE_NET_TCP_INFO_H

#include "ledger/figures.h"
#include "net/session.h"

/* Returns 0, or -1 when it says nothing. */
int tcp_info_read(int fd, struct tcp_sample *out);
/* Adds a look; the connections before this one sent `retransmitted_before` segments again. */
void tcp_info_add(struct figures_tcp *f, const struct tcp_sample *now,
    uint64_t retransmitted_before);

/* How many segments of the connection came out of order so far. Returns 0, or -1 where the kernel
 * does not tell (before Linux 5.4). */
int tcp_info_disorder(int fd, uint32_t *segments);

#endif
