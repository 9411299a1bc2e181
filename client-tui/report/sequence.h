/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The content of a page of the space-time diagram: lines, packets and events, and their times.
 * svg-sequence.c draws it. Moments are ns since the session's start. Pure. */
#ifndef UPCASE_REPORT_SEQUENCE_H
#define UPCASE_REPORT_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"
#include "report/axis.h"

/* Lines on a page; pixels of a row of words, which a line gets if that can be. */
#define SEQUENCE_LINES 100
#define SEQUENCE_ROW 13.0

struct sequence {
	const struct record *records;
	size_t count;
	/* The events, in the order of time. */
	const struct session_event *events;
	size_t event_count;
	/* The packets that opened and closed connections. */
	struct link_packet *handshakes;
	size_t handshake_count;
	struct time_axis axis;
	/* The usual time of one way. */
	int64_t way;
	/* By whether it is a stream: it has lines or connections. */
	bool transports[2];
};

/* Pages that the records make: in order of number, and of one number UDP before TCP. At least 1. */
size_t sequence_pages(const struct record *records, size_t count);
/* When page 0, 1 ... begins: its first line is typed, page 0 with the session. What happens later
 * stands on it. */
int64_t sequence_page_begin(const struct record *records, size_t count, size_t page);
/* Page 0, 1 ... with those of the `event_count` events, in the order of time, that fall into it.
 * Without the lab, packets of connections are reckoned. Returns 0, or -1 when memory is short; then
 * there is nothing to free. Records and events are borrowed. */
int sequence_make(struct sequence *s, const struct record *records, size_t count, size_t page,
    const struct session_event *events, size_t event_count, bool lab);
void sequence_free(struct sequence *s);

/* The moment is in the record. */
static inline bool sequence_known(int64_t moment)
{
	return moment != RECORD_NEVER;
}
/* True if the time before a line was sent is long enough to be drawn; and the moment at which the
 * line begins in the picture: when it was typed, or sent. */
bool sequence_waits(const struct record *r);
int64_t sequence_begins(const struct record *r);
/* When the server had the line, if both ways took as long. */
int64_t sequence_half_way(const struct record *r);
/* The link reported the line's packets. */
bool sequence_has_packets(const struct record *r);
/* When a packet arrived, or would have if it had not died. */
int64_t sequence_packet_end(const struct sequence *s, const struct link_packet *packet);

#endif
