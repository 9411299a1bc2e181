/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The content of a page of the space-time diagram: lines, packets and events, and their times.
 * svg-sequence.c draws it. Moments are ns since the session's start. Pure. */
#pragma once

#include "report/axis.h"
#include "report/pictures.h"

/* A page's lines at most; the pixels of a row of words; the rows, for lines and events. */
#define SEQUENCE_LINES 12
#define SEQUENCE_ROW 33.0
#define SEQUENCE_ROWS 14

/* A packet of a line; without a record, it opens or closes a connection. An estimated one is not
 * the link's: only the client's end is known. A packet that carries several lines is in the record
 * of each. */
struct sequence_packet {
	struct link_packet of;
	const struct record *record;
	bool stream, estimated;
};

struct sequence {
	const struct record *records;
	size_t count;
	/* The events, in order of time. */
	const struct session_event *events;
	size_t event_count;
	/* In order of drawing. */
	struct sequence_packet *packets;
	size_t packet_count;
	struct time_axis axis;
	int64_t one_way;    /* the usual time of one direction */
	bool transports[2]; /* by transport, true for a stream: it has lines or connections */
};

/* The number of pages, at least 1. */
size_t sequence_pages(const struct picture_data *d);
/* The beginning of page 0, 1 ...: after the last line before it was typed; page 0 begins with the
 * session. INT64_MAX behind the last page. Later events are on the page. */
int64_t sequence_page_begin(const struct picture_data *d, size_t page);
/* Makes page 0, 1 ... with the events that fall into it. Without the lab, packets are estimated.
 * Returns 0, or -1 when memory is short; then there is nothing to free. Records and events are
 * borrowed. */
int sequence_make(struct sequence *s, const struct picture_data *d, size_t page, bool lab);
void sequence_free(struct sequence *s);

/* Returns true if the event has a row of words; connections are drawn by their packets. */
static inline bool sequence_is_row(const struct session_event *e)
{
	return e->kind != SESSION_EVENT_TCP;
}
/* Returns true if the packet's name stands at its arrow. */
static inline bool sequence_is_named(const struct link_packet *k)
{
	return k->syn || k->fin || k->rst;
}
/* Returns true if the record has the moment. */
static inline bool sequence_known(int64_t moment)
{
	return moment != RECORD_NEVER;
}
/* Returns true if the time before a line was sent is long enough to be drawn; and the moment of the
 * line's beginning in the picture, when it was typed or sent. */
bool sequence_waits(const struct record *r);
int64_t sequence_begins(const struct record *r);
/* The time when a packet arrived, or would have if it had not been lost. */
int64_t sequence_packet_end(const struct sequence *s, const struct link_packet *packet);

/* Compares two packets, for qsort(): 0 for the same one. */
int sequence_order(const void *a, const void *b);
