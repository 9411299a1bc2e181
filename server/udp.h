/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams: each gets its capitals back, from the address that it was sent to, unless the loop
 * guard forbids it. */
#ifndef UPCASED_UDP_H
#define UPCASED_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "server/sources.h"
#include "common/impair-options.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/counters.h"

struct udp;

/* Asks for large buffers of the datagram sockets of `l`, as udp_new() does, while there is the
 * right to it. */
void udp_ask_buffers(const struct listen *l);
/* Serves the datagram sockets of `l`, which it closes in the end. Everything is borrowed; `link`,
 * what lies between the clients and the sockets, only for the call, and NULL for nothing. A source
 * is answered `rate` times a second, 0 for any number. NULL when memory is short. */
struct udp *udp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct impair_options *link, int64_t rate);
/* Closes at once. */
void udp_free(struct udp *u);

/* When udp_timers() wants to be called, ns, or CLOCK_NEVER. */
int64_t udp_deadline(const struct udp *u);
void udp_timers(struct udp *u, int64_t now);

/* The sockets have been served before: so many of those that the kernel dropped have been told. */
void udp_inherit(struct udp *u, uint64_t kernel_drops);
/* Brings the count of what the kernel dropped up to date; otherwise it is as old as the last turn
 * at least. */
void udp_poll_drops(struct udp *u);

/* Answers what had been received by now and then closes; what of it has to wait, for the kernel or
 * on the link, is left to the loop. */
void udp_finish(struct udp *u, int64_t now);
/* Whether something of that is still to be done. */
bool udp_busy(const struct udp *u);

#endif
