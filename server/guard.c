/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capitals of capitals are the same again. So when two servers answer each other, the same bytes go round for ever, and
 * each server sees one source send again and again exactly what it was answered.
 *
 * The table remembers for (source, bytes) when they were answered. Datagrams of one pair come in rounds: the first one
 * that is answered opens a round, and those that arrived before its reply was sent cannot have been caused by that
 * reply, they are of the same round however many there are. One that arrived after it may have been caused by it, and
 * opens the next round. So a train of equal datagrams that go round together makes one round each time it comes by,
 * and a client that sends many at once without waiting makes few. Rounds that follow each other faster than a person
 * can type are links of a loop.
 *
 * The table has sets of a few places each. The hash is keyed, so nobody can choose whom to push out. A new pair takes
 * the place of one that is too old to matter or is silenced, else of the one with the fewest links: a flood of new
 * pairs cannot push out one that is on its way to being found. */
#include "config.h"

#include "guard.h"

#include <stdlib.h>

#include "source.h"

#define SETS 16384
#define PLACES 4
/* Sources that were logged, each in the place of its hash value. */
#define LOGGED 256

struct pair {
	/* Of source and bytes; 0 in an empty place. Two pairs with the same 64 bits are not to be expected. */
	uint64_t hash;
	/* When the first reply of the round was sent; of a silenced pair, when it was last heard. */
	int64_t since;
	/* Rounds in a row that came at a loop's pace, and slower ones. */
	uint16_t links, slow;
	bool silenced;
};

struct guard {
	struct hash_key key;
	struct {
		uint64_t hash;
		int64_t when;
	} logged[LOGGED];
	struct pair sets[SETS][PLACES];
};

/* What differs between the ports of clients and of servers. */
struct pace {
	int64_t link, quiet;
};

static const struct pace client_pace = {GUARD_CLIENT_PACE, GUARD_CLIENT_QUIET};
static const struct pace server_pace = {GUARD_SERVER_PACE, GUARD_SERVER_QUIET};

enum guard_verdict guard_origin(const struct guard_origin *o)
{
	if (addr_port(o->from) < GUARD_PORT)
		return GUARD_LOW_PORT;
	if (addr_is_unspecified(o->from) || addr_is_group(o->from))
		return GUARD_BAD_SOURCE;
	if (o->to_group)
		return GUARD_GROUP;
	return o->from_self ? GUARD_OWN_ADDRESS : GUARD_ANSWER;
}

struct guard *guard_new(const struct hash_key *key)
{
	struct guard *g = calloc(1, sizeof *g);

	if (g)
		g->key = *key;
	return g;
}

void guard_free(struct guard *g)
{
	free(g);
}

/* Whether `a` is the better one to lose. A silenced pair has mostly ended by then. Of two that are alike the older one
 * stays: where more pairs go round than a set has places, each would else push out the next one before it comes by
 * again, for ever. */
static bool matters_less(const struct pair *a, const struct pair *b, int64_t now)
{
	bool old_a = now - a->since > GUARD_SLOW_PACE, old_b = now - b->since > GUARD_SLOW_PACE;

	if (a->hash == 0 || b->hash == 0)
		return a->hash == 0;
	if (old_a != old_b)
		return old_a;
	if (a->silenced != b->silenced)
		return a->silenced;
	return a->links != b->links ? a->links < b->links : a->since > b->since;
}

static void start_anew(struct pair *p, uint64_t hash, int64_t now)
{
	*p = (struct pair){.hash = hash, .since = now};
}

/* The pair's place; it starts there if it was not known. */
static struct pair *find(struct guard *g, uint64_t hash, int64_t now)
{
	struct pair *set = g->sets[hash % SETS], *least = &set[0];

	for (int i = 0; i < PLACES; i++)
		if (set[i].hash == hash)
			return &set[i];
	for (int i = 1; i < PLACES; i++)
		if (matters_less(&set[i], least, now))
			least = &set[i];
	/* A reply that is yet to be sent has caused nothing. */
	start_anew(least, hash, now);
	return least;
}

/* The time of a reply was read before it was sent, so it is never ahead of now but when the clock was set back. */
static bool is_stale(const struct pair *p, int64_t arrived, int64_t now)
{
	return p->since > now || arrived - p->since > GUARD_SLOW_PACE;
}

/* One more datagram of a pair that is not silenced. */
static void count(struct pair *p, const struct pace *pace, int64_t arrived, int64_t now)
{
	if (is_stale(p, arrived, now)) {
		start_anew(p, p->hash, now);
		return;
	}
	if (arrived <= p->since)
		return;
	if (arrived - p->since < pace->link)
		p->links++;
	else if (++p->slow % GUARD_SLOW_FORGIVES == 0 && p->links)
		p->links--;
	p->since = now;
	p->silenced = p->links >= GUARD_LINKS || p->slow >= GUARD_SLOW_LINKS;
}

static bool is_news(struct guard *g, uint64_t source, int64_t now)
{
	size_t i = source % LOGGED;
	bool known = g->logged[i].hash == source && now - g->logged[i].when < GUARD_NEWS;

	if (!known) {
		g->logged[i].hash = source;
		g->logged[i].when = now;
	}
	return !known;
}

enum guard_verdict guard_loop(struct guard *g, const struct addr *from, const void *bytes, size_t n, int64_t arrived,
    int64_t now, bool *news)
{
	const struct pace *pace = addr_port(from) < GUARD_CLIENT_PORT ? &server_pace : &client_pace;
	const struct source who = source_of(from);
	const uint64_t source = source_hash(&g->key, &who);
	const struct hash_key key = {g->key.k0 ^ source, g->key.k1};
	struct pair *p = find(g, hash_bytes(&key, bytes, n) | 1, now);

	*news = false;
	if (p->silenced && arrived - p->since < pace->quiet && p->since <= now) {
		p->since = arrived > p->since ? arrived : p->since;
		return GUARD_LOOP;
	}
	if (p->silenced)
		start_anew(p, p->hash, now);
	else
		count(p, pace, arrived, now);
	if (!p->silenced)
		return GUARD_ANSWER;
	*news = is_news(g, source, now);
	return GUARD_LOOP;
}
