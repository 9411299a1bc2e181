/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct counter {
	/* Its word; the first of a line has the line's words before it. */
	const char *line, *word;
	size_t offset;
};

#define COUNTER(line, word, member) {line, word, offsetof(struct totals, member)}
#define DROP(line, word, index) {line, word, offsetof(struct totals, udp_dropped) + (index) * sizeof(uint64_t)}
#define REFUSAL(line, word, index) {line, word, offsetof(struct totals, tcp_refused) + (index) * sizeof(uint64_t)}
#define END(line, word, index) {line, word, offsetof(struct totals, tcp_ended) + (index) * sizeof(uint64_t)}

#define WAY(line, word, way, member) {line, word, offsetof(struct totals, udp_ways[way].member)}
#define WAY_LINE(line, way) \
	WAY(line, "datagrams", way, datagrams), \
	WAY(NULL, "random", way, random), \
	WAY(NULL, "burst", way, burst), \
	WAY(NULL, "queue", way, queue), \
	WAY(NULL, "room", way, room), \
	WAY(NULL, "copies", way, copies), \
	WAY(NULL, "held-back", way, held_back), \
	WAY(NULL, "waiting", way, waiting)

/* In the order of the lines. upcased(8) explains every word. */
static const struct counter counters[] = {
	COUNTER("udp", "clients", udp_clients),
	COUNTER(NULL, "datagrams", udp_datagrams),
	COUNTER(NULL, "replies", udp_replies),
	COUNTER(NULL, "bytes-in", udp_bytes_in),
	COUNTER(NULL, "bytes-out", udp_bytes_out),
	DROP("udp dropped", "low-port", TOTALS_LOW_PORT),
	DROP(NULL, "bad-source", TOTALS_BAD_SOURCE),
	DROP(NULL, "group", TOTALS_GROUP),
	DROP(NULL, "own-address", TOTALS_OWN_ADDRESS),
	DROP(NULL, "loop", TOTALS_LOOP),
	DROP(NULL, "rate", TOTALS_TOO_FAST),
	DROP(NULL, "too-long", TOTALS_TOO_LONG),
	DROP(NULL, "unsendable", TOTALS_UNSENDABLE),
	DROP(NULL, "unsent", TOTALS_UNSENT),
	COUNTER("udp system", "overflowed", udp_overflowed),
	COUNTER(NULL, "errors", udp_errors),
	COUNTER("tcp", "clients", tcp_clients),
	COUNTER(NULL, "now", tcp_now),
	COUNTER(NULL, "lines", tcp_lines),
	COUNTER(NULL, "bytes-in", tcp_bytes_in),
	COUNTER(NULL, "bytes-out", tcp_bytes_out),
	REFUSAL("tcp refused", "full", TOTALS_FULL),
	REFUSAL(NULL, "per-source", TOTALS_PER_SOURCE),
	REFUSAL(NULL, "rate", TOTALS_RATE),
	REFUSAL(NULL, "descriptor", TOTALS_DESCRIPTOR),
	REFUSAL(NULL, "memory", TOTALS_MEMORY),
	END("tcp ended", "closed", TOTALS_CLOSED),
	END(NULL, "reset", TOTALS_RESET),
	END(NULL, "idle", TOTALS_IDLE),
	END(NULL, "stopped", TOTALS_STOPPED),
	END(NULL, "cut", TOTALS_CUT),
	/* From here on for who uses it. */
	WAY_LINE("udp there", TOTALS_THERE),
	WAY_LINE("udp back", TOTALS_BACK),
};
#define COUNTERS (sizeof counters / sizeof *counters)
#define WAY_COUNTERS 16

static uint64_t value_of(const struct totals *t, const struct counter *c)
{
	uint64_t value;

	memcpy(&value, (const char *)t + c->offset, sizeof value);
	return value;
}

static const char *word_at(size_t offset)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (counters[i].offset == offset)
			return counters[i].word;
	return "?";
}

