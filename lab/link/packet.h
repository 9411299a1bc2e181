/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the headers of an IP packet, and makes the packets that a router makes of it. Pure; never
 * reads past the end, whatever the headers say. */
#pragma once

#include "common/event-line.h"

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_PSH 0x08
#define PACKET_ACK 0x10
#define PACKET_URG 0x20

/* The longest ICMP error that packet_too_big() makes: IPv6's minimum MTU (RFC 4443, 2.4 c). */
#define PACKET_ERROR_MAX 1280

struct packet {
	/* Borrowed: the packet itself, `size` bytes by its own header. */
	const uint8_t *bytes;
	int size;
	/* 4 or 6. */
	int version;
	/* The kind of payload after the IP headers; LINK_OTHER for a later fragment. ICMP stands
	 * for both versions. */
	enum link_protocol kind;
	/* The protocol's number behind IPv6's extension headers. */
	uint8_t protocol;
	/* The end of the IP header alone; the beginning of the transport's header; the beginning of
	 * the payload. */
	int network, transport, payload;
	/* Bytes of payload in this packet. */
	int length;
	/* UDP and TCP; ICMP's type and code stand in the port's places. */
	uint16_t source_port, target_port;
	/* TCP. */
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
	/* IPv4's identification, or that of IPv6's fragment header, else 0. */
	uint32_t id;
	/* It is a fragment of a datagram; more follow; it must not be fragmented. The offset of its
	 * payload in bytes. */
	bool fragment, more, dont_fragment;
	int offset;
};

/* Reads the headers of `n` bytes. Returns 0, or -1 if it is no whole IP packet. */
int packet_read(struct packet *p, const void *bytes, size_t n);

/* Whether it is what hosts send by themselves: IPv6 neighbour and router discovery (RFC 4861),
 * multicast listeners (RFC 3810), IGMP. */
bool packet_is_unsolicited(const struct packet *p);

/* The classes of packets for requested drops: bits, so that a drop can have several. */
enum packet_class {
	PACKET_CLASS_OTHER = 0,
	/* It carries data of a program: UDP; TCP with payload. */
	PACKET_CLASS_DATAGRAM = 1,
	PACKET_CLASS_STREAM = 2,
	PACKET_CLASS_SYN = 4,
	/* It is only a TCP acknowledgement. */
	PACKET_CLASS_ACK = 8,
	/* It ends a stream; with payload it is also of PACKET_CLASS_STREAM: packet_class() says
	 * that. */
	PACKET_CLASS_FIN = 16,
};

enum packet_class packet_class(const struct packet *p);

/* The number of bits of which a flipped one is surely noticed: those of the transport's header and
 * payload, without UDP's length and checksum, where one flip can pass (a checksum of 0 means none).
 */
int packet_bits(const struct packet *p);
/* Flips bit `bit`, 0 to packet_bits() - 1, in `bytes`, which the packet was read from. */
void packet_flip(const struct packet *p, void *bytes, int bit);

/* Makes the ICMP error that a router answers with when the packet is larger than `mtu`: type 3 code
 * 4 with the next hop's MTU (RFC 1191), or type 2 (RFC 4443). Its source is the packet's target,
 * because the wire has no address of its own. Returns its length in `out`, or 0 if none is due: to
 * an ICMP error, a later fragment, a group address. */
size_t packet_too_big(const struct packet *p, int mtu, uint8_t out[PACKET_ERROR_MAX]);

/* Whether a router may fragment it: IPv4 without DF, and no fragment that ends beyond 65535 bytes.
 */
bool packet_may_fragment(const struct packet *p);
/* Makes one fragment of a packet, as a router does (RFC 791): `*at` is how much of the payload is
 * done, 0 at first. Writes at most `mtu` (68 or more) bytes. Returns its length, 0 when all is
 * done. */
size_t packet_fragment(const struct packet *p, int mtu, int *at, uint8_t *out);

/* Writes the two addresses, "10.9.0.1" or "fd09::1", each with room for 46 bytes. */
void packet_hosts(const struct packet *p, char source[46], char target[46]);
/* TCP's flags as letters, "S", "SA", "PA", "-". Returns `buf`. */
char *packet_flags_text(const struct packet *p, char buf[8]);
