/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel too old for a call says ENOSYS, a filter that forbids it that or EPERM: then it is done
 * one after another too. What EPERM tells of a datagram (a packet filter's word) is told of that
 * one then again. */
#include "config.h"

#include "server/mmsg.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* Linux 4.18 and 5.0; the C library's header may be older than the kernel. */
#if MMSG_BATCHES && !defined UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#if MMSG_BATCHES && !defined UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

static int receive_each(int fd, struct mmsghdr *messages, int count)
{
	int n = 0;
	ssize_t got = 0;

	while (n < count && (got = recvmsg(fd, &messages[n].msg_hdr, MSG_DONTWAIT)) >= 0)
		messages[n++].msg_len = (unsigned)got;
	return n ? n : -1;
}

static int send_each(int fd, const struct mmsghdr *messages, int count)
{
	int n = 0;

	while (n < count && sendmsg(fd, &messages[n].msg_hdr, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		n++;
	return n ? n : -1;
}

#if MMSG_BATCHES

static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

struct mmsg_support mmsg_probe(int fd)
{
	const int on = 1;
	int value;
	socklen_t size = sizeof value;
	struct mmsghdr none;

	return (struct mmsg_support){
		.batches = recvmmsg(fd, &none, 0, MSG_DONTWAIT, NULL) >= 0 || !is_missing(errno),
		.splits = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &size) == 0,
		.joins = setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on) == 0,
	};
}

int mmsg_receive(int fd, struct mmsghdr *messages, int count)
{
	int n = recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT, NULL);

	return n < 0 && is_missing(errno) ? receive_each(fd, messages, count) : n;
}

int mmsg_send(int fd, struct mmsghdr *messages, int count)
{
	int n;

	/* One alone is cheaper so. */
	if (count == 1)
		return send_each(fd, messages, count);
	n = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 && is_missing(errno) ? send_each(fd, messages, count) : n;
}

void mmsg_split(struct msghdr *message, uint16_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)message->msg_control +
	                                       message->msg_controllen);

	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof size);
	memcpy(CMSG_DATA(c), &size, sizeof size);
	message->msg_controllen += CMSG_SPACE(sizeof size);
}

bool mmsg_joined(const struct cmsghdr *c, size_t *size)
{
	int value;

	if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
		return false;
	memcpy(&value, CMSG_DATA(c), sizeof value);
	*size = (size_t)value;
	return true;
}

#else

struct mmsg_support mmsg_probe(int fd)
{
	(void)fd;
	return (struct mmsg_support){ false, false, false };
}

int mmsg_receive(int fd, struct mmsghdr *messages, int count)
{
	return receive_each(fd, messages, count);
}

int mmsg_send(int fd, struct mmsghdr *messages, int count)
{
	return send_each(fd, messages, count);
}

/* Never called: nothing splits here. */
void mmsg_split(struct msghdr *message, uint16_t size)
{
	(void)message;
	(void)size;
}

bool mmsg_joined(const struct cmsghdr *c, size_t *size)
{
	(void)c;
	(void)size;
	return false;
}

#endif
