/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages on schedule, answered or not, as people and their programs send them: a server that is
 * slow does not slow them down. The round trip counts from when a message was due. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/load.h"

/* Messages that may wait for their replies at once; one more is given up. */
#define PENDING 16384

/* Numbers from `answered` to `next` are on their way; over TCP replies come in order. */
struct schedule {
	int fd, type;
	uint32_t next, answered;
	int64_t due[PENDING];
	bool waits[PENDING];
	/* The beginning of a line that has not come whole. */
	char rest[LOAD_LINE];
	int rest_size;
};

static void give_up(struct load *load, struct schedule *s)
{
	if (s->waits[s->answered % PENDING])
		load->lost++;
	s->waits[s->answered++ % PENDING] = false;
}

static void send_due(struct load *load, struct schedule *s, int64_t due)
{
	char text[LOAD_LINE];

	if (s->next - s->answered == PENDING)
		give_up(load, s);
	load_write(load, text, LOAD_LINE, s->type == SOCK_STREAM, s->next);
	if (send(s->fd, text, sizeof text, MSG_NOSIGNAL) != (ssize_t)sizeof text)
		load_fail("send", errno);
	s->due[s->next % PENDING] = due;
	s->waits[s->next % PENDING] = true;
	s->next++;
}

static void take(struct load *load, struct schedule *s, const char *text, int size, int64_t now)
{
	uint32_t number;

	if (!load_number(text, size, &number) || number - s->answered >= s->next - s->answered) {
		/* One that was given up is late, anything else wrong. */
		if (!load_number(text, size, &number) || number >= s->next)
			load_wrong(load);
		return;
	}
	load_check(load, text, size, LOAD_LINE, s->type == SOCK_STREAM, number);
	load_time(load, now - s->due[number % PENDING]);
	s->waits[number % PENDING] = false;
	while (s->answered != s->next && !s->waits[s->answered % PENDING])
		s->answered++;
}

static void take_lines(struct load *load, struct schedule *s, const char *text, ssize_t size,
    int64_t now)
{
	while (size > 0) {
		const int room = LOAD_LINE - s->rest_size, part = size < room ? (int)size : room;

		memcpy(s->rest + s->rest_size, text, (size_t)part);
		s->rest_size += part;
		text += part;
		size -= part;
		if (s->rest_size == LOAD_LINE) {
			take(load, s, s->rest, LOAD_LINE, now);
			s->rest_size = 0;
		}
	}
}

static void receive(struct load *load, struct schedule *s)
{
	char text[1 << 16];
	ssize_t size;

	while ((size = recv(s->fd, text, sizeof text, MSG_DONTWAIT)) > 0) {
		const int64_t now = clock_monotonic();

		if (s->type == SOCK_STREAM)
			take_lines(load, s, text, size, now);
		else
			take(load, s, text, (int)size, now);
	}
	if (size == 0 && s->type == SOCK_STREAM)
		load_fail("the server has closed the connection", 0);
	if (size < 0 && errno != EAGAIN && errno != EINTR)
		load_fail("receive", errno);
}

static void wait_until(int fd, int64_t due)
{
	const int64_t now = clock_monotonic(), left = due > now ? due - now : 0;
	const struct timespec ts = { .tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S };
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	(void)ppoll(&pollfd, 1, &ts, NULL);
}

static void open_loop(struct load *load, int type)
{
	static struct schedule s;
	const int64_t start = clock_monotonic();
	uint64_t sent = 0;

	s.type = type;
	s.fd = load_connect(load, type, 0);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	for (int64_t now = start; load_running(load, now); now = clock_monotonic()) {
		int64_t due = start + (int64_t)(sent * NS_PER_S / (uint64_t)load->rate);

		while (due <= now) {
			send_due(load, &s, due);
			due = start + (int64_t)(++sent * NS_PER_S / (uint64_t)load->rate);
		}
		receive(load, &s);
		/* TCP's come, however late. */
		while (type == SOCK_DGRAM && s.answered != s.next &&
		       now - s.due[s.answered % PENDING] > LOAD_PATIENCE)
			give_up(load, &s);
		wait_until(s.fd, due);
	}
	close(s.fd);
}

void load_udp_open(struct load *load)
{
	open_loop(load, SOCK_DGRAM);
}

void load_tcp_open(struct load *load)
{
	open_loop(load, SOCK_STREAM);
}
