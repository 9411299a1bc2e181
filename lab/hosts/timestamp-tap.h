/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The times at which a host's kernel sent and received each packet, from a packet socket on the
 * host's own device, which carries nothing. The descriptor keeps working without any namespace. */
#pragma once

#include <linux/if_packet.h>

/* The bytes that tell packets apart: IPv6's header, TCP's with all options, a little text. */
#define PACKET_TIMES_BYTES 112
/* The most times that wait; a further one replaces the oldest. */
#define PACKET_TIMES_MAX 8192

/* Equal for equal packets, whether or not their transport's checksum is complete. */
struct packet_times_key {
	uint64_t hash;
	uint32_t length;
};

/* Times of packets in one direction. The caller that sees packets pass adds them; the caller that
 * knows a packet takes its time. Both know only the packet's first bytes and its length, and either
 * may miss some packets. Opaque, pure. */
struct packet_times;

/* The key of a bare IP packet of `length` bytes, of which `have` are at `packet`. */
struct packet_times_key packet_times_key(const void *packet, size_t have, size_t length);
bool packet_times_equal(struct packet_times_key a, struct packet_times_key b);

/* The caller frees with free(). Returns NULL when memory runs out. */
struct packet_times *packet_times_new(void);

/* Adds the time of a packet, ns, not earlier than those added before. */
void packet_times_add(struct packet_times *t, struct packet_times_key key, int64_t at);

/* Takes the first time of such a packet from `from` to `to` ns, into `at`, and drops its times
 * before `from`. Returns whether there was one. */
bool packet_times_take(struct packet_times *t, struct packet_times_key key, int64_t from,
    int64_t to, int64_t *at);

struct timestamp_tap;

/* Takes over netlink_timestamp_tap()'s socket on the host's device; for a veth pair also that on
 * the outer end, which receives what the host sends, else -1. (At the host's end of a pair an
 * outgoing packet bears the time before the kernel wakes the link up, and so before it stamps the
 * packet for its sender: 20 us on some machines.) NULL with errno; then they are closed. */
struct timestamp_tap *timestamp_tap_new(int fd, int outer);
/* Closes the sockets. NULL is allowed. */
void timestamp_tap_free(struct timestamp_tap *tap);

/* Reads the times since the last call; `offset`: wall minus monotonic clock, ns. Never waits. */
void timestamp_tap_read(struct timestamp_tap *tap, int64_t offset);
/* Like packet_times_take(), of the packets that the host sent or received. */
bool timestamp_tap_take(struct timestamp_tap *tap, bool sent, struct packet_times_key key,
    int64_t from, int64_t to, int64_t *at);

/* The shape of the socket's ring. */
struct tpacket_req timestamp_tap_shape(void);
