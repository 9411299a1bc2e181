/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"

int64_t clock_ns(const struct timespec *ts)
{
	/* Of 32 bits where time_t is. */
	const int64_t seconds = ts->tv_sec;

	if (seconds < 0 || seconds >= CLOCK_MAX / NS_PER_S || ts->tv_nsec < 0 ||
	    ts->tv_nsec >= NS_PER_S)
		return -1;
	return seconds * NS_PER_S + ts->tv_nsec;
}

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return clock_ns(&ts);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_realtime(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_difference(int samples, int64_t enough, int64_t *took)
{
	int64_t difference = 0;

	*took = INT64_MAX;
	for (int i = 0; i < samples && *took > enough; i++) {
		const int64_t before = clock_monotonic(), real = clock_realtime(),
		              span = clock_monotonic() - before;

		if (span >= *took)
			continue;
		*took = span;
		difference = real - before - span / 2;
	}
	return difference;
}

const struct timespec *clock_until(int64_t deadline, int64_t now, struct timespec *ts)
{
	int64_t left;

	if (deadline == CLOCK_NEVER)
		return NULL;
	left = deadline > now ? deadline - now : 0;
	ts->tv_sec = (time_t)(left / NS_PER_S);
	ts->tv_nsec = (long)(left % NS_PER_S);
	return ts;
}
