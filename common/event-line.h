/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's link did with one packet, from the line of text for it (upcase-lab(1), Events):
 * the lab writes it (lab/link/control.c), the client and `upcase-lab ctl watch` read it. Pure. */
#pragma once

#include "common/impair.h"

/* Bytes of payload in the line: most typed lines are shorter. */
#define EVENT_LINE_DATA 64
/* The latest time in the line, ns: ten years. */
#define EVENT_LINE_TIME_MAX (INT64_C(3650) * 24 * 3600 * 1000000000)

/* Going: from the near host, where the client runs, to the far one ("there"); coming: from there to
 * the near host ("back"). */
enum link_direction { LINK_GOING, LINK_COMING, LINK_DIRECTIONS };

/* What became of a packet on its way: the link's own fates in their order, and two more. Of fates
 * that share a short name the first is used. */
enum link_fate {
	/* Nothing is known, or it has not happened. */
	LINK_NONE,
#define X(id, word, text, name, counted) LINK_##id,
	IMPAIR_FATE_LIST(X)
#undef X
	/* Delivered with a bit flipped: the receiver drops it. */
	LINK_CORRUPTED,
	LINK_FATES,
	/* By chance; in a burst; because the link had no room for it. */
	LINK_LOST = LINK_LOST_RANDOM
};

enum link_protocol { LINK_OTHER, LINK_UDP, LINK_TCP, LINK_ICMP, LINK_PROTOCOLS };

struct packet_event {
	uint64_t serial;
	enum link_direction direction;
	enum link_fate fate;
	/* When it came to the link, and when its copies leave it: ns of our monotonic clock. */
	int64_t in, out[2];
	/* 0 when it is lost, 1, or 2. */
	int copies;
	/* Kept by a hold, or held back for later ones to pass. */
	bool held;
	/* A rule for this packet decided, not chance: it was dropped, or delayed, doubled or
	 * damaged. */
	bool requested;
	enum link_protocol protocol;
	/* ICMP's type and code stand in the ports' places. */
	uint16_t source_port, target_port;
	/* A piece of a packet: the first piece has the ports and the beginning of the payload, the
	 * others only `id`. `offset`: where it begins in the packet's payload, bytes. */
	bool fragment;
	uint32_t id, offset;
	/* Bytes of the packet with its IP header. */
	uint32_t size;
	/* With a rate: the packets that waited before the transmitter when it came, and their
	 * bytes. */
	bool has_queue;
	uint32_t queue, queued;
	/* TCP's. */
	uint32_t seq, ack;
	uint16_t window;
	bool syn, fin, rst, has_ack;
	/* Bytes of payload, their FNV-1a hash, and the first bytes. */
	uint32_t length;
	uint64_t hash;
	unsigned char data[EVENT_LINE_DATA];
	size_t data_length;
	/* The words of the line, "" for none: the fate ("random"), "duplicated,held", TCP's flags
	 * ("SA"), the hosts. Borrowed from the line. */
	const char *fate_word, *marks, *flags, *source, *target;
};

/* Splits a line "event ..." without its newline, in place. Returns 0, or -1 for another line or a
 * bad number; missing keys are 0, unknown keys are skipped. */
int event_line_parse(struct packet_event *event, char *line);
/* The same without changing the line, so that the words are NULL. Returns -1 also if the event is
 * not whole: it has no fate, a delivered packet no time of leaving, or more data than payload. */
int event_line_read(struct packet_event *event, const char *line);
/* Reads "undelivered SERIAL DIRECTION". Returns 0 or -1. */
int event_line_read_undelivered(const char *line, uint64_t *serial, enum link_direction *direction);

/* "there" and "back", as the lab writes them; "going" and "coming", as people read them. */
extern const char *const link_direction_names[LINK_DIRECTIONS],
    *const link_direction_words[LINK_DIRECTIONS];
/* "udp", "other". */
extern const char *const link_protocol_names[LINK_PROTOCOLS];
/* "none", "delivered", "lost", "queue full". */
extern const char *const link_fate_names[LINK_FATES];
/* What the link did with a packet that did not arrive, "lost", "queue full". Static. */
const char *link_fate_word(enum link_fate fate);
/* How and in which direction a packet was lost: "lost going, on cue", "queue full coming". Returns
 * `buf`. */
char *link_loss_text(enum link_fate fate, bool requested, enum link_direction direction, char *buf,
    size_t size);
