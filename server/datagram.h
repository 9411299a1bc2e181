/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One datagram received with all that the kernel tells of it, and one sent from where that one was sent to. */
#ifndef UPCASED_DATAGRAM_H
#define UPCASED_DATAGRAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "addr.h"

/* The address that a datagram was sent to, which its reply comes from. */
struct datagram_local {
	/* AF_INET or AF_INET6, the kind of control message; 0 if the system did not tell. */
	int family;
	union {
		struct in_pktinfo in;
		struct in6_pktinfo in6;
	};
};

struct datagram {
	struct addr from;
	struct datagram_local to;
	bool to_group;
	size_t n;
	/* When the kernel received it, ns of the wall clock. */
	int64_t arrived;
	/* The kernel's own count of what the socket's queue had no room for, if it told one. */
	bool tells_overflow;
	uint32_t overflowed;
};

/* Has a socket of `family` tell what datagram_receive() reads. */
void datagram_prepare(int fd, int family);
/* The next one into `bytes`, at most `size`. Returns 0, or -1 with errno. */
int datagram_receive(int fd, void *bytes, size_t size, struct datagram *d);
/* A reply to `d`, one try. Returns what sendmsg() returns. */
ssize_t datagram_send(int fd, struct datagram *d, void *bytes, size_t n);

#endif
