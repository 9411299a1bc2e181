/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A capture's file is in the order of its times. With kernels' stamps in it, it is for the
 * end-to-end tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/link/capture.h"
#include "common/clock.h"
#include "tests/lib/sink.h"
#include "tests/lib/cmocka-compat.h"

static void add(struct capture *c, int host, enum pcapng_direction direction, int64_t at,
    const char *text)
{
	const struct capture_packet packet = { .host = host,
		.direction = direction,
		.at = at,
		.bytes = text,
		.n = strlen(text),
		.comment = text };

	capture_add(c, &packet);
}

static bool comes_before(const char *bytes, size_t n, const char *first, const char *second)
{
	const char *a = memmem(bytes, n, first, strlen(first)),
	           *b = memmem(bytes, n, second, strlen(second));

	assert_non_null(a);
	assert_non_null(b);
	return a < b;
}

static void test_file_is_in_order(void **state)
{
	int kept;
	struct capture *c = capture_new(sink_open(&kept), NULL);
	const int64_t now = clock_monotonic();
	char *bytes;
	size_t n;

	(void)state;
	assert_non_null(c);
	add(c, 0, PCAPNG_OUT, now, "ALPHA");
	add(c, 1, PCAPNG_IN, now + 3000, "DELTA");
	add(c, 0, PCAPNG_OUT, now + 1000, "BRAVO");
	capture_dispatch(c, now + 4000, true);
	/* However late it is: the link has yet to read a packet. */
	capture_dispatch(c, now + NS_PER_S, false);
	add(c, 1, PCAPNG_OUT, now + 2000, "CHARLIE");
	capture_dispatch(c, now + NS_PER_S, true);
	assert_int_equal(capture_finish(c), 0);
	bytes = sink_bytes(kept, &n);
	assert_true(comes_before(bytes, n, "ALPHA", "BRAVO"));
	assert_true(comes_before(bytes, n, "BRAVO", "CHARLIE"));
	assert_true(comes_before(bytes, n, "CHARLIE", "DELTA"));
	capture_free(c);
	close(kept);
	assert_non_null(memmem(bytes, n, "the link's own", 14));
	free(bytes);
}

static void test_packets_are_written_in_time(void **state)
{
	int kept;
	struct capture *c = capture_new(sink_open(&kept), NULL);
	const int64_t now = clock_monotonic();
	int64_t due;
	char *bytes;
	size_t n;

	(void)state;
	/* The beginning of the file. */
	capture_dispatch(c, capture_due(c), true);
	assert_true(capture_due(c) == CLOCK_NEVER);
	add(c, 0, PCAPNG_OUT, now, "ALPHA");
	while ((due = capture_due(c)) != CLOCK_NEVER)
		capture_dispatch(c, due, true);
	bytes = sink_bytes(kept, &n);
	assert_non_null(memmem(bytes, n, "ALPHA", 5));
	capture_free(c);
	close(kept);
	free(bytes);
}

static void test_a_long_comment_is_cut(void **state)
{
	char *bytes, text[1000];
	size_t n;
	int kept;
	struct capture *c = capture_new(sink_open(&kept), NULL);
	const struct capture_packet packet = {
		.direction = PCAPNG_IN, .bytes = "E", .n = 1, .comment = text
	};

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	capture_add(c, &packet);
	assert_int_equal(capture_finish(c), 0);
	bytes = sink_bytes(kept, &n);
	assert_non_null(memmem(bytes, n, text, PCAPNG_COMMENT));
	assert_null(memmem(bytes, n, text, PCAPNG_COMMENT + 1));
	capture_free(c);
	close(kept);
	free(bytes);
}

