/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last packets that the lab's link told of, each with the line that it belongs to: what
 * pictures of the exchange are drawn of. A ring; the oldest go first. Pure. */
#ifndef UPCASE_PACKETS_H
#define UPCASE_PACKETS_H

#include "common/event-line.h"

/* Packets kept. */
#define PACKET_LOG_MAX 16384

struct logged_packet {
	/* The lines of whose text or reply it carries a byte: several for a segment; of a packet
	 * without payload the line that was sent last before it. `first` is 0 when there is none.
	 */
	uint64_t first, last;
	/* Over TCP. */
	bool stream;
	enum link_way way;
	enum link_fate fate;
	bool payload, syn, fin, rst, ack;
	/* It carries a byte that was sent before. */
	bool retransmitted;
	/* When it came to the link and when its copies left it, ns of the monotonic clock; copies 0
	 * when it was lost. */
	int64_t in, out[2];
	int copies;
	/* TCP: the place of its first byte in the stream that way, and how many they are. */
	uint64_t place;
	uint32_t length;
	/* It opens or closes a TCP connection (SYN, FIN, RST, their acknowledgements): our port,
	 * else 0; and it is of its end. */
	uint16_t port;
	bool closing;
};

struct packet_log;

/* NULL when memory is short. */
struct packet_log *packet_log_new(void);
/* Takes NULL too. */
void packet_log_free(struct packet_log *p);
void packet_log_add(struct packet_log *p, const struct logged_packet *packet);
/* The packets of a line that came to the link at `since` or later, in the order in which they came:
 * at most `max` into `out`; of more, the first. Returns how many. */
size_t packet_log_find(const struct packet_log *p, bool stream, uint64_t number, int64_t since,
    struct logged_packet *out, size_t max);
/* Those that opened, or closed, the connection from our port `port`, likewise. */
size_t packet_log_find_handshake(const struct packet_log *p, uint16_t port, bool closing,
    int64_t since, struct logged_packet *out, size_t max);

#endif
