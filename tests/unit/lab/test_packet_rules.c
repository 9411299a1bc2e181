/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules for packets by number. Each rule is tried on a list of packets; the test says by hand which
 * of them it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/link/packet-rules.h"

#define GOING LINK_GOING
#define COMING LINK_COMING
#define MS INT64_C(1000000)

static const uint8_t addresses[40] = { 0x45 };

static struct packet udp(void)
{
	return (struct packet){ .bytes = addresses,
		.version = 4,
		.kind = LINK_UDP,
		.protocol = 17,
		.source_port = 40000,
		.target_port = 12000,
		.length = 5 };
}

static struct packet tcp(uint8_t flags, uint32_t seq, int length)
{
	return (struct packet){ .bytes = addresses,
		.version = 4,
		.kind = LINK_TCP,
		.protocol = 6,
		.source_port = 40001,
		.target_port = 12000,
		.flags = flags,
		.seq = seq,
		.length = length };
}

/* Rules with these texts, "" for none. */
static struct packet_rules *rules_of(const char *first, const char *second)
{
	struct packet_rules *rules = packet_rules_new();
	struct packet_rule rule;
	char reason[PACKET_RULE_REASON];

	assert_non_null(rules);
	for (int i = 0; i < 2; i++) {
		const char *text = i == 0 ? first : second;

		if (!*text)
			continue;
		if (packet_rule_read(&rule, text, false, reason) != 0)
			fail_msg("%s: %s", text, reason);
		assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	}
	return rules;
}

/* Gives a packet to the rules as the link does, which then does what they ask. */
static struct impair_request give(struct packet_rules *rules, struct packet p,
    enum link_direction direction)
{
	struct impair_request r = packet_rules_number(rules, &p, direction);

	packet_rules_decided(rules, &(struct impair_decision){ .requested = r.drop || r.duplicate ||
	                                                                    r.corrupt || r.delay });
	return r;
}

/* Gives segments of 10 bytes from these places, '0' the first; returns '-' for those that are
 * dropped. */
static const char *segments(struct packet_rules *rules, const char *places)
{
	static char out[64];

	strcpy(out, places);
	for (char *at = out; *at; at++)
		if (give(rules, tcp(PACKET_ACK, 1000 + 10 * (uint32_t)(*at - '0'), 10), GOING).drop)
			*at = '-';
	return out;
}

static const char *datagrams(struct packet_rules *rules, enum link_direction direction, int count)
{
	static char out[64];

	memset(out, 0, sizeof out);
	for (int i = 0; i < count; i++)
		out[i] = give(rules, udp(), direction).drop ? '-' : 'o';
	return out;
}

