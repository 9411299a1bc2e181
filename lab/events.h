/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the link did with each packet, as lines of text for whoever asked for them ("events on", orders.h):
 *
 *   event SERIAL DIRECTION KEY=VALUE...   what the link did with one packet, told as it comes in
 *   undelivered SERIAL DIRECTION          that one could not be given to the receiver's host after all
 *   changed NS KIND WORDS                 the link was changed, at NS of CLOCK_MONOTONIC
 *
 * The keys, always in this order; those in brackets only where they have a meaning:
 *   in=NS         when it came to the link, ns of CLOCK_MONOTONIC
 *   fate=WORD     delivered, corrupted (delivered with a bit flipped: the receiver drops it), or why it was lost:
 *                 random, burst, queue, mtu, cue, unplugged, room
 *   [out=NS]      when it leaves the link    [out2=NS]   when its second copy leaves
 *   [marks=A,B]   duplicated, held, reordered (held back for later ones to pass)
 *   proto=WORD    udp, tcp, icmp, other; a fragment but the first is "other"
 *   src=HOST dst=HOST  [sport=N dport=N]  [type=N code=N]
 *   id=N          IPv4's identification or that of IPv6's fragment header, else 0
 *   [frag=OFFSET] a fragment and where it belongs, in bytes
 *   size=N        bytes with the IP header
 *   [seq=N ack=N flags=LETTERS win=N]     TCP's, raw
 *   payload=N     bytes of payload
 *   [hash=HEX]    FNV-1a, 64 bits, of the payload
 *   [data=HEX]    its first 64 bytes
 *
 * A change's KIND and WORDS:
 *   set THERE; BACK                       both ways' settings from now on, as "there line" says them (orders.h)
 *   drop|hold|unplug WORDS                as ordered
 *   released|plugged [DIRECTION]          the end of a hold, of an unplugging: their time was over */
#ifndef UPCASE_LAB_EVENTS_H
#define UPCASE_LAB_EVENTS_H

#include "impair-text.h"
#include "link.h"
#include "outbox.h"

/* Ports in one "events on". */
#define EVENTS_PORTS 8

/* Which events somebody wants. All zero: none. */
struct events_wish {
	bool on;
	/* None: all packets. */
	uint16_t ports[EVENTS_PORTS];
	int count;
};

/* Whether a packet's event is wanted. Fragments and ICMP pass every filter: they belong to some port, but
 * do not say so in the same place. */
bool events_want(const struct events_wish *wish, const struct packet *p);

/* Room for a change's kind and words. */
#define EVENTS_CHANGE (2 * IMPAIR_LINE + 20)

/* The lines, with their newlines. */
void events_print(const struct link_event *event, struct outbox *out);
void events_print_undelivered(uint64_t serial, enum link_direction direction, struct outbox *out);
void events_print_changed(int64_t at, const char *change, struct outbox *out);

#endif
