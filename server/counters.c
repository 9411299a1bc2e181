/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/counters.h"

#define COUNTERS_COUNT (sizeof(struct counters) / sizeof(uint64_t))
/* The index of a member among the counters of the struct. */
#define AT(member) (offsetof(struct counters, member) / sizeof(uint64_t))

/* The word of each counter of the struct; NULL for a row that is no counter. */
#define X(member, word) word,
#define FATE(id, word, text, name, counted) counted ? word : NULL,
#define LINK_WORDS "datagrams", IMPAIR_FATE_LIST(FATE) COUNTERS_LINK_LIST(X)
static const char *const words[] = { COUNTERS_UDP_LIST(X) COUNTERS_DROP_LIST(X)
	    COUNTERS_UDP_SYSTEM_LIST(X) COUNTERS_TCP_LIST(X) COUNTERS_REFUSAL_LIST(X)
	        COUNTERS_END_LIST(X) LINK_WORDS LINK_WORDS };
#undef X
#undef FATE
_Static_assert(sizeof words / sizeof *words == COUNTERS_COUNT, "a word for each");

/* The lines and their first counters. */
static const struct {
	const char *name;
	size_t first;
} lines[] = {
	{ "udp", AT(udp_clients) },
	{ "udp dropped", AT(udp_dropped) },
	{ "udp system", AT(udp_kernel_drops) },
	{ "tcp", AT(tcp_clients) },
	{ "tcp refused", AT(tcp_refused) },
	{ "tcp ended", AT(tcp_ended) },
	/* These lines exist only with a link. */
	{ "udp there", AT(udp_link[LINK_GOING]) },
	{ "udp back", AT(udp_link[LINK_COMING]) },
	{ NULL, COUNTERS_COUNT },
};
#define LINES_WITHOUT_LINK 6
#define LINES 8

const char *counters_word(size_t counter)
{
	return words[counter];
}

void counters_add(struct counters *sum, const struct counters *one)
{
	uint64_t to[COUNTERS_COUNT], from[COUNTERS_COUNT];

	_Static_assert(sizeof to == sizeof *sum, "nothing but counters");
	memcpy(to, sum, sizeof to);
	memcpy(from, one, sizeof from);
	for (size_t i = 0; i < COUNTERS_COUNT; i++)
		to[i] += from[i];
	memcpy(sum, to, sizeof to);
}

void counters_end_worker(struct counters *c)
{
	uint64_t received = c->udp_datagrams, settled = c->udp_replies;

	for (int i = 0; i < COUNTERS_DROPS; i++)
		settled += c->udp_dropped[i];
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		const struct counters_link *direction = &c->udp_link[i];

		received += direction->copies;
		for (int fate = 0; fate < IMPAIR_FATES; fate++)
			settled += direction->lost[fate];
		c->udp_link[i].waiting = 0;
	}
	if (received > settled)
		c->udp_dropped[COUNTERS_UNSENT] += received - settled;
	c->tcp_ended[COUNTERS_CUT] += c->tcp_now;
	c->tcp_now = 0;
}

char *counters_line(const struct counters *c, int i, char buf[COUNTERS_LINE])
{
	const bool link = c->udp_link[LINK_GOING].datagrams || c->udp_link[LINK_COMING].datagrams;
	uint64_t values[COUNTERS_COUNT];
	int n;

	if (i >= (link ? LINES : LINES_WITHOUT_LINK))
		return NULL;
	memcpy(values, c, sizeof values);
	n = snprintf(buf, COUNTERS_LINE, "%s:", lines[i].name);
	for (size_t at = lines[i].first; at < lines[i + 1].first; at++)
		if (words[at])
			n += snprintf(buf + n, COUNTERS_LINE - (size_t)n, " %s %" PRIu64, words[at],
			    values[at]);
	return buf;
}

/* Each of LANES neighbours has its own count, which overflows after LANE_MAX. */
#define LANES 64
#define LANE_MAX 255

/* Counts in at most LANE_MAX rows of LANES bytes. The inner loop has a fixed length and no branch,
 * so that compilers make vectors of it at -O2 too. */
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
