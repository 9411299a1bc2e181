/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls of datagrams: many at once where the system can (recvmmsg, sendmmsg, UDP_SEGMENT, UDP_GRO), else, and
 * where configure was told --disable-batches, one after another. */
#ifndef UPCASED_MESSAGES_H
#define UPCASED_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What can be done at once; MESSAGES_BATCHES is 0 or 1, from configure, or from the test that wants the other one. */
#ifndef MESSAGES_BATCHES
#ifdef HAVE_BATCHES
#define MESSAGES_BATCHES 1
#else
#define MESSAGES_BATCHES 0
#endif
#endif

#if !MESSAGES_BATCHES
/* As Linux has it. */
#define mmsghdr messages_header
struct messages_header {
	struct msghdr msg_hdr;
	unsigned msg_len;
};
#endif

/* What the kernel accepted. */
struct messages_means {
	/* Several to a call. */
	bool batches;
	/* Equal parts of one message sent as a datagram each; several that came received as one message. */
	bool splits, joins;
};

/* What `fd` can; has it receive joined ones if it can. */
struct messages_means messages_probe(int fd);

/* The next ones, `count` at most, 1 or more; never waits. Returns how many came, or -1 with errno. */
int messages_receive(int fd, struct mmsghdr *messages, int count);
/* Sends them in order, `count` of them, 1 or more. Returns how many went; -1 with errno of the first one. */
int messages_send(int fd, struct mmsghdr *messages, int count);

/* Has the system split what is sent into datagrams of `size`: adds that to the control messages, which have room for
 * MESSAGES_SPLIT_ROOM more. */
#define MESSAGES_SPLIT_ROOM CMSG_SPACE(sizeof(uint16_t))
void messages_split(struct msghdr *message, uint16_t size);
/* Whether `c` tells the size of joined datagrams; then it is put there. */
bool messages_joined(const struct cmsghdr *c, size_t *size);

#endif
