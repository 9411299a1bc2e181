/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the workers, over a line to each that carries the commands and answers of the control
 * socket. The watching process has nothing better to do than to wait for them, but not for ever,
 * whatever they send: what one still owes is skipped the next time. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "server/workers-core.h"

#define TIMEOUT NS_PER_S

static bool is_last(const char *line)
{
	return strcmp(line, "ok\n") == 0 || strncmp(line, "error", 5) == 0;
}

/* The first line of what was heard is whole, `n` bytes. */
static void take_line(struct worker *one, size_t n, workers_line *add_line, void *context)
{
	char line[WORKERS_LINE + 1];

	memcpy(line, one->received, n);
	line[n] = '\0';
	one->received_bytes -= n;
	memmove(one->received, one->received + n, one->received_bytes);
	if (is_last(line))
		one->unanswered_count -= one->unanswered_count > 0;
	else if (one->unanswered_count == 1)
		add_line(context, line);
}

/* Takes in what has come. One that has just died has nothing to say, which is an answer. */
static void receive(struct worker *one, workers_line *add_line, void *context)
{
	ssize_t n = recv(one->channel, one->received + one->received_bytes,
	    sizeof one->received - one->received_bytes, MSG_DONTWAIT);
	const char *end;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			one->unanswered_count = 0;
		return;
	}
	one->received_bytes += (size_t)n;
	while ((end = memchr(one->received, '\n', one->received_bytes)))
		take_line(one, (size_t)(end - one->received) + 1, add_line, context);
	/* No line of ours is so long. */
	if (one->received_bytes == sizeof one->received)
		one->received_bytes = 0;
}

/* Hears those that owe an answer; waits for `timeout` ns at most until there is something to hear.
 * Their lines are few enough for select(), as settle_workers() sees to. */
static void receive_all(struct workers *w, int64_t timeout, workers_line *add_line, void *context)
{
	const struct timespec max = { timeout / NS_PER_S, timeout % NS_PER_S };
	int count = 0;
	fd_set channels;
	sigset_t none;

	sigemptyset(&none);
	FD_ZERO(&channels);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count && w->all[i].channel >= 0) {
			FD_SET(w->all[i].channel, &channels);
			count = w->all[i].channel >= count ? w->all[i].channel + 1 : count;
		}
	if (pselect(count, &channels, NULL, NULL, &max, &none) <= 0)
		return;
	for (int i = 0; i < w->count; i++)
		if (w->all[i].channel >= 0 && FD_ISSET(w->all[i].channel, &channels))
			receive(&w->all[i], add_line, context);
}

/* Whether one owes the last answer alone. */
static bool is_waited_for(const struct workers *w)
{
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count == 1)
			return true;
	return false;
}

int workers_ask(struct workers *w, const char *command, const volatile sig_atomic_t *ends_asked,
    workers_line *add_line, void *context)
{
	const int64_t deadline = clock_monotonic() + TIMEOUT;
	int64_t left = TIMEOUT;
	int unanswered = 0;

	for (int i = 0; i < w->count; i++) {
		struct worker *one = &w->all[i];

		/* A line whose other end has read none of many commands is full. */
		if (one->channel >= 0 &&
		    send(one->channel, command, strlen(command), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			one->unanswered_count++;
	}
	do
		receive_all(w, is_waited_for(w) && !*ends_asked ? left : 0, add_line, context);
	while (is_waited_for(w) && !*ends_asked && (left = deadline - clock_monotonic()) > 0);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count)
			unanswered = i + 1;
	return unanswered;
}
