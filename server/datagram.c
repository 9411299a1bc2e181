/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sends many datagrams in one system call; with configure's --disable-batches, one after another. A
 * kernel too old for such a call reports ENOSYS, a filter that forbids it ENOSYS or EPERM:
 * datagrams are sent one after another then too. An EPERM that is about a datagram (from a packet
 * filter) is then reported again, for that datagram. */
#include "server/datagram.h"

#include <errno.h>
#include <sys/socket.h>

/* Whether to make these calls: 0 or 1, from configure, or from the test of the other case. */
#ifndef MMSG_BATCHES
#define MMSG_BATCHES HAVE_BATCHES
#endif

/* Longer than any datagram and any message that the kernel joins. */
#define ROOM 65536
/* The distance between the rooms of two messages. It is no power of two: otherwise the first bytes
 * of all messages, usually all bytes there are, would share a few lines of the cache. */
#define STRIDE (ROOM + 2112)

struct datagram_inbox {
	struct os_message headers[DATAGRAM_BATCH];
	struct iovec parts[DATAGRAM_BATCH];
	union os_control controls[DATAGRAM_BATCH];
	struct datagram_message messages[DATAGRAM_BATCH];
	unsigned char bytes[DATAGRAM_BATCH][STRIDE];
};

/* Whether the system does not have the call, or forbids it. */
static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

void datagram_set_buffers(int fd, int size)
{
	/* A larger buffer stays. */
	if (os_buffer(fd, SO_RCVBUF) < size)
		os_set_buffer(fd, SO_RCVBUF, size);
	if (os_buffer(fd, SO_SNDBUF) < size)
		os_set_buffer(fd, SO_SNDBUF, size);
}

struct os_batches datagram_prepare(int fd, const struct addr *at, int ttl, int buffer, int *got)
{
	datagram_set_buffers(fd, buffer);
	*got = os_buffer(fd, SO_RCVBUF);
	/* From a socket that is bound to one address all replies leave from it. */
	os_ask(fd, OS_ASK_STAMP | OS_ASK_DROPS | OS_ASK_TTL |
	               (addr_is_unspecified(at) || addr_is_group(at) ? OS_ASK_LOCAL : 0));
	/* One of the two fails, by the socket's family. */
	setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
	setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
	return MMSG_BATCHES ? os_batches(fd) : (struct os_batches){ .calls = false };
}

int64_t datagram_kernel_drops(int fd)
{
	return os_drops(fd);
}

struct datagram_inbox *datagram_inbox_new(void)
{
	/* The system gives only the pages that are written to. */
	struct datagram_inbox *in = calloc(1, sizeof *in);

	for (int i = 0; in && i < DATAGRAM_BATCH; i++) {
		in->parts[i] = (struct iovec){ in->bytes[i], ROOM };
		in->messages[i].bytes = in->bytes[i];
		in->headers[i].header = (struct msghdr){
			.msg_name = &in->messages[i].about.from.storage,
			.msg_iov = &in->parts[i],
			.msg_iovlen = 1,
			.msg_control = &in->controls[i]
		};
	}
	return in;
}

static void read_message(struct datagram_inbox *in, int i)
{
	struct os_message *message = &in->headers[i];
	struct datagram_message *m = &in->messages[i];
	struct os_arrival *arrival = &m->about.arrival;

	m->about.from.len = message->header.msg_namelen;
	os_read_arrival(&message->header, arrival);
	m->n = message->n;
	m->each = arrival->each ? arrival->each : m->n;
}

/* Receives `count` messages at most. Returns how many, or -1 with errno. */
static int receive(int fd, struct os_message *messages, int count)
{
	ssize_t got = 0;
	int n = MMSG_BATCHES ? os_receive_many(fd, messages, count) : 0;

	if (MMSG_BATCHES && (n >= 0 || !is_missing(errno)))
		return n;
	n = 0;
	while (n < count && (got = recvmsg(fd, &messages[n].header, MSG_DONTWAIT)) >= 0)
		messages[n++].n = (unsigned)got;
	return n ? n : -1;
}

int datagram_receive(int fd, struct datagram_inbox *in, int max)
{
	int n;

	for (int i = 0; i < max; i++) {
		in->headers[i].header.msg_namelen = sizeof(struct sockaddr_storage);
		in->headers[i].header.msg_controllen = sizeof in->controls[i];
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

static void write_header(struct msghdr *header, const struct datagram_reply *r, struct iovec *part,
    union os_control *control)
{
	const struct datagram *d = r->about;
	union {
		const void *from;
		void *name;
	} to = { &d->from.storage };

	*part = (struct iovec){ r->bytes, r->n };
	*header = (struct msghdr){
		.msg_name = to.name, .msg_namelen = d->from.len, .msg_iov = part, .msg_iovlen = 1
	};
	header->msg_controllen = os_write_control(control, &d->arrival.local,
	    r->each < r->n ? r->each : 0);
	if (header->msg_controllen > 0)
		header->msg_control = control;
}

/* Sends messages in order. Returns how many went, or -1 with errno of the first one. */
static int transmit(int fd, struct os_message *messages, int count)
{
	int n = 0;

	/* One alone is cheaper by sendmsg(). */
	if (MMSG_BATCHES && count > 1) {
		n = os_send_many(fd, messages, count);
		if (n >= 0 || !is_missing(errno))
			return n;
		n = 0;
	}
	while (n < count && sendmsg(fd, &messages[n].header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		n++;
	return n ? n : -1;
}

int datagram_send(int fd, const struct datagram_reply *replies, int count)
{
	struct os_message headers[DATAGRAM_BATCH];
	struct iovec parts[DATAGRAM_BATCH];
	union os_control controls[DATAGRAM_BATCH];

	for (int i = 0; i < count; i++)
		write_header(&headers[i].header, &replies[i], &parts[i], &controls[i]);
	return transmit(fd, headers, count);
}

bool datagram_same_way(const struct datagram *a, const struct datagram *b)
{
	if (a == b)
		return true;
	/* The kernel writes every byte of an address in the same way. */
	const struct os_local *from = &a->arrival.local, *other = &b->arrival.local;

	if (a->from.len != b->from.len ||
	    memcmp(&a->from.storage, &b->from.storage, a->from.len) != 0 ||
	    from->family != other->family || from->interface != other->interface)
		return false;
	return from->family == AF_UNSPEC ||
	       (from->family == AF_INET ? from->in.s_addr == other->in.s_addr
	                                : IN6_ARE_ADDR_EQUAL(&from->in6, &other->in6));
}
