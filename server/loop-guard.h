/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which datagrams get no reply, so that nobody can make the server send to a third party without end: rules on where a
 * datagram comes from and went to, and the finding of loops (CVE-2024-2169). Pure. */
#ifndef UPCASED_GUARD_H
#define UPCASED_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "server/siphash.h"

enum guard_verdict {
	GUARD_ANSWER,
	/* From a port under 1024: echo, chargen, DNS and the like answer by themselves. */
	GUARD_LOW_PORT,
	/* From an address that is nobody's or everybody's: unspecified, multicast, broadcast. */
	GUARD_BAD_SOURCE,
	/* Sent to a multicast or broadcast address. */
	GUARD_GROUP,
	/* From an address and port that this server itself serves. */
	GUARD_OWN_ADDRESS,
	/* From a server: a link of a loop. */
	GUARD_LOOP,
};

/* Source ports under this one get no reply. */
#define GUARD_PORT 1024

/* The TTL (IPv6: hop limit) of replies, which is how one server knows another's (as in RFC 5082) on every way of up to 31
 * hops that passes it on. Systems begin at 64 or less, 128 or 255: nothing of a client's arrives above GUARD_TTL_ABOVE and up
 * to that. */
#define GUARD_TTL 96
#define GUARD_TTL_ABOVE 64

/* How long a source may go on with the same capitals: 30,000 of them at full speed, 300 with a pause between. */
#define GUARD_ROW (30 * NS_PER_S)
/* What one adds: the time since the one before, so much at least and at most. */
#define GUARD_LEAST NS_PER_MS
#define GUARD_MOST (100 * NS_PER_MS)
/* One from a port of the same number as the server's adds so much: that is where the other servers sit. */
#define GUARD_SAME_PORT (GUARD_ROW / 16)
/* The longest round trip, of which --delay at both ends makes up to four minutes; after a longer pause a row is over. */
#define GUARD_TRIP (300 * NS_PER_S)
/* How long silence lasts at least: copies whose ways differ much come back within that. */
#define GUARD_SILENCE (5 * NS_PER_S)
/* A source is news again this long after it was. */
#define GUARD_NEWS (60 * NS_PER_S)

/* What is known of a datagram's way. */
struct guard_origin {
	const struct addr *from;
	/* It was sent to a multicast or broadcast address. */
	bool to_group;
	/* `from` is an address and port that this server itself serves. */
	bool from_self;
	/* What is left of its TTL; 0 if the system did not tell. */
	int ttl;
	/* The port that it was sent to. */
	uint16_t port;
};

/* By its origin alone. */
enum guard_verdict guard_origin(const struct guard_origin *o);

struct guard;

/* NULL when memory is short. guard_free() frees; NULL is nothing. */
struct guard *guard_new(const struct hash_key *key);
void guard_free(struct guard *g);

/* For a datagram that is its own capitals: with a server that capitalizes or echoes no other can be a link of a loop. `now` is ns of the
 * monotonic clock. GUARD_ANSWER says that the reply will be sent: it is remembered. For GUARD_LOOP `*news` says whether the source is
 * new as one that loops, and is to be logged. */
enum guard_verdict guard_loop(struct guard *g, const struct guard_origin *o, const void *bytes, size_t n, int64_t now, bool *news);

#endif
