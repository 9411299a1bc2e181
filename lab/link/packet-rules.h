/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of what happens to packets by their number, beside chance: "drop request:3,7", "delay 50ms
 * tcp segment:6x2 back". The grammar is in upcase-lab(1), Packets by number. Pure. */
#pragma once

#include "common/impair.h"
#include "lab/link/packet.h"

/* A set of directions. */
#define LINK_BIT(direction) (1u << (direction))
#define LINK_BOTH (LINK_BIT(LINK_GOING) | LINK_BIT(LINK_COMING))

/* Rules at once; the numbers of one rule; a rule's words. */
#define PACKET_RULES_MAX 100
#define PACKET_RULE_NUMBERS 16
#define PACKET_RULE_TEXT 120
/* The largest number of a packet, and the most transmissions of one. */
#define PACKET_RULE_NUMBER_MAX 1000000000
#define PACKET_RULE_TIMES_MAX 100
/* Room for what is wrong with a rule. */
#define PACKET_RULE_REASON 160

/* Packets are numbered from 1 on, in each direction of its own: UDP datagrams, and TCP segments
 * when they are sent for the first time. A retransmission has the number of the segment that has
 * its first byte. */
struct packet_rule {
	/* The words that it was read from. */
	char text[PACKET_RULE_TEXT];
	struct impair_request request;
	/* Of which packets: bits of enum packet_class, and LINK_BIT(). */
	unsigned classes, directions;
	/* The next packet of these, whatever its number, and then no other. */
	bool next;
	/* Else numbers from `first` to `last` in steps, each for its first `times` transmissions.
	 */
	struct packet_numbers {
		uint64_t first, last, step;
		int times;
	} numbers[PACKET_RULE_NUMBERS];
	int count;
	/* Numbers are counted from the start of the link, not from the rule. */
	bool from_start;
};

/* Reads a rule; without an action it drops, and with `drop` it names none. Returns 0, or -1 with
 * the `reason`. */
int packet_rule_read(struct packet_rule *rule, const char *text, bool drop,
    char reason[PACKET_RULE_REASON]);

/* The rules of a link, and the numbers of its packets. Opaque. */
struct packet_rules;

/* NULL when memory runs out. The caller frees with free(). */
struct packet_rules *packet_rules_new(void);
/* Adds a rule. Returns 0, or -1 with the `reason`: there are too many, or its packets have all been
 * sent. */
int packet_rules_add(struct packet_rules *rules, const struct packet_rule *rule,
    char reason[PACKET_RULE_REASON]);
/* Removes all rules; the numbers go on. */
void packet_rules_clear(struct packet_rules *rules);
/* The rule at `i`, from 0 on, of those with packets to come; NULL behind the last. */
const struct packet_rule *packet_rules_at(const struct packet_rules *rules, int i);

/* Numbers a packet. Returns what the rules ask for it. Each packet is given once. */
struct impair_request packet_rules_number(struct packet_rules *rules, const struct packet *p,
    enum link_direction direction);
/* Takes the decision on that packet: a rule for the next one is over once it has happened. */
void packet_rules_decided(struct packet_rules *rules, const struct impair_decision *decision);
