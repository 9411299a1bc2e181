/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the link tells of a packet, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/event-line.h"
#include "common/fnv.h"

#define UDP \
	"event 12 there in=6143376136741 fate=delivered out=6143396136741 proto=udp src=10.9.0.1 " \
	"dst=10.9.0.2 " \
	"sport=46611 dport=12000 id=11741 size=29 payload=1 hash=af63af4c8601a015 data=32"

static struct packet_event good(const char *line)
{
	struct packet_event e;

	if (event_line_read(&e, line) != 0)
		fail_msg("not taken: %s", line);
	return e;
}

static void a_datagram(void **state)
{
	const struct packet_event e = good(UDP);

	(void)state;
	assert_int_equal(e.serial, 12);
	assert_int_equal(e.direction, LINK_GOING);
	assert_int_equal(e.in, INT64_C(6143376136741));
	assert_int_equal(e.fate, LINK_DELIVERED);
	assert_int_equal(e.copies, 1);
	assert_int_equal(e.out[0], INT64_C(6143396136741));
	assert_int_equal(e.protocol, LINK_UDP);
	assert_int_equal(e.source_port, 46611);
	assert_int_equal(e.target_port, 12000);
	assert_int_equal(e.length, 1);
	assert_int_equal(e.data_length, 1);
	assert_int_equal(e.data[0], '2');
	assert_true(e.hash == fnv_hash("2", 1));
	assert_false(e.held || e.fragment || e.has_queue);
}

static void a_segment(void **state)
{
	const struct packet_event e = good(
	    "event 20 back in=5 fate=delivered out=7 out2=9 marks=duplicated,held queue=3 queued=4500 proto=tcp src=::1 dst=::2 "
	    "sport=12000 dport=57904 id=0 size=54 seq=4294967295 ack=2748144507 flags=SPA win=64 "
	    "payload=0");

	(void)state;
	assert_int_equal(e.direction, LINK_COMING);
	assert_int_equal(e.copies, 2);
	assert_int_equal(e.out[1], 9);
	assert_true(e.held && e.syn && e.has_ack && e.has_queue);
	assert_int_equal(e.queue, 3);
	assert_int_equal(e.queued, 4500);
	assert_false(e.fin || e.rst);
	assert_true(e.seq == UINT32_MAX);
}

static void a_loss_and_a_piece(void **state)
{
	struct packet_event e =
	    good("event 1 there in=5 fate=queue proto=udp src=a dst=b sport=1 dport=2 id=3 size=40 "
	         "payload=0");

	(void)state;
	assert_int_equal(e.copies, 0);
	assert_int_equal(e.fate, LINK_QUEUE_FULL);
	e = good(
	    "event 1 there in=5 fate=corrupted out=6 marks=reordered proto=other src=a dst=b id=77 "
	    "frag=1480 size=40 payload=20");
	assert_int_equal(e.fate, LINK_CORRUPTED);
	assert_true(e.fragment && e.held);
	assert_int_equal(e.id, 77);
	assert_int_equal(e.offset, 1480);
}

/* Later labs may say more. */
static void what_is_new_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(good(UDP " novelty=1 flag").length, 1);
	assert_int_equal(good("event 1 back in=5 fate=eaten proto=sctp payload=0").fate, LINK_LOST);
}

static void nonsense(void **state)
{
	static const char *const lines[] = {
		"",
		"event",
		"event x there",
		"event 1",
		"event 1 sideways in=5 fate=random",
		"changed",
		"undelivered 1 there",
		"event 1 there in=5",
		"event 1 there in=-5 fate=random",
		"event 1 there in= fate=random",
		"event 1 there in=5 fate=delivered",
		"event 1 there in=5 fate=random sport=65536",
		"event 1 there in=5 fate=random payload=1 data=3",
		"event 1 there in=5 fate=random payload=1 data=zz",
		"event 1 there in=5 fate=random payload=1 data=3132",
		"event 99999999999999999999 there in=5 fate=random",
		"event 1 there in=99999999999999999999 fate=random",
		"event 1 there in=9223372036854775807 fate=random",
		"event 1 there in=5 fate=random seq=4294967296",
	};
	char longest[3000];
	struct packet_event e;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (event_line_read(&e, lines[i]) == 0)
			fail_msg("taken: %s", lines[i]);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(event_line_read(&e, longest), -1);
}

/* Every beginning of a line is either whole or refused, and nothing is read behind it. */
static void every_beginning(void **state)
{
	char line[sizeof UDP];
	struct packet_event e;

	(void)state;
	for (size_t n = 0; n < sizeof UDP; n++) {
		memcpy(line, UDP, n);
		line[n] = '\0';
		if (event_line_read(&e, line) == 0)
			assert_true(e.in > 0);
	}
}

static void undelivered(void **state)
{
	enum link_direction direction;
	uint64_t serial;

	(void)state;
	assert_int_equal(event_line_read_undelivered("undelivered 77 back", &serial, &direction),
	    0);
	assert_int_equal(serial, 77);
	assert_int_equal(direction, LINK_COMING);
	assert_int_equal(event_line_read_undelivered("undelivered x back", &serial, &direction),
	    -1);
	assert_int_equal(event_line_read_undelivered("event 77 back", &serial, &direction), -1);
}

/* The published values of FNV-1a, 64 bits. */
static void hash(void **state)
{
	(void)state;
	assert_true(fnv_hash("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(fnv_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(fnv_hash("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram),
		cmocka_unit_test(a_segment),
		cmocka_unit_test(a_loss_and_a_piece),
		cmocka_unit_test(what_is_new_is_passed_over),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(every_beginning),
		cmocka_unit_test(undelivered),
		cmocka_unit_test(hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
