/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over TCP: lines out, each ended by \n, replies in, split at \n.
 *
 * A line counts as sent when the kernel has taken its last byte. When a connection ends, the
 * waiting lines and the line that was partly handed over are cut off; the lines behind it go over
 * the next connection.
 *
 * The textbook's server reads once, answers and closes. A second line that is sent before the close
 * arrives would be lost with the connection, so the first line of a connection goes alone: if the
 * connection still stands a moment after its reply, the server keeps connections, and everything
 * flows freely. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/grow.h"
#include "common/os.h"
#include "ledger/error-text.h"
#include "ledger/figures.h"
#include "net/icmp.h"
#include "net/send-queue.h"
#include "net/session-internal.h"
#include "net/tcp-info.h"
#include "net/timestamps.h"

/* The bytes that may be queued before plain input has to wait. */
#define QUEUE_BYTES (256u * 1024)
#define QUEUE_LINES 8192
/* The interval of TCP_INFO samples while lines wait: a share of the wait, within these bounds. It
 * is short enough for each of the kernel's time-outs, which double, and costs next to nothing. */
#define SAMPLE_OFTEN (25 * NS_PER_MS)
#define SAMPLE_SELDOM (500 * NS_PER_MS)
#define SAMPLES_A_WAIT 20
/* The interval while it connects, to see whether the SYN was sent again. */
#define SAMPLE_CONNECTING (100 * NS_PER_MS)
#define READ_SIZE 65536
/* What the kernel keeps unsent of bulk lines, bytes: enough to be never idle. */
#define BULK_UNSENT (128 * 1024)
/* How long after a reply to expect the close of a server that closed before. */
#define CLOSE_EXPECTED NS_PER_S
#define DISPATCH_READS 8
/* The longest reply that is kept whole to be compared: capitals of the longest typed line. */
#define REPLY_MAX (3u * 1024 * 1024)
/* How long after the first reply a close may follow: the textbook's server closes at once. */
#define CLOSE_FOLLOWS (50 * NS_PER_MS)

enum reuse {
	REUSE_UNKNOWN, /* not known yet whether the server keeps the connection */
	REUSE_NEVER,   /* it closes after each reply: one line for each connection */
	REUSE_ALWAYS,  /* it keeps it */
};

struct tcp {
	struct send_queue out; /* to be sent */
	bool skipping; /* the rest of the present line is dropped: its connection has ended */

	/* The beginning of a reply line; `in_long`: pieces of the line were passed on. */
	unsigned char *in;
	size_t in_used, in_capacity;
	bool in_long;

	enum reuse reuse;
	uint64_t sent, answered; /* lines sent and answered on this connection */
	uint64_t answered_bytes; /* of all replies that answered a line, with ends of line */
	int64_t probe_until;     /* until when a careful sender waits */
	int64_t answered_at;     /* when the last reply came */
	bool write_failed;       /* a read gives the reason */
	bool half_closed;
	bool reported_single;

	int64_t read_at; /* the time of the last read */
	bool stamped;    /* its bytes have the kernel's time */
	/* Segments that had come out of order by the last read that emptied the socket. */
	uint32_t disorder;
	/* When a read last emptied the socket; INT64_MIN before the first that did. */
	int64_t emptied_at;
	struct timestamps timestamps;
	struct stall stall;
	/* TCP_INFO over all connections; retransmissions before this one; the next sample. */
	struct figures_tcp seen;
	uint64_t retransmitted_before;
	int64_t sample_at;
	struct session_connection connection; /* the one in use, or the last one */
	unsigned char buffer[READ_SIZE];
};

/* When the line was sent that waits longest on this connection, STALL_NONE for none. */
static int64_t waiting_since(const struct session *s)
{
	return ledger_waiting_since(s->ledger, s->settings.connection);
}

static bool has_waiting(const struct session *s)
{
	return waiting_since(s) != STALL_NONE;
}

/* --- stages --- */

/* How often the kernel sent the SYN of the connection under way. */
static unsigned count_syns(const struct session *s)
{
	struct tcp_sample sample;

	return tcp_info_read(s->fd, &sample) == 0 ? 1 + sample.retransmitted : 1;
}

