/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link tells of one packet, read from its line of text (upcase-lab(1), Events). Pure. */
#ifndef UPCASE_EVENT_H
#define UPCASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of payload that the link shows. */
#define EVENT_DATA 64

/* There: from the near host, where the client runs, to the far one. */
enum event_way { EVENT_THERE, EVENT_BACK, EVENT_WAYS };

/* What became of a packet on its way. */
enum event_fate {
	/* Nothing is known of it, or it has not happened. */
	EVENT_NONE,
	EVENT_DELIVERED,
	/* By chance; in a burst; because the link had no room for it. */
	EVENT_LOST,
	/* Delivered with a bit flipped: the receiver drops it. */
	EVENT_CORRUPTED,
	EVENT_QUEUE,
	EVENT_TOO_BIG,
	EVENT_UNPLUGGED,
	/* Somebody asked for just this one to be dropped. */
	EVENT_CUE,
	EVENT_FATES
};

enum event_protocol { EVENT_OTHER, EVENT_UDP, EVENT_TCP, EVENT_ICMP };

struct event {
	uint64_t serial;
	enum event_way way;
	enum event_fate fate;
	/* When it came to the link, and when its copies leave it: ns of the monotonic clock, as our own. */
	int64_t in, out[2];
	/* 0 when it is lost, 1, or 2. */
	int copies;
	/* Kept by a hold, or held back for later ones to pass. */
	bool held;
	enum event_protocol protocol;
	uint16_t source_port, target_port;
	/* A piece of a packet: the first has its ports and the beginning of the payload, the others only `id`. */
	bool fragment;
	uint32_t id, offset;
	/* TCP's. */
	uint32_t seq, ack;
	bool syn, fin, rst, has_ack;
	/* Bytes of payload, their FNV-1a hash, and the first of them. */
	uint32_t length;
	uint64_t hash;
	unsigned char data[EVENT_DATA];
	size_t data_length;
};

/* Reads a line "event ...", without its newline. Returns 0, or -1 if it is none or is not whole; keys that are not known are passed
 * over. */
int event_read(struct event *event, const char *line);
/* Reads "undelivered SERIAL DIRECTION". Returns 0 or -1. */
int event_read_undelivered(const char *line, uint64_t *serial, enum event_way *way);

/* "none", "delivered", "lost", "queue full". */
extern const char *const event_fate_names[EVENT_FATES];
/* What the link did with a packet that did not arrive, and on which way: "lost", "queue full"; "going". Static. */
const char *event_fate_word(enum event_fate fate);
const char *event_way_word(enum event_way way);
/* Where and why a datagram died: "lost going, on cue", "queue full coming". Returns `buf`. */
char *event_died_words(enum event_fate fate, enum event_way way, char *buf, size_t size);

#endif
