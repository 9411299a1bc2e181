/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams that came to this machine and were dropped since the socket's receive buffer was full. The kernel counts for a socket what
 * it dropped there for whatever reason (SO_RXQ_OVFL, SO_MEMINFO), damaged ones too; and for the whole host what it dropped
 * for want of room. An overflow is in both. */
#ifndef UPCASE_OVERFLOW_H
#define UPCASE_OVERFLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct overflow {
	/* This socket's drops, as last told; those of earlier sockets of the session that were overflows. */
	uint32_t drops;
	uint64_t before;
	/* The host's, when the socket was opened; whether it could be read. */
	uint64_t host;
	bool has_host;
};

void overflow_open(struct overflow *o, int fd);
/* What a datagram's control data says. */
void overflow_take(struct overflow *o, struct msghdr *m);
/* The socket is about to be closed. */
void overflow_close(struct overflow *o, int fd);
/* So far, over all sockets; `fd` is -1 when there is none now. */
uint64_t overflow_count(const struct overflow *o, int fd);

#endif
