/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over TCP: lines out, each ended by \n, replies in, split at \n.
 *
 * A line counts as sent when the kernel has taken its last byte. When a connection ends, the line that was partly handed
 * over is cut off with those that wait; the lines behind it have not been touched and go over the next connection.
 *
 * The textbook's server reads once, answers and closes. A second line sent before that close is seen would be lost
 * with the connection, so the first line of a connection goes alone: when its reply has come and the connection still
 * stands a moment later, the server is one that keeps it, and everything flows freely. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "session-core.h"
#include "stall.h"
#include "stamps.h"
#include "stream-queue.h"
#include "tcp-look.h"

/* One read, and the reads of one turn. */
#define READ_SIZE 65536
#define TURN_READS 8
/* The longest reply line that is kept whole to be compared: capitals of the longest line that can be typed. */
#define REPLY_KEEP (3u * 1024 * 1024)
/* What may be queued here before plain input has to wait. */
#define QUEUE_BYTES (256u * 1024)
#define QUEUE_LINES 8192
/* How long after the first reply a close may follow it: the textbook's server closes at once; this allows for a slow machine. */
#define CLOSE_FOLLOWS (50 * NS_PER_MS)
/* How often the kernel is asked about a connection while lines wait: often enough for each of its time-outs, which double, so seldom
 * that it costs nothing. */
#define LOOK_OFTEN (25 * NS_PER_MS)
#define LOOK_SELDOM (500 * NS_PER_MS)
#define LOOKS_A_WAIT 20
/* The same when this server was seen to close before. */
#define CLOSE_EXPECTED NS_PER_S

enum pace {
	PACE_CAREFUL, /* not known yet whether the server keeps the connection */
	PACE_SINGLE,  /* it closes after each reply: a line a connection */
	PACE_FREE,    /* it keeps it */
};

struct tcp {
	/* To be sent. */
	struct stream_queue out;
	/* The line whose pieces come is not wanted any more: its connection is gone. */
	bool skipping;

	/* The beginning of a reply line whose end has not come yet; `in_long`: pieces of it have been passed on. */
	unsigned char *in;
	size_t in_used, in_room;
	bool in_long;

	enum pace pace;
	/* Lines sent and answered on this connection. */
	uint64_t sent, answered;
	/* Until when a careful sender waits. */
	int64_t careful_until;
	/* When the last reply came. */
	int64_t answered_at;
	/* Writing failed: reading will say why. */
	bool write_failed;
	bool half_closed;
	bool told_single;

	/* When bytes came: this read, its bytes by the kernel's clock, and whether it was the kernel's. */
	int64_t read_at;
	bool stamped;
	/* Segments that had come out of order by the last read that left nothing behind. */
	uint32_t disorder;
	/* The read before left nothing behind that could be read, by then; INT64_MIN when it may have. */
	int64_t emptied_at;
	struct stamps stamps;
	struct stall stall;
	/* TCP_INFO over all connections; what those before this one sent again; the next look. */
	struct facts_tcp seen;
	uint64_t again_before;
	int64_t look_at;
	unsigned char buffer[READ_SIZE];
};

static struct tcp *side_of(struct session *s)
{
	if (!s->side) {
		s->side = calloc(1, sizeof(struct tcp));
		if (s->side)
			((struct tcp *)s->side)->pace = PACE_CAREFUL;
	}
	return s->side;
}

static bool lines_queued(const struct tcp *t)
{
	return stream_queue_lines(&t->out) > 0;
}

/* --- opening --- */

static int tcp_open(struct session *s, int64_t now)
{
	const struct addr *to = &s->addresses[s->address];
	struct addr here = {.len = sizeof here.storage};
	const int on = 1;
	int fd, error = 0;

	if (!side_of(s))
		return ENOMEM;
	fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	/* A line is a message: it does not wait for company (RFC 896's algorithm off). */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (fd >= FD_SETSIZE)
		error = EMFILE;
	else if (connect(fd, &to->sa, to->len) < 0 && errno != EINPROGRESS && errno != EINTR)
		error = errno;
	if (error) {
		close(fd);
		return error;
	}
	stamps_open(&((struct tcp *)s->side)->stamps, fd, false);
	((struct tcp *)s->side)->disorder = 0;
	((struct tcp *)s->side)->emptied_at = INT64_MIN;
	s->fd = fd;
	s->phase = PHASE_CONNECT;
	s->connect_by = now + s->settings.connect_timeout;
	if (getsockname(fd, &here.sa, &here.len) == 0)
		session_opened(s, &here, ((struct tcp *)s->side)->out.written);
	return 0;
}

