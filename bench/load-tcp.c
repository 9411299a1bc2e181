/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams: lines on many connections, as many bytes as there is room for, connections that come and
 * go, and such that only stand there. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/load.h"

#define EVENTS 256
#define PIECE (1 << 18)
/* The period of the text of a stream: no power of two, so that nothing that is moved by one fits.
 */
#define PERIOD 9973
/* One read in so many is compared to its last byte; the others at both ends. */
#define COMPARE_EACH 8
#define COMPARE_ENDS 64
/* Idle connections that may wait to be accepted. */
#define IDLE_AT_ONCE 64
/* Addresses that connections come from, so that ports do not run out. */
#define SOURCES 32

struct lane {
	int fd;
	/* Lines: the one in flight, when it was sent, and what has come of its reply. */
	uint32_t number;
	int64_t sent;
	char reply[LOAD_LINE];
	int reply_size;
	/* Streams: bytes out and in. */
	uint64_t out, in;
};

static void no_delay(int fd)
{
	const int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Sends one line and reads its reply; false if the connection ended before. */
static bool one_line(struct load *load, int fd, uint32_t number, int64_t *now)
{
	char text[LOAD_LINE], reply[LOAD_LINE];
	int got = 0;
	const int64_t sent = clock_monotonic();

	load_write(load, text, LOAD_LINE, true, number);
	if (send(fd, text, sizeof text, MSG_NOSIGNAL) != (ssize_t)sizeof text)
		return false;
	while (got < LOAD_LINE) {
		const ssize_t n = recv(fd, reply + got, (size_t)(LOAD_LINE - got), 0);

		if (n <= 0)
			return false;
		got += (int)n;
	}
	*now = clock_monotonic();
	load_check(load, reply, got, LOAD_LINE, true, number);
	load_time(load, *now - sent);
	return true;
}

void load_idle(const struct load *load)
{
	/* Not counted: nothing is measured yet. */
	static struct load probe;
	int64_t now;

	probe = *load;
	for (int i = 0; i < load->idle; i++) {
		const int fd = load_connect(load, SOCK_STREAM, 1 + (uint32_t)i % SOURCES);

		/* A server accepts in order: who is answered was accepted, and so were all before.
		 */
		if ((i % IDLE_AT_ONCE == IDLE_AT_ONCE - 1 || i == load->idle - 1) &&
		    !one_line(&probe, fd, 0, &now))
			load_fail("the server refuses so many idle connections", 0);
	}
}

static struct lane *open_lanes(const struct load *load, int epoll, uint32_t events)
{
	struct lane *lanes = calloc((size_t)load->connections, sizeof *lanes);

	if (lanes == NULL || epoll < 0)
		load_fail("start", errno);
	for (int i = 0; i < load->connections; i++) {
		struct epoll_event event = { .events = events, .data.ptr = &lanes[i] };

		lanes[i].fd = load_connect(load, SOCK_STREAM, (uint32_t)i % SOURCES);
		no_delay(lanes[i].fd);
		if (fcntl(lanes[i].fd, F_SETFL, O_NONBLOCK) != 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].fd, &event) != 0)
			load_fail("epoll", errno);
	}
	return lanes;
}

static void close_lanes(const struct load *load, struct lane *lanes, int epoll)
{
	for (int i = 0; i < load->connections; i++)
		close(lanes[i].fd);
	close(epoll);
	free(lanes);
}

static void lane_send(const struct load *load, struct lane *lane, int64_t now)
{
	char text[LOAD_LINE];

	load_write(load, text, LOAD_LINE, true, ++lane->number);
	lane->reply_size = 0;
	lane->sent = now;
	if (send(lane->fd, text, sizeof text, MSG_NOSIGNAL) != (ssize_t)sizeof text)
		load_fail("send", errno);
}

static void lane_receive(struct load *load, struct lane *lane)
{
	char more[LOAD_LINE + 1];
	const ssize_t n = recv(lane->fd, more, sizeof more - (size_t)lane->reply_size, 0);
	int64_t now;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		load_fail("the server has closed a connection", n < 0 ? errno : 0);
	if (lane->reply_size + n > LOAD_LINE)
		load_fail("more came back than was sent", 0);
	memcpy(lane->reply + lane->reply_size, more, (size_t)n);
	lane->reply_size += (int)n;
	if (lane->reply_size < LOAD_LINE)
		return;
	now = clock_monotonic();
	load_check(load, lane->reply, LOAD_LINE, LOAD_LINE, true, lane->number);
	load_time(load, now - lane->sent);
	lane_send(load, lane, now);
}

