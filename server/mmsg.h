/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls of datagrams: many at once where the system can (recvmmsg, sendmmsg,
 * UDP_SEGMENT, UDP_GRO), else, and where configure was told --disable-batches, one after another.
 */
#ifndef UPCASED_MMSG_H
#define UPCASED_MMSG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What can be done at once; MMSG_BATCHES is 0 or 1, from configure, or from the test that wants the
 * other one. */
#ifndef MMSG_BATCHES
#ifdef HAVE_BATCHES
#define MMSG_BATCHES 1
#else
#define MMSG_BATCHES 0
#endif
#endif

#if !MMSG_BATCHES
/* As Linux has it. */
#define mmsghdr mmsg_header
struct mmsg_header {
	struct msghdr msg_hdr;
	unsigned msg_len;
};
#endif

/* What the kernel accepted. */
struct mmsg_support {
	/* Several to a call. */
	bool batches;
	/* Equal parts of one message sent as a datagram each; several that came received as one
	 * message. */
	bool splits, joins;
};

/* What `fd` can; has it receive joined ones if it can. */
struct mmsg_support mmsg_probe(int fd);

/* The next ones, `count` at most, 1 or more; never waits. Returns how many came, or -1 with errno.
 */
int mmsg_receive(int fd, struct mmsghdr *messages, int count);
/* Sends them in order, `count` of them, 1 or more. Returns how many went; -1 with errno of the
 * first one. */
int mmsg_send(int fd, struct mmsghdr *messages, int count);

/* Has the system split what is sent into datagrams of `size`: adds that to the control messages,
 * which have room for MMSG_SPLIT_SIZE more. */
#define MMSG_SPLIT_SIZE CMSG_SPACE(sizeof(uint16_t))
void mmsg_split(struct msghdr *message, uint16_t size);
/* Whether `c` tells the size of joined datagrams; then it is put there. */
bool mmsg_joined(const struct cmsghdr *c, size_t *size);

#endif
