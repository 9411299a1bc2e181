/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's time stamps of what a socket sends and receives, in our time (CLOCK_MONOTONIC). They
 * are readings of the wall clock (CLOCK_REALTIME); both clocks are slewed alike, so their
 * difference stays the same until somebody sets the wall clock. Stamps around such a step are not
 * trusted; the program's own, less exact, readings serve instead. */
#pragma once

#include "common/os.h"
#include "ledger/figures.h"

/* Datagrams handed over whose stamp has not come yet, at most; a power of two. */
#define TIMESTAMPS_CAPACITY 1024

struct timestamps {
	/* Our clock less the wall clock, ns, and its greatest error, the time of a sample. */
	int64_t offset, bracket;
	/* There was a sample; it was a good one, and the wall clock was not set. */
	bool sampled, trusted;
	struct figures_times totals;
	/* Stamps of sent datagrams are switched on. The kernel numbers datagrams; `next` is the
	 * next one's number, and numbers[] the lines of those before it. */
	bool enabled;
	uint32_t next, awaited;
	uint64_t numbers[TIMESTAMPS_CAPACITY];
	uint64_t received; /* stamps of sent datagrams that came */
};

/* Switches on stamps of what a new socket receives, and, for datagrams, of what it sends. */
void timestamps_open(struct timestamps *s, int fd, bool datagrams);
/* Samples both clocks; called in each turn before stamps are converted. */
void timestamps_sample(struct timestamps *s);
/* When a message arrived: `real`, the kernel's stamp, if there is one that can be trusted (returns
 * true), else `now`. */
bool timestamps_arrival(const struct timestamps *s, int64_t real, int64_t now, int64_t *at);
/* Counts a reply by whether its time is the kernel's. */
static inline void timestamps_count(struct timestamps *s, bool kernel)
{
	++*(kernel ? &s->totals.received_kernel : &s->totals.received_program);
}
/* A datagram was handed over: the line's number. */
void timestamps_sent(struct timestamps *s, uint64_t number);
/* Takes a stamp of the error queue: its line (0: unknown) and time. False when it is none. */
bool timestamps_take(struct timestamps *s, const struct os_error *e, uint64_t *number, int64_t *at);
/* The line took the kernel's time. */
void timestamps_used(struct timestamps *s);
