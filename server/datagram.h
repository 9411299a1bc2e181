/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receives datagrams, with all that the kernel reports about them, and sends replies from the
 * addresses that they were sent to. */
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include "common/addr.h"

/* Messages that are received or sent at once. */
#define DATAGRAM_BATCH 64

/* The address that a datagram was sent to; its reply is sent from there. */
struct datagram_local {
	/* AF_INET or AF_INET6, by the control message; 0 if there was none or the socket has only
	 * one address. */
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
	/* Its TTL or hop limit on arrival; 0 if the system did not report it. */
	int ttl;
	/* When the kernel received it, ns of the wall clock. */
	int64_t arrived;
	/* The kernel's count of datagrams that found no room in the socket's queue, if it came. */
	bool has_kernel_drops;
	uint32_t kernel_drops;
};

/* A received message: one datagram of `n` bytes, or, where `each` is less than `n`, several of
 * `each` bytes that the kernel has joined; the last one may be shorter. */
struct datagram_message {
	struct datagram about;
	const unsigned char *bytes;
	size_t n, each;
};

/* A message to be sent, of the same kind, to the source of `about`. */
struct datagram_reply {
	const struct datagram *about;
	unsigned char *bytes;
	size_t n, each;
};

/* What the kernel accepts at once. */
struct datagram_support {
	/* Several messages in a call. */
	bool batches;
	/* Sends a message as datagrams of equal size (UDP_SEGMENT); receives datagrams as one
	 * message (UDP_GRO). */
	bool splits, joins;
};

/* Room for a batch. */
struct datagram_inbox;

/* The caller frees with free(). Returns NULL when memory is short. */
struct datagram_inbox *datagram_inbox_new(void);

/* Makes a socket's buffers `size` bytes where they are smaller: with CAP_NET_ADMIN, else no larger
 * than the system's limit. */
void datagram_set_buffers(int fd, int size);
/* Prepares a socket that is bound to `at`: it reports what datagram_receive() reads and sends with
 * this TTL, and its buffers are `buffer` bytes. Returns what the kernel accepts; in `*got` the size
 * of the receive buffer that it gave. */
struct datagram_support datagram_prepare(int fd, const struct addr *at, int ttl, int buffer,
    int *got);
/* Reads the kernel's present count of datagrams that found no room in the socket's queue. Returns
 * whether it has one. */
bool datagram_kernel_drops(int fd, uint32_t *count);

/* Receives the next messages, 1 <= most <= DATAGRAM_BATCH. Returns how many, or -1 with errno. */
int datagram_receive(int fd, struct datagram_inbox *in, int max);
/* One of these messages, valid until the next call. */
const struct datagram_message *datagram_at(const struct datagram_inbox *in, int i);

/* Sends up to DATAGRAM_BATCH replies in order. Returns how many were sent; -1 with errno of the
 * first one. */
int datagram_send(int fd, const struct datagram_reply *replies, int count);
/* Whether both replies go from and to the same addresses, so that they may be sent together. */
bool datagram_same_way(const struct datagram *a, const struct datagram *b);