static void report_stage(struct session *s, enum session_stage stage, int error, int64_t at)
{
	struct session_connection *c = &((struct tcp *)s->data)->connection;

	if (stage != SESSION_ENDED && s->fd >= 0)
		c->syns = count_syns(s);
	c->stage = stage;
	c->error = error;
	c->more = stage == SESSION_FAILED && session_has_next_address(s);
	c->at = at;
	if (s->hooks.connection)
		s->hooks.connection(s->hooks.context, c);
}

/* --- opening --- */

static int tcp_open(struct session *s, int64_t now)
{
	const struct addr *to = &s->addresses[s->address];
	struct addr here = { .len = sizeof here.storage };
	const int no_delay = !s->settings.nagle;
	struct tcp *t = s->data;
	int fd, error = 0;

	fd = os_socket(to->sa.sa_family, SOCK_STREAM);
	if (fd < 0)
		return errno;
	/* Nagle's algorithm (RFC 896): without it a line is a message and does not wait for others.
	 */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
	/* ICMP errors do not end an established connection: needed only until then. */
	os_queue_errors(fd, to->sa.sa_family, true);
	t->connection = (struct session_connection){ .began = clock_monotonic(), .syns = 1 };
	if (fd >= FD_SETSIZE)
		error = EMFILE;
	else if (connect(fd, &to->sa, to->len) < 0 && errno != EINPROGRESS && errno != EINTR)
		error = errno;
	/* After connect(), which takes that of the route (upcase-lab --cc). */
	else if (*s->settings.congestion && os_set_congestion(fd, s->settings.congestion) < 0)
		error = errno;
	if (error) {
		report_stage(s, SESSION_FAILED, error, clock_monotonic());
		close(fd);
		return error;
	}
	if (s->settings.bulk)
		os_limit_unsent(fd, BULK_UNSENT);
	timestamps_open(&t->timestamps, fd, false);
	t->disorder = 0;
	t->emptied_at = INT64_MIN;
	s->fd = fd;
	s->phase = PHASE_CONNECT;
	s->connect_by = now + s->settings.connect_timeout;
	if (getsockname(fd, &here.sa, &here.len) == 0) {
		session_opened(s, &here, t->out.written);
		t->connection.here = addr_port(&here);
	}
	t->sample_at = now + SAMPLE_CONNECTING;
	report_stage(s, SESSION_CONNECTING, 0, t->connection.began);
	return 0;
}

/* --- the kernel's samples --- */

/* The longer a line has waited, the later the next sample. */
static void take_sample(struct session *s, int64_t now)
{
	struct tcp *t = s->data;
	const int64_t since = waiting_since(s);
	const int64_t pause = since < now ? (now - since) / SAMPLES_A_WAIT : 0;
	struct tcp_sample sample;

	t->sample_at = now + (pause < SAMPLE_OFTEN       ? SAMPLE_OFTEN
	                         : pause > SAMPLE_SELDOM ? SAMPLE_SELDOM
	                                                 : pause);
	if (tcp_info_read(s->fd, &sample) == 0)
		tcp_info_add(&t->seen, &sample, t->retransmitted_before);
}

/* Of a connection that was never established, only the retransmissions of its SYN count. */
static void last_sample(struct session *s)
{
	struct tcp *t = s->data;
	struct tcp_sample sample;

	if (tcp_info_read(s->fd, &sample) < 0)
		return;
	if (s->phase == PHASE_READY)
		tcp_info_add(&t->seen, &sample, t->retransmitted_before);
	t->retransmitted_before += sample.retransmitted;
	t->seen.retransmitted = t->retransmitted_before;
}

static void close_socket(struct session *s)
{
	if (s->fd >= 0)
		last_sample(s);
	s->fd = file_close(s->fd);
}

/* The kernel may give our own socket the peer's port if nobody listens on it; the socket then
 * connects to itself (RFC 793, simultaneous open). */
static bool is_self_connected(int fd)
{
	struct addr here = { .len = sizeof here.storage }, there = { .len = sizeof there.storage };

	return getsockname(fd, &here.sa, &here.len) == 0 &&
	       getpeername(fd, &there.sa, &there.len) == 0 && addr_equal(&here, &there);
}

