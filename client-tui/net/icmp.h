/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ICMP errors about what a socket sent. The kernel keeps them in the socket's error queue. */
#pragma once

#include "common/addr.h"

struct icmp {
	int error; /* as ledger/error-text.h has it */
	/* The host that sent it; its family is AF_UNSPEC when that is not known. */
	struct addr from;
	/* It is about a datagram of this many bytes at least: smaller ones fit the MTU. */
	size_t min_length;
};

struct os_error;
/* Reads an ICMP error about a datagram to `to`. False when it is none. */
bool icmp_read(int fd, const struct addr *to, const struct os_error *e, struct icmp *out);
/* The error in the error queue of a stream, else 0. */
int icmp_error(int fd, const struct addr *to);
