/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The relay between two socket pairs. Real hosts are for the end-to-end tests. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "tests/lib/sink.h"
#include "tests/lib/wire.h"

#define ROOM 2048

static void test_carries_packets_unchanged(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);
	uint8_t sent[ROOM], got[ROOM];

	for (uint32_t i = 0; i < 1000; i++) {
		bool there = i % 3;
		size_t n = wire_udp(sent, there, true, &i, sizeof i);
		wire_send(&wire, there ? wire.near_end : wire.far_end, sent, n);
		assert_int_equal(wire_receive(&wire, there ? wire.far_end : wire.near_end, got,
		                     ROOM),
		    n);
		assert_memory_equal(got, sent, n);
	}
	assert_int_equal(link_counts(wire.link, LINK_GOING)->delivered, 666);
	assert_int_equal(link_counts(wire.link, LINK_COMING)->delivered, 334);
	wire_close(&wire);
}

static void test_delay_is_kept(void **state)
{
	(void)state;
	struct wire wire = wire_open("delay 20ms", "", 1);
	uint8_t packet[ROOM];
	int64_t least = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		size_t n = wire_udp(packet, true, true, "x", 1);
		int64_t start = clock_monotonic();
		wire_send(&wire, wire.near_end, packet, n);
		wire_receive(&wire, wire.far_end, packet, ROOM);
		int64_t took = clock_monotonic() - start;
		assert_true(took >= 20 * NS_PER_MS);
		least = took < least ? took : least;
	}
	/* On a busy machine one of five is in time. */
	assert_true(least < 25 * NS_PER_MS);
	wire_close(&wire);
}

/* What an observer was told, by serial number. */
#define STORM 20000

struct received {
	enum impair_fate fate;
	int copies, flip;
	int64_t out[2];
	uint32_t number;
	bool back;
};

struct notes {
	struct received received[2 * STORM + 1];
	uint64_t last;
	int undelivered;
};

static void note_packet(void *context, const struct link_event *event)
{
	struct notes *notes = context;
	struct received *received = &notes->received[event->serial];

	assert_int_equal(event->serial, notes->last + 1);
	notes->last = event->serial;
	assert_true(event->serial <= 2 * STORM);
	received->fate = event->decision->fate;
	received->copies = event->decision->copies;
	received->flip = event->decision->flip;
	received->out[0] = event->decision->at[0];
	received->out[1] = event->decision->at[1];
	received->back = event->direction == LINK_COMING;
	memcpy(&received->number, event->packet->bytes + event->packet->payload,
	    sizeof received->number);
}

static void note_undelivered(void *context, uint64_t serial, enum link_direction direction)
{
	struct notes *notes = context;
	(void)serial;
	(void)direction;
	notes->undelivered++;
}

struct receiver {
	/* How often each number came whole; packets that came damaged. */
	int count[STORM];
	int damaged, total;
	/* The order in which they came. */
	uint32_t order[3 * STORM];
};

/* Takes what has come. The payload is the number twice, so that any flip in it shows; a flip
 * elsewhere shows in the headers. */
static void collect(int end, struct receiver *r, bool there)
{
	uint8_t got[ROOM], right[ROOM];
	uint32_t payload[2];
	ssize_t n;

	while ((n = recv(end, got, sizeof got, 0)) > 0) {
		assert_int_equal(n, 36);
		memcpy(payload, got + 28, 8);
		wire_udp(right, there, true, payload, 8);
		if (payload[0] != payload[1] || memcmp(got, right, 36)) {
			r->damaged++;
		} else {
			assert_true(payload[0] < STORM);
			r->count[payload[0]]++;
			r->order[r->total] = payload[0];
		}
		assert_true(++r->total < 3 * STORM);
	}
}

