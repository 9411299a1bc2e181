/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/source-key.h"

#include <string.h>

static bool is_mapped(const struct source_key *s)
{
	static const unsigned char prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(s->host, prefix, sizeof prefix) == 0;
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
	struct source_key s = source_key_of(a);

	s.port = 0;
	if (!is_mapped(&s))
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
