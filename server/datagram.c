/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sends many datagrams in one system call; with configure's --disable-batches, one after another. A
 * kernel too old for such a call reports ENOSYS, a filter that forbids it ENOSYS or EPERM:
 * datagrams are sent one after another then too. An EPERM that is about a datagram (from a packet
 * filter) is then reported again, for that datagram. */
#include "server/datagram.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"

/* Whether to call recvmmsg() and sendmmsg(): 0 or 1, from configure, or from the test of the other
 * case. */
#ifndef MMSG_BATCHES
#define MMSG_BATCHES HAVE_BATCHES
#endif

/* Linux 4.18 and 5.0; the C library's header may be older than the kernel. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

/* Longer than any datagram and any message that the kernel joins. */
#define ROOM 65536
/* The distance between the rooms of two messages. It is no power of two: otherwise the first bytes
 * of all messages, usually all bytes there are, would share a few lines of the cache. */
#define STRIDE (ROOM + 2112)

union control_in {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	           CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(uint32_t)) +
	           2 * CMSG_SPACE(sizeof(int))];
};

union control_out {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct datagram_inbox {
	struct mmsghdr headers[DATAGRAM_BATCH];
	struct iovec parts[DATAGRAM_BATCH];
	union control_in controls[DATAGRAM_BATCH];
	struct datagram_message messages[DATAGRAM_BATCH];
	unsigned char bytes[DATAGRAM_BATCH][STRIDE];
};

/* Whether the system does not have the call, or forbids it. */
static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

/* The size of a socket's buffer. The kernel doubles it for its own needs. */
static int buffer_of(int fd, int option)
{
	int size = 0;
	socklen_t length = sizeof size;

	return getsockopt(fd, SOL_SOCKET, option, &size, &length) < 0 ? 0 : size / 2;
}

/* Sets an option without which the server still answers. */
static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof value);
}

/* Makes a buffer larger: past the system's limit where that is allowed, else up to it. A larger
 * buffer stays. */
static void set_buffer_size(int fd, int forced, int option, int size)
{
	if (buffer_of(fd, option) < size &&
	    setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

void datagram_set_buffers(int fd, int size)
{
	set_buffer_size(fd, SO_RCVBUFFORCE, SO_RCVBUF, size);
	set_buffer_size(fd, SO_SNDBUFFORCE, SO_SNDBUF, size);
}

/* Finds out what `fd` can do at once; switches on joined datagrams if it can receive them. */
static struct datagram_support probe(int fd)
{
	int value;
	socklen_t size = sizeof value;
	struct mmsghdr none;

	if (!MMSG_BATCHES)
		return (struct datagram_support){ .batches = false };
	return (struct datagram_support){
		.batches = recvmmsg(fd, &none, 0, MSG_DONTWAIT, NULL) >= 0 || !is_missing(errno),
		.splits = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &size) == 0,
		.joins = setsockopt(fd, SOL_UDP, UDP_GRO, &(int){ 1 }, sizeof(int)) == 0,
	};
}

struct datagram_support datagram_prepare(int fd, const struct addr *at, int ttl, int buffer,
    int *got)
{
	datagram_set_buffers(fd, buffer);
	*got = buffer_of(fd, SO_RCVBUF);
	set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	/* A socket that is bound to one address needs none of this: replies leave from it. An IPv6
	 * socket that also takes IPv4, which a service manager may hand over, has control messages
	 * of both. */
	if (addr_is_unspecified(at) || addr_is_group(at))
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (at->sa.sa_family == AF_INET6 && (addr_is_unspecified(at) || addr_is_group(at)))
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	/* Such a socket takes both options; an IPv4 socket refuses the IPv6 one. */
	set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
	set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	set_option(fd, IPPROTO_IP, IP_TTL, ttl);
	set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
	return probe(fd);
}

bool datagram_kernel_drops(int fd, uint32_t *count)
{
	uint32_t values[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof values;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &size) < 0 ||
	    size < (SK_MEMINFO_DROPS + 1) * sizeof *values)
		return false;
	*count = values[SK_MEMINFO_DROPS];
	return true;
}

struct datagram_inbox *datagram_inbox_new(void)
{
	/* The system gives only the pages that are written to. */
	struct datagram_inbox *in = calloc(1, sizeof *in);

	for (int i = 0; in && i < DATAGRAM_BATCH; i++) {
		in->parts[i] = (struct iovec){ in->bytes[i], ROOM };
		in->messages[i].bytes = in->bytes[i];
		in->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &in->messages[i].about.from.storage,
			.msg_iov = &in->parts[i],
			.msg_iovlen = 1,
			.msg_control = &in->controls[i]
		};
	}
	return in;
}

static void read_control(struct msghdr *header, struct datagram_message *m)
{
	struct datagram *d = &m->about;
	struct timespec ts;
	int each;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		const void *data = CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&ts, data, sizeof ts);
			d->arrived = clock_ns(&ts);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&d->kernel_drops, data, sizeof d->kernel_drops);
			d->has_kernel_drops = true;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			d->to.family = AF_INET;
			memcpy(&d->to.in, data, sizeof d->to.in);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			d->to.family = AF_INET6;
			memcpy(&d->to.in6, data, sizeof d->to.in6);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		           (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&d->ttl, data, sizeof d->ttl);
		} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&each, data, sizeof each);
			m->each = (size_t)each;
		}
	}
}

/* Sets `to_group`, and drops the interface, which the route chooses, but for a link-local address.
 *
 * The local address of an IPv4 datagram differs from the one it was sent to if that was multicast
 * or broadcast. It is missing for datagrams that came before the socket was prepared, as where a
 * service manager starts servers when something comes: then the address decides as far as it can,
 * and the kernel sends nothing from a wrong one. */
