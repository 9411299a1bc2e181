/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/tcp-connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* In one turn each stream is read once, and one that fills the buffer so many times more, as long
 * as all together have not been read again that often: waiting is dearer than reading, but
 * datagrams and the other clients wait meanwhile. */
#define REREADS 3
#define REREADS_ALL 16

/* What is counted and then put into capitals while the processor's nearest cache still has it. */
#define PIECE 8192

/* Reads of what nobody will answer, at the server's end. */
#define LAST_READS 8

static void over(struct tcp_connection *s, enum counters_end how, int error, int64_t now)
{
	s->shared->over(s->shared->context, s, how, error, now);
}

/* Where the system is short of memory for a moment the connection is as whole as it was. */
static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOMEM ||
	       error == ENOBUFS;
}

/* Writes as much as the kernel takes. Returns how much, or -1 with errno when the connection is
 * broken. */
static ssize_t write_some(struct tcp_connection *s, const unsigned char *bytes, size_t n)
{
	ssize_t written = n ? send(s->fd, bytes, n, MSG_NOSIGNAL) : 0;

	if (written < 0)
		return must_wait(errno) ? 0 : -1;
	s->bytes_out += (size_t)written;
	s->shared->counters->tcp_bytes_out += (size_t)written;
	return written;
}

/* Writes, and keeps what the kernel does not take. Returns 0, or -1 with errno. */
static int put(struct tcp_connection *s, const unsigned char *bytes, size_t n)
{
	ssize_t written = write_some(s, bytes, n);

	if (written < 0)
		return -1;
	n -= (size_t)written;
	if (n == 0)
		return 0;
	s->pending = malloc(n);
	if (!s->pending) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(s->pending, bytes + written, n);
	s->begin = 0;
	s->waiting = n;
	s->shared->held += n;
	return 0;
}

static void drop_pending(struct tcp_connection *s)
{
	if (!s->pending)
		return;
	s->shared->held -= s->begin + s->waiting;
	free(s->pending);
	s->pending = NULL;
}

/* Writes what waits. Returns 0, or -1 with errno. */
static int put_pending(struct tcp_connection *s)
{
	ssize_t written = write_some(s, s->pending + s->begin, s->waiting);

	if (written < 0)
		return -1;
	s->begin += (size_t)written;
	s->waiting -= (size_t)written;
	if (s->waiting == 0)
		drop_pending(s);
	return 0;
}

/* How many bytes of what was written the client's system has not acknowledged. */
static size_t unacknowledged(const struct tcp_connection *s)
{
	int bytes = 0;

	return ioctl(s->fd, SIOCOUTQ, &bytes) < 0 ? 0 : (size_t)bytes;
}

/* After a close the system would keep for minutes what the client has no room for, and nobody would
 * count it: so the client keeps its place until the system has sent all, which is when the
 * descriptor is ready for writing. */
static void drain(struct tcp_connection *s, int64_t now)
{
	s->draining = true;
	s->waiting = unacknowledged(s);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){ 1 }, sizeof(int));
	if (poller_want(s->shared->poller, s->fd, LOOP_WRITE) < 0)
		over(s, COUNTERS_CUT, errno, now);
	else
		s->shared->moved(s->shared->context, s, now);
}

/* All is written and nothing more is read. Where the server ends, the client may still be sending:
 * closing with bytes unread, or bytes that come later, would reset the connection and throw away
 * what is on its way to the client. So the connection lingers, and what comes is thrown away, until
 * the client's system has everything. */
static void end(struct tcp_connection *s, int64_t now)
{
	if (!s->finishing && !s->draining && unacknowledged(s)) {
		drain(s, now);
		return;
	}
	if (s->finishing && unacknowledged(s)) {
		shutdown(s->fd, SHUT_WR);
		s->lingering = true;
		if (poller_want(s->shared->poller, s->fd, LOOP_READ) < 0)
			over(s, COUNTERS_CUT, errno, now);
		return;
	}
	if (s->finishing) {
		shutdown(s->fd, SHUT_WR);
		for (int i = 0; i < LAST_READS && recv(s->fd, s->shared->in, TCP_CONNECTION_IN,
		                                      MSG_DONTWAIT) == TCP_CONNECTION_IN;
		    i++)
			;
	}
	over(s, s->finishing ? COUNTERS_STOPPED : COUNTERS_CLOSED, 0, now);
}

static void linger(struct tcp_connection *s, int64_t now)
{
	ssize_t n = recv(s->fd, s->shared->in, TCP_CONNECTION_IN, 0);

	if (n == 0 || (n < 0 && !must_wait(errno)))
		over(s, COUNTERS_STOPPED, 0, now);
}

void tcp_connection_check(struct tcp_connection *s, int64_t now)
{
	if (s->lingering && !unacknowledged(s))
		over(s, COUNTERS_STOPPED, 0, now);
}

/* The last bytes have been read: what was held back of a character that is not whole goes out as it
 * is. */
static int put_end(struct tcp_connection *s)
{
	unsigned char rest[CAPITALS_HELD];

	s->ending = true;
	return put(s, rest, capitals_end(&s->capitals, rest));
}

/* What has no room here is nobody else's fault. */
static enum counters_end why_broken(int error)
{
	return error == ENOMEM ? COUNTERS_CUT : COUNTERS_RESET;
}