static void start_connection(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	t->sent = t->answered = 0;
	t->probe_until = 0;
	t->write_failed = t->half_closed = false;
	t->in_used = 0;
	t->in_long = false;
	if (t->reuse == REUSE_ALWAYS)
		t->reuse = REUSE_UNKNOWN;
	if (s->settings.bulk)
		t->reuse = REUSE_ALWAYS;
	t->seen.connections++;
	t->stall.last_byte = 0;
	os_queue_errors(s->fd, s->addresses[s->address].sa.sa_family, false);
	take_sample(s, now);
	session_connected(s, now);
}

static void fail_connect(struct session *s, int error, int64_t now)
{
	report_stage(s, SESSION_FAILED, error, now);
	close_socket(s);
	session_failed(s, error, now);
}

static void finish_connect(struct session *s, int64_t now)
{
	int error = 0, said;
	socklen_t size = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (!error && is_self_connected(s->fd))
		error = ECONNREFUSED;
	if (error) {
		said = icmp_error(s->fd, &s->addresses[s->address]);
		fail_connect(s, said ? said : error, now);
		return;
	}
	report_stage(s, SESSION_CONNECTED, 0, now);
	start_connection(s, now);
}

/* --- sending --- */

static int tcp_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
    int64_t typed)
{
	struct tcp *t = s->data;
	const bool whole = (pieces & SESSION_LINE) == SESSION_LINE;

	if (pieces & SESSION_FIRST) {
		t->skipping = false;
		if (ledger_add_as(s->ledger, number, text, n,
		        whole ? LEDGER_LINE : LEDGER_LINE_PARTIAL, typed) < 0)
			return -1;
		if (s->settings.connection > 0)
			ledger_assign(s->ledger, number, s->settings.connection);
		if (s->phase == PHASE_DEAD)
			return 0;
		if (send_queue_line(&t->out, number) < 0)
			return -1;
	}
	if (t->skipping || s->phase == PHASE_DEAD)
		return 0;
	if (send_queue_add(&t->out, text, n) < 0 ||
	    ((pieces & (SESSION_LAST | SESSION_BARE)) == SESSION_LAST &&
	        send_queue_add_byte(&t->out, '\n') < 0))
		return -1;
	if (pieces & SESSION_LAST)
		send_queue_end_line(&t->out);
	return 0;
}

static bool tcp_has_room(const struct session *s)
{
	const struct tcp *t = s->data;

	return send_queue_bytes(&t->out) < QUEUE_BYTES && send_queue_lines(&t->out) < QUEUE_LINES;
}

static int64_t tcp_single_until(const struct session *s)
{
	const struct tcp *t = s->data;

	return t->reuse == REUSE_UNKNOWN && t->sent > 0 ? t->probe_until : 0;
}

/* Whether the next line may be sent. A connection that still stands after `probe_until` shows that
 * the server keeps connections; what the first one of several has shown holds for all. */
static bool may_begin_line(struct session *s, int64_t now)
{
	const struct tcp *first = s->settings.first ? s->settings.first->data : NULL;
	struct tcp *t = s->data;

	if (first && t->reuse == REUSE_UNKNOWN && first->reuse == REUSE_ALWAYS)
		t->reuse = REUSE_ALWAYS;
	if (t->reuse == REUSE_ALWAYS || t->sent == 0)
		return true;
	if (now < t->probe_until || (t->reuse == REUSE_NEVER && has_waiting(s)))
		return false;
	t->reuse = REUSE_ALWAYS;
	return true;
}

static size_t sendable(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	if (send_queue_lines(&t->out) == 0 ||
	    (!send_queue_has_begun(&t->out) && !may_begin_line(s, now)))
		return 0;
	return s->settings.split        ? send_queue_half(&t->out)
	     : t->reuse == REUSE_ALWAYS ? send_queue_bytes(&t->out)
	                                : send_queue_first_bytes(&t->out);
}

static void mark_sent(struct session *s, int64_t now)
{
	struct tcp *t = s->data;
	const struct send_mark *begun;
	struct send_mark line;
	uint64_t from;

	while (send_queue_pop(&t->out, &line, &from)) {
		ledger_sent(s->ledger, line.number, now);
		session_sent(s, line.number, from, line.end);
		t->sent++;
		if (t->reuse != REUSE_ALWAYS)
			t->probe_until = now + s->settings.reply_timeout;
	}
	begun = send_queue_first(&t->out);
	if (begun && send_queue_has_begun(&t->out))
		session_sent(s, begun->number, t->out.line_start, begun->end);
}

