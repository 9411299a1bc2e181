/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which packet was seen when: sightings, told by one who saw packets pass, wait here for those who ask about a packet. The
 * two agree on nothing but the packet's beginning and length, and either may miss some. Pure. */
#ifndef UPCASE_LAB_SIGHTINGS_H
#define UPCASE_LAB_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a packet makes it out: IPv6's header, TCP's with all its options, and a little of the text. */
#define SIGHTINGS_BYTES 112
/* So many wait; of more the oldest is forgotten. */
#define SIGHTINGS_ROOM 8192

/* Equal for equal packets, whether or not their transport's checksum is complete. */
struct sightings_key {
	uint64_t hash;
	uint32_t length;
};

/* Opaque. */
struct sightings;

/* Of a bare IP packet of `length` bytes of which `have` are at `packet`. */
struct sightings_key sightings_key(const void *packet, size_t have, size_t length);
bool sightings_equal(struct sightings_key a, struct sightings_key b);

/* NULL when memory runs out. */
struct sightings *sightings_new(void);
/* NULL is allowed. */
void sightings_free(struct sightings *s);

/* Such a packet was seen at `at`, ns, not earlier than those that were told before. */
void sightings_add(struct sightings *s, struct sightings_key key, int64_t at);

/* When such a packet was first seen, from `from` to `to` ns, in `at`; that sighting is used up, and those before
 * `from` are forgotten. Returns whether there was one. */
bool sightings_take(struct sightings *s, struct sightings_key key, int64_t from, int64_t to, int64_t *at);

#endif
