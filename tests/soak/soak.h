/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the soak share: one process, one loop, every kind of client of one server at
 * once.
 *
 * Each part keeps count of what it did, and the counts must agree with the server's totals at the
 * end. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "tests/soak/soak-text.h"

/* Of the loop: timers are looked at so often. */
#define SOAK_TICK (5 * NS_PER_MS)

struct soak_options {
	/* How long, in ns, and how much: 1 is all that one machine with two processors should be
	 * asked for. */
	int64_t duration;
	double load;
	/* Times are so much longer under a sanitizer. */
	double patience;
	uint64_t seed;
	int64_t max_clients, workers;
	/* Whether the server's memory is its own affair: a sanitizer's is not. */
	bool memory_free;
	const char *server;
	/* More options for it. */
	char **more;
};

/* A place that the server serves. */
struct soak_place {
	struct sockaddr_storage addr;
	socklen_t len;
};

struct soak {
	struct soak_options options;
	struct soak_text *text;
	/* Random numbers of the whole, drawn by soak_random(). */
	uint64_t dice;
	int epoll;
	int64_t started, now;
	/* When this process was last away from its loop for so long that the server may have taken
	 * its clients for idle. */
	int64_t stalled;
	/* No more new clients; the well-behaved ones come to their end. */
	bool draining;
	/* Of the server. */
	int64_t idle;
	struct soak_place ipv4, ipv6;
	bool has_ipv6;
	int faults;
};

/* What an epoll event leads to: the first member of whatever waits. */
struct soak_waits {
	void (*ready)(struct soak *s, struct soak_waits *w, uint32_t events);
};

/* Something is wrong: printed, counted. */
void soak_fault(struct soak *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 0 to n - 1. */
uint64_t soak_random(struct soak *s, uint64_t n);
/* As many of `full` as --load asks for, one at least. */
unsigned soak_share(const struct soak *s, unsigned full);
/* An address of 127.0.0.0/8, port 0: so many sources, each with its own ports. */
struct sockaddr_in soak_source(struct soak *s);

/* What may be done at a rate. */
struct soak_rate {
	double per_second, saved, most;
	int64_t then;
};
/* How many may be done now, `most` at once; soak_spend() says how many were. */
unsigned soak_allowed(const struct soak *s, struct soak_rate *r);
void soak_spend(struct soak_rate *r, unsigned n);
