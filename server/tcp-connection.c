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

/* In one turn each stream is read once, and one that fills the buffer so many times more, as long as all together have not
 * been read again that often: waiting is dearer than reading, but datagrams and the other clients wait meanwhile. */
#define AGAIN 3
#define AGAIN_ALL 16

/* What is counted and then put into capitals while the processor's nearest cache still has it. */
#define PIECE 8192

/* Reads of what nobody will answer, at the server's end. */
#define LAST_READS 8

static void over(struct stream *s, enum totals_end how, int error, int64_t now)
{
	s->house->over(s->house->context, s, how, error, now);
}

/* Where the system is short of memory for a moment the connection is as whole as it was. */
static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOMEM || error == ENOBUFS;
}

/* Writes as much as the kernel takes. Returns how much, or -1 with errno when the connection is broken. */
static ssize_t write_some(struct stream *s, const unsigned char *bytes, size_t n)
{
	ssize_t written = n ? send(s->fd, bytes, n, MSG_NOSIGNAL) : 0;

	if (written < 0)
		return must_wait(errno) ? 0 : -1;
	s->bytes_out += (size_t)written;
	s->house->totals->tcp_bytes_out += (size_t)written;
	return written;
}

/* Writes, and keeps what the kernel does not take. Returns 0, or -1 with errno. */
static int put(struct stream *s, const unsigned char *bytes, size_t n)
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
	s->house->held += n;
	return 0;
}

static void drop_pending(struct stream *s)
{
	if (!s->pending)
		return;
	s->house->held -= s->begin + s->waiting;
	free(s->pending);
	s->pending = NULL;
}

/* Writes what waits. Returns 0, or -1 with errno. */
static int put_pending(struct stream *s)
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
static size_t unacknowledged(const struct stream *s)
{
	int bytes = 0;

	return ioctl(s->fd, SIOCOUTQ, &bytes) < 0 ? 0 : (size_t)bytes;
}

/* After a close the system would keep for minutes what the client has no room for, and nobody would count it: so the client
 * keeps its place until the system has sent all, which is when the descriptor is ready for writing. */
static void drain(struct stream *s, int64_t now)
{
	s->draining = true;
	s->waiting = unacknowledged(s);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){1}, sizeof(int));
	if (crowd_want(s->house->crowd, s->fd, LOOP_WRITE) < 0)
		over(s, TOTALS_CUT, errno, now);
	else
		s->house->moved(s->house->context, s, now);
}

/* All is written and nothing more is read. Where the server ends, the client may still be sending: closing with bytes
 * unread, or bytes that come later, would reset the connection and throw away what is on its way to the client. So the
 * connection lingers, and what comes is thrown away, until the client's system has everything. */
static void end(struct stream *s, int64_t now)
{
	if (!s->finishing && !s->draining && unacknowledged(s)) {
		drain(s, now);
		return;
	}
	if (s->finishing && unacknowledged(s)) {
		shutdown(s->fd, SHUT_WR);
		s->lingering = true;
		if (crowd_want(s->house->crowd, s->fd, LOOP_READ) < 0)
			over(s, TOTALS_CUT, errno, now);
		return;
	}
	if (s->finishing) {
		shutdown(s->fd, SHUT_WR);
		for (int i = 0; i < LAST_READS && recv(s->fd, s->house->in, STREAM_IN, MSG_DONTWAIT) == STREAM_IN; i++)
			;
	}
	over(s, s->finishing ? TOTALS_STOPPED : TOTALS_CLOSED, 0, now);
}

static void linger(struct stream *s, int64_t now)
{
	ssize_t n = recv(s->fd, s->house->in, STREAM_IN, 0);

	if (n == 0 || (n < 0 && !must_wait(errno)))
		over(s, TOTALS_STOPPED, 0, now);
}

void stream_check(struct stream *s, int64_t now)
{
	if (s->lingering && !unacknowledged(s))
		over(s, TOTALS_STOPPED, 0, now);
}

/* The last bytes have been read: what was held back of a character that is not whole goes out as it is. */
static int put_end(struct stream *s)
{
	unsigned char rest[CAPITALS_HELD];

	s->ending = true;
	return put(s, rest, capitals_end(&s->capitals, rest));
}

/* What has no room here is nobody else's fault. */
static enum totals_end why_broken(int error)
{
	return error == ENOMEM ? TOTALS_CUT : TOTALS_RESET;
}