/* All impairments at once, both ways: what arrives is to the packet what the observer was told. */
static void test_the_witness_tells_the_truth(void **state)
{
	(void)state;
	const char *all =
	    "loss 20% burst 2 delay 3ms jitter 3ms order free duplicate 10% reorder 5% corrupt 5%";
	struct wire wire = wire_open(all, all, 7);
	struct notes *notes = calloc(1, sizeof *notes);
	struct receiver *receivers = calloc(2, sizeof *receivers);
	uint8_t packet[ROOM];
	int mismatches = 0;

	assert_true(notes && receivers);
	link_set_observer(wire.link,
	    &(struct link_observer){ notes, note_packet, note_undelivered });
	for (uint32_t i = 0; i < STORM; i++) {
		uint32_t payload[2] = { i, i };
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, payload, 8));
		wire_send(&wire, wire.far_end, packet, wire_udp(packet, false, true, payload, 8));
		if (i % 20 == 0)
			wire_turn(&wire, 0);
		collect(wire.far_end, &receivers[LINK_GOING], true);
		collect(wire.near_end, &receivers[LINK_COMING], false);
	}
	wire_drain(&wire);
	while (notes->last < 2 * STORM)
		wire_turn(&wire, 0);
	wire_drain(&wire);
	collect(wire.far_end, &receivers[LINK_GOING], true);
	collect(wire.near_end, &receivers[LINK_COMING], false);

	int damaged[2] = { 0, 0 };
	for (uint64_t serial = 1; serial <= 2 * STORM; serial++) {
		const struct received *h = &notes->received[serial];
		damaged[h->back] += h->flip >= 0 ? h->copies : 0;
		mismatches += receivers[h->back].count[h->number] != (h->flip >= 0 ? 0 : h->copies);
	}
	assert_int_equal(mismatches, 0);
	assert_int_equal(notes->undelivered, 0);
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const struct link_counts *c = link_counts(wire.link, d);
		assert_int_equal(receivers[d].damaged, damaged[d]);
		assert_int_equal(c->packets, STORM);
		assert_int_equal(c->delivered, receivers[d].total);
		assert_true(c->reordered > STORM / 50 && c->duplicated > 0 && c->corrupted > 0);
	}
	free(notes);
	free(receivers);
	wire_close(&wire);
}

static void test_in_order_stays_in_order(void **state)
{
	(void)state;
	struct wire wire = wire_open("delay 2ms jitter 2ms duplicate 20%", "", 9);
	struct receiver *r = calloc(1, sizeof *r);
	uint8_t packet[ROOM];

	assert_non_null(r);
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t payload[2] = { i, i };
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, payload, 8));
		wire_turn(&wire, 0);
		collect(wire.far_end, r, true);
	}
	wire_drain(&wire);
	collect(wire.far_end, r, true);
	for (int i = 1; i < r->total; i++)
		assert_true(r->order[i] >= r->order[i - 1]);
	assert_int_equal(r->order[r->total - 1], 4999);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->reordered, 0);
	free(r);
	wire_close(&wire);
}

static void test_same_seed_same_fates(void **state)
{
	(void)state;
	uint8_t packet[ROOM], got[3][1000] = { { 0 } };
	for (int round = 0; round < 3; round++) {
		struct wire wire = wire_open("loss 30%", "", round < 2 ? 11 : 12);
		for (uint32_t i = 0; i < 1000; i++) {
			wire_send(&wire, wire.near_end, packet,
			    wire_udp(packet, true, true, &i, 4));
			wire_turn(&wire, 0);
			got[round][i] = recv(wire.far_end, packet, sizeof packet, 0) > 0;
		}
		wire_close(&wire);
	}
	assert_memory_equal(got[0], got[1], 1000);
	assert_memory_not_equal(got[0], got[2], 1000);
}

static void test_too_big_is_answered(void **state)
{
	(void)state;
	struct wire wire = wire_open("mtu 600", "", 1);
	uint8_t packet[ROOM], got[ROOM], payload[1000] = "big";

	size_t n = wire_udp(packet, true, true, payload, sizeof payload);
	wire_send(&wire, wire.near_end, packet, n);
	assert_int_equal(wire_receive(&wire, wire.near_end, got, ROOM), 576);
	assert_true(got[9] == 1 && got[20] == 3 && got[21] == 4);
	assert_int_equal(got[26] << 8 | got[27], 600);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->fates[IMPAIR_TOO_BIG], 1);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->too_big_answers, 1);
	assert_int_equal(recv(wire.far_end, got, ROOM, 0), -1);
	/* The other direction has its own MTU. */
	wire_send(&wire, wire.far_end, packet,
	    wire_udp(packet, false, true, payload, sizeof payload));
	assert_int_equal(wire_receive(&wire, wire.near_end, got, ROOM), n);
	wire_close(&wire);
}

