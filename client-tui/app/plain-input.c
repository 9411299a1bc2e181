/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines that the plain front end sends: those of standard input, or the generator's. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "app/plain-internal.h"

/* --- sending --- */

bool plain_cannot_send(const struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++)
		if (!session_dead(p->channels[i].session))
			return false;
	return true;
}

bool plain_has_room(const struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++)
		if (!session_has_room(p->channels[i].session) ||
		    !plain_order_has_room(&p->channels[i]))
			return false;
	return true;
}

/* Over each channel. UDP takes whole lines only: of a line in pieces the first one, which is longer
 * than any datagram. */
static void send_over_all(struct plain *p, const void *text, size_t n, int pieces, int64_t now)
{
	for (size_t i = 0; i < p->channel_count && !p->failed; i++) {
		const struct channel *channel = &p->channels[i];

		if (!channel->stream && !(pieces & SESSION_FIRST))
			continue;
		if (session_send(channel->session, p->last_number, text, n, pieces, p->typed_at,
		        now) == 0)
			continue;
		plain_say(p, true, "memory is short: stopped");
		p->failed = true;
	}
}

static void push(struct plain *p, int64_t now)
{
	for (size_t i = 0; i < p->channel_count; i++)
		session_push(p->channels[i].session, now);
}

/* --- standard input --- */

/* A line or a piece of one. */
static void send_line(struct plain *p, const void *text, size_t n, bool last_of_line,
    bool unterminated, int64_t now)
{
	const int pieces = (p->begun ? 0 : SESSION_FIRST) | (last_of_line ? SESSION_LAST : 0) |
	                   (unterminated ? SESSION_BARE : 0) | SESSION_MORE;

	if (!p->begun)
		p->last_number++;
	if (unterminated)
		p->unterminated = p->last_number;
	send_over_all(p, text, n, pieces, now);
	p->begun = !last_of_line;
}

/* What was kept of a line. */
static void send_kept(struct plain *p, bool last_of_line, bool unterminated, int64_t now)
{
	send_line(p, p->line, p->used, last_of_line, unterminated, now);
	p->used = 0;
}

/* As much of a line as fits; what is too much goes out as a piece (TCP) or makes it too long for
 * any datagram (UDP). */
static void add_to_line(struct plain *p, const unsigned char *bytes, size_t n, int64_t now)
{
	while (n > 0) {
		size_t capacity = sizeof p->line - p->used, part = n < capacity ? n : capacity;

		memcpy(p->line + p->used, bytes, part);
		p->used += part;
		bytes += part;
		n -= part;
		if (n == 0 || !p->channels[p->channel_count - 1].stream)
			return;
		send_kept(p, false, false, now);
	}
}

/* Takes `n` bytes of a line; `whole`: the line ends with them. */
static void take_input(struct plain *p, const unsigned char *bytes, size_t n, bool whole,
    int64_t now)
{
	if (whole && p->used == 0) {
		send_line(p, bytes, n, true, false, now);
		return;
	}
	add_to_line(p, bytes, n, now);
	if (whole)
		send_kept(p, true, false, now);
}

void plain_pass(struct plain *p, int64_t now)
{
	while (p->begin < p->end && plain_has_room(p)) {
		const unsigned char *at = p->input + p->begin;
		const unsigned char *end = memchr(at, '\n', p->end - p->begin);
		const size_t n = end ? (size_t)(end - at) : p->end - p->begin;

		/* Lines that fail at once come so fast that the next ones push them out of the
		 * ledger. */
		if (++p->passed_on >= p->settings->rows / 2)
			plain_record_dispatch(p, now);
		take_input(p, at, n, end != NULL, now);
		p->begin += n + (end != NULL);
	}
	push(p, now);
}

void plain_end_input(struct plain *p, int64_t now)
{
	if (p->begun || p->used > 0)
		send_kept(p, true, true, now);
	p->input_ended = true;
	/* Generated lines over TCP: the connection stays whole until all are answered, so that both
	 * ends can be asked about it. */
	for (size_t i = 0; i < p->channel_count; i++)
		if (!(p->settings->count > 0 && p->channels[i].stream))
			session_finish(p->channels[i].session, now);
}

void plain_read(struct plain *p)
{
	ssize_t n = read(STDIN_FILENO, p->input, sizeof p->input);
	char why[100];

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		snprintf(why, sizeof why, "standard input: %s", strerror(errno));
		plain_event(p, &(const struct session_event){ .kind = SESSION_EVENT_ERROR,
		                   .session = -1,
		                   .at = clock_monotonic(),
		                   .text = why });
		p->read_failed = true;
	}
	p->begin = 0;
	p->end = n > 0 ? (size_t)n : 0;
	if (n > 0)
		p->typed_at = clock_monotonic();
	if (n <= 0)
		plain_end_input(p, clock_monotonic());
}

/* --- generated lines --- */

static bool opening(const struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++)
		if (session_opening(p->channels[i].session))
			return true;
	return false;
}

static int64_t alone_until(const struct plain *p)
{
	int64_t until = 0;

	for (size_t i = 0; i < p->channel_count; i++)
		if (session_alone_until(p->channels[i].session) > until)
			until = session_alone_until(p->channels[i].session);
	return until;
}

/* On a schedule nothing holds a line back; without one they come as fast as they are taken. */
static bool next_line(struct plain *p, int64_t now)
{
	generator_hold(&p->generator, alone_until(p), now);
	return (p->generator.plan.interval > 0 || plain_has_room(p)) &&
	       generator_next(&p->generator, now);
}

static void send_generated(struct plain *p, int64_t now)
{
	const size_t n = generator_text(++p->last_number, p->generator.plan.size, (char *)p->line,
	    sizeof p->line);
	const int more = p->generator.plan.interval > 0 ? 0 : SESSION_MORE;

	p->typed_at = now;
	send_over_all(p, p->line, n, SESSION_LINE | SESSION_GENERATED | more, now);
}

int64_t plain_generate_at(const struct plain *p)
{
	if (p->settings->count == 0 || p->input_ended)
		return CLOCK_NEVER;
	if (!p->generating)
		return opening(p) ? CLOCK_NEVER : 0;
	/* Without an interval what holds it back is the sessions' room. */
	return p->generator.plan.interval == 0 && !plain_has_room(p) ? CLOCK_NEVER
	                                                             : generator_due(&p->generator);
}

void plain_generate(struct plain *p)
{
	const struct settings *s = p->settings;
	int64_t now = clock_monotonic();

	if (p->input_ended || opening(p))
		return;
	if (!p->generating)
		generator_start(&p->generator,
		    &(struct generator_plan){ .count = (uint64_t)s->count,
		        .interval = s->interval,
		        .size = (size_t)s->size },
		    now);
	p->generating = true;
	/* Lines that cannot be sent need no schedule. */
	if (plain_cannot_send(p))
		p->generator.plan.interval = 0;
	for (int i = 0; i < GENERATOR_BATCH && !p->failed && next_line(p, now); i++) {
		send_generated(p, now);
		now = clock_monotonic();
	}
	push(p, now);
	if (!p->generator.running)
		plain_end_input(p, now);
}
