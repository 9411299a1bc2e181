/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receives datagrams, with what the kernel reports, and replies from the addresses they came to. */
#pragma once

#include "common/addr.h"
#include "common/os.h"

/* Messages that are received or sent at once. */
#define DATAGRAM_BATCH 64

struct datagram {
	struct addr from;
	struct os_arrival arrival;
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

/* Room for a batch. */
struct datagram_inbox;

/* The caller frees with free(). Returns NULL when memory is short. */
struct datagram_inbox *datagram_inbox_new(void);

/* Makes a socket's buffers `size` bytes where they are smaller, as os_set_buffer() can. */
void datagram_set_buffers(int fd, int size);
/* Prepares a socket that is bound to `at`: it reports what datagram_receive() reads and sends with
 * this TTL, and its buffers are `buffer` bytes. Returns what the kernel accepts; in `*got` the size
 * of the receive buffer that it gave. */
struct os_batches datagram_prepare(int fd, const struct addr *at, int ttl, int buffer, int *got);
/* The kernel's count of datagrams that found no room in the socket's queue, as os_drops(). */
int64_t datagram_kernel_drops(int fd);

/* Receives the next messages, 1 <= most <= DATAGRAM_BATCH. Returns how many, or -1 with errno. */
int datagram_receive(int fd, struct datagram_inbox *in, int max);
/* One of these messages, valid until the next call. */
const struct datagram_message *datagram_at(const struct datagram_inbox *in, int i);

/* Sends up to DATAGRAM_BATCH replies in order. Returns how many were sent; -1 with errno of the
 * first one. */
int datagram_send(int fd, const struct datagram_reply *replies, int count);
/* Whether both replies go from and to the same addresses, so that they may be sent together. */
bool datagram_same_way(const struct datagram *a, const struct datagram *b);
