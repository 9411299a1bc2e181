/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "datagram.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t))];
};

static void ask_for(int fd, int level, int option)
{
	const int on = 1;

	/* Without it the server still answers. */
	setsockopt(fd, level, option, &on, sizeof on);
}

void datagram_prepare(int fd, int family)
{
	ask_for(fd, SOL_SOCKET, SO_TIMESTAMPNS);
	ask_for(fd, SOL_SOCKET, SO_RXQ_OVFL);
	/* A socket of IPv6 that takes IPv4 too, as a service manager may hand over, tells of each in its own way. */
	ask_for(fd, IPPROTO_IP, IP_PKTINFO);
	if (family == AF_INET6)
		ask_for(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

static void read_control(struct msghdr *message, struct datagram *d)
{
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		const void *data = CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&ts, data, sizeof ts);
			d->arrived = ts.tv_sec * NS_PER_S + ts.tv_nsec;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&d->overflowed, data, sizeof d->overflowed);
			d->tells_overflow = true;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			d->to.family = AF_INET;
			memcpy(&d->to.in, data, sizeof d->to.in);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			d->to.family = AF_INET6;
			memcpy(&d->to.in6, data, sizeof d->to.in6);
		}
	}
}

/* The local address that an IPv4 datagram came to is not the one it was sent to where that was multicast or broadcast.
 * It is not told of datagrams that came before the socket was prepared, and so were sent to whoever starts servers here
 * when something comes: then the address tells as far as it can, and the kernel sends nothing from a wrong one. */
static void read_destination4(struct datagram *d)
{
	struct addr to = {.in = {.sin_family = AF_INET, .sin_addr = d->to.in.ipi_addr}};

	if (d->to.in.ipi_spec_dst.s_addr == htonl(INADDR_ANY))
		d->to.in.ipi_spec_dst = d->to.in.ipi_addr;
	d->to_group = d->to.in.ipi_addr.s_addr != d->to.in.ipi_spec_dst.s_addr || addr_is_group(&to);
	d->to.in.ipi_ifindex = 0;
}

/* The interface goes; it is the route's to choose, but for a link-local address. */
static void read_destination(struct datagram *d)
{
	if (d->to.family == AF_INET) {
		read_destination4(d);
	} else if (d->to.family == AF_INET6) {
		d->to_group = IN6_IS_ADDR_MULTICAST(&d->to.in6.ipi6_addr);
		if (!IN6_IS_ADDR_LINKLOCAL(&d->to.in6.ipi6_addr))
			d->to.in6.ipi6_ifindex = 0;
	}
}

int datagram_receive(int fd, void *bytes, size_t size, struct datagram *d)
{
	union control control;
	struct iovec part = {bytes, size};
	struct msghdr message = {.msg_name = &d->from.storage, .msg_namelen = sizeof d->from.storage, .msg_iov = &part,
	    .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(fd, &message, 0);

	if (n < 0)
		return -1;
	d->n = (size_t)n;
	d->from.len = message.msg_namelen;
	d->to.family = 0;
	d->to_group = false;
	d->arrived = 0;
	d->tells_overflow = false;
	read_control(&message, d);
	read_destination(d);
	if (d->arrived == 0)
		d->arrived = clock_realtime();
	return 0;
}

static void put_control(struct msghdr *message, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *c = message->msg_control;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	message->msg_controllen = CMSG_SPACE(n);
}

ssize_t datagram_send(int fd, struct datagram *d, void *bytes, size_t n)
{
	union control control = {0};
	struct iovec part = {bytes, n};
	struct msghdr message = {.msg_name = &d->from.storage, .msg_namelen = d->from.len, .msg_iov = &part, .msg_iovlen = 1,
	    .msg_control = &control};

	if (d->to.family == AF_INET)
		put_control(&message, IPPROTO_IP, IP_PKTINFO, &d->to.in, sizeof d->to.in);
	else if (d->to.family == AF_INET6)
		put_control(&message, IPPROTO_IPV6, IPV6_PKTINFO, &d->to.in6, sizeof d->to.in6);
	else
		message.msg_control = NULL;
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}