/* --- what the kernel says --- */

/* The next look comes the later the longer a line has waited. */
static void look(struct session *s, int64_t now)
{
	struct tcp *t = s->side;
	const int64_t since = ledger_waiting_since(s->ledger);
	const int64_t pause = since < now ? (now - since) / LOOKS_A_WAIT : 0;
	struct session_tcp info;

	t->look_at = now + (pause < LOOK_OFTEN ? LOOK_OFTEN : pause > LOOK_SELDOM ? LOOK_SELDOM : pause);
	if (tcp_look_read(s->fd, &info) == 0)
		tcp_look_add(&t->seen, &info, t->again_before);
}

/* A connection that never stood has sent its SYN again perhaps; there is no more to say of it. */
static void last_look(struct session *s)
{
	struct tcp *t = s->side;
	struct session_tcp info;

	if (tcp_look_read(s->fd, &info) < 0)
		return;
	if (s->phase == PHASE_READY)
		tcp_look_add(&t->seen, &info, t->again_before);
	t->again_before += info.again;
	t->seen.again = t->again_before;
}

/* Bytes came, or the connection ended. */
static void end_stall(struct session *s, int64_t at)
{
	struct tcp *t = s->side;

	stall_end(&t->stall, ledger_waiting_since(s->ledger), t->seen.round_trip, at);
}

static void close_socket(struct session *s)
{
	if (s->fd >= 0) {
		last_look(s);
		close(s->fd);
	}
	s->fd = -1;
}

/* A port that nobody listens on, in the range that the kernel gives to clients, can be given to our own socket, which
 * then connects to itself (RFC 793, simultaneous open). Nobody is there. */
static bool connected_to_itself(int fd)
{
	struct addr here = {.len = sizeof here.storage}, there = {.len = sizeof there.storage};

	return getsockname(fd, &here.sa, &here.len) == 0 && getpeername(fd, &there.sa, &there.len) == 0 &&
	    addr_equal(&here, &there);
}

static void start_connection(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	t->sent = t->answered = 0;
	t->careful_until = 0;
	t->write_failed = t->half_closed = false;
	t->in_used = 0;
	t->in_long = false;
	if (t->pace == PACE_FREE)
		t->pace = PACE_CAREFUL;
	t->seen.connections++;
	stall_connection(&t->stall);
	look(s, now);
	session_connected(s);
}

static void finish_connect(struct session *s, int64_t now)
{
	int error = 0;
	socklen_t size = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (!error && connected_to_itself(s->fd))
		error = ECONNREFUSED;
	if (error) {
		close_socket(s);
		session_failed(s, error, now);
		return;
	}
	start_connection(s, now);
}

/* --- sending --- */

static int tcp_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces, int64_t now)
{
	struct tcp *t = side_of(s);
	const bool whole = (pieces & SESSION_LINE) == SESSION_LINE;

	if (!t)
		return -1;
	if (pieces & SESSION_FIRST) {
		t->skipping = false;
		if ((whole ? ledger_add(s->ledger, number, text, n, now) :
			     ledger_add_partial(s->ledger, number, text, n, now)) < 0)
			return -1;
		if (s->phase == PHASE_DEAD)
			return 0;
		if (stream_queue_line(&t->out, number) < 0)
			return -1;
	}
	if (t->skipping || s->phase == PHASE_DEAD)
		return 0;
	if (stream_queue_add(&t->out, text, n) < 0 ||
	    ((pieces & (SESSION_LAST | SESSION_BARE)) == SESSION_LAST && stream_queue_add(&t->out, "\n", 1) < 0))
		return -1;
	if (pieces & SESSION_LAST)
		stream_queue_end_line(&t->out);
	return 0;
}

static bool tcp_has_room(const struct session *s)
{
	const struct tcp *t = s->side;

	return !t || (stream_queue_bytes(&t->out) < QUEUE_BYTES && stream_queue_lines(&t->out) < QUEUE_LINES);
}