const char *totals_drop_word(enum totals_drop d)
{
	return word_at(offsetof(struct totals, udp_dropped) + d * sizeof(uint64_t));
}

const char *totals_refusal_word(enum totals_refusal r)
{
	return word_at(offsetof(struct totals, tcp_refused) + r * sizeof(uint64_t));
}

const char *totals_end_word(enum totals_end e)
{
	return word_at(offsetof(struct totals, tcp_ended) + e * sizeof(uint64_t));
}

void totals_add(struct totals *sum, const struct totals *one)
{
	uint64_t to[sizeof *sum / sizeof(uint64_t)], from[sizeof *sum / sizeof(uint64_t)];

	_Static_assert(sizeof to == sizeof *sum, "nothing but counters");
	memcpy(to, sum, sizeof to);
	memcpy(from, one, sizeof from);
	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		to[i] += from[i];
	memcpy(sum, to, sizeof to);
}

void totals_bury(struct totals *t)
{
	uint64_t came = t->udp_datagrams, gone = t->udp_replies;

	for (int i = 0; i < TOTALS_DROPS; i++)
		gone += t->udp_dropped[i];
	for (int i = 0; i < TOTALS_WAYS; i++) {
		const struct totals_way *way = &t->udp_ways[i];

		came += way->copies;
		gone += way->random + way->burst + way->queue + way->room;
		t->udp_ways[i].waiting = 0;
	}
	if (came > gone)
		t->udp_dropped[TOTALS_UNSENT] += came - gone;
	t->tcp_ended[TOTALS_CUT] += t->tcp_now;
	t->tcp_now = 0;
}

/* How many counters are told. */
static size_t told(const struct totals *t)
{
	return t->udp_ways[TOTALS_THERE].datagrams || t->udp_ways[TOTALS_BACK].datagrams ? COUNTERS : COUNTERS - WAY_COUNTERS;
}

/* Where line `i` of `count` counters begins, `count` if there is none. */
static size_t line_start(size_t count, int i)
{
	size_t at = 0;

	while (at < count && (!counters[at].line || i-- > 0))
		at++;
	return at;
}

char *totals_line(const struct totals *t, int i, char buf[TOTALS_LINE])
{
	size_t count = told(t), at = line_start(count, i);
	int n;

	if (at == count)
		return NULL;
	n = snprintf(buf, TOTALS_LINE, "%s:", counters[at].line);
	do {
		n += snprintf(buf + n, TOTALS_LINE - (size_t)n, " %s %" PRIu64, counters[at].word, value_of(t, &counters[at]));
		at++;
	} while (at < count && !counters[at].line);
	return buf;
}

/* Each of so many neighbours has a count of its own, which overflows after that many. */
#define LANES 64
#define LANE_MOST 255

/* In at most LANE_MOST rows of LANES bytes. The inner loop has a fixed length and no branch, so that compilers make vectors
 * of it at -O2 too. */
__attribute__((always_inline))
static inline uint64_t count_rows(const unsigned char *at, size_t rows)
{
	unsigned char sums[LANES] = {0};
	uint64_t found = 0;

	for (size_t i = 0; i < rows; i++)
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += at[i * LANES + lane] == '\n';
	for (size_t lane = 0; lane < LANES; lane++)
		found += sums[lane];
	return found;
}

#ifdef __x86_64__
__attribute__((target("avx2")))
static uint64_t count_wide(const unsigned char *at, size_t rows)
{
	return count_rows(at, rows);
}
#endif

static uint64_t count_plain(const unsigned char *at, size_t rows)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return count_wide(at, rows);
#endif
	return count_rows(at, rows);
}

uint64_t totals_line_feeds(const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t found = 0;

	while (n >= LANES) {
		size_t rows = n / LANES < LANE_MOST ? n / LANES : LANE_MOST;

		found += count_plain(at, rows);
		at += rows * LANES;
		n -= rows * LANES;
	}
	for (; n; n--)
		found += *at++ == '\n';
	return found;
}
