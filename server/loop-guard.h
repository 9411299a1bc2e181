/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which datagrams get no reply, so that nobody can make the server send to a third party without
 * end: rules on where a datagram comes from and went to, and the finding of loops (CVE-2024-2169).
 * Pure. */
#ifndef UPCASED_LOOP_GUARD_H
#define UPCASED_LOOP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/clock.h"
#include "server/sources.h"

enum loop_guard_decision {
	LOOP_GUARD_ANSWER,
	/* From a port under 1024: echo, chargen, DNS and the like answer by themselves. */
	LOOP_GUARD_LOW_PORT,
	/* From an address that is nobody's or everybody's: unspecified, multicast, broadcast. */
	LOOP_GUARD_BAD_SOURCE,
	/* Sent to a multicast or broadcast address. */
	LOOP_GUARD_GROUP,
	/* From an address and port that this server itself serves. */
	LOOP_GUARD_OWN_ADDRESS,
	/* From a server: part of a loop. */
	LOOP_GUARD_LOOP,
};

/* Source ports under this one get no reply. */
#define LOOP_GUARD_PORT 1024

/* The TTL (IPv6: hop limit) of replies, by which one server knows another's (as in RFC 5082) on
 * every way of up to 31 hops that passes it on. Systems begin at 64 or less, 128 or 255: no
 * datagram of a client arrives above LOOP_GUARD_TTL_ABOVE and up to this. */
#define LOOP_GUARD_TTL 96
#define LOOP_GUARD_TTL_ABOVE 64

/* How long a source may go on with the same capitals: 30,000 of them at full speed, 300 with a
 * pause between. */
#define LOOP_GUARD_RUN_MAX (30 * NS_PER_S)
/* Each adds the time since the one before, but at least and at most: */
#define LOOP_GUARD_STEP_MIN NS_PER_MS
#define LOOP_GUARD_STEP_MAX (100 * NS_PER_MS)
/* One from a port of the same number as the server's, where other servers are, adds: */
#define LOOP_GUARD_SAME_PORT (LOOP_GUARD_RUN_MAX / 16)
/* The longest round trip, to which --delay at both ends adds up to four minutes; a longer pause
 * ends a row. */
#define LOOP_GUARD_RTT_MAX (300 * NS_PER_S)
/* A source is silenced for this long at least: copies whose ways differ much come back within that.
 */
#define LOOP_GUARD_SILENCE_MIN (5 * NS_PER_S)
/* A source that loops is logged once in this time. */
#define LOOP_GUARD_LOG_INTERVAL (60 * NS_PER_S)

/* Where a datagram comes from and went to. */
struct loop_guard_origin {
	const struct addr *from;
	/* It was sent to a multicast or broadcast address. */
	bool to_group;
	/* `from` is an address and port that this server itself serves. */
	bool from_self;
	/* Its TTL on arrival; 0 if the system did not say. */
	int ttl;
	/* The port that it was sent to. */
	uint16_t port;
};

/* Decides by the origin alone. */
enum loop_guard_decision loop_guard_origin(const struct loop_guard_origin *o);

struct loop_guard;

/* free() frees. NULL when memory is short. */
struct loop_guard *loop_guard_new(const struct siphash_key *key);

/* Decides about a datagram that is its own capitals: no other can be part of a loop with a server
 * that capitalizes or echoes. `now` is ns of the monotonic clock. LOOP_GUARD_ANSWER: the caller
 * sends the reply, which is counted here. LOOP_GUARD_LOOP: `*new_loop` says whether the source is
 * to be logged. */
enum loop_guard_decision loop_guard_check(struct loop_guard *g, const struct loop_guard_origin *o,
    const void *bytes, size_t n, int64_t now, bool *new_loop);

#endif
