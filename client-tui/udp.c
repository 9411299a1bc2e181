/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over UDP: one connected socket, one datagram a line. Being connected, it hears of ICMP errors;
 * IP_RECVERR says which datagram each one is about. Times are the kernel's where it gives them, of the arrival
 * (SO_TIMESTAMPNS) and of the departure (SO_TIMESTAMPING, by way of the error queue), so that whatever this program
 * does meanwhile counts for nothing in them. */
#include "config.h"

#include <errno.h>
#include <time.h>
/* needs struct timespec from <time.h> */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "overflow.h"
#include "session-core.h"
#include "stamps.h"
#include "summary.h"

/* More than any datagram carries (RFC 768: the length field has 16 bits). */
#define DATAGRAM_ROOM 65536
/* Datagrams and errors taken in one turn: enough to keep up, few enough to keep the screen alive. */
#define TURN_MAX 256
/* The peer's socket buffer may be the default one, 208 KiB by the kernel's reckoning, which counts about twice the
 * bytes and its own book-keeping for each datagram. This much may be on the way at once. */
#define FLIGHT_MAX (160 * 1024)
#define FLIGHT_DATAGRAM 1024

struct udp {
	/* What the lines on the way cost the peer's buffer, as reckoned above. */
	size_t flight;
	/* The socket's own buffer is full: wait until it can be written. */
	bool full;
	/* The last thing heard was a refusal: it is told once, not for each line. */
	bool told_refused;
	struct stamps stamps;
	struct overflow overflow;
	unsigned char wire[DATAGRAM_ROOM + LEDGER_TAG_ROOM];
};

static size_t flight_cost(size_t length)
{
	return 2 * length + FLIGHT_DATAGRAM;
}

static void set_option(int fd, int level, int option, int value)
{
	/* Every one of them only makes things better; a kernel without it still serves. */
	(void)setsockopt(fd, level, option, &value, sizeof value);
}

static void set_options(int fd, int family)
{
	set_option(fd, SOL_SOCKET, SO_RCVBUF, SESSION_RECEIVE_BUFFER);
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	else
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
}

static int udp_open(struct session *s, int64_t now)
{
	const struct addr *to = &s->addresses[s->address];
	struct addr here = {.len = sizeof here.storage};
	int fd;

	(void)now;
	if (!s->side && !(s->side = calloc(1, sizeof(struct udp))))
		return ENOMEM;
	fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (fd >= FD_SETSIZE || connect(fd, &to->sa, to->len) < 0) {
		int error = fd >= FD_SETSIZE ? EMFILE : errno;

		close(fd);
		return error;
	}
	set_options(fd, to->sa.sa_family);
	stamps_open(&((struct udp *)s->side)->stamps, fd, true);
	overflow_open(&((struct udp *)s->side)->overflow, fd);
	s->fd = fd;
	s->phase = PHASE_READY;
	if (getsockname(fd, &here.sa, &here.len) == 0)
		session_opened(s, &here, 0);
	((struct udp *)s->side)->full = false;
	return 0;
}

static void udp_close(struct session *s, int64_t now)
{
	(void)now;
	if (s->fd >= 0) {
		overflow_close(&((struct udp *)s->side)->overflow, s->fd);
		close(s->fd);
	}
	s->fd = -1;
}

static void udp_free(struct session *s)
{
	free(s->side);
}

/* A line left the flight, whatever became of it. */
static void landed(struct session *s, uint64_t number)
{
	struct udp *u = s->side;
	const struct ledger_row *row = ledger_find(s->ledger, number);
	const size_t cost = flight_cost(row ? row->length : 0);

	u->flight = cost < u->flight ? u->flight - cost : 0;
	if (ledger_totals(s->ledger)->waiting == 0)
		u->flight = 0;
}

static bool may_fly(const struct session *s)
{
	const struct udp *u = s->side;
	const uint64_t waiting = ledger_totals(s->ledger)->waiting;

	return s->unheld || waiting == 0 || (waiting < (uint64_t)s->settings.window && (!u || u->flight < FLIGHT_MAX));
}