/* A black hole tells neither side; what may be cut is cut all the same. */
static void test_too_big_is_not_answered(void **state)
{
	(void)state;
	struct wire wire = wire_open("mtu 600 icmp none", "", 1);
	uint8_t packet[ROOM], got[ROOM], payload[1000] = "big";

	wire_send(&wire, wire.near_end, packet,
	    wire_udp(packet, true, true, payload, sizeof payload));
	/* What comes behind it is the first that each side gets. */
	size_t n = wire_udp(packet, true, true, payload, 10);
	wire_send(&wire, wire.near_end, packet, n);
	assert_int_equal(wire_receive(&wire, wire.far_end, got, ROOM), n);
	n = wire_udp(packet, false, true, payload, sizeof payload);
	wire_send(&wire, wire.far_end, packet, n);
	assert_int_equal(wire_receive(&wire, wire.near_end, got, ROOM), n);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->fates[IMPAIR_NO_ICMP], 1);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->fates[IMPAIR_TOO_BIG], 0);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->too_big_answers, 0);
	wire_send(&wire, wire.near_end, packet,
	    wire_udp(packet, true, false, payload, sizeof payload));
	assert_true(wire_receive(&wire, wire.far_end, got, ROOM) <= 600);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->cut, 1);
	wire_close(&wire);
}

static void test_what_may_be_cut_is_cut(void **state)
{
	(void)state;
	struct wire wire = wire_open("mtu 600", "", 1);
	uint8_t packet[ROOM], got[ROOM], payload[1000] = "big";
	int total = 0;

	wire_send(&wire, wire.near_end, packet,
	    wire_udp(packet, true, false, payload, sizeof payload));
	while (total < 1008) {
		int n = wire_receive(&wire, wire.far_end, got, ROOM);
		assert_true(n <= 600);
		total += n - 20;
	}
	assert_int_equal(total, 1008);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->cut, 1);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->packets, 2);
	wire_close(&wire);
}

/* Whether a TCP segment passes. */
static bool passes(struct wire *wire, bool there, uint8_t flags, size_t length)
{
	uint8_t packet[ROOM];

	wire_send(wire, there ? wire->near_end : wire->far_end, packet,
	    wire_tcp(packet, there, flags, length));
	wire_turn(wire, 0);
	return recv(there ? wire->far_end : wire->near_end, packet, sizeof packet, 0) > 0;
}

/* Adds a rule that drops. Returns 0, or -1 when there are too many. */
static int drop(struct wire *wire, const char *text)
{
	struct packet_rule rule;
	char reason[PACKET_RULE_REASON];

	assert_int_equal(packet_rule_read(&rule, text, true, reason), 0);
	return packet_rules_add(link_rules(wire->link), &rule, reason);
}

static void test_drop_next(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);

	drop(&wire, "next segment back");
	assert_true(passes(&wire, true, PACKET_ACK, 5));
	assert_true(passes(&wire, false, PACKET_ACK, 0));
	assert_false(passes(&wire, false, PACKET_ACK, 5));
	assert_true(passes(&wire, false, PACKET_ACK, 5));
	/* In whichever direction comes first, and only there. */
	drop(&wire, "next ack");
	assert_true(passes(&wire, true, PACKET_ACK, 5));
	assert_false(passes(&wire, false, PACKET_ACK, 0));
	assert_true(passes(&wire, true, PACKET_ACK, 0));
	assert_true(passes(&wire, false, PACKET_ACK, 0));
	drop(&wire, "next syn");
	packet_rules_clear(link_rules(wire.link));
	assert_true(passes(&wire, true, PACKET_SYN, 0));
	for (int i = 0; i < PACKET_RULES_MAX; i++)
		assert_int_equal(drop(&wire, "next syn"), 0);
	assert_int_equal(drop(&wire, "next syn"), -1);
	assert_int_equal(link_counts(wire.link, LINK_COMING)->fates[IMPAIR_REQUESTED_DROP], 2);
	wire_close(&wire);
}