static void test_numbers(void **state)
{
	static const struct {
		const char *rule, *dropped;
	} cases[] = {
		{ "request:3,7", "oo-ooo-ooooo" },
		{ "drop udp:request:1", "-ooooooooooo" },
		{ "request:2-4,6", "o---o-oooooo" },
		{ "request:10-", "ooooooooo---" },
		{ "request:every:2", "o-o-o-o-o-o-" },
		{ "datagram every 5", "oooo-oooo-oo" },
		{ "request 3 7 there start", "oo-ooo-ooooo" },
		{ "next request", "-ooooooooooo" },
		{ "reply:1", "oooooooooooo" },
		{ "tcp request:1-", "oooooooooooo" },
		{ "datagram:2 back", "oooooooooooo" },
		{ "datagram:2 both", "o-oooooooooo" },
		{ "duplicate request:2", "oooooooooooo" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct packet_rules *rules = rules_of(cases[i].rule, "");

		if (strcmp(datagrams(rules, GOING, 12), cases[i].dropped) != 0)
			fail_msg("%s: %s", cases[i].rule, cases[i].dropped);
		free(rules);
	}
}

/* A direction counts its own packets, whatever the other does. */
static void test_directions(void **state)
{
	struct packet_rules *rules = rules_of("reply:2", "datagram:3 both");

	(void)state;
	assert_string_equal(datagrams(rules, GOING, 2), "oo");
	assert_string_equal(datagrams(rules, COMING, 4), "o--o");
	assert_string_equal(datagrams(rules, GOING, 2), "-o");
	free(rules);
}

/* A retransmission has no number of its own, and hits only a rule for several transmissions. */
static void test_retransmissions(void **state)
{
	static const struct {
		const char *rule, *sent, *passed;
	} cases[] = {
		{ "segment:3", "01223", "01-23" },
		{ "segment:3", "0012", "001-" },
		{ "segment:3x2", "012222", "01--22" },
		{ "segment:3x3", "0123242", "01-3-4-" },
		{ "segment:2,4x2", "0123133", "0-2-1-3" },
		{ "segment:every:2x2", "01231313", "0-2---13" },
		{ "request:1-", "0011", "-0-1" },
		{ "next segment", "00", "-0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct packet_rules *rules = rules_of(cases[i].rule, "");

		assert_string_equal(segments(rules, cases[i].sent), cases[i].passed);
		free(rules);
	}
}

/* Segments that were joined before they are sent again: the one with the first byte counts. */
static void test_joined_retransmission(void **state)
{
	struct packet_rules *rules = rules_of("segment:2x2", "");

	(void)state;
	assert_string_equal(segments(rules, "012"), "0-2");
	assert_true(give(rules, tcp(PACKET_ACK, 1000, 30), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, 1000, 30), GOING).drop);
	free(rules);
}

/* Sequence numbers wrap; each connection has its own; a SYN with a new number begins another. */
static void test_connections(void **state)
{
	struct packet_rules *rules = rules_of("segment:4", "syn:3x2");
	struct packet other = tcp(PACKET_ACK, 77, 10);

	(void)state;
	other.source_port = 40002;
	assert_false(give(rules, tcp(PACKET_SYN, UINT32_MAX - 5, 0), GOING).drop);
	assert_false(give(rules, tcp(PACKET_SYN, UINT32_MAX - 5, 0), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, UINT32_MAX - 4, 10), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, 5, 10), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, UINT32_MAX - 4, 10), GOING).drop);
	assert_false(give(rules, other, GOING).drop);
	assert_false(give(rules, tcp(PACKET_SYN, 500, 0), GOING).drop);
	assert_true(give(rules, tcp(PACKET_ACK, 501, 10), GOING).drop);
	other.flags = PACKET_SYN;
	other.seq = 900;
	assert_true(give(rules, other, GOING).drop);
	assert_true(give(rules, other, GOING).drop);
	assert_false(give(rules, other, GOING).drop);
	free(rules);
}

static void test_classes(void **state)
{
	struct packet_rules *rules = rules_of("ack:2", "fin:1x2");

	(void)state;
	assert_false(give(rules, tcp(PACKET_ACK, 7, 0), COMING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, 7, 0), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK, 7, 1), COMING).drop);
	assert_true(give(rules, tcp(PACKET_ACK, 8, 0), COMING).drop);
	/* One with payload is a segment too. */
	assert_true(give(rules, tcp(PACKET_ACK | PACKET_FIN, 9, 4), GOING).drop);
	assert_true(give(rules, tcp(PACKET_ACK | PACKET_FIN, 9, 4), GOING).drop);
	assert_false(give(rules, tcp(PACKET_ACK | PACKET_FIN, 9, 4), GOING).drop);
	free(rules);
}

/* Numbers count from the rule, unless it says from the start. */
static void test_counts_from(void **state)
{
	struct packet_rules *rules = rules_of("", "");
	struct packet_rule rule;
	char reason[PACKET_RULE_REASON];

	(void)state;
	datagrams(rules, GOING, 4);
	assert_int_equal(packet_rule_read(&rule, "request:1,3", true, reason), 0);
	assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	assert_int_equal(packet_rule_read(&rule, "request:6 start", true, reason), 0);
	assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	assert_string_equal(packet_rules_at(rules, 1)->text, "drop request:6 start");
	assert_string_equal(datagrams(rules, GOING, 4), "---o");
	/* What is over is no longer listed; what is past is refused. */
	assert_null(packet_rules_at(rules, 0));
	assert_int_equal(packet_rules_add(rules, &rule, reason), -1);
	assert_non_null(strstr(reason, "were sent already"));
	free(rules);
}

