/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the workers, over a line to each that carries the orders and answers of the control socket. The watching process
 * has nothing better to do than to wait for them, but not for ever: what one still owes is skipped the next time. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "workers-core.h"

#define PATIENCE NS_PER_S

/* A conversation with one worker. */
struct talk {
	struct worker *worker;
	workers_line *tell;
	void *context;
};

/* Waits for something to read. */
static bool wait_until(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t left;

	while ((left = deadline - clock_monotonic()) > 0) {
		int n = poll(&p, 1, (int)(left / NS_PER_MS) + 1);

		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
	}
	return false;
}

static bool is_last(const char *line)
{
	return strcmp(line, "ok\n") == 0 || strncmp(line, "error", 5) == 0;
}

/* The first line of what was heard is whole, `n` bytes. */
static void take_line(const struct talk *t, size_t n)
{
	struct worker *one = t->worker;
	char line[WORKERS_LINE + 1];

	memcpy(line, one->heard, n);
	line[n] = '\0';
	one->heard_bytes -= n;
	memmove(one->heard, one->heard + n, one->heard_bytes);
	if (is_last(line))
		one->owed--;
	else if (one->owed == 1)
		t->tell(t->context, line);
}

/* Takes in what has come. Returns 0, or -1 if there will be no more. */
static int hear(const struct talk *t)
{
	struct worker *one = t->worker;
	ssize_t n = recv(one->channel, one->heard + one->heard_bytes, sizeof one->heard - one->heard_bytes, MSG_DONTWAIT);
	const char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	one->heard_bytes += (size_t)n;
	while ((end = memchr(one->heard, '\n', one->heard_bytes)))
		take_line(t, (size_t)(end - one->heard) + 1);
	return one->heard_bytes < sizeof one->heard ? 0 : -1;
}

/* Returns 0; -1 if it does not answer. One that has just died has nothing to say, which is an answer. */
static int ask_one(const struct talk *t, const char *order)
{
	int fd = t->worker->channel;
	int64_t deadline = clock_monotonic() + PATIENCE;

	if (fd < 0)
		return 0;
	/* A line whose other end has read none of many orders is full. */
	if (send(fd, order, strlen(order), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EAGAIN ? -1 : 0;
	for (t->worker->owed++; t->worker->owed;) {
		if (!wait_until(fd, deadline))
			return -1;
		if (hear(t) < 0)
			return 0;
	}
	return 0;
}

int workers_ask(struct workers *w, const char *order, workers_line *tell, void *context)
{
	int silent = 0;

	for (int i = 0; i < w->count; i++) {
		struct talk t = {.worker = &w->all[i], .tell = tell, .context = context};

		if (ask_one(&t, order) < 0)
			silent = i + 1;
	}
	return silent;
}
