/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/* What the load tool's ways to ask a server share: the time that is measured, the tally of what
 * came back, and the text that is sent and must come back in capitals.
 *
 * A message is its number, eight digits that have no case, and small letters behind; the number
 * says which message a reply answers, also one that comes too late. All times are nanoseconds of
 * the monotonic clock. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/clock.h"

#define LOAD_NUMBER 8
#define LOAD_TEXT_MAX 1400
/* The length of a line, with its line feed, and of a short datagram. */
#define LOAD_LINE 64
/* What has not come back after so long is given up. */
#define LOAD_PATIENCE (100 * NS_PER_MS)
/* Buckets of a histogram: 64 for each doubling from 64 ns on, to about a minute. */
#define LOAD_BUCKETS (64 * 32)

struct load {
	/* Asked for. */
	struct sockaddr_in server;
	int64_t warmup, length;
	/* Whose time of the processor counts; 0 for nobody's. */
	int pid;
	int size, rate, connections, idle;
	/* Bytes under way on one connection of a stream, at most; more only by what one write
	 * takes. */
	uint64_t window;
	/* Does not sleep until a reply comes, so that what the round trip takes is the server's
	 * time alone. */
	bool awake;
	/* Whether the measured time has begun, and when it began and ends. */
	bool measuring;
	int64_t begin, end;
	/* The processor's time, first what it was when the measured time began: the server's and
	 * this program's. */
	int64_t server_cpu, own_cpu;
	/* What came back, in messages and in bytes, what did not, what was not the text in
	 * capitals. */
	uint64_t replies, bytes, lost, wrong;
	/* Replies that this program's own socket had no room for. */
	uint64_t dropped_here;
	/* Wrong replies since the start, the warm-up too. */
	uint64_t wrong_ever;
	uint64_t times[LOAD_BUCKETS];
	/* What is sent, the number left open, and what shall come back. */
	char small[LOAD_TEXT_MAX], capitals[LOAD_TEXT_MAX];
};

/* Ends the program with what went wrong, and errno's word for it if `error`. */
_Noreturn void load_fail(const char *what, int error);

/* Whether to go on at `now`; begins and ends the measured time. */
bool load_running(struct load *load, int64_t now);

/* Writes message `number`, `size` bytes, the last a line feed if `line`. */
void load_write(const struct load *load, char *text, int size, bool line, uint32_t number);

/* Checks a reply against the message that it should answer; counts it. */
void load_check(struct load *load, const char *text, int size, int wanted_size, bool line,
    uint32_t number);

/* The number that a reply carries; false if that is none. */
bool load_number(const char *text, int size, uint32_t *number);

/* Counts a wrong reply. */
void load_wrong(struct load *load);

/* Counts the time of one round trip. */
void load_time(struct load *load, int64_t ns);

/* A blocking socket that is connected to the server; an address of 127/8 that `source` chooses for
 * TCP. */
int load_connect(const struct load *load, int type, uint32_t source);

/* Opens the connections that say nothing: accepted all when it returns. */
void load_idle(const struct load *load);

/* The ways. Each returns when the measured time is over. */
void load_udp_rtt(struct load *load);
void load_udp_burst(struct load *load);
void load_udp_2048(struct load *load);
void load_udp_spread(struct load *load);
void load_udp_open(struct load *load);
void load_tcp_open(struct load *load);
void load_rr(struct load *load);
void load_stream(struct load *load);
void load_churn(struct load *load);
