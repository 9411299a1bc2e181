/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sources of datagrams and connections: sources as keys, the recent peers, and how often a
 * source may come. The tables have a fixed size and use a keyed hash, so that nobody can choose
 * which sources collide. Pure. */
#pragma once

#include "common/addr.h"

/* A secret: two random numbers, in the paper's order. */
struct siphash_key {
	uint64_t k0, k1;
};

/* SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
uint64_t siphash_bytes(const struct siphash_key *key, const void *bytes, size_t n);

/* A source, without gaps, to be compared and hashed as bytes. IPv4 addresses are IPv4-mapped. */
struct source_key {
	unsigned char host[16];
	/* The interface of a link-local address. */
	uint32_t scope;
	uint32_t port;
};

/* The address and the port. */
struct source_key source_key_of(const struct addr *a);
/* One source as limits count it: the IPv4 address, or the /64 of the IPv6 address; port 0. */
struct source_key source_key_network(const struct addr *a);
bool source_key_equal(const struct source_key *a, const struct source_key *b);
uint64_t source_key_hash(const struct siphash_key *key, const struct source_key *s);

/* The last peers, for UDP, which has no connections to count: at most RECENT_PEERS_MAX, of which
 * the one that has been silent longest is replaced first. */
#define RECENT_PEERS_MAX 4096
struct recent_peers;

/* The caller frees with free(). Returns NULL when memory is short. */
struct recent_peers *recent_peers_new(const struct siphash_key *key);
/* Notes that a datagram came from `source`. Returns whether it was unknown. */
bool recent_peers_note(struct recent_peers *p, const struct source_key *source);

/* A token bucket for each source. A flood of sources does not make the table grow, does not get
 * more than the buckets together give, and takes nothing from others. */
struct rate_limit;

/* The default burst: the tokens of this many seconds. */
#define RATE_LIMIT_BURST 2

/* Each source may come `rate` times a second (1 to 1,000,000,000), and `burst` times at once. The
 * caller frees with free(). Returns NULL when memory is short. */
struct rate_limit *rate_limit_new(const struct siphash_key *key, int64_t rate, int64_t burst);
/* Whether `source` may come now; ns of the monotonic clock. */
bool rate_limit_take(struct rate_limit *l, const struct source_key *source, int64_t now);
