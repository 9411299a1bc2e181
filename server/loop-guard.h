/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the datagrams that get no reply, so that nobody can make the server send to a third party
 * without end: rules on the source and the destination of a datagram, and the detection of loops
 * (CVE-2024-2169). Pure. */
#pragma once

#include "common/addr.h"
#include "common/clock.h"
#include "server/counters.h"
#include "server/sources.h"

/* Datagrams from ports below this one get no reply. */
#define LOOP_GUARD_PORT 1024

/* The TTL (IPv6: hop limit) of replies, by which one server knows another's (as in RFC 5082) on
 * every way of up to 31 hops that passes it on. Systems begin at 64 or less, 128 or 255: no
 * datagram of a client arrives above LOOP_GUARD_TTL_ABOVE and up to this. */
#define LOOP_GUARD_TTL 96
#define LOOP_GUARD_TTL_ABOVE 64

/* How long a source may repeat the same capitals: 30,000 at full speed, 300 with pauses. */
#define LOOP_GUARD_RUN_MAX (30 * NS_PER_S)
/* Each datagram adds the time since the one before, but at least and at most: */
#define LOOP_GUARD_STEP_MIN NS_PER_MS
#define LOOP_GUARD_STEP_MAX (100 * NS_PER_MS)
/* A datagram from a port of the same number as the server's, where other servers are, adds: */
#define LOOP_GUARD_SAME_PORT (LOOP_GUARD_RUN_MAX / 16)
/* The longest round trip, to which --delay at both ends adds up to four minutes; a longer pause
 * ends a row. */
#define LOOP_GUARD_RTT_MAX (300 * NS_PER_S)
/* The least time of silence: copies whose ways differ much come back within it. */
#define LOOP_GUARD_SILENCE_MIN (5 * NS_PER_S)
/* A source that loops is logged once in this time. */
#define LOOP_GUARD_LOG_INTERVAL (60 * NS_PER_S)

/* The source and the destination of a datagram. */
struct loop_guard_origin {
	const struct addr *from;
	/* It was sent to a multicast or broadcast address. */
	bool to_group;
	/* `from` is an address and port that this server itself serves. */
	bool from_self;
	/* Its TTL on arrival; 0 if the system did not report it. */
	int ttl;
	/* The port that it was sent to. */
	uint16_t port;
};

/* Decides only by the origin: COUNTERS_ANSWER, or why not. */
enum counters_drop loop_guard_origin(const struct loop_guard_origin *o);

struct loop_guard;

/* The caller frees with free(). Returns NULL when memory is short. */
struct loop_guard *loop_guard_new(const struct siphash_key *key);

/* Decides about a datagram that is its own capitals: no other one can be part of a loop with a
 * server that capitalizes or echoes. `now` is ns of the monotonic clock. COUNTERS_ANSWER: the
 * caller sends the reply, which is counted here. COUNTERS_LOOP: `*new_loop`: log the source. */
enum counters_drop loop_guard_check(struct loop_guard *g, const struct loop_guard_origin *o,
    const void *bytes, size_t n, int64_t now, bool *new_loop);
