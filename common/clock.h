/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: int64_t nanoseconds of CLOCK_MONOTONIC everywhere; the wall clock is for log lines and for
 * turning kernel time stamps (SO_TIMESTAMPNS counts CLOCK_REALTIME) into monotonic time. */
#pragma once

#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

/* The latest time; the sum of two does not overflow. In CLOCK_REALTIME it is in the year 2116. */
#define CLOCK_MAX (INT64_MAX / 2)

/* A time of the kernel, such as a time stamp, in ns; -1 for a time before 0 or after CLOCK_MAX. */
int64_t clock_ns(const struct timespec *ts);
/* Now, in ns of CLOCK_MONOTONIC. */
int64_t clock_monotonic(void);
/* Now, in ns of CLOCK_REALTIME. */
int64_t clock_realtime(void);
/* The wall clock minus the monotonic one: the fastest of `samples` readings of both, up to the
 * first that takes no more than `enough` ns. `*took` is its duration: a process that loses the
 * processor between the two clocks takes long. */
int64_t clock_difference(int samples, int64_t enough, int64_t *took);

/* The timeout of pselect() from `now` until `deadline`, in `ts`; NULL for CLOCK_NEVER. */
const struct timespec *clock_until(int64_t deadline, int64_t now, struct timespec *ts);
