/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams that came to this machine and were dropped since the socket's receive buffer was full.
 * The kernel counts for a socket all drops, damaged datagrams too (SO_RXQ_OVFL, SO_MEMINFO), and
 * for the whole host those for want of room. An overflow is in both. */
#ifndef UPCASE_NET_RECEIVE_DROPS_H
#define UPCASE_NET_RECEIVE_DROPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct receive_drops {
	/* This socket's drops, as last reported. */
	uint32_t drops;
	/* The overflows of earlier sockets of the session. */
	uint64_t before;
	/* The host's, when the socket was opened; whether it could be read. */
	uint64_t host;
	bool has_host;
};

void receive_drops_open(struct receive_drops *o, int fd);
/* Reads the count from a datagram's control data. */
void receive_drops_take(struct receive_drops *o, struct msghdr *m);
/* The socket is about to be closed. */
void receive_drops_close(struct receive_drops *o, int fd);
/* So far, over all sockets; `fd` is -1 when there is none now. */
uint64_t receive_drops_count(const struct receive_drops *o, int fd);

#endif