static int64_t tcp_alone_until(const struct session *s)
{
	const struct tcp *t = s->side;

	return t && t->pace == PACE_CAREFUL && t->sent > 0 ? t->careful_until : 0;
}

/* Careful: may the next line go? Learns from a wait that is over that the server keeps the connection. */
static bool may_begin_line(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	if (t->pace == PACE_FREE || t->sent == 0)
		return true;
	if (now < t->careful_until || (t->pace == PACE_SINGLE && ledger_totals(s->ledger)->waiting > 0))
		return false;
	t->pace = PACE_FREE;
	return true;
}

/* How many bytes may be sent now. */
static size_t sendable(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	if (!lines_queued(t) || (!stream_queue_has_begun(&t->out) && !may_begin_line(s, now)))
		return 0;
	return t->pace == PACE_FREE ? stream_queue_bytes(&t->out) : stream_queue_first_bytes(&t->out);
}

static void mark_sent(struct session *s, int64_t now)
{
	struct tcp *t = s->side;
	const struct stream_mark *begun;
	struct stream_mark line;
	uint64_t from;

	while (stream_queue_pop(&t->out, &line, &from)) {
		ledger_sent(s->ledger, line.number, now);
		session_sent(s, line.number, from, line.end);
		t->sent++;
		if (t->pace != PACE_FREE)
			t->careful_until = now + s->settings.wait;
		session_row(s, line.number);
	}
	begun = stream_queue_first(&t->out);
	if (begun && stream_queue_has_begun(&t->out))
		session_sent(s, begun->number, t->out.line_start, begun->end);
}

static void write_some(struct session *s, int64_t turn)
{
	struct tcp *t = s->side;
	size_t most;

	while (!t->write_failed && (most = sendable(s, turn)) > 0) {
		const int64_t now = clock_monotonic();
		ssize_t n = send(s->fd, stream_queue_next(&t->out), most, MSG_NOSIGNAL);

		if (n < 0) {
			/* Reading tells what happened, after what came before it. */
			t->write_failed = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
			return;
		}
		stream_queue_wrote(&t->out, (size_t)n);
		mark_sent(s, now);
	}
}

static void tcp_push(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	if (!t)
		return;
	if (s->phase == PHASE_IDLE && lines_queued(t)) {
		/* Comes back here when it is connected. */
		session_reopen(s, now);
		return;
	}
	if (s->phase != PHASE_READY)
		return;
	write_some(s, now);
	if (s->finished && !lines_queued(t) && !t->half_closed) {
		shutdown(s->fd, SHUT_WR);
		t->half_closed = true;
	}
}

/* --- receiving --- */

static void learn_answer(struct session *s)
{
	struct tcp *t = s->side;

	t->answered++;
	t->answered_at = t->read_at;
	if (t->pace != PACE_FREE)
		t->careful_until = t->read_at + (t->pace == PACE_SINGLE ? CLOSE_EXPECTED : CLOSE_FOLLOWS);
}

static void deliver(struct session *s, const unsigned char *text, size_t n, bool ended, int64_t at)
{
	struct tcp *t = s->side;
	struct session_reply reply = {.text = text, .length = n};

	reply.verdict = ledger_stream_reply(s->ledger, text, n, ended, at);
	s->answered = true;
	/* What no line asked for (a greeting, chatter without end) says nothing about when this server closes. */
	if (reply.verdict.match != MATCH_STRAY) {
		learn_answer(s);
		stamps_count(&t->stamps, t->stamped, 1);
	}
	s->hooks.reply(s->hooks.context, &reply);
	t->in_used = 0;
	t->in_long = false;
}

/* A long line is passed on in pieces rather than kept. */
static void keep(struct session *s, const unsigned char *bytes, size_t n)
{
	struct tcp *t = s->side;

	if (t->in_used + n <= REPLY_KEEP && stream_queue_reserve(&t->in, t->in_used, &t->in_room, n) == 0) {
		memcpy(t->in + t->in_used, bytes, n);
		t->in_used += n;
		return;
	}
	if (t->in_used > 0)
		s->hooks.reply(s->hooks.context,
		    &(struct session_reply){.text = t->in, .length = t->in_used, .more = true});
	s->hooks.reply(s->hooks.context, &(struct session_reply){.text = bytes, .length = n, .more = true});
	t->in_used = 0;
	t->in_long = true;
}

