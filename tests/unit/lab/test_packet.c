/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets are built here from bytes, checksums by code of the test's own, so that reader and writer
 * do not share a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/random.h"
#include "lab/link/packet.h"

#define ROOM 4096

struct built {
	uint8_t bytes[ROOM];
	size_t n;
};

/* The one's complement sum, folded: 0xffff over anything that holds its own right checksum. */
static unsigned sum(unsigned long start, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		start += i % 2 ? b[i] : (unsigned long)b[i] << 8;
	while (start > 0xffff)
		start = (start & 0xffff) + (start >> 16);
	return (unsigned)start;
}

/* The pseudo-header's part of the sum. */
static unsigned long pseudo(const struct built *b, uint8_t protocol, size_t length)
{
	bool four = b->bytes[0] >> 4 == 4;
	return sum(protocol + length, b->bytes + (four ? 12 : 8), four ? 8 : 32);
}

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static size_t header(struct built *b, int version, uint8_t protocol, size_t length, bool df)
{
	static const uint8_t near4[] = { 10, 9, 0, 1 }, far4[] = { 10, 9, 0, 2 };

	memset(b, 0, sizeof *b);
	if (version == 4) {
		b->bytes[0] = 0x45;
		put16(b->bytes + 2, (unsigned)(20 + length));
		put16(b->bytes + 4, 0x1234);
		b->bytes[6] = df ? 0x40 : 0;
		b->bytes[8] = 64;
		b->bytes[9] = protocol;
		memcpy(b->bytes + 12, near4, 4);
		memcpy(b->bytes + 16, far4, 4);
		put16(b->bytes + 10, ~sum(0, b->bytes, 20) & 0xffff);
	} else {
		b->bytes[0] = 0x60;
		put16(b->bytes + 4, (unsigned)length);
		b->bytes[6] = protocol;
		b->bytes[7] = 64;
		b->bytes[8] = b->bytes[24] = 0xfd;
		b->bytes[9] = b->bytes[25] = 0x09;
		b->bytes[23] = 1;
		b->bytes[39] = 2;
	}
	b->n = (version == 4 ? 20 : 40) + length;
	return b->n - length;
}

static struct built udp(int version, const char *payload, size_t length, bool df)
{
	struct built b;
	size_t at = header(&b, version, 17, 8 + length, df);

	put16(b.bytes + at, 40000);
	put16(b.bytes + at + 2, 12000);
	put16(b.bytes + at + 4, (unsigned)(8 + length));
	memcpy(b.bytes + at + 8, payload, length);
	unsigned check = ~sum(pseudo(&b, 17, 8 + length), b.bytes + at, 8 + length) & 0xffff;
	put16(b.bytes + at + 6, check ? check : 0xffff);
	return b;
}

static struct built tcp(int version, uint8_t flags, size_t options, size_t length)
{
	struct built b;
	size_t at = header(&b, version, 6, 20 + options + length, true);

	put16(b.bytes + at, 40000);
	put16(b.bytes + at + 2, 12000);
	put16(b.bytes + at + 4, 0x1122);
	put16(b.bytes + at + 6, 0x3344);
	put16(b.bytes + at + 10, 77);
	b.bytes[at + 12] = (uint8_t)((20 + options) / 4 << 4);
	b.bytes[at + 13] = flags;
	put16(b.bytes + at + 14, 502);
	memset(b.bytes + at + 20 + options, 'x', length);
	put16(b.bytes + at + 16,
	    ~sum(pseudo(&b, 6, 20 + options + length), b.bytes + at, 20 + options + length) &
	        0xffff);
	return b;
}

static struct packet reads(const struct built *b)
{
	struct packet p;
	assert_int_equal(packet_read(&p, b->bytes, b->n), 0);
	return p;
}

static void test_reads_udp(void **state)
{
	(void)state;
	char source[46], target[46];
	for (int version = 4; version <= 6; version += 2) {
		struct built b = udp(version, "hello", 5, true);
		struct packet p = reads(&b);
		assert_int_equal(p.version, version);
		assert_int_equal(p.kind, LINK_UDP);
		assert_int_equal(p.source_port, 40000);
		assert_int_equal(p.target_port, 12000);
		assert_int_equal(p.length, 5);
		assert_memory_equal(b.bytes + p.payload, "hello", 5);
		assert_int_equal(p.id, version == 4 ? 0x1234 : 0);
		assert_int_equal(packet_class(&p), PACKET_CLASS_DATAGRAM);
		packet_hosts(&p, source, target);
		assert_string_equal(source, version == 4 ? "10.9.0.1" : "fd09::1");
		assert_string_equal(target, version == 4 ? "10.9.0.2" : "fd09::2");
	}
}