static void test_actions(void **state)
{
	struct packet_rules *rules = rules_of("delay 50ms request:1-3", "duplicate request:2");
	struct packet_rule rule;
	struct impair_request r;
	char reason[PACKET_RULE_REASON];

	(void)state;
	assert_int_equal(packet_rule_read(&rule, "corrupt next reply", false, reason), 0);
	assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	r = give(rules, udp(), GOING);
	assert_true(r.delay == 50 * MS && !r.drop && !r.duplicate && !r.corrupt);
	r = give(rules, udp(), GOING);
	assert_true(r.delay == 50 * MS && r.duplicate);
	assert_true(give(rules, udp(), COMING).corrupt);
	assert_false(give(rules, udp(), COMING).corrupt);
	packet_rules_clear(rules);
	assert_true(give(rules, udp(), GOING).delay == 0);
	free(rules);
}

/* A rule for the next packet waits until it has happened: a packet that was lost before it came so
 * far does not count. */
static void test_next_waits(void **state)
{
	struct packet_rules *rules = rules_of("next request", "");
	const struct packet p = udp();

	(void)state;
	assert_true(packet_rules_number(rules, &p, GOING).drop);
	packet_rules_decided(rules, &(struct impair_decision){ .fate = IMPAIR_UNPLUGGED });
	assert_true(give(rules, p, GOING).drop);
	assert_false(give(rules, p, GOING).drop);
	free(rules);
}

/* All fragments of a datagram share its fate and its number. */
static void test_fragments(void **state)
{
	struct packet_rules *rules = rules_of("request:2", "");
	struct packet first = udp(), later = udp();

	(void)state;
	first.fragment = later.fragment = first.more = true;
	later.offset = 1480;
	later.kind = LINK_OTHER;
	later.source_port = later.target_port = 0;
	for (uint32_t id = 1; id <= 3; id++) {
		first.id = later.id = id;
		assert_int_equal(give(rules, first, GOING).drop, id == 2);
		assert_int_equal(give(rules, later, GOING).drop, id == 2);
	}
	free(rules);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{ "", "kind of packets is missing" },
		{ "drop", "kind of packets is missing" },
		{ "frob:3", "'frob' is none of request, reply" },
		{ "request", "numbers of the packets are missing" },
		{ "next request:3", "numbers of the packets are missing" },
		{ "request reply:3", "'reply' is not expected here" },
		{ "request:0", "'0' is no packet's number" },
		{ "request:1x0", "'1x0' is no packet's number" },
		{ "request:1x101", "'1x101' is no packet's number" },
		{ "request:5-3", "'5-3' is no packet's number" },
		{ "request:every", "'every' is no packet's number" },
		{ "request:every:2-3", "is no packet's number" },
		{ "request:1e3", "'1e3' is no packet's number" },
		{ "request:99999999999", "'99999999999' is no packet's number" },
		{ "request:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		    "'17' is one number too many" },
		{ "udp syn:1", "udp has no syn" },
		{ "tcp datagram:1", "tcp has no datagram" },
		{ "request:1 back", "requests go there" },
		{ "reply:1 both", "requests go there" },
		{ "delay request:3", "'request' is not a time" },
		{ "delay 50 request:3", "'50' is not a time" },
		{ "delay 0s request:3", "'0s' is not a time" },
		{ "delay 61s request:3", "'61s' is not a time" },
		{ "request:1 delay 5ms", "'delay' is not expected here" },
	};
	struct packet_rule rule;
	char reason[PACKET_RULE_REASON], longest[PACKET_RULE_TEXT + 1] = "request:1 ";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		*reason = '\0';
		if (packet_rule_read(&rule, cases[i].text, false, reason) != -1 ||
		    !strstr(reason, cases[i].reason))
			fail_msg("%s: %s", cases[i].text, reason);
	}
	memset(longest + strlen(longest), ' ', PACKET_RULE_TEXT - strlen(longest));
	assert_int_equal(packet_rule_read(&rule, longest, false, reason), -1);
	assert_int_equal(packet_rule_read(&rule, "delay 5ms request:1", true, reason), -1);
}

static void test_rules_are_bounded(void **state)
{
	struct packet_rules *rules = rules_of("", "");
	struct packet_rule rule;
	char reason[PACKET_RULE_REASON];

	(void)state;
	assert_int_equal(packet_rule_read(&rule, "request:1000", false, reason), 0);
	for (int i = 0; i < PACKET_RULES_MAX; i++)
		assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	assert_int_equal(packet_rules_add(rules, &rule, reason), -1);
	packet_rules_clear(rules);
	assert_int_equal(packet_rules_add(rules, &rule, reason), 0);
	free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_retransmissions),
		cmocka_unit_test(test_joined_retransmission),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_counts_from),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_next_waits),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rules_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
