/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's state of a TCP connection (TCP_INFO, tcp(7)), and the totals of many samples. */
#pragma once

#include "ledger/figures.h"

/* Returns 0, or -1 when the kernel does not give it. */
int tcp_info_read(int fd, struct tcp_sample *out);
/* Adds a sample; the connections before this one retransmitted `retransmitted_before` segments. */
void tcp_info_add(struct figures_tcp *f, const struct tcp_sample *now,
    uint64_t retransmitted_before);
