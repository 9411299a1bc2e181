/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One buffer for what comes in and one for what goes out serve all datagrams. Only a reply that the kernel cannot take
 * yet is kept apart, one for each socket, which is not read meanwhile: what then comes waits in the kernel's queue. */
#include "config.h"

#include "udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "addr.h"
#include "capitals.h"
#include "clock.h"
#include "guard.h"
#include "log.h"
#include "peers.h"
#include "source.h"

/* Longer than any datagram. */
#define IN_SIZE 65536
#define OUT_SIZE (CAPITALS_GROWTH * IN_SIZE)
/* Datagrams of one socket in one turn. */
#define TURN 64
/* Turns at the end: more than a receive buffer of some megabytes holds. */
#define LAST_TURNS 1024

/* The address that a datagram was sent to, which its reply comes from. */
struct local {
	/* AF_INET or AF_INET6, the kind of control message; 0 if the system did not tell. */
	int family;
	union {
		struct in_pktinfo in;
		struct in6_pktinfo in6;
	};
};

struct datagram {
	struct addr from;
	struct local to;
	bool to_group;
	size_t n;
	/* When the kernel received it, ns of the wall clock. */
	int64_t arrived;
};

/* A reply that waits for the kernel. */
struct held {
	struct datagram question;
	size_t n;
	unsigned char bytes[];
};

struct udp_socket {
	struct udp *udp;
	struct listen_socket *at;
	struct held *held;
	/* The kernel's own count of what its queue had no room for, as last told. */
	uint32_t overflowed;
};

struct udp {
	struct loop *loop;
	struct listen *listen;
	struct totals *totals;
	struct peers *peers;
	struct guard *guard;
	/* What arrives later than this is left: INT64_MAX until the end. */
	int64_t until;
	struct udp_socket sockets[LISTEN_SOCKETS];
	int count;
	unsigned char in[IN_SIZE], out[OUT_SIZE];
};

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

