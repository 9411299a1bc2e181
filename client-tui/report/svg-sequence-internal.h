/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of the space-time diagram while it is drawn, for the files that draw it: svg-exchange.c has the picture and its arrows,
 * svg-exchange-times.c the moments, svg-exchange-words.c what stands beside the hosts. Moments are ns, places are pixels. */
#ifndef UPCASE_SVG_EXCHANGE_CORE_H
#define UPCASE_SVG_EXCHANGE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/record.h"
#include "report/svg.h"
#include "report/time-axis.h"

/* Where the axis of time begins; the words at the left of a panel; a row of words and its letters. */
#define EXCHANGE_TOP (SVG_HEADING + 56)
#define EXCHANGE_WORDS_LEFT 350.0
#define EXCHANGE_ROW 13.0
#define EXCHANGE_FONT 11.0

struct picture {
	FILE *out;
	const struct record *records;
	size_t count;
	/* What happened besides: a line across each. */
	const struct record_event *events;
	size_t event_count;
	/* The packets that opened and closed connections. */
	struct record_packet *handshakes;
	size_t handshake_count;
	struct time_axis axis;
	/* The usual time of one way. */
	int64_t way;
	bool transports[2];
};

struct panel {
	struct picture *picture;
	bool stream;
	/* The hosts' lines. */
	double client, server;
	/* Where the next words at the left and at the right may begin. */
	double left, right;
};

/* The moment is in the record. */
bool exchange_known(int64_t moment);
/* What a line waited before it was sent is drawn; the moment at which it begins in the picture: it was typed, or sent. */
bool exchange_waits(const struct record *r);
int64_t exchange_begins(const struct record *r);
/* When the server had the line, if both ways took as long. */
int64_t exchange_half_way(const struct record *r);
/* The link told of the line's packets. */
bool exchange_has_packets(const struct record *r);
/* When a packet arrived, or would have if it had not died. */
int64_t exchange_packet_end(const struct picture *p, const struct record_packet *packet);
/* The median of what the packets took that arrived, or of half the round trips, a connection's among them. */
int64_t exchange_usual_way(const struct record *records, size_t count, const struct record_event *events, size_t event_count);
/* The last moment of the lines. */
int64_t exchange_last(const struct picture *p);
/* The axis of all moments in the picture; to be freed by time_axis_free(). Returns 0, or -1 when memory is short. */
int exchange_make_axis(struct picture *p);
/* Where a moment stands on the page. */
double exchange_place(const struct picture *p, int64_t moment);

/* A line's text and fate beside the client. */
void exchange_left(struct panel *panel, const struct record *r);
/* All replies beside the server. */
void exchange_replies(struct panel *panel);
/* What the words of a transport need below the top. */
double exchange_words_height(const struct picture *p, bool stream);

#endif