static void take_bytes(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct tcp *t = s->side;

	while (n > 0) {
		const unsigned char *end = memchr(bytes, '\n', n);
		const size_t length = end ? (size_t)(end - bytes) : n;

		if (!end) {
			keep(s, bytes, n);
			return;
		}
		if (t->in_used == 0) {
			deliver(s, bytes, length, false, at);
		} else {
			keep(s, bytes, length);
			deliver(s, t->in, t->in_used, false, at);
		}
		bytes += length + 1;
		n -= length + 1;
	}
}

/* The line that was partly handed over is cut off; what is left of it is not sent. */
static void drop_begun_line(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	if (!lines_queued(t) || !stream_queue_has_begun(&t->out))
		return;
	ledger_sent(s->ledger, stream_queue_first(&t->out)->number, now);
	t->skipping |= stream_queue_drop(&t->out);
}

static void learn_pace(struct session *s, int64_t now)
{
	struct tcp *t = s->side;
	const bool at_once = t->answered == 1 && now - t->answered_at <= CLOSE_EXPECTED;

	t->pace = at_once ? PACE_SINGLE : PACE_CAREFUL;
	if (t->pace != PACE_SINGLE || t->told_single || s->finished)
		return;
	t->told_single = true;
	session_notice(s, false, "TCP %s: this server closes after each reply: each line gets a connection of its own",
	    s->peer);
}

static void tell_end(struct session *s, uint64_t cut, int error)
{
	const struct tcp *t = s->side;
	const char *how = error == 0 ? "closed by the server" :
	    error == ECONNRESET || error == EPIPE ? "reset by the server" : strerror(error);

	if (cut > 0)
		session_notice(s, true, "TCP %s: %s before %llu %s answered; whether the server saw %s is unknown", s->peer,
		    how, (unsigned long long)cut, cut == 1 ? "line was" : "lines were", cut == 1 ? "it" : "them");
	else if (t->pace != PACE_SINGLE && !s->finished)
		session_notice(s, false, "TCP %s: %s; the next line connects again", s->peer, how);
}

static void end_connection(struct session *s, int error, int64_t now)
{
	struct tcp *t = s->side;
	uint64_t cut;

	end_stall(s, now);
	t->read_at = now;
	t->stamped = false;
	if (t->in_used > 0 || t->in_long)
		deliver(s, t->in, t->in_used, true, now);
	drop_begun_line(s, now);
	cut = ledger_cut_off(s->ledger, now);
	learn_pace(s, now);
	tell_end(s, cut, error);
	close_socket(s);
	s->phase = PHASE_IDLE;
	tcp_push(s, now);
}

/* Segments came out of order since the last read that left nothing behind: the kernel tells when the last one of a read came, but
 * here the one that was missing came after it, and nothing could be read before. */
static bool is_disordered(struct session *s, bool emptied)
{
	struct tcp *t = s->side;
	uint32_t segments = t->disorder;
	bool more;

	(void)tcp_look_disorder(s->fd, &segments);
	more = segments != t->disorder;
	if (emptied)
		t->disorder = segments;
	return more;
}

/* When what was read now came. What was there when the last read left nothing behind, and could not be read then, waited for a
 * segment that was missing. That moment is taken after the look at the counter: what came out of order between the two is
 * either counted by the next look or older than the moment. */
static int64_t arrival(struct session *s, struct msghdr *m, size_t n)
{
	struct tcp *t = s->side;
	const bool emptied = n < sizeof t->buffer, disordered = is_disordered(s, emptied);
	int64_t at = t->read_at;

	t->stamped = !disordered && stamps_has(&t->stamps, m);
	if (t->stamped)
		at = stamps_received(&t->stamps, m, t->read_at);
	if (t->stamped && at < t->emptied_at) {
		t->stamped = false;
		at = t->read_at;
	}
	/* A stamp in our time may be later than it was by as much as the look at the clocks took. */
	t->emptied_at = emptied ? clock_monotonic() + t->stamps.bracket : INT64_MIN;
	return at;
}

