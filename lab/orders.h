/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control protocol's text: orders to the link and what it answers.
 *
 * Lines of text, each ended by a newline. An order is one line; its answer is any number of lines of
 * facts and then one that begins with "ok" or "error". DIRECTION is "there" (from the near host to the
 * far one), "back" or "both", which is meant when it is left out. SPAN is a time with its unit ("3s").
 *
 *   link                       all settings: "there loss 20%", "back delay 20ms", ...; and what follows from them
 *   set NAME VALUE [NAME VALUE]... [DIRECTION]
 *                              "set loss 30%", "set loss 5% burst 4 back"; all of it or nothing
 *   preset NAME [DIRECTION]    all settings of a link with a name
 *   presets                    their names and values
 *   drop next [udp|tcp] request
 *                              the next packet there that carries something (UDP, or TCP with payload)
 *   drop next [udp|tcp] reply  the same, back
 *   drop next [tcp] syn|ack [DIRECTION]
 *                              the next TCP segment that opens, or that only acknowledges
 *   drop none                  forgets drops that have not happened
 *   hold SPAN [DIRECTION]      packets that come from now on leave at its end, in order; 0s ends it
 *   unplug SPAN [DIRECTION]    packets that come from now on are lost; 0s ends it
 *   counts                     what happened so far: "there packets 200", ...
 *   predict                    the share of lines to be answered, by chance alone
 *   events on [PORT]...        from now on a line for every packet, or for those from or to these ports, for
 *                              fragments and for ICMP
 *   events off
 *   help                       the orders
 *
 * After "events on" lines of events.h come between answers. */
#ifndef UPCASE_LAB_ORDERS_H
#define UPCASE_LAB_ORDERS_H

#include "events.h"
#include "link.h"
#include "outbox.h"

/* Executes an order, `line` without its newline (it is taken apart), and answers. Returns whether the link
 * was changed; then `change` is the kind and words of it, for events_print_changed(). */
bool orders_execute(struct link *link, char *line, int64_t now, struct events_wish *wish, struct outbox *out,
    char change[EVENTS_CHANGE]);

#endif
