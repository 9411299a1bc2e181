/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over UDP: one connected socket, one datagram for each line. A connected socket gets
 * ICMP errors; IP_RECVERR shows which datagram each one is about. Times of departure
 * (SO_TIMESTAMPING, from the error queue) and arrival (SO_TIMESTAMPNS) are the kernel's where it
 * gives them, so that they do not include this program's own delays. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "common/os.h"
#include "ledger/error-text.h"
#include "net/icmp.h"
#include "net/session-internal.h"
#include "net/timestamps.h"

/* More than any datagram carries (RFC 768: the length field has 16 bits). */
#define DATAGRAM_SIZE 65536
/* Datagrams and errors taken in one dispatch, few enough to keep the screen alive. */
#define DISPATCH_MAX 256
/* The limit of bytes in flight: the peer's socket buffer may be the default one, 208 KiB as the
 * kernel counts, about twice the bytes and its own book-keeping for each datagram. */
#define FLIGHT_MAX (160 * 1024)
#define FLIGHT_DATAGRAM 1024

/* Datagrams that came to this machine and were dropped because the socket's receive buffer was
 * full. The kernel counts all drops of a socket, damaged datagrams too (SO_RXQ_OVFL, SO_MEMINFO),
 * and the whole host's drops for lack of room. An overflow is in both. */
struct drops {
	uint32_t drops;  /* this socket's drops, as last reported */
	uint64_t before; /* the overflows of earlier sockets of the session */
	bool unknown;    /* the system does not tell */
	int64_t host;    /* the host's, when the socket was opened; -1: not known */
};

struct udp {
	bool full;          /* the socket's send buffer is full: wait until it can be written */
	bool queues_errors; /* errors name their lines */
	int reported; /* the last error, 0 after a reply: it is reported once, not for each line */
	/* The line that could not be sent at the last try, ICMP errors by then, and by now. */
	uint64_t failing, errors_before, errors;
	struct timestamps timestamps;
	struct drops drops;
	unsigned char wire[DATAGRAM_SIZE + LEDGER_TAG_SIZE];
};

/* --- receive drops --- */

/* The drops so far, over all sockets; `fd` is -1 when there is none now. No datagram reports the
 * drops after the last one that came, so the socket's counter is read. */
static uint64_t drops_count(const struct drops *d, int fd)
{
	const int64_t now = fd < 0 ? -1 : os_drops(fd), drops = now > d->drops ? now : d->drops;
	const int64_t host = drops > 0 && d->host >= 0 ? os_host_drops() : -1,
	              gain = host > d->host ? host - d->host : 0;

	return d->before + (uint64_t)(host >= 0 && gain < drops ? gain : drops);
}

/* --- opening and closing --- */

static int udp_open(struct session *s, int64_t now)
{
	const struct addr *to = &s->addresses[s->address];
	struct addr here = { .len = sizeof here.storage };
	const int capacity = SESSION_RECEIVE_BUFFER;
	struct udp *u = s->data;
	int fd, error;

	(void)now;
	fd = os_socket(to->sa.sa_family, SOCK_DGRAM);
	if (fd < 0)
		return errno;
	/* With the server's port, if nobody has it, the socket would receive its own lines. */
	error = fd >= FD_SETSIZE ? EMFILE
	      : connect(fd, &to->sa, to->len) < 0 || getsockname(fd, &here.sa, &here.len) < 0
	          ? errno
	      : addr_equal(&here, to) ? ECONNREFUSED
	                              : 0;
	if (error) {
		close(fd);
		return error;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &capacity, sizeof capacity);
	u->queues_errors = os_queue_errors(fd, to->sa.sa_family, true);
	timestamps_open(&u->timestamps, fd, true);
	os_ask(fd, OS_ASK_DROPS);
	u->drops.host = os_host_drops();
	u->drops.unknown = os_drops(fd) < 0;
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
	struct drops *d = &((struct udp *)s->data)->drops;

	(void)now;
	if (s->fd >= 0) {
		d->before = drops_count(d, s->fd);
		d->drops = 0;
	}
	s->fd = file_close(s->fd);
}

static bool is_window_full(const struct session *s)
{
	return !s->unlimited && ledger_totals(s->ledger)->waiting >= (uint64_t)s->settings.window;
}

