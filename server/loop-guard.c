/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capitals of capitals are the same: when two servers answer each other, they go round for ever.
 *
 * A reply of an upcased is known by its TTL and gets no reply. Another server, or one behind a
 * relay that sends anew, looks like a client that repeats its capitals upon each reply: both send
 * what they were sent, once for each, as fast as the way allows. But a client comes to an end. So
 * such a source is answered for a bounded time, and then not until all has come back that was under
 * way: the first datagram to return was alone, so the longest pause of the row is a round trip, and
 * others take less than twice as long.
 *
 * The table has (source, bytes) pairs in sets of a few places each. The hash is keyed, so nobody
 * can choose whom to push out. A new pair takes the place of one that is too old to matter or is
 * silenced, else of the one whose row is shortest: a flood of new pairs cannot push out one whose
 * row is near its end. */
#include "server/loop-guard.h"

#define SETS 16384
#define PLACES 4
/* Places for sources that were logged, by their hash value. */
#define LOGGED 256

struct pair {
	/* Of source and bytes; 0 in an empty place. Two pairs with equal ones are not expected. */
	uint64_t hash;
	/* When it was last answered. */
	int64_t since;
	/* The time that the row has taken so far, us: the pair is silenced after
	 * LOOP_GUARD_RUN_MAX. The row's longest pause, us. */
	uint32_t spent, pause;
};

/* A source whose loop was logged, and when. */
struct logged {
	uint64_t hash;
	int64_t when;
};

struct loop_guard {
	struct siphash_key key;
	struct logged logged[LOGGED];
	struct pair sets[SETS][PLACES];
};

enum counters_drop loop_guard_origin(const struct loop_guard_origin *o)
{
	if (addr_port(o->from) < LOOP_GUARD_PORT)
		return COUNTERS_LOW_PORT;
	if (addr_is_unspecified(o->from) || addr_is_group(o->from))
		return COUNTERS_BAD_SOURCE;
	if (o->to_group)
		return COUNTERS_GROUP;
	return o->from_self ? COUNTERS_OWN_ADDRESS : COUNTERS_ANSWER;
}

struct loop_guard *loop_guard_new(const struct siphash_key *key)
{
	struct loop_guard *g = calloc(1, sizeof *g);

	if (g)
		g->key = *key;
	return g;
}

static bool is_silenced(const struct pair *p)
{
	return p->spent > LOOP_GUARD_RUN_MAX / NS_PER_US;
}

/* Whether `a` rather than `b` loses its place. A silenced pair has mostly ended by then. Of two
 * equal pairs the older one stays: when more pairs loop than a set has places, each new one would
 * otherwise remove the next one before it comes again, for ever. */
static bool is_evicted_first(const struct pair *a, const struct pair *b, int64_t now)
{
	bool old_a = now - a->since > LOOP_GUARD_RTT_MAX,
	     old_b = now - b->since > LOOP_GUARD_RTT_MAX;

	if (a->hash == 0 || b->hash == 0)
		return a->hash == 0;
	if (old_a != old_b)
		return old_a;
	if (is_silenced(a) != is_silenced(b))
		return is_silenced(a);
	return a->spent != b->spent ? a->spent < b->spent : a->since > b->since;
}

/* Finds the pair's place. A new pair gets a place, and its row begins. */
static struct pair *find(struct loop_guard *g, uint64_t hash, int64_t now)
{
	struct pair *set = g->sets[hash % SETS], *min = &set[0];

	for (int i = 0; i < PLACES; i++)
		if (set[i].hash == hash)
			return &set[i];
	for (int i = 1; i < PLACES; i++)
		if (is_evicted_first(&set[i], min, now))
			min = &set[i];
	*min = (struct pair){ .hash = hash, .since = now };
	return min;
}

static int64_t limit(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

/* Counts a datagram of the pair. Returns whether it gets a reply. */
static bool count(struct pair *p, bool same_port, int64_t now)
{
	int64_t pause = now - p->since;
	int64_t silence = limit(2 * p->pause * NS_PER_US, LOOP_GUARD_SILENCE_MIN,
	    LOOP_GUARD_RTT_MAX);

	if (pause > (is_silenced(p) ? silence : LOOP_GUARD_RTT_MAX)) {
		*p = (struct pair){ .hash = p->hash };
		pause = 0;
	}
	if (is_silenced(p))
		return false;
	if (pause / NS_PER_US > p->pause)
		p->pause = (uint32_t)(pause / NS_PER_US);
	p->spent += (uint32_t)((same_port
	                               ? LOOP_GUARD_SAME_PORT
	                               : limit(pause, LOOP_GUARD_STEP_MIN, LOOP_GUARD_STEP_MAX)) /
	                       NS_PER_US);
	if (is_silenced(p))
		return false;
	p->since = now;
	return true;
}

enum counters_drop loop_guard_check(struct loop_guard *g, const struct loop_guard_origin *o,
    const void *bytes, size_t n, int64_t now, bool *new_loop)
{
	const struct source_key address_key = source_key_of(o->from);
	const uint64_t source = source_key_hash(&g->key, &address_key);
	const struct siphash_key key = { g->key.k0 ^ source, g->key.k1 };
	const bool is_reply = o->ttl > LOOP_GUARD_TTL_ABOVE && o->ttl <= LOOP_GUARD_TTL;
	struct logged *logged = &g->logged[source % LOGGED];

	if (!is_reply && count(find(g, siphash_bytes(&key, bytes, n) | 1, now),
	                     addr_port(o->from) == o->port, now))
		return COUNTERS_ANSWER;
	*new_loop = logged->hash != source || now - logged->when >= LOOP_GUARD_LOG_INTERVAL;
	if (*new_loop)
		*logged = (struct logged){ source, now };
	return COUNTERS_LOOP;
}
