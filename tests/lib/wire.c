/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/impair-fields.h"

#define PATIENCE (10 * NS_PER_S)

static struct device *open_end(int *end)
{
	int pair[2], room = 8 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	                     pair),
	    0);
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	*end = pair[1];
	struct device *device = device_new(pair[0], -1, 1500);
	assert_non_null(device);
	return device;
}

static struct impair_settings settings(const char *text)
{
	struct impair_settings s = impair_perfect();
	char reason[IMPAIR_REASON];

	if (impair_fields_parse(&s, text, reason))
		fail_msg("%s: %s", text, reason);
	return s;
}

struct wire wire_open(const char *there, const char *back, uint64_t seed)
{
	struct wire wire = { .control = NULL };
	struct impair_settings s[] = { settings(there), settings(back) };

	wire.near = open_end(&wire.near_end);
	wire.far = open_end(&wire.far_end);
	wire.link = link_new(&s[0], &s[1], seed, wire.near, wire.far);
	assert_non_null(wire.link);
	return wire;
}

void wire_close(struct wire *wire)
{
	assert_true(link_balanced(wire->link));
	control_free(wire->control);
	link_free(wire->link);
	device_free(wire->near);
	device_free(wire->far);
	close(wire->near_end);
	close(wire->far_end);
}

void wire_turn(struct wire *wire, int64_t most)
{
	struct fd_watch w;
	struct timespec wait;
	int64_t now = clock_monotonic();

	fd_watch_start(&w);
	link_watch(wire->link, &w);
	if (wire->control)
		control_watch(wire->control, &w);
	fd_watch_until(&w, now + most);
	int ready = pselect(w.count, &w.readable, &w.writable, NULL,
	    clock_until(w.deadline, now, &wait), NULL);
	assert_true(ready >= 0);
	link_dispatch(wire->link, &w);
	if (wire->control)
		control_dispatch(wire->control, &w, clock_monotonic());
	assert_true(link_balanced(wire->link));
}

int wire_receive(struct wire *wire, int end, uint8_t *packet, size_t size)
{
	int64_t limit = clock_monotonic() + PATIENCE;
	ssize_t n;

	while ((n = recv(end, packet, size, 0)) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_true(clock_monotonic() < limit);
		wire_turn(wire, 100 * NS_PER_MS);
	}
	return (int)n;
}

void wire_drain(struct wire *wire)
{
	int64_t limit = clock_monotonic() + PATIENCE;

	do {
		assert_true(clock_monotonic() < limit);
		wire_turn(wire, 0);
	} while (link_counts(wire->link, LINK_GOING)->in_flight ||
	         link_counts(wire->link, LINK_COMING)->in_flight);
}

static size_t ipv4(uint8_t *packet, bool there, bool whole, uint8_t protocol, size_t n)
{
	const uint8_t near[] = { 10, 9, 0, 1 }, far[] = { 10, 9, 0, 2 };

	memset(packet, 0, 20);
	packet[0] = 0x45;
	packet[2] = (uint8_t)((20 + n) >> 8);
	packet[3] = (uint8_t)(20 + n);
	packet[5] = 7;
	packet[6] = whole ? 0x40 : 0;
	packet[8] = 64;
	packet[9] = protocol;
	memcpy(packet + (there ? 12 : 16), near, 4);
	memcpy(packet + (there ? 16 : 12), far, 4);
	return 20 + n;
}

static void ports(uint8_t *b, bool there)
{
	/* 40000 at the near host, 12000 at the far one. */
	const uint8_t near[] = { 0x9c, 0x40 }, far[] = { 0x2e, 0xe0 };
	memcpy(b, there ? near : far, 2);
	memcpy(b + 2, there ? far : near, 2);
}

size_t wire_udp(uint8_t *packet, bool there, bool whole, const void *payload, size_t n)
{
	size_t size = ipv4(packet, there, whole, 17, 8 + n);

	ports(packet + 20, there);
	packet[24] = (uint8_t)((8 + n) >> 8);
	packet[25] = (uint8_t)(8 + n);
	packet[26] = packet[27] = 0xee;
	memcpy(packet + 28, payload, n);
	return size;
}

size_t wire_tcp(uint8_t *packet, bool there, uint8_t flags, size_t n)
{
	size_t size = ipv4(packet, there, true, 6, 20 + n);

	memset(packet + 20, 0, 20 + n);
	ports(packet + 20, there);
	packet[27] = 99;
	packet[32] = 0x50;
	packet[33] = flags;
	return size;
}

void wire_send(struct wire *wire, int end, const void *packet, size_t n)
{
	int64_t limit = clock_monotonic() + PATIENCE;

	while (send(end, packet, n, 0) < 0) {
		assert_int_equal(errno, EAGAIN);
		assert_true(clock_monotonic() < limit);
		wire_turn(wire, 0);
	}
}