static void test_reads_tcp(void **state)
{
	(void)state;
	static const struct {
		uint8_t flags;
		size_t length;
		enum packet_class class;
		const char *text;
	} cases[] = {
		{ PACKET_SYN, 0, PACKET_CLASS_SYN, "S" },
		{ PACKET_SYN | PACKET_ACK, 0, PACKET_CLASS_SYN, "SA" },
		{ PACKET_ACK, 0, PACKET_CLASS_ACK, "A" },
		{ PACKET_ACK | PACKET_PSH, 6, PACKET_CLASS_STREAM, "PA" },
		{ PACKET_ACK | PACKET_FIN, 0, PACKET_CLASS_OTHER, "FA" },
		{ PACKET_RST, 0, PACKET_CLASS_OTHER, "R" },
		{ 0, 0, PACKET_CLASS_OTHER, "-" },
	};
	char text[8];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct built b = tcp(i % 2 ? 4 : 6, cases[i].flags, 12, cases[i].length);
		struct packet p = reads(&b);
		assert_int_equal(p.kind, LINK_TCP);
		assert_int_equal(p.seq, 0x11223344);
		assert_int_equal(p.ack, 77);
		assert_int_equal(p.window, 502);
		assert_int_equal(p.length, cases[i].length);
		assert_int_equal(packet_class(&p), cases[i].class);
		assert_string_equal(packet_flags_text(&p, text), cases[i].text);
	}
}

static void test_reads_ipv6_behind_extensions(void **state)
{
	(void)state;
	struct built b;
	/* Hop-by-hop of 8 bytes, a fragment header, UDP. */
	size_t at = header(&b, 6, 0, 16 + 8 + 3, true);
	b.bytes[at] = 44;
	b.bytes[at + 8] = 17;
	b.bytes[at + 11] = 1;
	b.bytes[at + 15] = 9;
	put16(b.bytes + at + 16, 1);
	put16(b.bytes + at + 18, 2);
	struct packet p = reads(&b);
	assert_int_equal(p.kind, LINK_UDP);
	assert_int_equal(p.target_port, 2);
	assert_int_equal(p.length, 3);
	assert_true(p.fragment && p.more);
	assert_int_equal(p.id, 9);
	/* A later fragment has no ports, but belongs to the data. */
	put16(b.bytes + at + 10, 1280);
	p = reads(&b);
	assert_int_equal(p.kind, LINK_OTHER);
	assert_int_equal(p.offset, 1280);
	assert_int_equal(packet_class(&p), PACKET_CLASS_DATAGRAM);
}

static void test_refuses_what_is_no_packet(void **state)
{
	(void)state;
	struct built b = udp(4, "hello", 5, false);
	struct packet p;

	/* Cut short anywhere. */
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *cut = malloc(n + 1);
		memcpy(cut, b.bytes, n);
		uint8_t *exact = realloc(cut, n ? n : 1);
		assert_int_equal(packet_read(&p, exact, n), -1);
		free(exact);
	}
	/* Longer than it says: the rest does not count. */
	assert_int_equal(packet_read(&p, b.bytes, b.n + 100), 0);
	assert_int_equal(p.size, b.n);
	b.bytes[0] = 0x43;
	assert_int_equal(packet_read(&p, b.bytes, b.n), -1);
	b.bytes[0] = 0x55;
	assert_int_equal(packet_read(&p, b.bytes, b.n), -1);
}

