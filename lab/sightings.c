/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of sightings in the order in which they were told, and for each remainder of the hash a chain through it in the
 * same order: so the oldest in the ring is at its chain's head, and one packet's sightings are found without
 * looking at the others'. */
#include "config.h"

#include "sightings.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "fnv.h"

#define CHAINS 4096
#define NONE (-1)

struct sighting {
	struct sightings_key key;
	int64_t at;
	/* The next in its chain, or NONE. */
	int next;
	bool waits;
};

struct sightings {
	struct sighting ring[SIGHTINGS_ROOM];
	/* Where the next one goes. */
	int end;
	int heads[CHAINS], tails[CHAINS];
};

/* Where the transport's checksum stands, or 0: a kernel that leaves it to the device shows it incomplete. */
static size_t checksum_place(const uint8_t *packet, size_t n)
{
	const bool v4 = n >= 20 && packet[0] >> 4 == 4, v6 = n >= 40 && packet[0] >> 4 == 6;
	const size_t transport = v4 ? (packet[0] & 15u) * 4 : 40;

	/* A fragment but the first has none. */
	if ((!v4 && !v6) || (v4 && ((packet[6] & 0x1f) | packet[7])))
		return 0;
	switch (packet[v4 ? 9 : 6]) {
	case IPPROTO_TCP:
		return transport + 16;
	case IPPROTO_UDP:
		return transport + 6;
	case IPPROTO_ICMPV6:
		return transport + 2;
	default:
		return 0;
	}
}

struct sightings_key sightings_key(const void *packet, size_t have, size_t length)
{
	const uint8_t *bytes = packet;
	const size_t n = have < SIGHTINGS_BYTES ? have : SIGHTINGS_BYTES, blank = checksum_place(bytes, n);
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < n; i++) {
		const bool left_out = blank && (i == blank || i == blank + 1);
		hash = fnv_byte(hash, left_out ? 0 : bytes[i]);
	}
	return (struct sightings_key) { .hash = hash, .length = (uint32_t) length };
}

bool sightings_equal(struct sightings_key a, struct sightings_key b)
{
	return a.hash == b.hash && a.length == b.length;
}

struct sightings *sightings_new(void)
{
	struct sightings *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	for (int i = 0; i < CHAINS; i++)
		s->heads[i] = s->tails[i] = NONE;
	return s;
}

void sightings_free(struct sightings *s)
{
	free(s);
}

static int chain_of(struct sightings_key key)
{
	return (int) ((key.hash ^ key.hash >> 32) % CHAINS);
}

/* Takes the one after `before` (NONE: the head) out of its chain. */
static void leave_chain(struct sightings *s, int chain, int before, int i)
{
	int *link = before == NONE ? &s->heads[chain] : &s->ring[before].next;

	*link = s->ring[i].next;
	if (s->tails[chain] == i)
		s->tails[chain] = before;
	s->ring[i].waits = false;
}

void sightings_add(struct sightings *s, struct sightings_key key, int64_t at)
{
	struct sighting *place = &s->ring[s->end];
	const int chain = chain_of(key);

	if (place->waits)
		leave_chain(s, chain_of(place->key), NONE, s->end);
	*place = (struct sighting) { .key = key, .at = at, .next = NONE, .waits = true };
	if (s->tails[chain] == NONE)
		s->heads[chain] = s->end;
	else
		s->ring[s->tails[chain]].next = s->end;
	s->tails[chain] = s->end;
	s->end = (s->end + 1) % SIGHTINGS_ROOM;
}

bool sightings_take(struct sightings *s, struct sightings_key key, int64_t from, int64_t to, int64_t *at)
{
	const int chain = chain_of(key);
	int before = NONE, next;

	for (int i = s->heads[chain]; i != NONE; i = next) {
		const struct sighting *seen = &s->ring[i];
		const bool found = seen->at >= from && seen->at <= to && sightings_equal(seen->key, key);

		next = seen->next;
		if (found)
			*at = seen->at;
		if (found || seen->at < from)
			leave_chain(s, chain, before, i);
		else
			before = i;
		if (found)
			return true;
	}
	return false;
}