static bool passes_datagram(struct wire *wire)
{
	uint8_t packet[ROOM];

	wire_send(wire, wire->near_end, packet, wire_udp(packet, true, true, "hello", 5));
	wire_turn(wire, 0);
	return recv(wire->far_end, packet, sizeof packet, 0) > 0;
}

/* The oldest that waits takes a packet that several wait for. */
static void test_drop_next_of_a_transport(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);

	drop(&wire, "next segment there");
	assert_true(passes_datagram(&wire));
	assert_false(passes(&wire, true, PACKET_ACK, 5));
	drop(&wire, "next request there");
	drop(&wire, "next datagram there");
	assert_false(passes_datagram(&wire));
	assert_true(passes(&wire, true, PACKET_ACK, 5));
	assert_false(passes_datagram(&wire));
	assert_true(passes_datagram(&wire));
	wire_close(&wire);
}

static void test_hold_then_release(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);
	struct receiver *r = calloc(1, sizeof *r);
	uint8_t packet[ROOM];

	assert_non_null(r);
	for (uint32_t i = 0; i < 500; i++) {
		uint32_t payload[2] = { i, i };
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, payload, 8));
	}
	const int64_t until = clock_monotonic() + 200 * NS_PER_MS;
	impair_pause(link_impair(wire.link, LINK_GOING), IMPAIR_HOLD, until);
	while (link_counts(wire.link, LINK_GOING)->packets < 500)
		wire_turn(&wire, 0);
	uint64_t held = link_counts(wire.link, LINK_GOING)->held;
	assert_true(held > 0);
	collect(wire.far_end, r, true);
	assert_int_equal(r->total, 500 - (int)link_counts(wire.link, LINK_GOING)->in_flight);
	while (r->total < 500) {
		wire_turn(&wire, NS_PER_S);
		collect(wire.far_end, r, true);
	}
	assert_true(clock_monotonic() >= until);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(r->order[i], i);
	free(r);
	wire_close(&wire);
}

static void test_unplug(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);

	for (int d = 0; d < LINK_DIRECTIONS; d++)
		impair_pause(link_impair(wire.link, d), IMPAIR_UNPLUG,
		    clock_monotonic() + 3600 * NS_PER_S);
	assert_false(passes(&wire, true, PACKET_ACK, 5));
	assert_false(passes(&wire, false, PACKET_ACK, 5));
	impair_pause(link_impair(wire.link, LINK_GOING), IMPAIR_UNPLUG, clock_monotonic());
	assert_true(passes(&wire, true, PACKET_ACK, 5));
	assert_false(passes(&wire, false, PACKET_ACK, 5));
	assert_int_equal(link_counts(wire.link, LINK_COMING)->fates[IMPAIR_UNPLUGGED], 2);
	wire_close(&wire);
}

/* Unsolicited packets pass but do not take the random numbers of what somebody sent. */
static void test_chatter_takes_no_dice(void **state)
{
	(void)state;
	uint8_t packet[ROOM], got[2][200];
	uint8_t solicitation[48] = { 0x60, [5] = 8, [6] = 58, [7] = 255, [40] = 133 };

	for (int chatter = 0; chatter < 2; chatter++) {
		struct wire wire = wire_open("loss 50%", "", 4);
		for (uint32_t i = 0; i < 200; i++) {
			if (chatter) {
				wire_send(&wire, wire.near_end, solicitation, sizeof solicitation);
				assert_int_equal(wire_receive(&wire, wire.far_end, packet, ROOM),
				    48);
			}
			wire_send(&wire, wire.near_end, packet,
			    wire_udp(packet, true, true, &i, 4));
			wire_turn(&wire, 0);
			got[chatter][i] = recv(wire.far_end, packet, sizeof packet, 0) > 0;
		}
		assert_int_equal(link_counts(wire.link, LINK_GOING)->packets, 200);
		assert_int_equal(link_counts(wire.link, LINK_GOING)->unsolicited, chatter * 200);
		wire_close(&wire);
	}
	assert_memory_equal(got[0], got[1], 200);
}