/* Random bytes in exact allocations: the sanitizer sees what is read too far. */
static void test_survives_anything(void **state)
{
	(void)state;
	struct random dice;
	struct packet p;
	uint8_t out[PACKET_ERROR_MAX], piece[ROOM];
	int read = 0;

	random_seed(&dice, 3, 0);
	for (int i = 0; i < 200000; i++) {
		size_t n = 1 + random_next(&dice) % 120;
		uint8_t *bytes = malloc(n);
		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)random_next(&dice);
		bytes[0] = i % 2 ? 0x60 : (uint8_t)(0x40 | (bytes[0] & 7));
		if (n > 6) {
			put16(bytes + (i % 2 ? 4 : 2), (unsigned)(i % 2 && n > 40 ? n - 40 : n));
			static const uint8_t next[] = { 0, 6, 17, 43, 44, 58, 60, 1 };
			if (i % 2)
				bytes[6] = next[bytes[6] % 8];
			else if (n > 9)
				bytes[9] = next[bytes[9] % 8];
		}
		if (packet_read(&p, bytes, n) == 0) {
			read++;
			assert_true(p.payload + p.length == p.size && p.length >= 0);
			packet_too_big(&p, 1280, out);
			int bits = packet_bits(&p);
			if (bits > 0) {
				packet_flip(&p, bytes, bits - 1);
				packet_flip(&p, bytes, 0);
			}
			for (int at = 0;
			    packet_may_fragment(&p) && packet_fragment(&p, 68, &at, piece) > 0;)
				;
		}
		free(bytes);
	}
	assert_true(read > 50000);
}

/* Every flip that may happen makes the checksum wrong. */
static void test_every_flip_is_noticed(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		int version = i % 2 ? 6 : 4;
		struct built b = i / 2 == 0 ? udp(version, "hello", 5, true)
		               : i / 2 == 1 ? udp(version, "", 0, true)
		                            : tcp(version, PACKET_ACK, 12, 3);
		struct packet p = reads(&b);
		size_t at = version == 4 ? 20 : 40;
		uint8_t protocol = p.protocol;
		assert_int_equal(sum(pseudo(&b, protocol, b.n - at), b.bytes + at, b.n - at),
		    0xffff);
		assert_int_equal(packet_bits(&p), (b.n - at - (protocol == 17 ? 4 : 0)) * 8);
		for (int bit = 0; bit < packet_bits(&p); bit++) {
			struct built bad = b;
			packet_flip(&p, bad.bytes, bit);
			assert_memory_equal(bad.bytes, b.bytes, at);
			assert_memory_not_equal(bad.bytes, b.bytes, b.n);
			assert_int_not_equal(sum(pseudo(&bad, protocol, b.n - at), bad.bytes + at,
			                         b.n - at),
			    0xffff);
			/* The length still fits, and "no checksum" cannot come up. */
			if (protocol == 17)
				assert_memory_equal(bad.bytes + at + 4, b.bytes + at + 4, 4);
		}
	}
}

static void test_too_big4(void **state)
{
	(void)state;
	static char payload[1400];
	struct built b = udp(4, payload, sizeof payload, true);
	struct packet p = reads(&b), answer;
	uint8_t out[PACKET_ERROR_MAX];

	size_t n = packet_too_big(&p, 1200, out);
	assert_int_equal(n, 576);
	assert_int_equal(packet_read(&answer, out, n), 0);
	assert_int_equal(answer.protocol, 1);
	assert_memory_equal(out + 12, b.bytes + 16, 4);
	assert_memory_equal(out + 16, b.bytes + 12, 4);
	assert_int_equal(sum(0, out, 20), 0xffff);
	assert_int_equal(sum(0, out + 20, n - 20), 0xffff);
	assert_int_equal(out[20], 3);
	assert_int_equal(out[21], 4);
	assert_int_equal(out[26] << 8 | out[27], 1200);
	assert_memory_equal(out + 28, b.bytes, n - 28);
	/* No error about an error. */
	struct built error = { .n = n };
	memcpy(error.bytes, out, n);
	p = reads(&error);
	assert_int_equal(packet_too_big(&p, 100, out), 0);
}

static void test_too_big6(void **state)
{
	(void)state;
	static char payload[1400];
	struct built b = udp(6, payload, sizeof payload, true);
	struct packet p = reads(&b);
	struct built answer = { .n = 0 };

	answer.n = packet_too_big(&p, 1300, answer.bytes);
	assert_int_equal(answer.n, 1280);
	struct packet a = reads(&answer);
	assert_int_equal(a.protocol, 58);
	assert_int_equal(answer.bytes[40], 2);
	assert_int_equal(answer.bytes[46] << 8 | answer.bytes[47], 1300);
	assert_memory_equal(answer.bytes + 8, b.bytes + 24, 16);
	assert_int_equal(sum(pseudo(&answer, 58, 1240), answer.bytes + 40, 1240), 0xffff);
	assert_false(packet_may_fragment(&p));
	assert_int_equal(packet_too_big(&a, 1000, b.bytes), 0);
}

