/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/sources.h"

#include "common/bucket.h"
#include "common/bytes.h"
#include "common/list.h"

#define RATE_SETS 4096
#define RATE_PLACES 4

struct siphash_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void mix(struct siphash_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void take_word(struct siphash_state *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	mix(s);
	s->v0 ^= word;
}

uint64_t siphash_bytes(const struct siphash_key *key, const void *bytes, size_t n)
{
	/* The four constants spell "somepseudorandomlygeneratedbytes" (paper, section 2.1). */
	struct siphash_state s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = bytes;
	uint64_t word;
	size_t left;

	for (left = n; left >= sizeof word; left -= sizeof word, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		take_word(&s, bytes_little_endian(word));
	}
	word = 0;
	if (left)
		memcpy(&word, at, left);
	take_word(&s, bytes_little_endian(word) | (uint64_t)n << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct source_key source_key_of(const struct addr *a)
{
	struct source_key s = { .port = addr_port(a) };

	if (a->sa.sa_family == AF_INET6) {
		memcpy(s.host, &a->in6.sin6_addr, sizeof s.host);
		s.scope = a->in6.sin6_scope_id;
	} else {
		s.host[10] = s.host[11] = 0xff;
		memcpy(s.host + 12, &a->in.sin_addr, 4);
	}
	return s;
}

struct source_key source_key_network(const struct addr *a)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct source_key s = source_key_of(a);

	s.port = 0;
	/* The first 12 bytes of an IPv4-mapped address (RFC 4291, section 2.5.5.2). */
	if (memcmp(s.host, mapped, sizeof mapped) != 0)
		memset(s.host + 8, 0, 8);
	return s;
}

bool source_key_equal(const struct source_key *a, const struct source_key *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

uint64_t source_key_hash(const struct siphash_key *key, const struct source_key *s)
{
	return siphash_bytes(key, s, sizeof *s);
}

/* Each peer is in two lists: the chain of its hash value, by which it is found, and the order in
 * which peers last sent, whose oldest peer is replaced by a new one. */
struct peer {
	struct source_key source;
	LIST_PLACE(peer) chain, order;
};

struct recent_peers {
	struct siphash_key key;
	size_t used;
	LIST_OF(peer, chain) chains[RECENT_PEERS_MAX];
	/* Newest first. */
	LIST_OF(peer, ) order;
	struct peer all[RECENT_PEERS_MAX];
};

struct recent_peers *recent_peers_new(const struct siphash_key *key)
{
	struct recent_peers *p = calloc(1, sizeof *p);

	if (p)
		p->key = *key;
	return p;
}

static struct chain *chain_of(struct recent_peers *p, const struct source_key *source)
{
	return &p->chains[source_key_hash(&p->key, source) % RECENT_PEERS_MAX];
}

bool recent_peers_note(struct recent_peers *p, const struct source_key *source)
{
	struct peer *peer = p->order.first;
	struct chain *chain;
	bool known;

	if (peer && source_key_equal(&peer->source, source))
		return false;
	chain = chain_of(p, source);
	LIST_EACH(peer, chain, chain)
	if (source_key_equal(&peer->source, source))
		break;
	known = peer != NULL;
	if (known) {
		LIST_REMOVE(&p->order, peer, order);
	} else {
		if (p->used < RECENT_PEERS_MAX) {
			peer = &p->all[p->used++];
		} else {
			peer = p->order.last;
			LIST_REMOVE(chain_of(p, &peer->source), peer, chain);
			LIST_REMOVE(&p->order, peer, order);
		}
		peer->source = *source;
		LIST_PREPEND(chain, peer, chain);
	}
	LIST_PREPEND(&p->order, peer, order);
	return !known;
}

/* The table has sets of a few places each. A source without a place takes the place whose bucket is
 * nearest to full. If that bucket is full, nothing is lost: its owner would find it full again. If
 * not, the new source takes over what is missing in it. So no source gets a full bucket by losing
 * its place, and all sources of a full set together get what its buckets give. */
struct rate_limit_entry {
	/* The source's; equal 64 bits of two sources are not to be expected. */
	uint64_t hash;
	/* When its bucket is full again. */
	int64_t full;
};

struct rate_limit {
	struct siphash_key key;
	/* Of any source, when it is full. */
	struct bucket bucket;
	struct rate_limit_entry sets[RATE_SETS][RATE_PLACES];
};

struct rate_limit *rate_limit_new(const struct siphash_key *key, int64_t rate, int64_t burst)
{
	struct rate_limit *l = calloc(1, sizeof *l);

	if (l) {
		l->key = *key;
		l->bucket = bucket_full(rate, burst);
	}
	return l;
}

bool rate_limit_take(struct rate_limit *l, const struct source_key *source, int64_t now)
{
	const uint64_t hash = source_key_hash(&l->key, source);
	struct rate_limit_entry *set = l->sets[hash % RATE_SETS], *found = &set[0];
	struct bucket b = l->bucket;
	bool taken;

	for (int i = 0; i < RATE_PLACES; i++) {
		if (set[i].hash == hash) {
			found = &set[i];
			break;
		}
		if (set[i].full < found->full)
			found = &set[i];
	}
	found->hash = hash;
	b.full = found->full;
	taken = bucket_take(&b, now);
	found->full = b.full;
	return taken;
}