static void prepare(const struct listen_socket *s)
{
	ask_for(s->fd, SOL_SOCKET, SO_TIMESTAMPNS);
	ask_for(s->fd, SOL_SOCKET, SO_RXQ_OVFL);
	/* A socket of IPv6 that takes IPv4 too, as a service manager may hand over, tells of each in its own way. */
	ask_for(s->fd, IPPROTO_IP, IP_PKTINFO);
	if (s->addr.sa.sa_family == AF_INET6)
		ask_for(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

static void read_control(struct udp_socket *s, struct msghdr *message, struct datagram *d)
{
	uint32_t overflowed;
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		const void *data = CMSG_DATA(c);

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&ts, data, sizeof ts);
			d->arrived = ts.tv_sec * NS_PER_S + ts.tv_nsec;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&overflowed, data, sizeof overflowed);
			s->udp->totals->udp_overflowed += overflowed - s->overflowed;
			s->overflowed = overflowed;
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

/* The next datagram of a socket into `in`. Returns 0, or -1 with errno. */
static int receive(struct udp_socket *s, struct datagram *d)
{
	struct udp *u = s->udp;
	union control control;
	struct iovec part = {u->in, IN_SIZE};
	struct msghdr message = {.msg_name = &d->from.storage, .msg_namelen = sizeof d->from.storage, .msg_iov = &part,
	    .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(s->at->fd, &message, 0);

	if (n < 0)
		return -1;
	d->n = (size_t)n;
	d->from.len = message.msg_namelen;
	d->to.family = 0;
	d->to_group = false;
	d->arrived = 0;
	read_control(s, &message, d);
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

/* One try to send a reply. Returns what sendmsg() returns. */
static ssize_t try_send(const struct udp_socket *s, struct datagram *d, void *bytes, size_t n)
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
	return sendmsg(s->at->fd, &message, MSG_NOSIGNAL);
}

/* It has been answered or dropped. Counted only now, so that the sums are right also while a reply waits. */
static void settle(struct udp *u, const struct datagram *d)
{
	u->totals->udp_datagrams++;
	u->totals->udp_bytes_in += d->n;
}

static void drop(struct udp *u, const struct datagram *d, enum totals_drop why)
{
	char from[ADDR_TEXT];

	settle(u, d);
	u->totals->udp_dropped[why]++;
	log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes without a reply: %s", addr_text(&d->from, from), d->n,
	    totals_drop_word(why));
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/* Sends a reply. Returns whether that is settled, one way or the other; if not, the kernel cannot take it yet. */
static bool send_reply(const struct udp_socket *s, struct datagram *d, void *bytes, size_t n)
{
	struct udp *u = s->udp;
	ssize_t sent = try_send(s, d, bytes, n);

	/* An error that an earlier datagram caused is reported here once, and nothing is sent. */
	if (sent < 0 && !must_wait(errno) && errno != EMSGSIZE) {
		u->totals->udp_errors++;
		sent = try_send(s, d, bytes, n);
	}
	if (sent >= 0) {
		settle(u, d);
		u->totals->udp_replies++;
		u->totals->udp_bytes_out += n;
		return true;
	}
	if (must_wait(errno))
		return false;
	drop(u, d, errno == EMSGSIZE ? TOTALS_TOO_LONG : TOTALS_UNSENDABLE);
	return true;
}

static void hold(struct udp_socket *s, const struct datagram *d, const void *bytes, size_t n)
{
	s->held = malloc(sizeof *s->held + n);
	if (!s->held) {
		drop(s->udp, d, TOTALS_UNSENT);
		return;
	}
	s->held->question = *d;
	s->held->n = n;
	memcpy(s->held->bytes, bytes, n);
	loop_want(s->udp->loop, s->at->fd, LOOP_WRITE);
}

static void note_peer(struct udp *u, const struct datagram *d)
{
	const struct source who = source_of(&d->from);
	char from[ADDR_TEXT];

	if (!peers_note(u->peers, &who))
		return;
	u->totals->udp_clients++;
	log_event(LOG_LEVEL_PEER, "udp %s: first datagram, %zu bytes", addr_text(&d->from, from), d->n);
}

/* Whether a datagram that is its own capitals may be answered. */
static bool is_no_loop(struct udp *u, const struct datagram *d)
{
	char from[ADDR_TEXT];
	bool news;

	if (guard_loop(u->guard, &d->from, u->in, d->n, d->arrived, clock_realtime(), &news) == GUARD_ANSWER)
		return true;
	if (news)
		log_event(LOG_LEVEL_NOTICE, "udp %s: sends back what it is sent: a loop, silenced", addr_text(&d->from, from));
	drop(u, d, TOTALS_LOOP);
	return false;
}

static void answer(struct udp_socket *s, struct datagram *d, int64_t now)
{
	struct udp *u = s->udp;
	const struct guard_origin origin = {&d->from, d->to_group, listen_serves(u->listen, &d->from, now)};
	enum guard_verdict verdict = guard_origin(&origin);
	size_t n;

	if (verdict != GUARD_ANSWER) {
		drop(u, d, (enum totals_drop)verdict);
		return;
	}
	note_peer(u, d);
	n = capitals_text(u->in, d->n, u->out);
	if (n == d->n && memcmp(u->in, u->out, n) == 0 && !is_no_loop(u, d))
		return;
	if (!send_reply(s, d, u->out, n))
		hold(s, d, u->out, n);
}

static void close_socket(struct udp_socket *s)
{
	if (s->at->fd < 0)
		return;
	loop_remove(s->udp->loop, s->at->fd);
	listen_close_one(s->at);
}

/* Up to a turn's datagrams. Returns whether there may be more at once. */
static bool serve(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	struct datagram d;

	for (int i = 0; i < TURN && !s->held; i++) {
		if (receive(s, &d) == 0) {
			if (d.arrived > u->until)
				return false;
			answer(s, &d, now);
		} else if (must_wait(errno)) {
			return false;
		} else if (errno != EINTR) {
			/* What ICMP told of an earlier reply, or of a network that is down. */
			u->totals->udp_errors++;
		}
	}
	return !s->held;
}

/* Sends the reply that had to wait. Returns whether it is out of the way. */
static bool send_held(struct udp_socket *s)
{
	if (!send_reply(s, &s->held->question, s->held->bytes, s->held->n))
		return false;
	free(s->held);
	s->held = NULL;
	loop_want(s->udp->loop, s->at->fd, LOOP_READ);
	return true;
}

static void socket_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct udp_socket *s = context;
	bool more;

	(void)fd;
	(void)ready;
	if (s->held && !send_held(s))
		return;
	more = serve(s, now);
	if (!more && !s->held && s->udp->until != INT64_MAX)
		close_socket(s);
}

struct udp *udp_new(struct loop *loop, struct listen *l, struct totals *totals, const struct hash_key *key)
{
	struct udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	*u = (struct udp){.loop = loop, .listen = l, .totals = totals, .peers = peers_new(key), .guard = guard_new(key),
	    .until = INT64_MAX};
	if (!u->peers || !u->guard) {
		udp_free(u);
		return NULL;
	}
	for (int i = 0; i < l->count; i++) {
		struct udp_socket *s = &u->sockets[u->count];

		if (l->sockets[i].type != SOCK_DGRAM)
			continue;
		*s = (struct udp_socket){.udp = u, .at = &l->sockets[i]};
		prepare(s->at);
		loop_add(loop, s->at->fd, LOOP_READ, socket_ready, s);
		u->count++;
	}
	return u;
}

void udp_free(struct udp *u)
{
	for (int i = 0; i < u->count; i++) {
		if (u->sockets[i].held)
			drop(u, &u->sockets[i].held->question, TOTALS_UNSENT);
		free(u->sockets[i].held);
		close_socket(&u->sockets[i]);
	}
	peers_free(u->peers);
	guard_free(u->guard);
	free(u);
}

void udp_finish(struct udp *u, int64_t now)
{
	u->until = clock_realtime();
	for (int i = 0; i < u->count; i++) {
		struct udp_socket *s = &u->sockets[i];
		bool more = !s->held;

		for (int turn = 0; more && turn < LAST_TURNS; turn++)
			more = serve(s, now);
		if (!s->held)
			close_socket(s);
	}
}

bool udp_busy(const struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		if (u->sockets[i].at->fd >= 0)
			return true;
	return false;
}