static void read_destination(struct datagram *d)
{
	struct in_pktinfo *in = &d->to.in;

	if (d->to.family == AF_INET) {
		struct addr to = { .in = { .sin_family = AF_INET, .sin_addr = in->ipi_addr } };

		if (in->ipi_spec_dst.s_addr == htonl(INADDR_ANY))
			in->ipi_spec_dst = in->ipi_addr;
		d->to_group = in->ipi_addr.s_addr != in->ipi_spec_dst.s_addr || addr_is_group(&to);
		in->ipi_ifindex = 0;
	} else if (d->to.family == AF_INET6) {
		d->to_group = IN6_IS_ADDR_MULTICAST(&d->to.in6.ipi6_addr);
		if (!IN6_IS_ADDR_LINKLOCAL(&d->to.in6.ipi6_addr))
			d->to.in6.ipi6_ifindex = 0;
	}
}

static void read_message(struct datagram_inbox *in, int i)
{
	struct mmsghdr *header = &in->headers[i];
	struct datagram_message *m = &in->messages[i];
	struct datagram *d = &m->about;

	m->n = m->each = header->msg_len;
	d->from.len = header->msg_hdr.msg_namelen;
	d->to.family = 0;
	d->to_group = false;
	d->ttl = 0;
	d->arrived = 0;
	d->has_kernel_drops = false;
	read_control(&header->msg_hdr, m);
	read_destination(d);
	if (d->arrived <= 0)
		d->arrived = clock_realtime();
}

/* Receives `count` messages at most. Returns how many, or -1 with errno. */
static int receive(int fd, struct mmsghdr *messages, int count)
{
	ssize_t got = 0;
	int n = MMSG_BATCHES ? recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT, NULL) : 0;

	if (MMSG_BATCHES && (n >= 0 || !is_missing(errno)))
		return n;
	n = 0;
	while (n < count && (got = recvmsg(fd, &messages[n].msg_hdr, MSG_DONTWAIT)) >= 0)
		messages[n++].msg_len = (unsigned)got;
	return n ? n : -1;
}

int datagram_receive(int fd, struct datagram_inbox *in, int max)
{
	int n;

	for (int i = 0; i < max; i++) {
		in->headers[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_storage);
		in->headers[i].msg_hdr.msg_controllen = sizeof in->controls[i];
	}
	n = receive(fd, in->headers, max);
	for (int i = 0; i < n; i++)
		read_message(in, i);
	return n;
}

const struct datagram_message *datagram_at(const struct datagram_inbox *in, int i)
{
	return &in->messages[i];
}

/* Adds a control message. */
static void put_control(struct msghdr *header, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)header->msg_control +
	                                       header->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	header->msg_controllen += CMSG_SPACE(n);
}

static void write_header(struct msghdr *header, const struct datagram_reply *r, struct iovec *part,
    union control_out *control)
{
	const struct datagram *d = r->about;
	const uint16_t each = (uint16_t)r->each;
	union {
		const void *from;
		void *name;
	} to = { &d->from.storage };

	*part = (struct iovec){ r->bytes, r->n };
	*header = (struct msghdr){ .msg_name = to.name,
		.msg_namelen = d->from.len,
		.msg_iov = part,
		.msg_iovlen = 1,
		.msg_control = control };
	if (d->to.family == AF_INET)
		put_control(header, IPPROTO_IP, IP_PKTINFO, &d->to.in, sizeof d->to.in);
	else if (d->to.family == AF_INET6)
		put_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &d->to.in6, sizeof d->to.in6);
	if (r->each < r->n)
		put_control(header, SOL_UDP, UDP_SEGMENT, &each, sizeof each);
	if (header->msg_controllen == 0)
		header->msg_control = NULL;
}

/* Sends messages in order. Returns how many went, or -1 with errno of the first one. */
static int transmit(int fd, struct mmsghdr *messages, int count)
{
	int n = 0;

	/* One alone is cheaper by sendmsg(). */
	if (MMSG_BATCHES && count > 1) {
		n = sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0 || !is_missing(errno))
			return n;
		n = 0;
	}
	while (n < count && sendmsg(fd, &messages[n].msg_hdr, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		n++;
	return n ? n : -1;
}

int datagram_send(int fd, const struct datagram_reply *replies, int count)
{
	struct mmsghdr headers[DATAGRAM_BATCH];
	struct iovec parts[DATAGRAM_BATCH];
	union control_out controls[DATAGRAM_BATCH];

	for (int i = 0; i < count; i++)
		write_header(&headers[i].msg_hdr, &replies[i], &parts[i], &controls[i]);
	return transmit(fd, headers, count);
}

bool datagram_same_way(const struct datagram *a, const struct datagram *b)
{
	if (a == b)
		return true;
	/* The kernel writes every byte of an address in the same way. */
	if (a->from.len != b->from.len ||
	    memcmp(&a->from.storage, &b->from.storage, a->from.len) != 0 ||
	    a->to.family != b->to.family)
		return false;
	return a->to.family == 0 ||
	       (a->to.family == AF_INET
	               ? a->to.in.ipi_spec_dst.s_addr == b->to.in.ipi_spec_dst.s_addr
	               : a->to.in6.ipi6_ifindex == b->to.in6.ipi6_ifindex &&
	                     IN6_ARE_ADDR_EQUAL(&a->to.in6.ipi6_addr, &b->to.in6.ipi6_addr));
}
