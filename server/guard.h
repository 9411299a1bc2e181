/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which datagrams get no reply, so that nobody can make the server send to a third party without end: rules on where a
 * datagram comes from and went to, and the finding of loops (CVE-2024-2169). Pure. */
#ifndef UPCASED_GUARD_H
#define UPCASED_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "clock.h"
#include "hash.h"

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
	/* A link of a loop. */
	GUARD_LOOP,
};

/* Source ports under this one get no reply. */
#define GUARD_PORT 1024
/* Ports under this one are not given to clients by their systems (Linux: ip_local_port_range): a server sits there. */
#define GUARD_CLIENT_PORT 32768
/* A datagram that comes back sooner than this after the reply that may have caused it is a link of a loop: from a
 * client's port only at a speed that no person types at, not even with a key held down; from a server's port from as
 * far as the other end of the world. */
#define GUARD_CLIENT_PACE (10 * NS_PER_MS)
#define GUARD_SERVER_PACE NS_PER_S
/* So many links make a loop. Two servers that find it at once have exchanged 13 datagrams then, with the forged one. */
#define GUARD_LINKS 5
/* Links between that pace and this one could be a person's, or a loop's through a machine that crawls: so many in a
 * row make a loop too, so that none goes on for ever. */
#define GUARD_SLOW_PACE NS_PER_S
#define GUARD_SLOW_LINKS 1000
/* And so many take one link away: what a network bunches together now and then does not make a person a loop. */
#define GUARD_SLOW_FORGIVES 4
/* A loop is answered again once its datagrams have stayed away for so long. */
#define GUARD_CLIENT_QUIET (250 * NS_PER_MS)
#define GUARD_SERVER_QUIET (3 * NS_PER_S)
/* A source is news again this long after it was. */
#define GUARD_NEWS (60 * NS_PER_S)

/* What is known of a datagram's way. */
struct guard_origin {
	const struct addr *from;
	/* It was sent to a multicast or broadcast address. */
	bool to_group;
	/* `from` is an address and port that this server itself serves. */
	bool from_self;
};

/* By its origin alone. */
enum guard_verdict guard_origin(const struct guard_origin *o);

struct guard;

/* NULL when memory is short. guard_free() frees; NULL is nothing. */
struct guard *guard_new(const struct hash_key *key);
void guard_free(struct guard *g);

/* For a datagram that is its own capitals; no other can be a link of a loop. It arrived at `arrived`; `now` is the time
 * right before the reply is sent, on the same clock, in ns. GUARD_ANSWER says that the reply will be sent: it is
 * remembered. For GUARD_LOOP `*news` says whether the source is new as one that loops, and is to be logged. */
enum guard_verdict guard_loop(struct guard *g, const struct addr *from, const void *bytes, size_t n, int64_t arrived,
    int64_t now, bool *news);

#endif
