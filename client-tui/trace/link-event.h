/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link tells of one packet, read from its line of text (upcase-lab(1), Events).
 * Pure. */
#ifndef UPCASE_EVENT_H
#define UPCASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/impair.h"

/* Bytes of payload that the link shows. */
#define LINK_EVENT_DATA 64

/* There: from the near host, where the client runs, to the far one. */
enum link_way { LINK_GOING, LINK_COMING, LINK_WAYS };

/* What became of a packet on its way: the link's own fates of different short names, and two more.
 */
enum link_fate {
	/* Nothing is known of it, or it has not happened. */
	LINK_NONE,
	LINK_DELIVERED = 1 + IMPAIR_DELIVERED,
	/* By chance; in a burst; because the link had no room for it. */
	LINK_LOST = 1 + IMPAIR_LOST_RANDOM,
	LINK_QUEUE_FULL = 1 + IMPAIR_QUEUE_FULL,
	LINK_TOO_BIG = 1 + IMPAIR_TOO_BIG,
	LINK_UNPLUGGED = 1 + IMPAIR_UNPLUGGED,
	LINK_REQUESTED_DROP = 1 + IMPAIR_REQUESTED_DROP,
	/* Delivered with a bit flipped: the receiver drops it. */
	LINK_CORRUPTED = 1 + IMPAIR_FATES,
	LINK_FATES
};

enum link_protocol { LINK_OTHER, LINK_UDP, LINK_TCP, LINK_ICMP };

struct packet_event {
	uint64_t serial;
	enum link_way way;
	enum link_fate fate;
	/* When it came to the link, and when its copies leave it: ns of the monotonic clock, as our
	 * own. */
	int64_t in, out[2];
	/* 0 when it is lost, 1, or 2. */
	int copies;
	/* Kept by a hold, or held back for later ones to pass. */
	bool held;
	enum link_protocol protocol;
	uint16_t source_port, target_port;
	/* A piece of a packet: the first has its ports and the beginning of the payload, the others
	 * only `id`. */
	bool fragment;
	uint32_t id, offset;
	/* TCP's. */
	uint32_t seq, ack;
	bool syn, fin, rst, has_ack;
	/* Bytes of payload, their FNV-1a hash, and the first of them. */
	uint32_t length;
	uint64_t hash;
	unsigned char data[LINK_EVENT_DATA];
	size_t data_length;
};

/* Reads a line "event ...", without its newline. Returns 0, or -1 if it is none or is not whole;
 * keys that are not known are passed over. */
int link_event_read(struct packet_event *event, const char *line);
/* Reads "undelivered SERIAL DIRECTION". Returns 0 or -1. */
int link_event_read_undelivered(const char *line, uint64_t *serial, enum link_way *way);

/* "none", "delivered", "lost", "queue full". */
extern const char *const link_fate_names[LINK_FATES];
/* What the link did with a packet that did not arrive, and on which way: "lost", "queue full";
 * "going". Static. */
const char *link_fate_word(enum link_fate fate);
const char *link_way_word(enum link_way way);
/* Where and why a datagram died: "lost going, on cue", "queue full coming". Returns `buf`. */
char *link_event_died_words(enum link_fate fate, enum link_way way, char *buf, size_t size);

#endif