/* One read; of what several segments brought, the kernel tells when the last one came. */
static ssize_t read_once(struct session *s, int64_t *at)
{
	struct tcp *t = s->side;
	unsigned char control[256];
	struct iovec part = {.iov_base = t->buffer, .iov_len = sizeof t->buffer};
	struct msghdr m = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	const ssize_t n = recvmsg(s->fd, &m, 0);

	t->read_at = clock_monotonic();
	*at = t->read_at;
	if (n > 0)
		*at = arrival(s, &m, (size_t)n);
	return n;
}

static void read_some(struct session *s)
{
	struct tcp *t = s->side;

	stamps_look(&t->stamps);
	for (int i = 0; i < TURN_READS; i++) {
		int64_t at;
		const ssize_t n = read_once(s, &at);

		if (n > 0) {
			end_stall(s, at);
			take_bytes(s, t->buffer, (size_t)n, at);
		} else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
			end_connection(s, n == 0 ? 0 : errno, at);
			return;
		} else {
			return;
		}
	}
}

/* --- the loop --- */

static void tcp_watch(const struct session *s, struct watch *w)
{
	const struct tcp *t = s->side;

	if (s->phase == PHASE_CONNECT) {
		watch_write(w, s->fd);
		return;
	}
	watch_read(w, s->fd);
	if (ledger_waiting_since(s->ledger) != STALL_NONE)
		watch_until(w, t->look_at);
	if (!lines_queued(t) || t->write_failed)
		return;
	if (t->pace == PACE_FREE || t->sent == 0 || stream_queue_has_begun(&t->out))
		watch_write(w, s->fd);
	else if (t->pace == PACE_CAREFUL || ledger_totals(s->ledger)->waiting == 0)
		watch_until(w, t->careful_until);
}

static void tcp_turn(struct session *s, const struct watch *w, int64_t now)
{
	if (s->fd < 0)
		return;
	if (s->phase == PHASE_CONNECT) {
		if (watch_can_write(w, s->fd)) {
			finish_connect(s, now);
		} else if (now >= s->connect_by) {
			close_socket(s);
			session_failed(s, ETIMEDOUT, now);
		}
	} else if (watch_can_read(w, s->fd)) {
		read_some(s);
	}
	tcp_push(s, now);
	if (s->phase == PHASE_READY && now >= ((struct tcp *)s->side)->look_at &&
	    ledger_waiting_since(s->ledger) != STALL_NONE)
		look(s, now);
}

static void tcp_close(struct session *s, int64_t now)
{
	struct tcp *t = s->side;

	if (t && s->fd >= 0)
		end_stall(s, now);
	close_socket(s);
	if (!t)
		return;
	stream_queue_clear(&t->out);
	t->in_used = 0;
}

static void tcp_free(struct session *s)
{
	struct tcp *t = s->side;

	if (!t)
		return;
	stream_queue_free(&t->out);
	free(t->in);
	free(t);
}

static int tcp_state(const struct session *s, struct session_tcp *out)
{
	return tcp_look_read(s->fd, out);
}

static void tcp_facts(const struct session *s, int64_t now, struct facts *f)
{
	const struct tcp *t = s->side;
	const struct ledger_totals *totals = ledger_totals(s->ledger);
	struct session_tcp info;

	if (!t)
		return;
	f->times = t->stamps.totals;
	/* A line that failed was never handed over, so it has no time. */
	f->times.sent_program = totals->sent - totals->failed;
	f->tcp = t->seen;
	if (s->phase == PHASE_READY && tcp_look_read(s->fd, &info) == 0)
		tcp_look_add(&f->tcp, &info, t->again_before);
	f->stalls = stall_now(&t->stall, ledger_waiting_since(s->ledger), f->tcp.round_trip, now);
}

const struct transport transport_tcp = {
	.open = tcp_open,
	.push = tcp_push,
	.send = tcp_send,
	.has_room = tcp_has_room,
	.watch = tcp_watch,
	.turn = tcp_turn,
	.close = tcp_close,
	.free = tcp_free,
	.alone_until = tcp_alone_until,
	.state = tcp_state,
	.facts = tcp_facts,
};