/* After bytes have moved: what to wait for now. */
static void go_on(struct tcp_connection *s, int64_t now)
{
	bool last = s->finishing && s->left == 0 && !s->ending && !s->pending;

	if (last && put_end(s) < 0) {
		over(s, why_broken(errno), errno, now);
	} else if (s->ending && !s->pending) {
		end(s, now);
	} else if (poller_want(s->shared->poller, s->fd, s->pending ? LOOP_WRITE : LOOP_READ) < 0) {
		over(s, COUNTERS_CUT, errno, now);
	} else {
		s->shared->moved(s->shared->context, s, now);
	}
}

/* Puts `n` bytes that were read into capitals and writes them. Returns 0, or -1 with errno. */
static int take(struct tcp_connection *s, size_t n)
{
	struct tcp_connection_shared *h = s->shared;
	size_t written = 0, piece;

	for (size_t at = 0; at < n; at += piece) {
		piece = n - at < PIECE ? n - at : PIECE;
		h->counters->tcp_lines += counters_line_feeds(h->in + at, piece);
		written += capitals_feed(&s->capitals, h->in + at, piece, h->out + written);
	}
	s->bytes_in += n;
	s->left -= s->finishing ? n : 0;
	h->counters->tcp_bytes_in += n;
	return put(s, h->out, written);
}

/* Reads once and answers. Returns whether more is there to be read, and the stream to be read from.
 */
static bool read_once(struct tcp_connection *s, int64_t now)
{
	const size_t size = s->shared->held < TCP_CONNECTION_HELD_MAX ? TCP_CONNECTION_IN
	                                                              : TCP_CONNECTION_IN_SHORT;
	const size_t max = s->finishing && s->left < size ? s->left : size;
	ssize_t n = recv(s->fd, s->shared->in, max, 0);
	int result;

	if (n < 0 && must_wait(errno))
		return false;
	if (n < 0) {
		over(s, COUNTERS_RESET, errno, now);
		return false;
	}
	result = n == 0 ? put_end(s) : take(s, (size_t)n);
	if (result < 0)
		over(s, why_broken(errno), errno, now);
	else if ((size_t)n == size && !s->pending && !s->finishing)
		return true;
	else
		go_on(s, now);
	return false;
}

/* Whether somebody may read once more in this turn. */
static bool may_reread(struct tcp_connection_shared *h, int64_t now)
{
	if (h->dispatched_at != now) {
		h->dispatched_at = now;
		h->rereads = REREADS_ALL;
	}
	return h->rereads > 0 && h->rereads--;
}

void tcp_connection_read(struct tcp_connection *s, int64_t now)
{
	int left = REREADS;

	while (read_once(s, now))
		if (left-- == 0 || !may_reread(s->shared, now)) {
			go_on(s, now);
			return;
		}
}

static void connection_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct tcp_connection *s = context;

	(void)fd;
	(void)ready;
	if (s->lingering)
		linger(s, now);
	else if (!s->pending)
		tcp_connection_read(s, now);
	else if (put_pending(s) < 0)
		over(s, COUNTERS_RESET, errno, now);
	else
		go_on(s, now);
}

/* The same of what waits to be written. */
static bool try_pending(struct tcp_connection *s, int64_t now)
{
	const uint64_t before = s->bytes_out;

	if (put_pending(s) < 0)
		over(s, COUNTERS_RESET, errno, now);
	else if (s->bytes_out != before)
		go_on(s, now);
	else
		return false;
	return true;
}

/* The same of what the system has not sent. */
static bool try_draining(struct tcp_connection *s, int64_t now)
{
	const size_t before = s->waiting;

	s->waiting = unacknowledged(s);
	if (s->waiting == before)
		return false;
	s->shared->moved(s->shared->context, s, now);
	return true;
}

bool tcp_connection_try(struct tcp_connection *s, int64_t now)
{
	const struct counters *t = s->shared->counters;
	const uint64_t in = t->tcp_bytes_in, clients = t->tcp_now;

	if (s->lingering)
		return false;
	if (s->pending)
		return try_pending(s, now);
	if (s->draining)
		return try_draining(s, now);
	tcp_connection_read(s, now);
	return t->tcp_bytes_in != in || t->tcp_now != clients;
}

int tcp_connection_open(struct tcp_connection *s, struct tcp_connection_shared *shared, int fd)
{
	*s = (struct tcp_connection){ .shared = shared, .fd = fd };
	return poller_add(shared->poller, fd, connection_ready, s);
}

void tcp_connection_close(struct tcp_connection *s, enum counters_end how)
{
	/* What a client did not take for so long, it is not to be offered for minutes more. */
	if (how == COUNTERS_IDLE && unacknowledged(s))
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
		    sizeof(struct linger));
	poller_remove(s->shared->poller, s->fd);
	close(s->fd);
	drop_pending(s);
}

void tcp_connection_finish(struct tcp_connection *s, int64_t now)
{
	int received = 0;

	if (s->ending || s->finishing)
		return;
	ioctl(s->fd, FIONREAD, &received);
	s->finishing = true;
	s->left = received > 0 ? (size_t)received : 0;
	/* What waits to be written comes first; the loop goes on from there. */
	if (s->pending)
		return;
	if (s->left)
		tcp_connection_read(s, now);
	else
		go_on(s, now);
}
