/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams: each gets its capitals back, from the address that it was sent to, unless the loop
 * guard forbids it. */
#pragma once

#include "server/counters.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/settings.h"
#include "server/sources.h"

struct udp;

/* Requests large buffers for the datagram sockets of `l`, while the process may have them. */
void udp_set_buffers(struct listen *l);
/* Serves the datagram sockets of `l`, which it closes at the end, as the settings say. Borrows the
 * settings for the call; `loop`, `l` and `counters` for good. NULL when memory is short. */
struct udp *udp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct settings *settings);
/* Closes at once. */
void udp_free(struct udp *u);

/* When udp_timers() is to be called, ns, or CLOCK_NEVER. */
int64_t udp_deadline(const struct udp *u);
void udp_timers(struct udp *u, int64_t now);

/* Continues an earlier worker's sockets, of whose drops this many have been counted. */
void udp_inherit(struct udp *u, uint64_t kernel_drops);
/* Updates the counter of the kernel's drops, which else is from the last turn or before. */
void udp_poll_drops(struct udp *u);

/* Answers what is received by now and closes. The loop continues with what waits. */
void udp_finish(struct udp *u, int64_t now);
/* Whether any of them is left. */
bool udp_busy(const struct udp *u);
