/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bad link that --loss and the like put between the server and its UDP clients: datagrams that were received meet it
 * before they count as come, replies before they are sent. Those that travel wait here until their time. Pure. */
#ifndef UPCASED_IMPAIRMENT_H
#define UPCASED_IMPAIRMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/impair-options.h"
#include "common/impair.h"
#include "server/counters.h"

/* Opaque. */
struct impairment;

/* A datagram with what its owner must know of it. */
struct impairment_load {
	const void *about;
	size_t about_size;
	const void *bytes;
	size_t n;
	/* What its IP and UDP headers take: rates are of whole packets. */
	int headers;
};

/* Counts into the two of `ways`, by direction, which it borrows. NULL when memory is short. */
struct impairment *impairment_new(const struct impair_options *o, struct totals_way ways[TOTALS_WAYS]);
/* What is still under way is gone. NULL is nothing. */
void impairment_free(struct impairment *m);

/* A datagram meets it at `now`, ns, which never goes back. Returns how many copies of it arrive at once; others wait.
 * `fate` says why if none ever will. */
int impairment_meet(struct impairment *m, enum totals_way_name way, const struct impairment_load *load, int64_t now,
    enum impair_fate *fate);

/* When the next one that waits arrives, ns, or CLOCK_NEVER. */
int64_t impairment_deadline(const struct impairment *m, enum totals_way_name way);
/* The next one that waits, whenever it arrives: its `about` and its bytes one after the other, aligned as by malloc(), and
 * their sum in `size`. NULL if none waits. It stays until impairment_arrived(). */
unsigned char *impairment_next(const struct impairment *m, enum totals_way_name way, size_t *size);
void impairment_arrived(struct impairment *m, enum totals_way_name way);

#endif
