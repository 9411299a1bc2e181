/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over UDP: one connected socket, one datagram a line. Being connected, it hears of ICMP
 * errors; IP_RECVERR says which datagram each one is about. Times are the kernel's where it gives
 * them, of the arrival (SO_TIMESTAMPNS) and of the departure (SO_TIMESTAMPING, by way of the error
 * queue), so that whatever this program does meanwhile counts for nothing in them. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ledger/error-text.h"
#include "net/icmp.h"
#include "net/receive-drops.h"
#include "net/session-internal.h"
#include "net/timestamps.h"

/* More than any datagram carries (RFC 768: the length field has 16 bits). */
#define DATAGRAM_SIZE 65536
/* Datagrams and errors taken in one turn: enough to keep up, few enough to keep the screen alive.
 */
#define DISPATCH_MAX 256
/* The peer's socket buffer may be the default one, 208 KiB by the kernel's reckoning, which counts
 * about twice the bytes and its own book-keeping for each datagram. This much may be on the way at
 * once. */
#define FLIGHT_MAX (160 * 1024)
#define FLIGHT_DATAGRAM 1024

struct udp {
	/* What the lines on the way cost the peer's buffer, as reckoned above. */
	size_t flight;
	/* The socket's own buffer is full: wait until it can be written. */
	bool full;
	/* The last thing heard was this error: it is reported once, not for each line. */
	int reported;
	/* The line that could not be sent at the last try, and how many errors ICMP had brought by
	 * then. */
	uint64_t failing, errors_before, errors;
	struct timestamps timestamps;
	struct receive_drops receive_drops;
	/* For receiving: where the bytes and the control data go. */
	struct iovec part;
	_Alignas(struct cmsghdr) unsigned char control[512];
	unsigned char wire[DATAGRAM_SIZE + LEDGER_TAG_SIZE];
};

static size_t flight_cost(size_t length)
{
	return 2 * length + FLIGHT_DATAGRAM;
}

