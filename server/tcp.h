/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections: the bytes of each are sent back in capitals, as they come. */
#pragma once

#include "server/control-commands.h"
#include "server/counters.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/settings.h"
#include "server/sources.h"

struct tcp;

/* Serves the listening sockets of `l`, which it closes at the end, as the settings say. Borrows
 * everything but the key. Returns NULL when memory is short. */
struct tcp *tcp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct settings *settings);
/* Ends every connection at once. */
void tcp_free(struct tcp *t);

/* When tcp_timers() is to be called, ns, or CLOCK_NEVER. */
int64_t tcp_deadline(const struct tcp *t);
/* Call it once in every turn of the loop. */
void tcp_timers(struct tcp *t, int64_t now);

/* Stops listening, answers the bytes received by now and ends each connection. The loop continues
 * with the bytes that clients have not taken yet. */
void tcp_finish(struct tcp *t, int64_t now);
/* Whether any such connection is left. */
bool tcp_busy(const struct tcp *t);

/* Calls `call` for each connection, the one without a byte for the longest time first, or, where
 * none is ended as idle, in the order in which they came. */
void tcp_each(const struct tcp *t, int64_t now, control_connection_call *call, void *context);
