/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time: int64_t nanoseconds of CLOCK_MONOTONIC everywhere; the wall clock is for log lines and
 * for turning kernel time stamps (SO_TIMESTAMPNS counts CLOCK_REALTIME) into monotonic time. */
#ifndef UPCASE_CLOCK_H
#define UPCASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* A deadline that never comes. */
#define CLOCK_NEVER INT64_MAX

/* The latest time there is: the sum of two does not overflow. In the year 2116 of CLOCK_REALTIME.
 */
#define CLOCK_MAX (INT64_MAX / 2)

/* In ns what the kernel tells, such as a time stamp; -1, which is none, where it is before 0 or
 * after CLOCK_MAX. */
int64_t clock_ns(const struct timespec *ts);
/* Now, in ns of CLOCK_MONOTONIC. */
int64_t clock_monotonic(void);
/* Now, in ns of CLOCK_REALTIME. */
int64_t clock_realtime(void);

/* What pselect() wants to wait from `now` until `deadline`: never negative. Returns NULL (wait for
 * ever) for CLOCK_NEVER, else `ts`, filled. */
const struct timespec *clock_until(int64_t deadline, int64_t now, struct timespec *ts);

#endif
