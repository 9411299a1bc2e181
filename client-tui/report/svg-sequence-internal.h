/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of the space-time diagram while it is drawn, for the files that draw it: svg-sequence.c
 * has the picture and its arrows, svg-sequence-time.c the moments, svg-sequence-labels.c what
 * stands beside the hosts. Moments are ns, places are pixels. */
#ifndef UPCASE_SVG_SEQUENCE_INTERNAL_H
#define UPCASE_SVG_SEQUENCE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "record/record.h"
#include "report/svg.h"
#include "report/time-axis.h"

/* Where the axis of time begins; the words at the left of a panel; a row of words and its letters.
 */
#define SVG_SEQUENCE_TOP (SVG_HEADING + 56)
#define SVG_SEQUENCE_WORDS_LEFT 350.0
#define SVG_SEQUENCE_ROW 13.0
#define SVG_SEQUENCE_FONT 11.0

struct sequence_picture {
	FILE *out;
	const struct record *records;
	size_t count;
	/* What happened besides: a line across each. */
	const struct session_event *events;
	size_t event_count;
	/* The packets that opened and closed connections. */
	struct record_packet *handshakes;
	size_t handshake_count;
	struct time_axis axis;
	/* The usual time of one way. */
	int64_t way;
	bool transports[2];
};

struct sequence_panel {
	struct sequence_picture *picture;
	bool stream;
	/* The hosts' lines. */
	double client, server;
	/* Where the next words at the left and at the right may begin. */
	double left, right;
};

/* The moment is in the record. */
bool svg_sequence_known(int64_t moment);
/* What a line waited before it was sent is drawn; the moment at which it begins in the picture: it
 * was typed, or sent. */
bool svg_sequence_waits(const struct record *r);
int64_t svg_sequence_begins(const struct record *r);
/* When the server had the line, if both ways took as long. */
int64_t svg_sequence_half_way(const struct record *r);
/* The link told of the line's packets. */
bool svg_sequence_has_packets(const struct record *r);
/* When a packet arrived, or would have if it had not died. */
int64_t svg_sequence_packet_end(const struct sequence_picture *p,
    const struct record_packet *packet);
/* The median of what the packets took that arrived, or of half the round trips, a connection's
 * among them. */
int64_t svg_sequence_usual_way(const struct record *records, size_t count,
    const struct session_event *events, size_t event_count);
/* The last moment of the lines. */
int64_t svg_sequence_last(const struct sequence_picture *p);
/* The axis of all moments in the picture; to be freed by time_axis_free(). Returns 0, or -1 when
 * memory is short. */
int svg_sequence_make_axis(struct sequence_picture *p);
/* Where a moment stands on the page. */
double svg_sequence_place(const struct sequence_picture *p, int64_t moment);

/* A line's text and fate beside the client. */
void svg_sequence_left(struct sequence_panel *panel, const struct record *r);
/* All replies beside the server. */
void svg_sequence_replies(struct sequence_panel *panel);
/* What the words of a transport need below the top. */
double svg_sequence_words_height(const struct sequence_picture *p, bool stream);

#endif
