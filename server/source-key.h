/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where something came from, in a form without gaps that can be compared and hashed as bytes. An
 * IPv4 address stands in its IPv4-mapped form. Pure. */
#ifndef UPCASED_SOURCE_KEY_H
#define UPCASED_SOURCE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "server/siphash.h"

struct source_key {
	unsigned char host[16];
	/* The interface of a link-local address. */
	uint32_t scope;
	uint32_t port;
};

/* The address and the port. */
struct source_key source_key_of(const struct addr *a);
/* What limits count as one source: the IPv4 address, or the /64 of the IPv6 address; port 0. */
struct source_key source_key_network(const struct addr *a);

bool source_key_equal(const struct source_key *a, const struct source_key *b);
uint64_t source_key_hash(const struct siphash_key *key, const struct source_key *s);

#endif
