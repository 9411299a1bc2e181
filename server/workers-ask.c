/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the workers, over a line to each that carries the orders and answers of the control socket. The watching process
 * has nothing better to do than to wait for them, but not for ever, whatever they send: what one still owes is skipped the next
 * time. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "server/workers-core.h"

#define PATIENCE NS_PER_S

static bool is_last(const char *line)
{
	return strcmp(line, "ok\n") == 0 || strncmp(line, "error", 5) == 0;
}

/* The first line of what was heard is whole, `n` bytes. */
static void take_line(struct worker *one, size_t n, workers_line *tell, void *context)
{
	char line[WORKERS_LINE + 1];

	memcpy(line, one->heard, n);
	line[n] = '\0';
	one->heard_bytes -= n;
	memmove(one->heard, one->heard + n, one->heard_bytes);
	if (is_last(line))
		one->owed -= one->owed > 0;
	else if (one->owed == 1)
		tell(context, line);
}

/* Takes in what has come. One that has just died has nothing to say, which is an answer. */
static void hear(struct worker *one, workers_line *tell, void *context)
{
	ssize_t n = recv(one->channel, one->heard + one->heard_bytes, sizeof one->heard - one->heard_bytes, MSG_DONTWAIT);
	const char *end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			one->owed = 0;
		return;
	}
	one->heard_bytes += (size_t)n;
	while ((end = memchr(one->heard, '\n', one->heard_bytes)))
		take_line(one, (size_t)(end - one->heard) + 1, tell, context);
	/* No line of ours is so long. */
	if (one->heard_bytes == sizeof one->heard)
		one->heard_bytes = 0;
}

/* Hears those that owe an answer; waits for `patience` ns at most until there is something to hear. Their lines are few enough for select(), as
 * settle_workers() sees to. */
static void hear_all(struct workers *w, int64_t patience, workers_line *tell, void *context)
{
	const struct timespec most = {patience / NS_PER_S, patience % NS_PER_S};
	int count = 0;
	fd_set channels;
	sigset_t none;

	sigemptyset(&none);
	FD_ZERO(&channels);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].owed && w->all[i].channel >= 0) {
			FD_SET(w->all[i].channel, &channels);
			count = w->all[i].channel >= count ? w->all[i].channel + 1 : count;
		}
	if (pselect(count, &channels, NULL, NULL, &most, &none) <= 0)
		return;
	for (int i = 0; i < w->count; i++)
		if (w->all[i].channel >= 0 && FD_ISSET(w->all[i].channel, &channels))
			hear(&w->all[i], tell, context);
}

/* Whether one owes the last answer alone. */
static bool is_waited_for(const struct workers *w)
{
	for (int i = 0; i < w->count; i++)
		if (w->all[i].owed == 1)
			return true;
	return false;
}

int workers_ask(struct workers *w, const char *order, const volatile sig_atomic_t *ends_asked, workers_line *tell,
    void *context)
{
	const int64_t deadline = clock_monotonic() + PATIENCE;
	int64_t left = PATIENCE;
	int silent = 0;

	for (int i = 0; i < w->count; i++) {
		struct worker *one = &w->all[i];

		/* A line whose other end has read none of many orders is full. */
		if (one->channel >= 0 && send(one->channel, order, strlen(order), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			one->owed++;
	}
	do
		hear_all(w, is_waited_for(w) && !*ends_asked ? left : 0, tell, context);
	while (is_waited_for(w) && !*ends_asked && (left = deadline - clock_monotonic()) > 0);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].owed)
			silent = i + 1;
	return silent;
}