/* Whether the peer's buffer has room for this queued line, if all in flight are as long. */
static bool fits(const struct session *s, uint64_t number)
{
	const uint64_t waiting = ledger_totals(s->ledger)->waiting;
	const size_t cost = 2 * ledger_find(s->ledger, number)->length + FLIGHT_DATAGRAM;

	return s->unlimited || waiting * cost < FLIGHT_MAX;
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
		return ledger_add_as(s->ledger, number, text, n, LEDGER_LINE_UNIQUE, typed);
	}
	if (ledger_totals(s->ledger)->waiting < (uint64_t)s->settings.window)
		s->unlimited = false;
	return ledger_add(s->ledger, number, text, n, typed);
}

static bool udp_has_room(const struct session *s)
{
	return ledger_totals(s->ledger)->queued == 0 && !is_window_full(s);
}

static void udp_watch(const struct session *s, struct fd_watch *w)
{
	const struct udp *u = s->data;

	fd_watch_read(w, s->fd);
	if (u->full)
		fd_watch_write(w, s->fd);
}

/* Sends all waiting lines to the next address, if there is one and no reply ever came from this (a
 * textbook server serves IPv4 only, and "localhost" is ::1 first). Returns whether it did. */
static bool try_next_address(struct session *s, int error, int64_t now)
{
	const struct addr *before = &s->addresses[s->address];
	uint64_t number;

	if (s->answered || !session_has_next_address(s))
		return false;
	while ((number = ledger_first_waiting(s->ledger)) != 0)
		ledger_requeue(s->ledger, number);
	udp_close(s, now);
	session_next_address(s, now);
	session_notice(s, false, "UDP %s: %s; going on with %s", ADDR_TEXT(before),
	    error == ECONNREFUSED ? "nothing listens there" : error_word(error), s->peer);
	return true;
}

/* Whether the error is about the address, not about too large a datagram or its fragments. */
static bool is_about_address(int error)
{
	return error != ERROR_ICMP4(3, 4) && error != ERROR_ICMP6(2, 0) &&
	       error != ERROR_ICMP4(11, 1) && error != ERROR_ICMP6(3, 1);
}

/* Names the host that sent the error if it is not the peer. */
static void report_unreachable(struct session *s, const struct icmp *icmp)
{
	const bool other = icmp->from.len > 0 &&
	                   !addr_same_host(&icmp->from, &s->addresses[s->address]);

	session_notice(s, true, "UDP %s: %s%s%s%s", s->peer, error_sentence(icmp->error, false),
	    other ? " (so says " : "", other ? ADDR_HOST_TEXT(&icmp->from) : "", other ? ")" : "");
}

/* The line that the error quotes, or 0. A router may pad the quote with zeros (RFC 4884, 5). */
static uint64_t line_quoted(struct session *s, const unsigned char *quoted, size_t n,
    const struct icmp *icmp, int64_t now)
{
	const uint64_t number = ledger_unreachable(s->ledger, quoted, n, icmp->min_length,
	    icmp->error, now);
	const unsigned char *padding = n ? memchr(quoted, '\0', n) : NULL;

	if (number || !padding || padding == quoted)
		return number;
	return ledger_unreachable(s->ledger, quoted, (size_t)(padding - quoted), icmp->min_length,
	    icmp->error, now);
}

static void unreachable(struct session *s, const unsigned char *quoted, size_t n,
    const struct icmp *icmp, int64_t now)
{
	struct udp *u = s->data;
	uint64_t number;

	u->errors++;
	if (is_about_address(icmp->error) && try_next_address(s, icmp->error, now))
		return;
	number = line_quoted(s, quoted, n, icmp, now);
	/* A firewall of this machine that makes a line fail may send an ICMP error as well. */
	if (!number && u->failing)
		return;
	if (number)
		session_row(s, number);
	if (u->reported != icmp->error)
		report_unreachable(s, icmp);
	u->reported = icmp->error;
}

/* Takes an error, before replies: it belongs to an earlier line. Returns false without one. */
static bool take_error(struct session *s, int64_t now)
{
	struct udp *u = s->data;
	struct os_error e;
	struct icmp icmp;
	const ssize_t n = os_next_error(s->fd, u->wire, sizeof u->wire, &e);
	uint64_t number;
	int64_t at;

	if (n < 0)
		return false;
	if (timestamps_take(&u->timestamps, &e, &number, &at)) {
		if (number && ledger_stamped(s->ledger, number, at))
			timestamps_used(&u->timestamps);
		return true;
	}
	if (icmp_read(s->fd, &s->addresses[s->address], &e, &icmp))
		unreachable(s, u->wire, (size_t)n, &icmp, now);
	return s->fd >= 0;
}

/* An ICMP error that only an errno tells of: which line it is about is not known. What has left as
 * a datagram was too long for the path. */
