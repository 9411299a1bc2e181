/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where something came from, in a form without gaps that can be compared and hashed as bytes. An IPv4 address stands
 * in its IPv4-mapped form. Pure. */
#ifndef UPCASED_SOURCE_H
#define UPCASED_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "server/siphash.h"

struct source {
	unsigned char host[16];
	/* The interface of a link-local address. */
	uint32_t scope;
	uint32_t port;
};

/* The address and the port. */
struct source source_of(const struct addr *a);
/* What limits count as one source: the IPv4 address, or the /64 of the IPv6 address; port 0. */
struct source source_network(const struct addr *a);

bool source_equal(const struct source *a, const struct source *b);
uint64_t source_hash(const struct hash_key *key, const struct source *s);

#endif