/* A host that takes nothing: the packets wait, then go, in order. */
static void test_a_full_host_is_waited_for(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);
	struct receiver *r = calloc(1, sizeof *r);
	uint8_t packet[ROOM];
	int small = 4608;

	assert_non_null(r);
	setsockopt(device_fd(wire.far), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t payload[2] = { i, i };
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, payload, 8));
	}
	while (link_counts(wire.link, LINK_GOING)->packets < 200)
		wire_turn(&wire, 0);
	assert_true(link_counts(wire.link, LINK_GOING)->in_flight > 100);
	/* There is room again, and more comes: it does not overtake what waits. */
	for (uint32_t i = 200; i < 1000; i++) {
		uint32_t payload[2] = { i, i };
		collect(wire.far_end, r, true);
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, payload, 8));
		wire_turn(&wire, 0);
	}
	while (r->total < 1000) {
		wire_turn(&wire, NS_PER_S);
		collect(wire.far_end, r, true);
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(r->order[i], i);
	assert_int_equal(link_counts(wire.link, LINK_GOING)->undelivered, 0);
	free(r);
	wire_close(&wire);
}

static void test_a_gone_host_is_noticed(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);
	assert_false(link_broken(wire.link));
	close(wire.near_end);
	while (!link_broken(wire.link))
		wire_turn(&wire, NS_PER_S);
	wire.near_end = dup(wire.far_end);
	wire_close(&wire);
}

static int occurrences(const char *bytes, size_t n, const char *text)
{
	int found = 0;
	for (size_t i = 0; i + strlen(text) <= n; i++)
		found += !memcmp(bytes + i, text, strlen(text));
	return found;
}

static void test_capture(void **state)
{
	(void)state;
	struct wire wire = wire_open("loss 50%", "", 3);
	uint8_t packet[ROOM];
	size_t n;
	int kept;

	struct capture *capture = link_capture(wire.link, sink_open(&kept), NULL);
	assert_non_null(capture);
	for (int i = 0; i < 100; i++)
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, "MARK", 4));
	while (link_counts(wire.link, LINK_GOING)->packets < 100)
		wire_turn(&wire, 0);
	int lost = (int)link_counts(wire.link, LINK_GOING)->fates[IMPAIR_LOST_RANDOM];
	assert_int_equal(capture_finish(capture), 0);
	wire_close(&wire);
	char *bytes = sink_bytes(kept, &n);
	close(kept);
	/* Each once as it was sent, and once more if it arrived. */
	assert_int_equal(occurrences(bytes, n, "MARK"), 200 - lost);
	assert_int_equal(occurrences(bytes, n,
	                     "lost on the way there: lost at random (link: loss 50%)"),
	    lost);
	assert_int_equal(occurrences(bytes, n, "times: the link's own"), LINK_DIRECTIONS);
	free(bytes);
}

static void test_a_full_disk_is_told(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 3);

	struct capture *capture = link_capture(wire.link, open("/dev/full", O_WRONLY | O_CLOEXEC),
	    NULL);
	assert_non_null(capture);
	assert_int_equal(capture_finish(capture), -1);
	wire_close(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carries_packets_unchanged),
		cmocka_unit_test(test_delay_is_kept),
		cmocka_unit_test(test_the_witness_tells_the_truth),
		cmocka_unit_test(test_in_order_stays_in_order),
		cmocka_unit_test(test_same_seed_same_fates),
		cmocka_unit_test(test_too_big_is_answered),
		cmocka_unit_test(test_too_big_is_not_answered),
		cmocka_unit_test(test_what_may_be_cut_is_cut),
		cmocka_unit_test(test_drop_next),
		cmocka_unit_test(test_drop_next_of_a_transport),
		cmocka_unit_test(test_hold_then_release),
		cmocka_unit_test(test_unplug),
		cmocka_unit_test(test_chatter_takes_no_dice),
		cmocka_unit_test(test_a_full_host_is_waited_for),
		cmocka_unit_test(test_a_gone_host_is_noticed),
		cmocka_unit_test(test_capture),
		cmocka_unit_test(test_a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