static void take_errno(struct session *s, int error, int64_t now)
{
	const int family = s->addresses[s->address].storage.ss_family;

	if (error == EMSGSIZE)
		error = family == AF_INET6 ? ERROR_ICMP6(2, 0) : ERROR_ICMP4(3, 4);
	if (!((struct udp *)s->data)->queues_errors)
		unreachable(s, NULL, 0, &(struct icmp){ .error = error }, now);
}

/* --- sending --- */

/* Whether the error is the line's own. The kernel reports an ICMP error about an earlier datagram
 * once, as the next call's errno, instead of sending; so the error queue is read and the line tried
 * again. The error is the line's own if it is EPERM, which no ICMP error is, or the second one with
 * no ICMP error between. */
static bool is_line_error(struct session *s, uint64_t number, int error, int64_t now)
{
	struct udp *u = s->data;
	const bool retrying = u->failing == number;
	const size_t address = s->address;

	if (error == ECONNREFUSED && !retrying)
		take_errno(s, error, now);
	u->failing = number;
	while (s->fd >= 0 && take_error(s, now))
		;
	/* All lines may have gone to the next address meanwhile. */
	if (s->address != address || ledger_first_queued(s->ledger, 0) != number)
		return false;
	if (error == EPERM || (retrying && u->errors == u->errors_before))
		return true;
	u->errors_before = u->errors;
	return false;
}

/* Tries once to send a line; it may stay queued. */
static void push_one(struct session *s, uint64_t number, int64_t dispatched)
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
	if (error && fits && !is_line_error(s, number, error, dispatched))
		return;
	u->failing = 0;
	if (error) {
		ledger_failed(s->ledger, number, error, now);
		session_row(s, number);
		return;
	}
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
	while (s->phase == PHASE_READY && !u->full && !is_window_full(s) &&
	       (number = ledger_first_queued(s->ledger, 0)) != 0 && fits(s, number)) {
		push_one(s, number, now);
		/* Most devices stamp a datagram before send() returns. A stamp that is read at once
		 * takes no room from replies and does not wake the loop. */
		while (s->fd >= 0 && u->timestamps.enabled && u->timestamps.awaited &&
		       take_error(s, now))
			;
	}
}

/* --- receiving --- */

static void take_reply(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct session_reply reply = { .matched = ledger_reply(s->ledger, bytes, n, at) };

	s->answered = true;
	((struct udp *)s->data)->reported = 0;
	reply.text = bytes + reply.matched.skip;
	reply.length = n - reply.matched.skip;
	session_reply(s, &reply);
}

/* One datagram. Returns false when there is none. */
static bool take_datagram(struct session *s, int64_t now)
{
	struct udp *u = s->data;
	struct os_arrival arrival;
	const ssize_t n = os_receive(s->fd, u->wire, sizeof u->wire, &arrival);
	int64_t at;

	if (n >= 0) {
		if (arrival.drops >= 0)
			u->drops.drops = (uint32_t)arrival.drops;
		timestamps_count(&u->timestamps,
		    timestamps_arrival(&u->timestamps, arrival.stamp, clock_monotonic(), &at));
		take_reply(s, u->wire, (size_t)n, at);
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	/* An ICMP error that is in the queue too, where there is one. */
	take_errno(s, errno, now);
	return s->fd >= 0;
}

/* Receives. Returns whether the socket is empty: else a reply that came in time may still be in it.
 */
static bool take_all(struct session *s, int64_t now)
{
	timestamps_sample(&((struct udp *)s->data)->timestamps);
	for (int i = 0; i < DISPATCH_MAX && take_error(s, now); i++)
		;
	for (int i = 0; i < DISPATCH_MAX && s->fd >= 0; i++)
		if (!take_datagram(s, now))
			return true;
	return s->fd < 0;
}

static void udp_dispatch(struct session *s, const struct fd_watch *w, int64_t now)
{
	struct udp *u = s->data;
	uint64_t lost;
	bool all = true;

	if (fd_watch_can_write(w, s->fd))
		u->full = false;
	if (s->fd >= 0 && (fd_watch_can_read(w, s->fd) || ledger_deadline(s->ledger) <= now))
		all = take_all(s, now);
	while (all && (lost = ledger_expire(s->ledger, now)) != 0)
		session_row(s, lost);
	udp_push(s, now);
}

static void udp_figures(const struct session *s, int64_t now, struct figures *f)
{
	const struct udp *u = s->data;

	(void)now;
	f->times = u->timestamps.totals;
	f->overflows = u->drops.unknown ? FIGURES_NOT_KNOWN : drops_count(&u->drops, s->fd);
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
