/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct counter_spec {
	/* Its word; the first of a line has the line's words before it. */
	const char *line, *word;
	size_t offset;
};

#define COUNTER(line, word, member) { line, word, offsetof(struct counters, member) }
#define DROP(line, word, index) \
	{ line, word, offsetof(struct counters, udp_dropped) + (index) * sizeof(uint64_t) }
#define REFUSAL(line, word, index) \
	{ line, word, offsetof(struct counters, tcp_refused) + (index) * sizeof(uint64_t) }
#define END(line, word, index) \
	{ line, word, offsetof(struct counters, tcp_ended) + (index) * sizeof(uint64_t) }

#define DIRECTION(line, word, direction, member) \
	{ line, word, offsetof(struct counters, udp_link[direction].member) }
#define DIRECTION_LINE(line, direction) \
	DIRECTION(line, "datagrams", direction, datagrams), \
	    DIRECTION(NULL, "random", direction, random), \
	    DIRECTION(NULL, "burst", direction, burst), \
	    DIRECTION(NULL, "queue", direction, queue), \
	    DIRECTION(NULL, "room", direction, no_memory), \
	    DIRECTION(NULL, "copies", direction, copies), \
	    DIRECTION(NULL, "held-back", direction, held_back), \
	    DIRECTION(NULL, "waiting", direction, waiting)

/* In the order of the lines. upcased(8) explains every word. */
static const struct counter_spec counter_specs[] = {
	COUNTER("udp", "clients", udp_clients),
	COUNTER(NULL, "datagrams", udp_datagrams),
	COUNTER(NULL, "replies", udp_replies),
	COUNTER(NULL, "bytes-in", udp_bytes_in),
	COUNTER(NULL, "bytes-out", udp_bytes_out),
	DROP("udp dropped", "low-port", COUNTERS_LOW_PORT),
	DROP(NULL, "bad-source", COUNTERS_BAD_SOURCE),
	DROP(NULL, "group", COUNTERS_GROUP),
	DROP(NULL, "own-address", COUNTERS_OWN_ADDRESS),
	DROP(NULL, "loop", COUNTERS_LOOP),
	DROP(NULL, "rate", COUNTERS_TOO_FAST),
	DROP(NULL, "too-long", COUNTERS_TOO_LONG),
	DROP(NULL, "unsendable", COUNTERS_UNSENDABLE),
	DROP(NULL, "unsent", COUNTERS_UNSENT),
	COUNTER("udp system", "overflowed", udp_kernel_drops),
	COUNTER(NULL, "errors", udp_errors),
	COUNTER("tcp", "clients", tcp_clients),
	COUNTER(NULL, "now", tcp_now),
	COUNTER(NULL, "lines", tcp_lines),
	COUNTER(NULL, "bytes-in", tcp_bytes_in),
	COUNTER(NULL, "bytes-out", tcp_bytes_out),
	REFUSAL("tcp refused", "full", COUNTERS_FULL),
	REFUSAL(NULL, "per-source", COUNTERS_PER_SOURCE),
	REFUSAL(NULL, "rate", COUNTERS_RATE),
	REFUSAL(NULL, "descriptor", COUNTERS_DESCRIPTOR),
	REFUSAL(NULL, "memory", COUNTERS_MEMORY),
	END("tcp ended", "closed", COUNTERS_CLOSED),
	END(NULL, "reset", COUNTERS_RESET),
	END(NULL, "idle", COUNTERS_IDLE),
	END(NULL, "stopped", COUNTERS_STOPPED),
	END(NULL, "cut", COUNTERS_CUT),
	/* From here on for who uses it. */
	DIRECTION_LINE("udp there", COUNTERS_THERE),
	DIRECTION_LINE("udp back", COUNTERS_BACK),
};
#define COUNTER_COUNT (sizeof counter_specs / sizeof *counter_specs)
#define DIRECTION_COUNTERS 16

static uint64_t value_of(const struct counters *t, const struct counter_spec *c)
{
	uint64_t value;

	memcpy(&value, (const char *)t + c->offset, sizeof value);
	return value;
}