static int udp_open(struct session *s, int64_t now)
{
	const struct addr *to = &s->addresses[s->address];
	struct addr here = { .len = sizeof here.storage };
	const int capacity = SESSION_RECEIVE_BUFFER;
	struct udp *u = s->data;
	int fd, error;

	(void)now;
	fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	/* Where nobody has the server's port the kernel may give it to this socket, which would get
	 * its own lines for replies. */
	error = fd >= FD_SETSIZE ? EMFILE
	      : connect(fd, &to->sa, to->len) < 0 || getsockname(fd, &here.sa, &here.len) < 0
	          ? errno
	      : addr_equal(&here, to) ? ECONNREFUSED
	                              : 0;
	if (error) {
		close(fd);
		return error;
	}
	/* More room only makes things better. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &capacity, sizeof capacity);
	icmp_ask(fd, to->sa.sa_family, true);
	timestamps_open(&u->timestamps, fd, true);
	receive_drops_open(&u->receive_drops, fd);
	s->fd = fd;
	s->phase = PHASE_READY;
	session_opened(s, &here, 0);
	u->full = false;
	u->reported = 0;
	u->failing = 0;
	return 0;
}

static void udp_close(struct session *s, int64_t now)
{
	(void)now;
	if (s->fd >= 0) {
		receive_drops_close(&((struct udp *)s->data)->receive_drops, s->fd);
		close(s->fd);
	}
	s->fd = -1;
}

/* A line left the flight, whatever became of it. */
static void leave_flight(struct session *s, uint64_t number)
{
	struct udp *u = s->data;
	const struct ledger_row *row = ledger_find(s->ledger, number);
	const size_t cost = flight_cost(row ? row->length : 0);

	u->flight = cost < u->flight ? u->flight - cost : 0;
	if (ledger_totals(s->ledger)->waiting == 0)
		u->flight = 0;
}

static bool may_send(const struct session *s)
{
	const struct udp *u = s->data;
	const uint64_t waiting = ledger_totals(s->ledger)->waiting;

	return s->unlimited || waiting == 0 ||
	       (waiting < (uint64_t)s->settings.window && u->flight < FLIGHT_MAX);
}

static int send_datagram(int fd, const void *bytes, size_t n)
{
	ssize_t sent;

	do
		sent = send(fd, bytes, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? errno : 0;
}

static int udp_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
    int64_t typed)
{
	if (pieces & SESSION_GENERATED) {
		s->unlimited = true;
		return ledger_add_unique(s->ledger, number, text, n, typed);
	}
	if (ledger_totals(s->ledger)->waiting < (uint64_t)s->settings.window)
		s->unlimited = false;
	return ledger_add(s->ledger, number, text, n, typed);
}

static bool udp_has_room(const struct session *s)
{
	return ledger_totals(s->ledger)->queued == 0 && may_send(s);
}

static void udp_watch(const struct session *s, struct fd_watch *w)
{
	const struct udp *u = s->data;

	fd_watch_read(w, s->fd);
	if (u->full)
		fd_watch_write(w, s->fd);
}

/* Nothing listens at this address, nothing ever came from it, and the name has more: all that waits
 * goes to the next one (a textbook server serves IPv4 only, and "localhost" is ::1 first). */
static bool turn_to_next_address(struct session *s, int error, int64_t now)
{
	char from[ADDR_TEXT];
	uint64_t number;

	if (s->answered || !session_has_next_address(s))
		return false;
	addr_text(&s->addresses[s->address], from);
	while ((number = ledger_first_waiting(s->ledger)) != 0)
		ledger_requeue(s->ledger, number);
	((struct udp *)s->data)->flight = 0;
	udp_close(s, now);
	session_next_address(s, now);
	session_notice(s, false, "UDP %s: %s; going on with %s", from,
	    error == ECONNREFUSED ? "nothing listens there" : error_word(error), s->peer);
	return true;
}

/* One that tells of an address that cannot be reached, not of one that was reached, but by too
 * large a datagram. */
static bool of_address(int error)
{
	return error != ERROR_ICMP4(3, 4) && error != ERROR_ICMP6(2, 0) &&
	       error != ERROR_ICMP4(11, 1) && error != ERROR_ICMP6(3, 1);
}

/* Who says so is reported where it is not the peer. */
static void report_unreachable(struct session *s, const struct icmp *icmp)
{
	const bool other = icmp->from.len > 0 &&
	                   !addr_same_host(&icmp->from, &s->addresses[s->address]);
	char from[ADDR_TEXT];

	session_notice(s, true, "UDP %s: %s%s%s%s", s->peer, error_sentence(icmp->error, false),
	    other ? " (so says " : "", other ? addr_host_text(&icmp->from, from) : "",
	    other ? ")" : "");
}

/* A router may have filled what it quotes up with zeros, to put more behind it (RFC 4884, 5). */
static uint64_t line_quoted(struct session *s, const unsigned char *quoted, size_t n,
    const struct icmp *icmp)
{
	const uint64_t number = ledger_unreachable(s->ledger, quoted, n, icmp->min_length,
	    icmp->error);
	const unsigned char *filling = n ? memchr(quoted, '\0', n) : NULL;

	if (number || !filling || filling == quoted)
		return number;
	return ledger_unreachable(s->ledger, quoted, (size_t)(filling - quoted), icmp->min_length,
	    icmp->error);
}

static void unreachable(struct session *s, const unsigned char *quoted, size_t n,
    const struct icmp *icmp, int64_t now)
{
	struct udp *u = s->data;
	uint64_t number;

	u->errors++;
	if (of_address(icmp->error) && turn_to_next_address(s, icmp->error, now))
		return;
	number = line_quoted(s, quoted, n, icmp);
	/* A firewall of this machine that makes a line fail may say so by ICMP as well. */
	if (!number && u->failing)
		return;
	if (number) {
		leave_flight(s, number);
		session_row(s, number);
	}
	if (u->reported != icmp->error)
		report_unreachable(s, icmp);
	u->reported = icmp->error;
}

/* One datagram into u->wire, or with MSG_ERRQUEUE an error; `m` has its control data. Returns its
 * length, or -1. */
static ssize_t receive(struct session *s, int flags, struct msghdr *m)
{
	struct udp *u = s->data;

	u->part = (struct iovec){ .iov_base = u->wire, .iov_len = sizeof u->wire };
	*m = (struct msghdr){ .msg_iov = &u->part,
		.msg_iovlen = 1,
		.msg_control = u->control,
		.msg_controllen = sizeof u->control };
	return recvmsg(s->fd, m, flags);
}

/* Errors first: they belong to lines sent earlier. Returns false when there are none left. */
static bool take_error(struct session *s, int64_t now)
{
	struct udp *u = s->data;
	struct msghdr m;
	struct icmp icmp;
	const ssize_t n = receive(s, MSG_ERRQUEUE, &m);
	uint64_t number;
	int64_t at;

	if (n < 0)
		return false;
	if (timestamps_take(&u->timestamps, &m, &number, &at)) {
		if (number && ledger_stamped(s->ledger, number, at))
			timestamps_used(&u->timestamps);
		return true;
	}
	if (icmp_read(s->fd, &s->addresses[s->address], &m, &icmp))
		unreachable(s, u->wire, (size_t)n, &icmp, now);
	return s->fd >= 0;
}

/* --- sending --- */

/* Most devices stamp a datagram before send() returns. Taken at once, stamps take no room from
 * replies, and nobody is woken for them. */
static void take_stamps(struct session *s, int64_t now)
{
	const struct udp *u = s->data;

	while (s->fd >= 0 && u->timestamps.asked && u->timestamps.awaited && take_error(s, now))
		;
}

/* What ICMP says of an earlier datagram is reported once by the next call, whatever its errno,
 * instead of sending. The error queue says of which, so it is read, and the line tried again. Two
 * failures with nothing in the queue between them are the line's own; so is EPERM, which no ICMP
 * error is. */
static bool failed_itself(struct session *s, uint64_t number, int error, int64_t now)
{
	struct udp *u = s->data;
	const bool retrying = u->failing == number;
	const size_t address = s->address;

	u->failing = number;
	while (s->fd >= 0 && take_error(s, now))
		;
	/* All may have gone on with the next address meanwhile. */
	if (s->address != address || ledger_first_queued(s->ledger) != number)
		return false;
	if (error == EPERM || (retrying && u->errors == u->errors_before))
		return true;
	u->errors_before = u->errors;
	return false;
}

/* One try: the line may be queued still. */
static void push_one(struct session *s, uint64_t number, int64_t turn)
{
	struct udp *u = s->data;
	const size_t n = ledger_wire(s->ledger, number, u->wire, sizeof u->wire);
	const int64_t now = clock_monotonic();
	const bool fits = n <= sizeof u->wire;
	const int error = fits ? send_datagram(s->fd, u->wire, n) : EMSGSIZE;

	if (error == EAGAIN || error == ENOBUFS) {
		u->full = true;
		return;
	}
	if (error && fits && !failed_itself(s, number, error, turn))
		return;
	u->failing = 0;
	if (error) {
		ledger_failed(s->ledger, number, error);
		session_row(s, number);
		return;
	}
	u->flight += flight_cost(ledger_find(s->ledger, number)->length);
	ledger_sent(s->ledger, number, now);
	timestamps_sent(&u->timestamps, number);
	session_sent(s, number, 0, n);
}

static void udp_push(struct session *s, int64_t now)
{
	struct udp *u = s->data;
	uint64_t number;

	if (s->phase == PHASE_READY)
		timestamps_sample(&u->timestamps);
	while (s->phase == PHASE_READY && !u->full && may_send(s) &&
	       (number = ledger_first_queued(s->ledger)) != 0) {
		push_one(s, number, now);
		take_stamps(s, now);
	}
}

/* --- receiving --- */

static void take_reply(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct udp *u = s->data;
	const uint64_t waiting = ledger_totals(s->ledger)->waiting;
	struct session_reply reply = { .matched = ledger_reply(s->ledger, bytes, n, at) };

	s->answered = true;
	u->reported = 0;
	/* In time or late: it was waited for until now. */
	if (ledger_totals(s->ledger)->waiting < waiting)
		leave_flight(s, reply.matched.number);
	reply.text = bytes + reply.matched.skip;
	reply.length = n - reply.matched.skip;
	s->hooks.reply(s->hooks.context, &reply);
}

/* One datagram. Returns false when there is none. */
static bool take_datagram(struct session *s)
{
	struct udp *u = s->data;
	struct msghdr m;
	const ssize_t n = receive(s, 0, &m);
	int64_t at;

	if (n >= 0) {
		receive_drops_take(&u->receive_drops, &m);
		timestamps_count(&u->timestamps,
		    timestamps_arrival(&u->timestamps, &m, clock_monotonic(), &at), 1);
		take_reply(s, u->wire, (size_t)n, at);
		return true;
	}
	/* An ICMP error surfaces here as well as in the error queue. */
	return errno != EAGAIN && errno != EWOULDBLOCK;
}

/* Takes what came. Returns true when there is nothing left: then, and only then, no reply that was
 * in time is still in the socket. */
static bool take_all(struct session *s, int64_t now)
{
	timestamps_sample(&((struct udp *)s->data)->timestamps);
	for (int i = 0; i < DISPATCH_MAX && take_error(s, now); i++)
		;
	for (int i = 0; i < DISPATCH_MAX && s->fd >= 0; i++)
		if (!take_datagram(s))
			return true;
	return s->fd < 0;
}

static void expire(struct session *s, int64_t now)
{
	uint64_t number;

	while ((number = ledger_expire(s->ledger, now)) != 0) {
		leave_flight(s, number);
		session_row(s, number);
	}
}

static void udp_dispatch(struct session *s, const struct fd_watch *w, int64_t now)
{
	struct udp *u = s->data;
	bool all = true;

	if (fd_watch_can_write(w, s->fd))
		u->full = false;
	if (s->fd >= 0 && (fd_watch_can_read(w, s->fd) || ledger_deadline(s->ledger) <= now))
		all = take_all(s, now);
	if (all)
		expire(s, now);
	udp_push(s, now);
}

static void udp_figures(const struct session *s, int64_t now, struct figures *f)
{
	const struct udp *u = s->data;

	(void)now;
	f->times = u->timestamps.totals;
	f->overflows = receive_drops_count(&u->receive_drops, s->fd);
}

const struct transport transport_udp = {
	.data_size = sizeof(struct udp),
	.open = udp_open,
	.push = udp_push,
	.send = udp_send,
	.has_room = udp_has_room,
	.watch = udp_watch,
	.dispatch = udp_dispatch,
	.close = udp_close,
	.figures = udp_figures,
};
