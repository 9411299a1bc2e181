/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of packet times in the order in which they were told, and for each remainder of the hash a
 * chain through it in the same order: so the oldest in the ring is at its chain's head, and one
 * packet's times are found without looking at the others'. */
#include "config.h"

#include "lab/hosts/packet-times.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/fnv.h"

#define CHAINS 4096

struct packet_time {
	struct packet_times_key key;
	int64_t at;
	TAILQ_ENTRY(packet_time) next;
	bool waits;
};

TAILQ_HEAD(chain, packet_time);

struct packet_times {
	struct packet_time ring[PACKET_TIMES_MAX];
	/* Where the next one goes. */
	int end;
	struct chain chains[CHAINS];
};

/* Where the transport's checksum stands, or 0: a kernel that leaves it to the device shows it
 * incomplete. */
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

struct packet_times_key packet_times_key(const void *packet, size_t have, size_t length)
{
	const uint8_t *bytes = packet;
	const size_t n = have < PACKET_TIMES_BYTES ? have : PACKET_TIMES_BYTES,
	             blank = checksum_place(bytes, n);
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < n; i++) {
		const bool left_out = blank && (i == blank || i == blank + 1);
		hash = fnv_byte(hash, left_out ? 0 : bytes[i]);
	}
	return (struct packet_times_key){ .hash = hash, .length = (uint32_t)length };
}

bool packet_times_equal(struct packet_times_key a, struct packet_times_key b)
{
	return a.hash == b.hash && a.length == b.length;
}

struct packet_times *packet_times_new(void)
{
	struct packet_times *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	for (int i = 0; i < CHAINS; i++)
		TAILQ_INIT(&s->chains[i]);
	return s;
}

void packet_times_free(struct packet_times *s)
{
	free(s);
}

static struct chain *chain_of(struct packet_times *s, struct packet_times_key key)
{
	return &s->chains[(key.hash ^ key.hash >> 32) % CHAINS];
}

void packet_times_add(struct packet_times *s, struct packet_times_key key, int64_t at)
{
	struct packet_time *place = &s->ring[s->end];

	if (place->waits)
		TAILQ_REMOVE(chain_of(s, place->key), place, next);
	*place = (struct packet_time){ .key = key, .at = at, .waits = true };
	TAILQ_INSERT_TAIL(chain_of(s, key), place, next);
	s->end = (s->end + 1) % PACKET_TIMES_MAX;
}

bool packet_times_take(struct packet_times *s, struct packet_times_key key, int64_t from,
    int64_t to, int64_t *at)
{
	struct chain *chain = chain_of(s, key);

	for (struct packet_time *seen = TAILQ_FIRST(chain), *next; seen; seen = next) {
		const bool found = seen->at >= from && seen->at <= to &&
		                   packet_times_equal(seen->key, key);

		next = TAILQ_NEXT(seen, next);
		if (found || seen->at < from) {
			TAILQ_REMOVE(chain, seen, next);
			seen->waits = false;
		}
		if (found) {
			*at = seen->at;
			return true;
		}
	}
	return false;
}
