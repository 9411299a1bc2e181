/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture of what hosts send and receive. Each packet is kept until its host's kernel time stamp
 * is known, and a little longer, so that the file is in the order of the stamps. */
#pragma once

#include "lab/hosts/timestamp-tap.h"
#include "lab/link/pcapng.h"

/* Near and far. */
#define CAPTURE_HOSTS 2

struct capture_packet {
	/* The host, from 0. */
	int host;
	enum pcapng_direction direction;
	/* When the link read it, or just before it wrote it: ns of the monotonic clock. Used where
	 * there is no stamp of the kernel. */
	int64_t at;
	const void *bytes;
	size_t n;
	/* The key of the packet as its host sent or received it; this may be a fragment of it. */
	struct packet_times_key key;
	/* It is a fragment of the same packet as the one before. */
	bool fragment;
	/* NULL: none. */
	const char *comment;
};

struct capture;

/* Makes a capture that writes to `fd`, as pcapng_new() does, and reads `timestamp_taps` (one for
 * each host, or NULL: all times are the link's), which it closes at the end. Returns NULL when
 * memory runs out; the caller then keeps both. */
struct capture *capture_new(int fd, struct timestamp_tap *const timestamp_taps[CAPTURE_HOSTS]);
/* Writes the waiting packets. NULL is allowed. */
void capture_free(struct capture *c);

/* Adds a packet, which is copied. */
void capture_add(struct capture *c, const struct capture_packet *packet);

/* Reads the time stamp taps, and if all packets that the hosts had sent by `now` have been added,
 * writes those that have waited for long enough. Call it often. Never waits. */
void capture_dispatch(struct capture *c, int64_t now, bool all_added);
/* The latest time of the next capture_dispatch(), or CLOCK_NEVER. */
int64_t capture_due(const struct capture *c);

/* Writes all waiting packets, for which a slow reader gets a moment, and, once, which packets lack
 * the kernels' stamps. Returns 0, or -1 if anything since the beginning could not be written. */
int capture_finish(struct capture *c);
/* Packets that the reader of a FIFO did not get, because it was too slow or not there. */
uint64_t capture_dropped(const struct capture *c);
