/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which packet was seen when: packet times, told by one who saw packets pass, wait here for those
 * who ask about a packet. The two agree on nothing but the packet's beginning and length, and
 * either may miss some. Pure. */
#ifndef UPCASE_LAB_PACKET_TIMES_H
#define UPCASE_LAB_PACKET_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of a packet makes it out: IPv6's header, TCP's with all its options, and a little of the
 * text. */
#define PACKET_TIMES_BYTES 112
/* So many wait; of more the oldest is forgotten. */
#define PACKET_TIMES_MAX 8192

/* Equal for equal packets, whether or not their transport's checksum is complete. */
struct packet_times_key {
	uint64_t hash;
	uint32_t length;
};

/* Opaque. */
struct packet_times;

/* Of a bare IP packet of `length` bytes of which `have` are at `packet`. */
struct packet_times_key packet_times_key(const void *packet, size_t have, size_t length);
bool packet_times_equal(struct packet_times_key a, struct packet_times_key b);

/* NULL when memory runs out. */
struct packet_times *packet_times_new(void);
/* NULL is allowed. */
void packet_times_free(struct packet_times *s);

/* Such a packet was seen at `at`, ns, not earlier than those that were told before. */
void packet_times_add(struct packet_times *s, struct packet_times_key key, int64_t at);

/* When such a packet was first seen, from `from` to `to` ns, in `at`; that packet time is used up,
 * and those before `from` are forgotten. Returns whether there was one. */
bool packet_times_take(struct packet_times *s, struct packet_times_key key, int64_t from,
    int64_t to, int64_t *at);

#endif
