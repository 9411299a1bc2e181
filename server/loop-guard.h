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
	/* From a server: a link of a loop. */
	LOOP_GUARD_LOOP,
};

/* Source ports under this one get no reply. */
#define LOOP_GUARD_PORT 1024

/* The TTL (IPv6: hop limit) of replies, which is how one server knows another's (as in RFC 5082) on
 * every way of up to 31 hops that passes it on. Systems begin at 64 or less, 128 or 255: nothing of
 * a client's arrives above LOOP_GUARD_TTL_ABOVE and up to that. */
#define LOOP_GUARD_TTL 96
#define LOOP_GUARD_TTL_ABOVE 64

/* How long a source may go on with the same capitals: 30,000 of them at full speed, 300 with a
 * pause between. */
#define LOOP_GUARD_RUN_MAX (30 * NS_PER_S)
/* What one adds: the time since the one before, so much at least and at most. */
#define LOOP_GUARD_STEP_MIN NS_PER_MS
#define LOOP_GUARD_STEP_MAX (100 * NS_PER_MS)
/* One from a port of the same number as the server's adds so much: that is where the other servers
 * sit. */
#define LOOP_GUARD_SAME_PORT (LOOP_GUARD_RUN_MAX / 16)
/* The longest round trip, of which --delay at both ends makes up to four minutes; after a longer
 * pause a row is over. */
#define LOOP_GUARD_RTT_MAX (300 * NS_PER_S)
/* How long silence lasts at least: copies whose ways differ much come back within that. */
#define LOOP_GUARD_SILENCE_MIN (5 * NS_PER_S)
/* A source is news again this long after it was. */
#define LOOP_GUARD_LOG_INTERVAL (60 * NS_PER_S)

/* What is known of a datagram's way. */
struct loop_guard_origin {
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
enum loop_guard_decision loop_guard_origin(const struct loop_guard_origin *o);

struct loop_guard;

/* free() frees. NULL when memory is short. */
struct loop_guard *loop_guard_new(const struct siphash_key *key);

/* For a datagram that is its own capitals: with a server that capitalizes or echoes no other can be
 * a link of a loop. `now` is ns of the monotonic clock. LOOP_GUARD_ANSWER says that the reply will
 * be sent: it is remembered. For LOOP_GUARD_LOOP `*new_loop` says whether the source is new as one
 * that loops, and is to be logged. */
enum loop_guard_decision loop_guard_check(struct loop_guard *g, const struct loop_guard_origin *o,
    const void *bytes, size_t n, int64_t now, bool *new_loop);

#endif