/* After bytes have moved: what to wait for now. */
static void go_on(struct stream *s, int64_t now)
{
	bool last = s->finishing && s->left == 0 && !s->ending && !s->pending;

	if (last && put_end(s) < 0) {
		over(s, why_broken(errno), errno, now);
	} else if (s->ending && !s->pending) {
		end(s, now);
	} else if (crowd_want(s->house->crowd, s->fd, s->pending ? LOOP_WRITE : LOOP_READ) < 0) {
		over(s, TOTALS_CUT, errno, now);
	} else {
		s->house->moved(s->house->context, s, now);
	}
}

/* Puts `n` bytes that were read into capitals and writes them. Returns 0, or -1 with errno. */
static int take(struct stream *s, size_t n)
{
	struct stream_house *h = s->house;
	size_t written = 0, piece;

	for (size_t at = 0; at < n; at += piece) {
		piece = n - at < PIECE ? n - at : PIECE;
		h->totals->tcp_lines += totals_line_feeds(h->in + at, piece);
		written += capitals_feed(&s->capitals, h->in + at, piece, h->out + written);
	}
	s->bytes_in += n;
	s->left -= s->finishing ? n : 0;
	h->totals->tcp_bytes_in += n;
	return put(s, h->out, written);
}

/* Reads once and answers. Returns whether more is there to be read, and the stream to be read from. */
static bool read_once(struct stream *s, int64_t now)
{
	const size_t room = s->house->held < STREAM_HELD_MOST ? STREAM_IN : STREAM_IN_SHORT;
	const size_t most = s->finishing && s->left < room ? s->left : room;
	ssize_t n = recv(s->fd, s->house->in, most, 0);
	int result;

	if (n < 0 && must_wait(errno))
		return false;
	if (n < 0) {
		over(s, TOTALS_RESET, errno, now);
		return false;
	}
	result = n == 0 ? put_end(s) : take(s, (size_t)n);
	if (result < 0)
		over(s, why_broken(errno), errno, now);
	else if ((size_t)n == room && !s->pending && !s->finishing)
		return true;
	else
		go_on(s, now);
	return false;
}

/* Whether somebody may read once more in this turn. */
static bool may_read_again(struct stream_house *h, int64_t now)
{
	if (h->turn != now) {
		h->turn = now;
		h->again = AGAIN_ALL;
	}
	return h->again > 0 && h->again--;
}

void stream_read(struct stream *s, int64_t now)
{
	int left = AGAIN;

	while (read_once(s, now))
		if (left-- == 0 || !may_read_again(s->house, now)) {
			go_on(s, now);
			return;
		}
}

static void stream_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct stream *s = context;

	(void)fd;
	(void)ready;
	if (s->lingering)
		linger(s, now);
	else if (!s->pending)
		stream_read(s, now);
	else if (put_pending(s) < 0)
		over(s, TOTALS_RESET, errno, now);
	else
		go_on(s, now);
}

/* The same of what waits to be written. */
static bool stir_pending(struct stream *s, int64_t now)
{
	const uint64_t before = s->bytes_out;

	if (put_pending(s) < 0)
		over(s, TOTALS_RESET, errno, now);
	else if (s->bytes_out != before)
		go_on(s, now);
	else
		return false;
	return true;
}

/* The same of what the system has not sent. */
static bool stir_draining(struct stream *s, int64_t now)
{
	const size_t before = s->waiting;

	s->waiting = unacknowledged(s);
	if (s->waiting == before)
		return false;
	s->house->moved(s->house->context, s, now);
	return true;
}

bool stream_stir(struct stream *s, int64_t now)
{
	const struct totals *t = s->house->totals;
	const uint64_t in = t->tcp_bytes_in, clients = t->tcp_now;

	if (s->lingering)
		return false;
	if (s->pending)
		return stir_pending(s, now);
	if (s->draining)
		return stir_draining(s, now);
	stream_read(s, now);
	return t->tcp_bytes_in != in || t->tcp_now != clients;
}

int stream_open(struct stream *s, struct stream_house *house, int fd)
{
	*s = (struct stream){.house = house, .fd = fd};
	return crowd_add(house->crowd, fd, stream_ready, s);
}

void stream_close(struct stream *s, enum totals_end how)
{
	/* What a client did not take for so long, it is not to be offered for minutes more. */
	if (how == TOTALS_IDLE && unacknowledged(s))
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	crowd_remove(s->house->crowd, s->fd);
	close(s->fd);
	drop_pending(s);
}

void stream_finish(struct stream *s, int64_t now)
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
		stream_read(s, now);
	else
		go_on(s, now);
}
