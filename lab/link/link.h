/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link: carries packets between two hosts' devices, each direction through its own impairment
 * model. One part of a pselect() loop; nothing here waits. */
#pragma once

#include "common/fd-watch.h"
#include "common/impair.h"
#include "lab/hosts/device.h"
#include "lab/link/capture.h"
#include "lab/link/packet-rules.h"

/* What happened in one direction since the start, X(member, its word in "counts"). At every moment
 *   packets + duplicated = delivered + lost (all fates but "delivered") + undelivered + in_flight.
 */
#define LINK_COUNTS_LIST(X) \
	/* Packets from the sender's host, and their bytes with IP headers. Fragments of a packet \
	 * that was cut count, not the packet. */ \
	X(packets, "packets") \
	X(bytes, "bytes") \
	/* Given to the receiver's host, second copies too. */ \
	X(delivered, "delivered") \
	X(delivered_bytes, "delivered-bytes") \
	/* On their way now. */ \
	X(in_flight, "in-flight") \
	/* The receiver's device refused them. */ \
	X(undelivered, "undelivered") \
	/* Second copies made. */ \
	X(duplicated, "duplicated") \
	/* Let through with a bit flipped; kept by a hold; picked to be overtaken. */ \
	X(corrupted, "corrupted") \
	X(held, "held") \
	X(delayed, "held-to-pass") \
	/* Out of order when given to the receiver: first copies with a number less than one that \
	 * was there before (RFC 4737). */ \
	X(reordered, "reordered") \
	/* Fragmented for the MTU; "too big" answers sent to the sender. Neither is in the sum. */ \
	X(cut, "cut") \
	X(too_big_answers, "too-big-answers") \
	/* Passed without being counted or impaired: what hosts send by themselves, and what is \
	 * not IP. */ \
	X(unsolicited, "chatter")

#define X(member, word) uint64_t member;
struct link_counts {
	LINK_COUNTS_LIST(X)
	/* By fate; that of IMPAIR_DELIVERED counts the packets that were let through, on their way
	 * or there. */
	uint64_t fates[IMPAIR_FATES];
};
#undef X

/* What the link does with one packet, reported when the packet comes in. */
struct link_event {
	/* From 1, over both directions. */
	uint64_t serial;
	enum link_direction direction;
	/* When it came, ns of the monotonic clock. */
	int64_t in;
	/* The packet as it came, before a bit was flipped. Borrowed for the call. */
	const struct packet *packet;
	/* With the times at which its copies will leave. */
	const struct impair_decision *decision;
};

struct link_observer {
	void *context;
	void (*packet)(void *context, const struct link_event *event);
	/* A packet that was let through could not be given to the receiver's host after all. This
	 * is rare: its queue was full for a second, or it is gone. */
	void (*undelivered)(void *context, uint64_t serial, enum link_direction direction);
};

struct link;

/* Borrows the devices. The settings must have passed impair_check(). Sets the process's timer slack
 * to 1 ns (prctl), since the usual 50 us would be added to every delay. NULL when memory runs out.
 */
struct link *link_new(const struct impair_settings *there, const struct impair_settings *back,
    uint64_t seed, struct device *near, struct device *far);
/* Gives this process, but not its children, real-time priority, or takes it back. Root may have it,
 * others where RLIMIT_RTPRIO allows it. Returns whether it was granted. */
bool link_set_priority(bool first);
/* Drops the packets on their way. NULL is allowed. */
void link_free(struct link *link);

/* The deadline is before the time at which something is due, by twice the recent lateness of this
 * machine's timers, 0.2 ms at most: the rest is spent polling. So a delay is exact to microseconds
 * also where waking up takes a hundred of them (a virtual machine), and a steady stream of delayed
 * packets costs up to a whole processor. */
void link_watch(struct link *link, struct fd_watch *w);
/* Delivers due packets and carries a bounded number of new ones. */
void link_dispatch(struct link *link, const struct fd_watch *w);
/* Whether a device is gone, so that the link can do no more. */
bool link_broken(const struct link *link);

/* Sets the one observer of all packets; NULL removes it. The struct is copied. */
void link_set_observer(struct link *link, const struct link_observer *observer);

/* Writes a capture to `fd`, which the link closes: interface 0 is the near host, 1 the far one. A
 * packet is on the sender's interface when its host sent it, with a comment if anything happened to
 * it, and on the receiver's when its host received it. The times are those of the time stamp taps,
 * the near host's and the far one's, which the link frees at the end; with NULL, or where the taps
 * missed a packet, those at which the link reads and writes. The link frees the capture. Returns
 * NULL when memory runs out. */
struct capture *link_capture(struct link *link, int fd,
    struct timestamp_tap *const timestamp_taps[LINK_DIRECTIONS]);

uint64_t link_seed(const struct link *link);
const struct impair_settings *link_settings(const struct link *link, enum link_direction direction);
/* The model of a direction, to read and change. */
struct impair *link_impair(struct link *link, enum link_direction direction);
const struct link_counts *link_counts(const struct link *link, enum link_direction direction);
/* Whether both directions' counts add up. */
bool link_balanced(const struct link *link);

/* The rules for packets by number, to read, add and clear. */
struct packet_rules *link_rules(struct link *link);