/* A ring with one frame, as the kernel would leave it. Returns its descriptor. */
static int make_ring(const char *packet, bool outgoing, int64_t wall)
{
	const struct tpacket_req shape = timestamp_tap_shape();
	const size_t n = strlen(packet), from = TPACKET_ALIGN(sizeof(struct tpacket2_hdr)),
	             data = from + sizeof(struct sockaddr_ll);
	const struct tpacket2_hdr head = { .tp_status = TP_STATUS_USER,
		.tp_len = (uint32_t)n,
		.tp_snaplen = (uint32_t)n,
		.tp_mac = (uint16_t)data,
		.tp_net = (uint16_t)data,
		.tp_sec = (uint32_t)(wall / NS_PER_S),
		.tp_nsec = (uint32_t)(wall % NS_PER_S) };
	const struct sockaddr_ll sender = { .sll_pkttype = outgoing ? PACKET_OUTGOING
		                                                    : PACKET_HOST };
	const int fd = memfd_create("ring", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)shape.tp_block_nr * shape.tp_block_size), 0);
	assert_int_equal(pwrite(fd, &head, sizeof head, 0), sizeof head);
	assert_int_equal(pwrite(fd, &sender, sizeof sender, (off_t)from), sizeof sender);
	assert_int_equal(pwrite(fd, packet, n, (off_t)data), n);
	return fd;
}

/* When the file says that the packet was seen: before its bytes stand the time in two halves and
 * two lengths. */
static int64_t time_of(const char *file, size_t n, const char *packet)
{
	const char *at = memmem(file, n, packet, strlen(packet));
	uint32_t halves[2];

	assert_non_null(at);
	memcpy(halves, at - 16, sizeof halves);
	return (int64_t)((uint64_t)halves[0] << 32 | halves[1]);
}

/* The file's time of a packet that the link had at `now`, and the kernel so much later. */
static int64_t later_stamp(enum pcapng_direction direction, int64_t now, int64_t wall,
    int64_t later)
{
	static const char packet[] = "PACKET";
	char *bytes;
	size_t n;
	int kept;
	struct timestamp_tap *timestamp_taps[CAPTURE_HOSTS] = {
		timestamp_tap_new(make_ring(packet, direction == PCAPNG_OUT, wall + later), -1)
	};
	struct capture *c = capture_new(sink_open(&kept), timestamp_taps);
	int64_t at;

	assert_non_null(timestamp_taps[0]);
	assert_non_null(c);
	capture_add(c, &(struct capture_packet){ .direction = direction,
	                   .at = now,
	                   .bytes = packet,
	                   .n = sizeof packet - 1,
	                   .key = packet_times_key(packet, sizeof packet - 1, sizeof packet - 1) });
	assert_int_equal(capture_finish(c), 0);
	bytes = sink_bytes(kept, &n);
	at = time_of(bytes, n, packet);
	capture_free(c);
	close(kept);
	assert_non_null(memmem(bytes, n, "0 of 1 packets bear the link's own", 34));
	free(bytes);
	return at - wall;
}

/* Else a delay would look shorter than it was. The two clocks are not read at the same time: to
 * some microseconds. */
static void test_nothing_is_sent_after_the_link_had_it(void **state)
{
	int64_t now, wall;

	(void)state;
	do {
		now = clock_monotonic();
		wall = clock_realtime();
	} while (clock_monotonic() - now > 5 * NS_PER_US);
	assert_uint_in_range(later_stamp(PCAPNG_OUT, now, wall, 90 * NS_PER_US) + 40 * NS_PER_US, 0,
	    80 * NS_PER_US);
	assert_uint_in_range(later_stamp(PCAPNG_OUT, now, wall, 15 * NS_PER_MS) + 40 * NS_PER_US, 0,
	    80 * NS_PER_US);
	assert_uint_in_range(later_stamp(PCAPNG_IN, now, wall, 90 * NS_PER_US), 50 * NS_PER_US,
	    130 * NS_PER_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_in_order),
		cmocka_unit_test(test_packets_are_written_in_time),
		cmocka_unit_test(test_a_long_comment_is_cut),
		cmocka_unit_test(test_nothing_is_sent_after_the_link_had_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
