/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/timestamps.h"

#include "common/clock.h"

/* Two samples of the clocks differ by the time that they took, and by this much. */
#define SAMPLE_NOISE (2 * NS_PER_US)
/* The samples taken at once when they are disturbed; the largest error that is trusted. */
#define SAMPLES 8
#define SAMPLE_WORST (10 * NS_PER_US)
/* A device that has given no stamp for this many datagrams gives none. */
#define TIMESTAMPS_TIMEOUT 256

void timestamps_open(struct timestamps *s, int fd, bool datagrams)
{
	os_ask(fd, OS_ASK_STAMP);
	s->next = s->awaited = 0;
	s->received = 0;
	s->enabled = datagrams && os_queue_sent(fd);
}

/* ---- clocks ---- */

void timestamps_sample(struct timestamps *s)
{
	int64_t bracket, difference;
	const int64_t offset = -clock_difference(SAMPLES, SAMPLE_NOISE, &bracket);

	difference = offset > s->offset ? offset - s->offset : s->offset - offset;
	const bool step = s->sampled && difference > bracket + s->bracket + SAMPLE_NOISE;

	s->totals.clock_steps += step;
	if (step || !s->sampled || bracket < s->bracket) {
		s->offset = offset;
		s->bracket = bracket;
	}
	s->trusted = !step && s->bracket <= SAMPLE_WORST;
	s->sampled = true;
}

/* ---- receiving ---- */

bool timestamps_arrival(const struct timestamps *s, int64_t real, int64_t now, int64_t *at)
{
	const int64_t stamp = real + s->offset;
	/* A time before the start of our clock is not a stamp. */
	const bool stamped = s->trusted && real >= 0 && stamp >= 0;

	*at = stamped && stamp < now ? stamp : now;
	return stamped;
}

/* ---- sending ---- */

void timestamps_sent(struct timestamps *s, uint64_t number)
{
	s->totals.sent_program++;
	if (!s->enabled)
		return;
	s->numbers[s->next++ % TIMESTAMPS_CAPACITY] = number;
	if (++s->awaited > TIMESTAMPS_TIMEOUT && s->received == 0)
		s->enabled = false;
}

/* The line of a stamp's number, or 0. The kernel may also number a datagram that could not be sent.
 * If only one stamp is pending, it still is that line's; else the numbers no longer match the
 * lines, and no more stamps are requested. */
static uint64_t line_of(struct timestamps *s, uint32_t id)
{
	const bool ahead = (int32_t)(id - s->next) >= 0;

	if (!ahead)
		return s->next - id <= TIMESTAMPS_CAPACITY ? s->numbers[id % TIMESTAMPS_CAPACITY]
		                                           : 0;
	if (s->awaited != 1) {
		s->enabled = false;
		return 0;
	}
	const uint64_t number = s->numbers[(s->next - 1) % TIMESTAMPS_CAPACITY];

	s->next = id + 1;
	return number;
}

bool timestamps_take(struct timestamps *s, const struct os_error *e, uint64_t *number, int64_t *at)
{
	*at = e->sent + s->offset;
	if (e->kind != OS_ERROR_SENT || e->sent <= 0 || *at < 0)
		return false;
	s->received++;
	*number = s->enabled ? line_of(s, e->number) : 0;
	s->awaited -= s->awaited > 0;
	if (!s->trusted)
		*number = 0;
	return true;
}

void timestamps_used(struct timestamps *s)
{
	s->totals.sent_kernel++;
	s->totals.sent_program--;
}
