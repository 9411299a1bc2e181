/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/link/packet.h"

#include <arpa/inet.h>

#include "lab/hosts/checksum.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
/* The bytes of its two halves. */
#define UDP_PORTS 4
#define UDP_LENGTH_CHECKSUM 4
#define TCP_HEADER 20
#define ICMP_HEADER 8
#define FRAGMENT_HEADER 8
/* IPv4 flags in the sixth and seventh byte, and the unit of the offset beside them. */
#define DF 0x4000
#define MF 0x2000
#define OFFSET_MASK 0x1fff
#define OFFSET_UNIT 8
#define DATAGRAM_MAX 65535
#define TTL 64

/* Protocol numbers (IANA). */
enum {
	HOP_BY_HOP = 0,
	ICMP4 = 1,
	IGMP = 2,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAGMENT = 44,
	ICMP6 = 58,
	DESTINATION = 60,
};

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void put16(uint8_t *b, unsigned value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static int read_ipv4(struct packet *p, size_t n)
{
	const uint8_t *b = p->bytes;

	if (n < IPV4_HEADER)
		return -1;
	int header = (b[0] & 15) * 4;
	p->size = get16(b + 2);
	if (header < IPV4_HEADER || p->size < header || (size_t)p->size > n)
		return -1;
	unsigned bits = get16(b + 6);
	p->id = get16(b + 4);
	p->dont_fragment = bits & DF;
	p->more = bits & MF;
	p->offset = (int)(bits & OFFSET_MASK) * OFFSET_UNIT;
	p->fragment = p->more || p->offset;
	p->protocol = b[9];
	p->network = p->transport = header;
	return 0;
}

static int read_ipv6(struct packet *p, size_t n)
{
	const uint8_t *b = p->bytes;

	if (n < IPV6_HEADER)
		return -1;
	p->size = IPV6_HEADER + get16(b + 4);
	if ((size_t)p->size > n)
		return -1;
	p->dont_fragment = true;
	p->protocol = b[6];
	p->network = p->transport = IPV6_HEADER;
	while (p->protocol == HOP_BY_HOP || p->protocol == ROUTING || p->protocol == DESTINATION ||
	       p->protocol == FRAGMENT) {
		const uint8_t *x = b + p->transport;
		if (p->offset)
			return 0;
		if (p->transport + 8 > p->size)
			return -1;
		if (p->protocol == FRAGMENT) {
			p->offset = get16(x + 2) & ~7;
			p->more = get16(x + 2) & 1;
			p->fragment = true;
			p->id = get32(x + 4);
		}
		int length = p->protocol == FRAGMENT ? FRAGMENT_HEADER : (x[1] + 1) * 8;
		p->protocol = x[0];
		p->transport += length;
		if (p->transport > p->size)
			return -1;
	}
	return 0;
}

static void read_transport(struct packet *p)
{
	const uint8_t *b = p->bytes + p->transport;
	int left = p->size - p->transport;

	p->payload = p->transport;
	if (p->offset) {
		/* Later fragments have no header here. */
	} else if (p->protocol == UDP && left >= UDP_HEADER) {
		p->kind = LINK_UDP;
		p->payload += UDP_HEADER;
	} else if (p->protocol == TCP && left >= TCP_HEADER) {
		const int header = (b[12] >> 4) * 4;
		p->kind = LINK_TCP;
		p->seq = get32(b + 4);
		p->ack = get32(b + 8);
		p->flags = b[13];
		p->window = get16(b + 14);
		p->payload += header < TCP_HEADER ? TCP_HEADER : header;
	} else if ((p->protocol == ICMP4 || p->protocol == ICMP6) && left >= ICMP_HEADER) {
		p->kind = LINK_ICMP;
		p->payload += ICMP_HEADER;
		p->source_port = b[0];
		p->target_port = b[1];
	}
	if (p->kind == LINK_UDP || p->kind == LINK_TCP) {
		p->source_port = get16(b);
		p->target_port = get16(b + 2);
	}
	if (p->payload > p->size)
		p->payload = p->size;
	p->length = p->size - p->payload;
}

int packet_read(struct packet *p, const void *bytes, size_t n)
{
	*p = (struct packet){ .bytes = bytes };
	if (n < 1)
		return -1;
	p->version = p->bytes[0] >> 4;
	if (p->version == 4 ? read_ipv4(p, n) : p->version == 6 ? read_ipv6(p, n) : -1)
		return -1;
	read_transport(p);
	return 0;
}

/* Types 130 to 132 and 143: multicast listeners; 133 to 137: discovery. */
bool packet_is_unsolicited(const struct packet *p)
{
	if (p->version == 4)
		return p->protocol == IGMP;
	if (p->kind != LINK_ICMP)
		return false;
	return (p->source_port >= 130 && p->source_port <= 137) || p->source_port == 143;
}

enum packet_class packet_class(const struct packet *p)
{
	if (p->kind == LINK_UDP || (p->offset && p->protocol == UDP))
		return PACKET_CLASS_DATAGRAM;
	if (p->kind != LINK_TCP)
		return p->offset && p->protocol == TCP ? PACKET_CLASS_STREAM : PACKET_CLASS_OTHER;
	if (p->flags & PACKET_SYN)
		return PACKET_CLASS_SYN;
	if (p->length > 0)
		return PACKET_CLASS_STREAM;
	return (p->flags & (PACKET_ACK | PACKET_FIN | PACKET_RST)) == PACKET_ACK
	         ? PACKET_CLASS_ACK
	         : PACKET_CLASS_OTHER;
}

int packet_bits(const struct packet *p)
{
	bool checked = p->protocol == UDP || p->protocol == TCP || p->protocol == ICMP4 ||
	               p->protocol == ICMP6;
	int bytes = p->size - p->transport - (p->kind == LINK_UDP ? UDP_LENGTH_CHECKSUM : 0);

	return checked && bytes > 0 ? bytes * 8 : 0;
}

void packet_flip(const struct packet *p, void *bytes, int bit)
{
	int at = bit / 8;

	if (p->kind == LINK_UDP && at >= UDP_PORTS)
		at += UDP_LENGTH_CHECKSUM;
	((uint8_t *)bytes)[p->transport + at] ^= (uint8_t)(1 << bit % 8);
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 e: errors about errors would never end. */
static bool answerable(const struct packet *p)
{
	const bool group = p->version == 4 ? p->bytes[16] >= 224 : p->bytes[24] == 0xff;

	if (p->offset || group)
		return false;
	if (p->kind != LINK_ICMP)
		return true;
	unsigned type = p->source_port;
	return p->version == 6 ? type >= 128 : type == 0 || type == 8 || type >= 13;
}

size_t packet_too_big(const struct packet *p, int mtu, uint8_t out[PACKET_ERROR_MAX])
{
	const bool v4 = p->version == 4;
	const size_t header = v4 ? IPV4_HEADER : IPV6_HEADER;
	/* The quote fits in 576 bytes (RFC 1812, 4.3.2.3), or in IPv6's minimum MTU. */
	const size_t room = (v4 ? 576 : PACKET_ERROR_MAX) - header - ICMP_HEADER;
	const size_t quote = (size_t)p->size < room ? (size_t)p->size : room;
	const size_t length = ICMP_HEADER + quote;
	uint8_t *icmp = out + header;
	uint32_t sum = 0;

	if (!answerable(p))
		return 0;
	memset(out, 0, header + ICMP_HEADER);
	if (v4) {
		out[0] = 0x45;
		out[1] = 0xc0;
		put16(out + 2, (unsigned)(header + length));
		out[8] = TTL;
		out[9] = ICMP4;
		memcpy(out + 12, p->bytes + 16, 4);
		memcpy(out + 16, p->bytes + 12, 4);
		put16(out + 10, checksum_fold(checksum_add(0, out, header)));
		icmp[0] = 3;
		icmp[1] = 4;
	} else {
		out[0] = 0x60;
		put16(out + 4, (unsigned)length);
		out[6] = ICMP6;
		out[7] = TTL;
		memcpy(out + 8, p->bytes + 24, 16);
		memcpy(out + 24, p->bytes + 8, 16);
		icmp[0] = 2;
		/* The pseudo-header (RFC 8200, 8.1): addresses, length, protocol. */
		sum = checksum_add(0, out + 8, 32) + (uint32_t)length + ICMP6;
	}
	put16(icmp + 6, (unsigned)mtu);
	memcpy(icmp + ICMP_HEADER, p->bytes, quote);
	put16(icmp + 2, checksum_fold(checksum_add(sum, icmp, length)));
	return header + length;
}

bool packet_may_fragment(const struct packet *p)
{
	/* Some fragments of a packet that ends beyond the longest datagram would have no offset. */
	return p->version == 4 && !p->dont_fragment &&
	       p->offset + p->size - p->network <= DATAGRAM_MAX;
}

/* The header of later fragments keeps only the options whose copy bit is set. */
static int later_header(const struct packet *p, uint8_t *out)
{
	int n = IPV4_HEADER;

	for (int i = IPV4_HEADER; i < p->network;) {
		int length = p->bytes[i] <= 1 || i + 1 >= p->network ? 1 : p->bytes[i + 1];
		if (p->bytes[i] == 0 || length < 1 || i + length > p->network)
			break;
		if (p->bytes[i] & 0x80) {
			memcpy(out + n, p->bytes + i, (size_t)length);
			n += length;
		}
		i += length;
	}
	while (n % 4)
		out[n++] = 0;
	out[0] = (uint8_t)(0x40 | n / 4);
	return n;
}

size_t packet_fragment(const struct packet *p, int mtu, int *at, uint8_t *out)
{
	int total = p->size - p->network, header = p->network;

	if (*at >= total)
		return 0;
	memcpy(out, p->bytes, (size_t)p->network);
	if (*at > 0)
		header = later_header(p, out);
	int length = total - *at;
	bool last = header + length <= mtu;
	if (!last)
		length = (mtu - header) / OFFSET_UNIT * OFFSET_UNIT;
	memcpy(out + header, p->bytes + p->network + *at, (size_t)length);
	put16(out + 2, (unsigned)(header + length));
	put16(out + 6, (unsigned)((p->offset + *at) / OFFSET_UNIT | (last && !p->more ? 0 : MF)));
	put16(out + 10, 0);
	put16(out + 10, checksum_fold(checksum_add(0, out, (size_t)header)));
	*at += length;
	return (size_t)(header + length);
}

void packet_hosts(const struct packet *p, char source[46], char target[46])
{
	int family = p->version == 4 ? AF_INET : AF_INET6;

	inet_ntop(family, p->bytes + (p->version == 4 ? 12 : 8), source, 46);
	inet_ntop(family, p->bytes + (p->version == 4 ? 16 : 24), target, 46);
}

char *packet_flags_text(const struct packet *p, char buf[8])
{
	static const uint8_t flags[] = { PACKET_SYN, PACKET_FIN, PACKET_RST, PACKET_PSH, PACKET_ACK,
		PACKET_URG };
	int n = 0;

	for (size_t i = 0; i < sizeof flags; i++)
		if (p->flags & flags[i])
			buf[n++] = "SFRPAU"[i];
	if (n == 0)
		buf[n++] = '-';
	buf[n] = '\0';
	return buf;
}
