/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The packets that a host hands to the link: whatever their headers say, nothing beyond their bytes
 * is read, a router's answer is a packet that is not answered again, and the pieces of a datagram
 * are the datagram. The first byte of an input chooses the MTU and the bit to flip. */
#include <string.h>

#include "lab/link/packet.h"
#include "tests/fuzz/fuzz.h"

#define MTU_LEAST 68
#define PIECE_MOST 65535

static void check_shape(const struct packet *p, size_t n)
{
	fuzz_check(p->version == 4 || p->version == 6);
	fuzz_check(p->size >= 0 && (size_t)p->size <= n);
	fuzz_check(0 < p->network && p->network <= p->transport && p->transport <= p->payload &&
	           p->payload <= p->size);
	fuzz_check(p->length == p->size - p->payload);
	fuzz_check(p->kind == LINK_OTHER || p->offset == 0);
	fuzz_check(p->fragment || (!p->more && p->offset == 0));
	fuzz_check(packet_class(p) <= PACKET_CLASS_ACK);
}

/* A flip stays behind the IP headers, changes one bit, and a second one takes it back. */
static void check_flip(const struct packet *p, int bit)
{
	const size_t n = (size_t)p->size;
	uint8_t *copy;
	int changed = 0;

	if (packet_bits(p) == 0)
		return;
	fuzz_check(packet_bits(p) <= (p->size - p->transport) * 8);
	copy = malloc(n);
	memcpy(copy, p->bytes, n);
	packet_flip(p, copy, bit % packet_bits(p));
	for (size_t i = 0; i < n; i++)
		changed += __builtin_popcount(copy[i] ^ p->bytes[i]);
	fuzz_check(changed == 1 && memcmp(copy, p->bytes, (size_t)p->transport) == 0);
	packet_flip(p, copy, bit % packet_bits(p));
	fuzz_check(memcmp(copy, p->bytes, n) == 0);
	free(copy);
}

static void check_answer(const struct packet *p, int mtu)
{
	uint8_t answer[PACKET_ERROR_MAX], again[PACKET_ERROR_MAX];
	const size_t n = packet_too_big(p, mtu, answer);
	struct packet a;

	if (n == 0)
		return;
	fuzz_check(n <= sizeof answer && packet_read(&a, answer, n) == 0);
	fuzz_check((size_t)a.size == n && a.version == p->version && a.kind == LINK_ICMP &&
	           !a.fragment);
	fuzz_check(!packet_is_unsolicited(&a) && packet_too_big(&a, mtu, again) == 0);
}

static void check_pieces(const struct packet *p, int mtu)
{
	static uint8_t out[PIECE_MOST];
	struct packet piece;
	int at = 0, done = 0;
	size_t n;

	while ((n = packet_fragment(p, mtu, &at, out)) > 0) {
		fuzz_check(n <= (size_t)mtu && packet_read(&piece, out, n) == 0);
		fuzz_check(piece.id == p->id && piece.protocol == p->protocol &&
		           piece.offset == p->offset + done);
		fuzz_check(memcmp(out + piece.network, p->bytes + p->network + done,
		               n - (size_t)piece.network) == 0);
		done += piece.size - piece.network;
		fuzz_check(done == at && piece.more == (p->more || done < p->size - p->network));
	}
	fuzz_check(done == p->size - p->network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p;
	uint8_t *bytes;

	if (size == 0)
		return 0;
	const int mtu = MTU_LEAST + data[0] * 6, bit = data[0] * 37;
	/* Of its exact size, so that a sanitizer sees what is read after it. */
	bytes = malloc(size - 1 + (size == 1));
	memcpy(bytes, data + 1, size - 1);
	if (packet_read(&p, bytes, size - 1) == 0) {
		check_shape(&p, size - 1);
		check_flip(&p, bit);
		check_answer(&p, mtu);
		if (packet_may_fragment(&p) && p.size > mtu)
			check_pieces(&p, mtu);
	}
	free(bytes);
	return 0;
}