static void write_some(struct session *s, int64_t dispatched)
{
	struct tcp *t = s->data;
	size_t max;

	while (!t->write_failed && (max = sendable(s, dispatched)) > 0) {
		const int64_t now = clock_monotonic();
		ssize_t n = send(s->fd, t->out.bytes + t->out.begin, max, MSG_NOSIGNAL);

		if (n < 0) {
			/* A read gives the reason, after the bytes that came before it. */
			t->write_failed = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
			return;
		}
		send_queue_wrote(&t->out, (size_t)n);
		mark_sent(s, now);
	}
}

static void tcp_push(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	if (s->phase == PHASE_IDLE && send_queue_lines(&t->out) > 0) {
		/* This calls tcp_push() when it is connected. */
		session_reopen(s, now);
		return;
	}
	if (s->phase != PHASE_READY)
		return;
	write_some(s, now);
	if (s->finished && send_queue_lines(&t->out) == 0 && !t->half_closed) {
		shutdown(s->fd, SHUT_WR);
		t->half_closed = t->connection.by_client = true;
	}
}

/* --- receiving --- */

/* Bytes came, or the connection ended. */
static void end_stall(struct session *s, int64_t at)
{
	struct tcp *t = s->data;

	stall_end(&t->stall, waiting_since(s), t->seen.round_trip, at);
}

static void count_answer(struct session *s, size_t n)
{
	struct tcp *t = s->data;

	t->answered++;
	t->answered_bytes += n + 1;
	t->answered_at = t->read_at;
	if (t->reuse != REUSE_ALWAYS)
		t->probe_until = t->read_at +
		                 (t->reuse == REUSE_NEVER ? CLOSE_EXPECTED : CLOSE_FOLLOWS);
}

static void deliver(struct session *s, const unsigned char *text, size_t n, bool ended, int64_t at)
{
	struct tcp *t = s->data;
	struct session_reply reply = { .text = text, .length = n };

	reply.matched = ledger_stream_reply(s->ledger, s->settings.connection, text, n, ended, at);
	s->answered = true;
	/* A stray (a greeting, endless output) does not show when this server closes. */
	if (reply.matched.match != MATCH_STRAY) {
		count_answer(s, n);
		timestamps_count(&t->timestamps, t->stamped);
	}
	session_reply(s, &reply);
	t->in_used = 0;
	t->in_long = false;
}

/* Keeps the beginning of a line; a long line is passed on in pieces. */
static void store_part(struct session *s, const unsigned char *bytes, size_t n)
{
	struct tcp *t = s->data;

	if (t->in_used + n <= REPLY_MAX &&
	    grow_list(&t->in, &t->in_capacity, t->in_used + n, 1) == 0) {
		memcpy(t->in + t->in_used, bytes, n);
		t->in_used += n;
		return;
	}
	if (t->in_used > 0)
		session_reply(s,
		    &(struct session_reply){ .text = t->in, .length = t->in_used, .more = true });
	session_reply(s, &(struct session_reply){ .text = bytes, .length = n, .more = true });
	t->in_used = 0;
	t->in_long = true;
}

static void take_bytes(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct tcp *t = s->data;

	while (n > 0) {
		const unsigned char *end = memchr(bytes, '\n', n);
		const size_t length = end ? (size_t)(end - bytes) : n;

		if (!end) {
			store_part(s, bytes, n);
			return;
		}
		if (t->in_used == 0) {
			deliver(s, bytes, length, false, at);
		} else {
			store_part(s, bytes, length);
			deliver(s, t->in, t->in_used, false, at);
		}
		bytes += length + 1;
		n -= length + 1;
	}
}

/* True if out-of-order segments came since the last read that emptied the socket; then the kernel's
 * stamp, of the last segment of a read, is not this data's: the missing segment came after it. */
static bool is_disordered(struct session *s, bool emptied)
{
	struct tcp *t = s->data;
	struct tcp_sample sample;
	bool more;

	if (tcp_info_read(s->fd, &sample) < 0)
		return false;
	more = sample.disorder != t->disorder;
	if (emptied)
		t->disorder = sample.disorder;
	return more;
}

