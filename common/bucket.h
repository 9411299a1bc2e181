/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rate limit by a token bucket, which holds `burst` tokens and gets one more every `interval` ns
 * until it is full. It keeps the time at which it is full instead of a count, so that no timer
 * fills it. Pure: the time is an argument, ns of the monotonic clock, not negative. */
#pragma once

#include "common/clock.h"

struct bucket {
	/* ns from one token to the next. */
	int64_t interval;
	/* The most tokens. */
	int64_t burst;
	/* When it is full again, ns; in the past when it is full. */
	int64_t full;
};

/* A full bucket of `burst` tokens that gets `rate` tokens a second, 1 to 1,000,000,000. */
static inline struct bucket bucket_full(int64_t rate, int64_t burst)
{
	return (struct bucket){ .interval = NS_PER_S / rate, .burst = burst };
}

/* Whether there is a token. */
static inline bool bucket_has(const struct bucket *b, int64_t now)
{
	return b->full - now <= (b->burst - 1) * b->interval;
}

/* Takes a token. An empty bucket then is full later. */
static inline void bucket_spend(struct bucket *b, int64_t now)
{
	b->full = (b->full > now ? b->full : now) + b->interval;
}

/* Takes a token. Returns whether there was one. */
static inline bool bucket_take(struct bucket *b, int64_t now)
{
	if (!bucket_has(b, now))
		return false;
	bucket_spend(b, now);
	return true;
}