/* Hands the bytes to the kernel. An ICMP error about an earlier datagram surfaces here too, once, instead of
 * sending; it is in the error queue as well, so here it only costs another try. */
static int send_datagram(int fd, const void *bytes, size_t n)
{
	for (int tries = 0; tries < 8; tries++) {
		if (send(fd, bytes, n, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR && errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH)
			return errno;
	}
	return errno;
}

static int udp_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces, int64_t now)
{
	if (pieces & SESSION_GENERATED) {
		s->unheld = true;
		return ledger_add_unlike(s->ledger, number, text, n, now);
	}
	if (ledger_totals(s->ledger)->waiting < (uint64_t)s->settings.window)
		s->unheld = false;
	return ledger_add(s->ledger, number, text, n, now);
}

static bool udp_has_room(const struct session *s)
{
	return ledger_totals(s->ledger)->queued == 0 && may_fly(s);
}

static void udp_watch(const struct session *s, struct watch *w)
{
	const struct udp *u = s->side;

	watch_read(w, s->fd);
	if (u->full)
		watch_write(w, s->fd);
}

static const struct sock_extended_err *icmp_error(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(c);

		if (!((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)))
			continue;
		if (e->ee_origin == SO_EE_ORIGIN_ICMP || e->ee_origin == SO_EE_ORIGIN_ICMP6)
			return e;
	}
	return NULL;
}

/* Nothing listens at this address, nothing ever came from it, and the name has more: all that waits goes to the
 * next one (a textbook server serves IPv4 only, and "localhost" is ::1 first). */
static bool turn_to_next_address(struct session *s, int64_t now)
{
	char from[ADDR_TEXT];
	uint64_t number;

	if (s->answered || !session_has_next_address(s))
		return false;
	addr_text(&s->addresses[s->address], from);
	while ((number = ledger_first_waiting(s->ledger)) != 0)
		ledger_requeue(s->ledger, number);
	((struct udp *)s->side)->flight = 0;
	udp_close(s, now);
	session_next_address(s, now);
	session_notice(s, false, "UDP %s: nothing listens there; going on with %s", from, s->peer);
	return true;
}

static void unreachable(struct session *s, const unsigned char *quoted, size_t n, int error, int64_t now)
{
	struct udp *u = s->side;
	uint64_t number;

	if (turn_to_next_address(s, now))
		return;
	number = ledger_unreachable(s->ledger, quoted, n, error, now);
	if (number == 0)
		return;
	landed(s, number);
	session_row(s, number);
	if (!u->told_refused)
		session_notice(s, true, "UDP %s: %s", s->peer, summary_error(error, false));
	u->told_refused = true;
}

/* A datagram that any socket takes, but not the path as one piece: not the EMSGSIZE of one that is too long for UDP. No
 * socket says E2BIG. */
static int path_error(const struct sock_extended_err *error)
{
	return error->ee_errno == EMSGSIZE ? E2BIG : (int)error->ee_errno;
}

/* Errors first: they belong to lines sent earlier. Returns false when there are none left. */
static bool take_error(struct session *s, int64_t now)
{
	struct udp *u = s->side;
	unsigned char control[512];
	struct iovec part = {.iov_base = u->wire, .iov_len = sizeof u->wire};
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	const struct sock_extended_err *error;
	ssize_t n = recvmsg(s->fd, &m, MSG_ERRQUEUE);
	uint64_t number;
	int64_t at;

	if (n < 0)
		return false;
	if (stamps_take(&u->stamps, &m, &number, &at)) {
		if (number && ledger_stamped(s->ledger, number, at))
			stamps_used(&u->stamps);
		return true;
	}
	error = icmp_error(&m);
	if (error)
		unreachable(s, u->wire, (size_t)n, path_error(error), now);
	return s->fd >= 0;
}

/* --- sending --- */

/* Most devices stamp a datagram before send() returns. Taken at once, stamps take no room from replies, and nobody is woken for
 * them. */
static void take_stamps(struct session *s, int64_t now)
{
	const struct udp *u = s->side;

	while (s->fd >= 0 && u->stamps.asked && u->stamps.awaited && take_error(s, now))
		;
}