static void test_cut_and_put_together(void **state)
{
	(void)state;
	static char payload[3000];
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (char)(i * 7);
	for (int mtu = 68; mtu < 1600; mtu += 51) {
		struct built b = udp(4, payload, sizeof payload, false);
		struct packet p = reads(&b), piece;
		uint8_t out[ROOM], whole[ROOM] = { 0 };
		size_t n, total = 0;
		bool more = true;

		assert_true(packet_may_fragment(&p));
		for (int at = 0; (n = packet_fragment(&p, mtu, &at, out)) > 0;) {
			assert_true(n <= (size_t)mtu);
			assert_int_equal(sum(0, out, 20), 0xffff);
			assert_int_equal(packet_read(&piece, out, n), 0);
			assert_int_equal(piece.size, n);
			assert_int_equal(piece.id, 0x1234);
			assert_int_equal(piece.offset, total);
			assert_true(more);
			more = piece.more;
			memcpy(whole + piece.offset, out + 20, n - 20);
			total += n - 20;
		}
		assert_false(more);
		assert_int_equal(total, b.n - 20);
		assert_memory_equal(whole, b.bytes + 20, total);
	}
}

/* A piece of a piece keeps its place; options are kept in the later pieces only if they ask for it.
 */
static void test_cut_piece_with_options(void **state)
{
	(void)state;
	uint8_t bytes[20 + 8 + 400] = { 0x47 }, out[ROOM];
	/* No-operation, record route (7, not copied), padding; then stream id (136, copied). */
	const uint8_t options[8] = { 1, 7, 3, 4, 136, 4, 0, 9 };
	struct packet p, piece;
	int at = 0;

	put16(bytes + 2, sizeof bytes);
	put16(bytes + 6, 0x2000 | 100);
	bytes[8] = 64;
	bytes[9] = 17;
	memcpy(bytes + 20, options, 8);
	assert_int_equal(packet_read(&p, bytes, sizeof bytes), 0);
	size_t n = packet_fragment(&p, 200, &at, out);
	assert_int_equal(packet_read(&piece, out, n), 0);
	assert_int_equal(piece.network, 28);
	assert_int_equal(piece.offset, 800);
	n = packet_fragment(&p, 200, &at, out);
	assert_int_equal(packet_read(&piece, out, n), 0);
	assert_int_equal(piece.network, 24);
	assert_memory_equal(out + 20, options + 4, 4);
	assert_int_equal(piece.offset, 800 + 168);
	assert_true(piece.more);
	n = packet_fragment(&p, 200, &at, out);
	assert_int_equal(packet_read(&piece, out, n), 0);
	/* The last piece of what was not the last one. */
	assert_true(piece.more);
	assert_int_equal(packet_fragment(&p, 200, &at, out), 0);
}

static void test_chatter(void **state)
{
	(void)state;
	static const struct {
		int version;
		uint8_t protocol, type;
		bool unsolicited;
	} cases[] = {
		{ 6, 58, 133, true },
		{ 6, 58, 135, true },
		{ 6, 58, 143, true },
		{ 6, 58, 131, true },
		{ 6, 58, 128, false },
		{ 6, 58, 2, false },
		{ 4, 2, 0x22, true },
		{ 4, 1, 8, false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct built b;
		size_t at = header(&b, cases[i].version, cases[i].protocol, 8, false);
		b.bytes[at] = cases[i].type;
		struct packet p = reads(&b);
		assert_int_equal(packet_is_unsolicited(&p), cases[i].unsolicited);
	}
}

/* MLD reports stand behind a hop-by-hop header with a router alert. */
static void test_chatter_behind_hop_by_hop(void **state)
{
	(void)state;
	struct built b;
	size_t at = header(&b, 6, 0, 8 + 8, true);
	b.bytes[at] = 58;
	b.bytes[at + 8] = 143;
	struct packet p = reads(&b);
	assert_true(packet_is_unsolicited(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_udp),
		cmocka_unit_test(test_reads_tcp),
		cmocka_unit_test(test_reads_ipv6_behind_extensions),
		cmocka_unit_test(test_refuses_what_is_no_packet),
		cmocka_unit_test(test_survives_anything),
		cmocka_unit_test(test_every_flip_is_noticed),
		cmocka_unit_test(test_too_big4),
		cmocka_unit_test(test_too_big6),
		cmocka_unit_test(test_cut_and_put_together),
		cmocka_unit_test(test_cut_piece_with_options),
		cmocka_unit_test(test_chatter),
		cmocka_unit_test(test_chatter_behind_hop_by_hop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
