/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bad link that --loss and the like put between the server and its UDP clients: received
 * datagrams meet it before they are answered, replies before they are sent. Datagrams under way
 * wait here until their time. Pure. */
#pragma once

#include "common/delay-queue.h"
#include "common/impair-options.h"
#include "common/impair.h"
#include "server/counters.h"

struct lossy_link;

/* A datagram, with its owner's data. */
struct lossy_link_datagram {
	const void *about;
	size_t about_size;
	const void *bytes;
	size_t n;
	/* The bytes of its IP and UDP headers: rates are of whole packets. */
	int headers;
};

/* Borrows `directions`, into which it counts. Returns NULL when memory is short. */
struct lossy_link *lossy_link_new(const struct impair_options *o,
    struct counters_link directions[LINK_DIRECTIONS]);
/* Drops the datagrams that are still under way. NULL is allowed. */
void lossy_link_free(struct lossy_link *l);

/* Adds a datagram at `now`, ns, which never decreases. Returns how many copies of it arrive at
 * once; others wait. `fate` is why if none will arrive. */
int lossy_link_add(struct lossy_link *l, enum link_direction direction,
    const struct lossy_link_datagram *datagram, int64_t now, enum impair_fate *fate);

/* When the next waiting datagram arrives, ns, or CLOCK_NEVER. */
int64_t lossy_link_deadline(const struct lossy_link *l, enum link_direction direction);
/* The next waiting datagram, whenever it arrives: its `about` and its bytes one after the other.
 * NULL if none waits. It stays until lossy_link_remove_next(). */
struct delayed_packet *lossy_link_next(const struct lossy_link *l, enum link_direction direction);
void lossy_link_remove_next(struct lossy_link *l, enum link_direction direction);
