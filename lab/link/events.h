/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the link did with each packet, and who changed it, as lines of text between the answers for
 * whoever asked for them by "events on". upcase-lab(1), Events, has the lines and their keys. */
#ifndef UPCASE_LAB_EVENTS_H
#define UPCASE_LAB_EVENTS_H

#include "common/impair-fields.h"
#include "lab/link/link.h"
#include "common/send-buffer.h"

/* Ports in one "events on". */
#define EVENTS_PORTS 8

/* Which events somebody wants. All zero: none. */
struct event_filter {
	bool on;
	/* None: all packets. */
	uint16_t ports[EVENTS_PORTS];
	int count;
};

/* Whether a packet's event is wanted. Fragments and ICMP pass every filter: they belong to some
 * port, but do not say so in the same place. */
bool events_match(const struct event_filter *filter, const struct packet *p);

/* Room for a change's kind and words. */
#define EVENTS_CHANGE (2 * IMPAIR_LINE + 20)

/* The lines, with their newlines. */
void events_print(const struct link_event *event, struct send_buffer *out);
void events_print_undelivered(uint64_t serial, enum link_direction direction,
    struct send_buffer *out);
void events_print_changed(int64_t at, const char *change, struct send_buffer *out);

#endif
