/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams: each gets its capitals back, from the address that it was sent to, unless the loop
 * guard forbids it. */
#ifndef UPCASED_UDP_H
#define UPCASED_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "server/counters.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/settings.h"
#include "server/sources.h"

struct udp;

/* Asks for large buffers of the datagram sockets of `l`, as udp_new() does, while the process has
 * the right to them. */
void udp_ask_buffers(const struct listen *l);
/* Serves the datagram sockets of `l`, which it closes in the end, as the settings say, which are
 * borrowed only for the call; `loop`, `l` and `counters` for good. NULL when memory is short. */
struct udp *udp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct settings *settings);
/* Closes at once. */
void udp_free(struct udp *u);

/* When udp_timers() wants to be called, ns, or CLOCK_NEVER. */
int64_t udp_deadline(const struct udp *u);
void udp_timers(struct udp *u, int64_t now);

/* The sockets have been served before, and so many of the kernel's drops have been counted. */
void udp_inherit(struct udp *u, uint64_t kernel_drops);
/* Brings the counter of the kernel's drops up to date, which is otherwise as old as the last turn
 * or older. */
void udp_poll_drops(struct udp *u);

/* Answers what was received by now and then closes. The loop goes on with what has to wait, for the
 * kernel or on the link. */
void udp_finish(struct udp *u, int64_t now);
/* Whether anything of that is left. */
bool udp_busy(const struct udp *u);

#endif
