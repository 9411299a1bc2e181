/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture of what hosts send and receive. Each packet is kept until its host's kernel time stamp
 * is known, and a little longer, so that the file is in the order of the stamps. */
#ifndef UPCASE_LAB_CAPTURE_H
#define UPCASE_LAB_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/link/pcapng.h"
#include "lab/hosts/timestamp-tap.h"

/* Near and far. */
#define CAPTURE_HOSTS 2

struct capture_packet {
	/* Of which host, from 0. */
	int host;
	enum pcapng_direction direction;
	/* When the link read it, or just before it wrote it: ns of the monotonic clock. Used where
	 * there is no stamp of the kernel's. */
	int64_t at;
	const void *bytes;
	size_t n;
	/* The key of the packet as its host sent or received it; this may be a fragment of it. */
	struct packet_times_key key;
	/* A fragment of the same packet as the one before. */
	bool fragment;
	/* NULL: none. */
	const char *comment;
};

/* Opaque. */
struct capture;

/* Writes to `fd`, as pcapng_new() does, and reads `timestamp_taps` (one for each host, or NULL: all
 * times are the link's), which it closes in the end. NULL when memory runs out; then they are still
 * the caller's. */
struct capture *capture_new(int fd, struct timestamp_tap *const timestamp_taps[CAPTURE_HOSTS]);
/* Writes what waits. NULL is allowed. */
void capture_free(struct capture *c);

/* Copies what it needs. */
void capture_add(struct capture *c, const struct capture_packet *packet);

/* Reads the time stamp taps, writes what has waited for long enough; to be called often. Never
 * waits. */
void capture_dispatch(struct capture *c, int64_t now);
/* When it is to be called at the latest, or CLOCK_NEVER. */
int64_t capture_due(const struct capture *c);

/* Writes all that waits, for which a slow reader is given a moment, and, once, at which packets the
 * kernels' stamps are missing. Returns 0, or -1 if anything since the beginning could not be
 * written. */
int capture_finish(struct capture *c);
/* How many packets the reader of a FIFO did not get, since it was too slow or not there. */
uint64_t capture_dropped(const struct capture *c);

#endif