static void push_one(struct session *s, uint64_t number)
{
	struct udp *u = s->side;
	const size_t n = ledger_wire(s->ledger, number, u->wire, sizeof u->wire);
	const int64_t now = clock_monotonic();
	int error = n > sizeof u->wire ? EMSGSIZE : send_datagram(s->fd, u->wire, n);

	if (error == EAGAIN || error == ENOBUFS) {
		u->full = true;
		return;
	}
	if (error) {
		ledger_failed(s->ledger, number, error, now);
		session_row(s, number);
		return;
	}
	u->flight += flight_cost(ledger_find(s->ledger, number)->length);
	ledger_sent(s->ledger, number, now);
	stamps_sent(&u->stamps, number);
	session_sent(s, number, 0, n);
}

static void udp_push(struct session *s, int64_t now)
{
	struct udp *u = s->side;
	uint64_t number;

	if (s->phase == PHASE_READY)
		stamps_look(&u->stamps);
	while (s->phase == PHASE_READY && !u->full && may_fly(s) &&
	    (number = ledger_first_queued(s->ledger)) != 0) {
		push_one(s, number);
		take_stamps(s, now);
	}
}

/* --- receiving --- */

static void take_reply(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct udp *u = s->side;
	const uint64_t waiting = ledger_totals(s->ledger)->waiting;
	struct session_reply reply = {.verdict = ledger_reply(s->ledger, bytes, n, at)};

	s->answered = true;
	u->told_refused = false;
	/* In time or late: it was waited for until now. */
	if (ledger_totals(s->ledger)->waiting < waiting)
		landed(s, reply.verdict.number);
	reply.text = bytes + reply.verdict.skip;
	reply.length = n - reply.verdict.skip;
	s->hooks.reply(s->hooks.context, &reply);
}

/* One datagram. Returns false when there is none. */
static bool take_datagram(struct session *s)
{
	struct udp *u = s->side;
	unsigned char control[256];
	struct iovec part = {.iov_base = u->wire, .iov_len = sizeof u->wire};
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(s->fd, &m, 0);

	if (n >= 0) {
		overflow_take(&u->overflow, &m);
		stamps_count(&u->stamps, stamps_has(&u->stamps, &m), 1);
		take_reply(s, u->wire, (size_t)n, stamps_received(&u->stamps, &m, clock_monotonic()));
		return true;
	}
	/* An ICMP error surfaces here as well as in the error queue. */
	return errno != EAGAIN && errno != EWOULDBLOCK;
}

/* Takes what came. Returns true when there is nothing left: then, and only then, no reply that was in time is still in
 * the socket. */
static bool take_all(struct session *s, int64_t now)
{
	stamps_look(&((struct udp *)s->side)->stamps);
	for (int i = 0; i < TURN_MAX && take_error(s, now); i++)
		;
	for (int i = 0; i < TURN_MAX && s->fd >= 0; i++)
		if (!take_datagram(s))
			return true;
	return s->fd < 0;
}

static void expire(struct session *s, int64_t now)
{
	uint64_t number;

	while ((number = ledger_expire(s->ledger, now)) != 0) {
		landed(s, number);
		session_row(s, number);
	}
}

static void udp_turn(struct session *s, const struct watch *w, int64_t now)
{
	struct udp *u = s->side;
	bool all = true;

	if (!u)
		return;
	if (watch_can_write(w, s->fd))
		u->full = false;
	if (s->fd >= 0 && (watch_can_read(w, s->fd) || ledger_deadline(s->ledger) <= now))
		all = take_all(s, now);
	if (all)
		expire(s, now);
	udp_push(s, now);
}

static void udp_facts(const struct session *s, int64_t now, struct facts *f)
{
	const struct udp *u = s->side;

	(void)now;
	if (!u)
		return;
	f->times = u->stamps.totals;
	f->overflows = overflow_count(&u->overflow, s->fd);
}

const struct transport transport_udp = {
	.open = udp_open,
	.push = udp_push,
	.send = udp_send,
	.has_room = udp_has_room,
	.watch = udp_watch,
	.turn = udp_turn,
	.close = udp_close,
	.free = udp_free,
	.facts = udp_facts,
};
