/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lab/ctl.h"

static void expect(struct event_text *t, const char *event, const char *want)
{
	char line[300], text[EVENT_TEXT_LINE] = "";

	snprintf(line, sizeof(line), "%s", event);
	assert_int_equal(event_text_line(t, line, text), want != NULL);
	if (want)
		assert_string_equal(text, want);
}

static void tells_datagrams(void **state)
{
	struct event_text t = { .begun = false };

	(void)state;
	expect(&t,
	    "event 1 there in=5000000000 fate=delivered out=5020000000 proto=udp src=10.9.0.1 dst=10.9.0.2 sport=40000 "
	    "dport=12000 id=1 size=33 payload=5 hash=1 data=68",
	    "0.000  there  udp  40000 > 12000 5 bytes (33): delivered");
	expect(&t,
	    "event 2 back in=5020400000 fate=random proto=udp sport=12000 dport=40000 id=1 size=33 payload=5",
	    "0.020  back   udp  12000 > 40000 5 bytes (33): LOST, random");
	expect(&t,
	    "event 3 back in=6999600000 fate=corrupted marks=duplicated,held proto=icmp type=3 code=3 size=61 payload=9",
	    "2.000  back   icmp type 3 code 3 (61): corrupted, duplicated,held");
	expect(&t,
	    "event 4 there in=7000000000 fate=delivered proto=other frag=1480 size=1500 payload=1480",
	    "2.000  there  other  fragment at 1480 1480 bytes (1500): delivered");
}

/* What changes the link stands among its packets. */
static void tells_changes(void **state)
{
	struct event_text t = { .begun = false };

	(void)state;
	expect(&t, "changed 1000000000 set loss 30%; loss 30%",
	    "0.000  link   set loss 30%; loss 30%");
	expect(&t, "changed 1100000000 drop next udp request",
	    "0.100  link   drop next udp request");
	expect(&t,
	    "event 2 there in=1200000000 fate=cue proto=udp sport=40000 dport=12000 id=1 size=33 payload=5",
	    "0.200  there  udp  40000 > 12000 5 bytes (33): LOST, on cue");
	expect(&t, "changed 1500000000 released", "0.500  link   released");
	t.start = 1;
	expect(&t, "changed 9223372036854775807 released", "9223372036.855  link   released");
}

static void passes_over_what_is_no_event(void **state)
{
	struct event_text t = { .begun = false };

	(void)state;
	expect(&t, "changed", NULL);
	expect(&t, "changed x set loss 5%; nothing", NULL);
	expect(&t, "changed 7", NULL);
	expect(&t, "undelivered 3 there", NULL);
	expect(&t, "event", NULL);
	expect(&t, "event 7", NULL);
	expect(&t, "event 7 there", NULL);
	expect(&t, "event 7 there rubbish = in=", NULL);
	expect(&t, "", NULL);
}

#define SEGMENT(direction, ports, in, seq, flags, payload) \
	"event 1 " direction " in=" in " fate=delivered proto=tcp " ports " size=60 seq=" seq \
	" ack=0 flags=" flags " win=1 payload=" payload

static void knows_what_is_sent_again(void **state)
{
	struct event_text t = { .begun = false };

	(void)state;
	expect(&t, SEGMENT("there", "sport=9 dport=7", "1000000000", "4294967290", "S", "0"),
	    "0.000  there  tcp  9 > 7 S  0 bytes (60): delivered");
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2000000000", "4294967290", "S", "0"),
	    "1.000  there  tcp  9 > 7 S  0 bytes (60): delivered; again, after 1.000 s");
	/* Over the end of the numbers. */
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2100000000", "4294967291", "PA", "10"),
	    "1.100  there  tcp  9 > 7 PA 10 bytes (60): delivered");
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2200000000", "5", "A", "0"),
	    "1.200  there  tcp  9 > 7 A  0 bytes (60): delivered");
	/* The other way is another flow. */
	expect(&t, SEGMENT("back", "sport=7 dport=9", "2200000000", "1", "PA", "3"),
	    "1.200  back   tcp  7 > 9 PA 3 bytes (60): delivered");
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2350000000", "4294967295", "PA", "6"),
	    "1.350  there  tcp  9 > 7 PA 6 bytes (60): delivered; again, after 0.250 s");
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2400000000", "5", "FA", "0"),
	    "1.400  there  tcp  9 > 7 FA 0 bytes (60): delivered");
	/* Some of it is new. */
	expect(&t, SEGMENT("there", "sport=9 dport=7", "2500000000", "4", "PA", "3"),
	    "1.500  there  tcp  9 > 7 PA 3 bytes (60): delivered");
}

static void forgets_the_oldest_flow(void **state)
{
	struct event_text t = { .begun = false };
	char event[300], text[EVENT_TEXT_LINE];

	(void)state;
	for (int port = 1; port <= EVENT_TEXT_FLOWS + 1; port++) {
		snprintf(event, sizeof(event),
		    "event 1 there in=1 proto=tcp sport=%d dport=7 seq=1 flags=PA payload=1", port);
		assert_true(event_text_line(&t, event, text));
	}
	expect(&t, "event 1 there in=2 proto=tcp sport=2 dport=7 seq=1 flags=PA payload=1",
	    "0.000  there  tcp  2 > 7 PA 1 bytes (0): LOST, ; again, after 0.000 s");
	expect(&t, "event 1 there in=2 proto=tcp sport=1 dport=7 seq=1 flags=PA payload=1",
	    "0.000  there  tcp  1 > 7 PA 1 bytes (0): LOST, ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_datagrams),
		cmocka_unit_test(tells_changes),
		cmocka_unit_test(passes_over_what_is_no_event),
		cmocka_unit_test(knows_what_is_sent_again),
		cmocka_unit_test(forgets_the_oldest_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
