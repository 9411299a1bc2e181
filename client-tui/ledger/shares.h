/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shares of two flows that meet at one link: the bytes of each that TCP acknowledged, interval
 * by interval, as events report them. Pure; times are ns of the monotonic clock. */
#pragma once

#include "ledger/session-event.h"

/* The interval between reports, and how many are kept: ten minutes. */
#define SHARES_INTERVAL (100 * NS_PER_MS)
#define SHARES_MAX 6000

struct share {
	int64_t at, took; /* the end of the interval, and its length */
	uint64_t bytes[SHARES_FLOWS];
};

/* Of the last second flow. All zero at first. */
struct shares {
	struct share *list;
	size_t count, capacity;
	int64_t began;
};

void shares_clear(struct shares *s);
/* Takes a SESSION_EVENT_FLOW: the beginning of a flow clears the list, an interval is added. */
void shares_add(struct shares *s, const struct session_event *e);
/* Bytes a second; 0 without any time. */
double shares_rate(const struct share *share, enum shares_flow flow);
/* Jain's fairness index of the flows' bytes, (sum x)^2 / (n sum x^2), from 1/n to 1: R. Jain, D.-M.
 * Chiu, W. Hawe, DEC-TR-301, 1984. -1 where nothing was acknowledged. */
double shares_fairness(const uint64_t bytes[SHARES_FLOWS]);