/* Arrival time of this read. A stamp older than the last read that emptied the socket means that
 * the data waited for a missing segment: the time of the read is used. The order (counter, then
 * clock) makes sure that what comes out of order between the two is either counted by the next read
 * or older than `emptied_at`. */
static int64_t arrival(struct session *s, int64_t stamp, size_t n)
{
	struct tcp *t = s->data;
	const bool emptied = n < sizeof t->buffer, disordered = is_disordered(s, emptied);
	int64_t at = t->read_at;

	t->stamped = !disordered && timestamps_arrival(&t->timestamps, stamp, t->read_at, &at);
	if (t->stamped && at < t->emptied_at) {
		t->stamped = false;
		at = t->read_at;
	}
	/* A converted stamp may be too late by the time that sampling the clocks took. */
	if (emptied)
		t->emptied_at = clock_monotonic() + t->timestamps.bracket;
	return at;
}

/* One read; the kernel stamps a read of several segments with the last one's arrival. */
static ssize_t read_once(struct session *s, int64_t *at)
{
	struct tcp *t = s->data;
	struct os_arrival reported;
	const ssize_t n = os_receive(s->fd, t->buffer, sizeof t->buffer, &reported);

	t->read_at = clock_monotonic();
	*at = t->read_at;
	if (n > 0)
		*at = arrival(s, reported.stamp, (size_t)n);
	return n;
}

/* Reads what came. Returns false if the connection ended, at `at`, by `error`, 0 for a FIN. */
static bool receive(struct session *s, int *error, int64_t *at)
{
	struct tcp *t = s->data;

	timestamps_sample(&t->timestamps);
	for (int i = 0; i < DISPATCH_READS; i++) {
		const ssize_t n = read_once(s, at);

		if (n > 0) {
			end_stall(s, *at);
			take_bytes(s, t->buffer, (size_t)n, *at);
			continue;
		}
		*error = n == 0 ? 0 : errno;
		return n < 0 && (*error == EAGAIN || *error == EWOULDBLOCK || *error == EINTR);
	}
	return true;
}

/* The connection has ended: the unfinished reply line is complete. */
static void receive_end(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	end_stall(s, now);
	t->read_at = now;
	t->stamped = false;
	if (t->in_used > 0 || t->in_long)
		deliver(s, t->in, t->in_used, true, now);
}

/* --- the end of a connection --- */

static void update_reuse(struct session *s, int64_t now)
{
	struct tcp *t = s->data;
	const bool at_once = t->answered == 1 && now - t->answered_at <= CLOSE_EXPECTED;

	t->reuse = at_once ? REUSE_NEVER : REUSE_UNKNOWN;
	if (t->reuse != REUSE_NEVER || t->reported_single || s->finished)
		return;
	t->reported_single = true;
	session_notice(s, false,
	    "TCP %s: this server closes after each reply: each line gets a connection of its own",
	    s->peer);
}

static void report_end(struct session *s, uint64_t cut, int error)
{
	const struct tcp *t = s->data;
	const char *how = error == 0                            ? "closed by the server (FIN)"
	                : error == ECONNRESET || error == EPIPE ? "reset by the server (RST)"
	                                                        : error_word(error);
	char which[24] = "";

	if (s->settings.connection > 0)
		snprintf(which, sizeof which, ", connection %u", s->settings.connection);
	if (cut > 0)
		session_notice(s, true,
		    "TCP %s%s: %s before %llu %s answered; whether the server saw %s is unknown",
		    s->peer, which, how, (unsigned long long)cut,
		    cut == 1 ? "line was" : "lines were", cut == 1 ? "it" : "them");
	else if (t->reuse != REUSE_NEVER && !s->finished)
		session_notice(s, false, "TCP %s: %s; the next line connects again", s->peer, how);
}

static void end_connection(struct session *s, int error, int64_t now)
{
	struct tcp *t = s->data;
	uint64_t cut;

	receive_end(s, now);
	/* The line that was partly handed over is cut off; the rest of it is not sent. */
	if (send_queue_lines(&t->out) > 0 && send_queue_has_begun(&t->out)) {
		ledger_sent(s->ledger, send_queue_first(&t->out)->number, now);
		t->skipping |= send_queue_drop(&t->out);
	}
	cut = ledger_cut_off(s->ledger, s->settings.connection, now);
	if (cut > 0)
		session_row(s, 0);
	update_reuse(s, now);
	report_end(s, cut, error);
	report_stage(s, SESSION_ENDED, error, now);
	close_socket(s);
	s->phase = PHASE_IDLE;
	tcp_push(s, now);
}