void load_rr(struct load *load)
{
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct lane *lanes = open_lanes(load, epoll, EPOLLIN);
	struct epoll_event events[EVENTS];
	const int patience = load->awake ? 0 : LOAD_PATIENCE / NS_PER_MS;
	int64_t now = clock_monotonic();

	for (int i = 0; i < load->connections; i++)
		lane_send(load, &lanes[i], now);
	for (; load_running(load, now); now = clock_monotonic()) {
		const int n = epoll_wait(epoll, events, EVENTS, patience);

		for (int i = 0; i < n; i++)
			lane_receive(load, events[i].data.ptr);
	}
	close_lanes(load, lanes, epoll);
}

/* The text of a stream, twice as long as a piece and a period, so that any part of it is in one
 * place. */
struct text {
	char small[PIECE + PERIOD], capitals[PIECE + PERIOD];
	char in[PIECE];
	uint64_t reads;
};

static void text_fill(struct text *text)
{
	for (int i = 0; i < PIECE + PERIOD; i++) {
		/* A step that shares no divisor with the period: no two neighbourhoods alike. */
		const int letter = (i % PERIOD) * 7919 % PERIOD % 27;

		text->small[i] = (char)(letter == 26 ? ' ' : 'a' + letter);
		text->capitals[i] = (char)(letter == 26 ? ' ' : 'A' + letter);
	}
}

/* Writes until enough is under way, or the system takes no more. */
static void stream_write(const struct load *load, struct lane *lane, const struct text *text)
{
	while (lane->out - lane->in < load->window) {
		const ssize_t n = send(lane->fd, text->small + lane->out % PERIOD, PIECE,
		    MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			load_fail("send", errno);
		if (n < 0)
			return;
		lane->out += (uint64_t)n;
		if (n < PIECE)
			return;
	}
}

static void tcp_connection_read(struct load *load, struct lane *lane, struct text *text)
{
	const ssize_t n = recv(lane->fd, text->in, PIECE, 0);
	const char *wanted = text->capitals + lane->in % PERIOD;
	const size_t size = n > 0 ? (size_t)n : 0, end = size < COMPARE_ENDS ? size : COMPARE_ENDS;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		load_fail("the server has closed a connection", n < 0 ? errno : 0);
	if (lane->in + size > lane->out)
		load_fail("more came back than was sent", 0);
	if (text->reads++ % COMPARE_EACH == 0
	        ? memcmp(text->in, wanted, size) != 0
	        : memcmp(text->in, wanted, end) != 0 ||
	              memcmp(text->in + size - end, wanted + size - end, end) != 0)
		load_wrong(load);
	lane->in += size;
	load->bytes += size;
	load->replies++;
}

void load_stream(struct load *load)
{
	static struct text text;
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	/* Room comes with what is read: there is always something under way. */
	struct lane *lanes = open_lanes(load, epoll, EPOLLIN);
	struct epoll_event events[EVENTS];

	text_fill(&text);
	for (int i = 0; i < load->connections; i++)
		stream_write(load, &lanes[i], &text);
	for (int64_t now = clock_monotonic(); load_running(load, now); now = clock_monotonic()) {
		const int n = epoll_wait(epoll, events, EVENTS, LOAD_PATIENCE / NS_PER_MS);

		for (int i = 0; i < n; i++) {
			struct lane *lane = events[i].data.ptr;

			tcp_connection_read(load, lane, &text);
			stream_write(load, lane, &text);
		}
	}
	close_lanes(load, lanes, epoll);
}

void load_churn(struct load *load)
{
	char nothing[1];
	int64_t now = clock_monotonic();

	for (uint32_t n = 0; load_running(load, now); n++) {
		const int fd = load_connect(load, SOCK_STREAM, n % SOURCES);

		no_delay(fd);
		if (!one_line(load, fd, n, &now))
			load_fail("the server has closed a connection before its reply", 0);
		if (shutdown(fd, SHUT_WR) != 0 || recv(fd, nothing, sizeof nothing, 0) != 0)
			load_fail("the server did not close", errno);
		close(fd);
	}
}
