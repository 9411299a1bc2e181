/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's own time stamps of what a socket sends and receives, in our time. They are readings
 * of the wall clock (CLOCK_REALTIME); what turns them into ours is the same until somebody sets
 * that clock, since both clocks are slewed alike. When it was set, stamps that lie about are not
 * trusted and the program's own readings serve, which are only less exact. */
#ifndef UPCASE_STAMPS_H
#define UPCASE_STAMPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ledger/figures.h"

/* Datagrams handed over whose stamp has not come yet, at most; a power of two. */
#define TIMESTAMPS_CAPACITY 1024

struct timestamps {
	/* Ours less the wall clock's, and how long the look took that said so: it is out by no
	 * more. */
	int64_t offset, bracket;
	/* There was a look; the clock was not set since the look before, and the best look is a
	 * good one. */
	bool sampled, trusted;
	struct figures_times totals;
	/* The kernel is asked for stamps of what is sent. It numbers datagrams; `next` is the next
	 * one's number, and numbers[] the lines of those before it. */
	bool asked;
	uint32_t next, awaited;
	uint64_t numbers[TIMESTAMPS_CAPACITY];
	/* Stamps of what was sent that came. */
	uint64_t came;
};

/* A new socket: asks for stamps of what it receives, and, of datagrams, of what it sends. */
void timestamps_open(struct timestamps *s, int fd, bool datagrams);
/* Looks at both clocks: before stamps are turned into our time, in each turn. */
void timestamps_sample(struct timestamps *s);
/* When what `m` brought arrived; without a stamp, the time now. Counts replies as `replies` says.
 */
int64_t timestamps_received(struct timestamps *s, struct msghdr *m, int64_t now);
/* So many replies came with a time by the kernel, or without. */
void timestamps_count(struct timestamps *s, bool kernel, uint64_t replies);
/* Whether `m` has a stamp of its arrival that can be trusted. */
bool timestamps_has(const struct timestamps *s, struct msghdr *m);
/* A datagram was handed over: the line's number. */
void timestamps_sent(struct timestamps *s, uint64_t number);
/* What came from the error queue is a stamp: of which line (0: unknown), and when it left. */
bool timestamps_take(struct timestamps *s, struct msghdr *m, uint64_t *number, int64_t *at);
/* A line's time is the kernel's now. */
void timestamps_used(struct timestamps *s);

#endif