/* --- the loop --- */

/* Whether another connection of the session is within a reply that is passed on in pieces, which
 * those of no other may interrupt. */
static bool other_in_long(const struct session *s)
{
	const struct session *of = s->settings.first ? s->settings.first : s;

	while (of && (of == s || !((const struct tcp *)of->data)->in_long))
		of = of->next;
	return of != NULL;
}

static void tcp_watch(const struct session *s, struct fd_watch *w)
{
	const struct tcp *t = s->data;

	if (s->phase == PHASE_CONNECT) {
		fd_watch_write(w, s->fd);
		fd_watch_until(w, t->sample_at);
		return;
	}
	if (!other_in_long(s))
		fd_watch_read(w, s->fd);
	if (has_waiting(s))
		fd_watch_until(w, t->sample_at);
	if (send_queue_lines(&t->out) == 0 || t->write_failed)
		return;
	if (t->reuse == REUSE_ALWAYS || t->sent == 0 || send_queue_has_begun(&t->out))
		fd_watch_write(w, s->fd);
	else if (t->reuse == REUSE_UNKNOWN || !has_waiting(s))
		fd_watch_until(w, t->probe_until);
}

static void tcp_dispatch(struct session *s, const struct fd_watch *w, int64_t now)
{
	struct tcp *t = s->data;
	int64_t at;
	int error;

	if (s->fd < 0)
		return;
	if (s->phase == PHASE_CONNECT) {
		if (fd_watch_can_write(w, s->fd)) {
			finish_connect(s, now);
		} else if (now >= s->connect_by) {
			fail_connect(s, ETIMEDOUT, now);
		} else if (now >= t->sample_at) {
			t->sample_at = now + SAMPLE_CONNECTING;
			if (count_syns(s) > t->connection.syns)
				report_stage(s, SESSION_CONNECTING, 0, now);
		}
	} else if (fd_watch_can_read(w, s->fd) && !other_in_long(s) && !receive(s, &error, &at)) {
		end_connection(s, error, at);
	}
	tcp_push(s, now);
	if (s->phase == PHASE_READY && now >= t->sample_at && has_waiting(s))
		take_sample(s, now);
}

static void tcp_close(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	if (s->fd >= 0) {
		end_stall(s, now);
		t->connection.by_client = true;
		report_stage(s, s->phase == PHASE_READY ? SESSION_ENDED : SESSION_FAILED,
		    s->phase == PHASE_READY ? 0 : ECANCELED, now);
	}
	close_socket(s);
	send_queue_clear(&t->out);
	t->in_used = 0;
}

static void tcp_free(struct session *s)
{
	struct tcp *t = s->data;

	send_queue_free(&t->out);
	free(t->in);
}

static void tcp_figures(const struct session *s, int64_t now, struct figures *f)
{
	const struct tcp *t = s->data;
	const struct ledger_totals *totals = ledger_totals(s->ledger);
	struct tcp_sample sample;

	f->times = t->timestamps.totals;
	/* A line that failed was never handed over and has no time. */
	f->times.sent_program = totals->sent - totals->failed;
	f->tcp = t->seen;
	f->tcp.answered_bytes = t->answered_bytes;
	if (s->phase == PHASE_READY && tcp_info_read(s->fd, &sample) == 0)
		tcp_info_add(&f->tcp, &sample, t->retransmitted_before);
	f->stalls = stall_now(&t->stall, waiting_since(s), f->tcp.round_trip, now);
}

const struct transport transport_tcp = {
	.data_size = sizeof(struct tcp),
	.open = tcp_open,
	.push = tcp_push,
	.send = tcp_send,
	.has_room = tcp_has_room,
	.watch = tcp_watch,
	.dispatch = tcp_dispatch,
	.close = tcp_close,
	.free = tcp_free,
	.single_until = tcp_single_until,
	.figures = tcp_figures,
};