static const char *word_at(size_t offset)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		if (counter_specs[i].offset == offset)
			return counter_specs[i].word;
	return "?";
}

const char *counters_drop_word(enum counters_drop d)
{
	return word_at(offsetof(struct counters, udp_dropped) + d * sizeof(uint64_t));
}

const char *counters_refusal_word(enum counters_refusal r)
{
	return word_at(offsetof(struct counters, tcp_refused) + r * sizeof(uint64_t));
}

const char *counters_end_word(enum counters_end e)
{
	return word_at(offsetof(struct counters, tcp_ended) + e * sizeof(uint64_t));
}

void counters_add(struct counters *sum, const struct counters *one)
{
	uint64_t to[sizeof *sum / sizeof(uint64_t)], from[sizeof *sum / sizeof(uint64_t)];

	_Static_assert(sizeof to == sizeof *sum, "nothing but counters");
	memcpy(to, sum, sizeof to);
	memcpy(from, one, sizeof from);
	for (size_t i = 0; i < sizeof to / sizeof *to; i++)
		to[i] += from[i];
	memcpy(sum, to, sizeof to);
}

void counters_end_worker(struct counters *t)
{
	uint64_t came = t->udp_datagrams, gone = t->udp_replies;

	for (int i = 0; i < COUNTERS_DROPS; i++)
		gone += t->udp_dropped[i];
	for (int i = 0; i < COUNTERS_DIRECTIONS; i++) {
		const struct counters_link *direction = &t->udp_link[i];

		came += direction->copies;
		gone += direction->random + direction->burst + direction->queue +
		        direction->no_memory;
		t->udp_link[i].waiting = 0;
	}
	if (came > gone)
		t->udp_dropped[COUNTERS_UNSENT] += came - gone;
	t->tcp_ended[COUNTERS_CUT] += t->tcp_now;
	t->tcp_now = 0;
}

/* How many counters are told. */
static size_t shown_count(const struct counters *t)
{
	return t->udp_link[COUNTERS_THERE].datagrams || t->udp_link[COUNTERS_BACK].datagrams
	         ? COUNTER_COUNT
	         : COUNTER_COUNT - DIRECTION_COUNTERS;
}

/* Where line `i` of `count` counters begins, `count` if there is none. */
static size_t line_start(size_t count, int i)
{
	size_t at = 0;

	while (at < count && (!counter_specs[at].line || i-- > 0))
		at++;
	return at;
}

char *counters_line(const struct counters *t, int i, char buf[COUNTERS_LINE])
{
	size_t count = shown_count(t), at = line_start(count, i);
	int n;

	if (at == count)
		return NULL;
	n = snprintf(buf, COUNTERS_LINE, "%s:", counter_specs[at].line);
	do {
		n += snprintf(buf + n, COUNTERS_LINE - (size_t)n, " %s %" PRIu64,
		    counter_specs[at].word, value_of(t, &counter_specs[at]));
		at++;
	} while (at < count && !counter_specs[at].line);
	return buf;
}

/* Each of so many neighbours has a count of its own, which overflows after that many. */
#define LANES 64
#define LANE_MAX 255

/* In at most LANE_MAX rows of LANES bytes. The inner loop has a fixed length and no branch, so that
 * compilers make vectors of it at -O2 too. */
__attribute__((always_inline)) static inline uint64_t count_rows(const unsigned char *at,
    size_t rows)
{
	unsigned char sums[LANES] = { 0 };
	uint64_t found = 0;

	for (size_t i = 0; i < rows; i++)
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += at[i * LANES + lane] == '\n';
	for (size_t lane = 0; lane < LANES; lane++)
		found += sums[lane];
	return found;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint64_t count_wide(const unsigned char *at, size_t rows)
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

uint64_t counters_line_feeds(const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t found = 0;

	while (n >= LANES) {
		size_t rows = n / LANES < LANE_MAX ? n / LANES : LANE_MAX;

		found += count_plain(at, rows);
		at += rows * LANES;
		n -= rows * LANES;
	}
	for (; n; n--)
		found += *at++ == '\n';
	return found;
}
