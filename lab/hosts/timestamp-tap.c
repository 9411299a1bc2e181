/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rings of the packet sockets have frames too short for whole packets: they hold what a busy
 * relay has not read for a while. The times that were read wait in a ring in their order. Times
 * with the same remainder of the hash form a chain through the ring, in the same order. So the
 * oldest time is at the head of its chain, and one packet's times are found without the others'. */
#include "lab/hosts/timestamp-tap.h"

#include <netinet/in.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/fnv.h"
#include "common/list.h"
#include "lab/hosts/device.h"

/* The kernel's header and its padding come before the packet. */
#define FRAME_SIZE 256u
/* Bytes that the kernel allocates in one piece; how many of them: 8,192 packets. */
#define BLOCK_SIZE (64u << 10)
#define BLOCKS 32u

#define CHAINS 4096

struct packet_time {
	struct packet_times_key key;
	int64_t at;
	LIST_PLACE(packet_time) order;
	bool waits;
};

struct packet_times {
	struct packet_time ring[PACKET_TIMES_MAX];
	/* Where the next one goes. */
	int end;
	LIST_OF(packet_time, chain) chains[CHAINS];
};

/* The place of the transport's checksum, or 0: a kernel that leaves it to the device shows it
 * incomplete. */
static size_t checksum_place(const uint8_t *packet, size_t n)
{
	const bool v4 = n >= 20 && packet[0] >> 4 == 4, v6 = n >= 40 && packet[0] >> 4 == 6;
	const size_t transport = v4 ? (packet[0] & 15u) * 4 : 40;

	/* Only the first fragment has one. */
	if ((!v4 && !v6) || (v4 && ((packet[6] & 0x1f) | packet[7])))
		return 0;
	switch (packet[v4 ? 9 : 6]) {
	case IPPROTO_TCP:
		return transport + 16;
	case IPPROTO_UDP:
		return transport + 6;
	case IPPROTO_ICMPV6:
		return transport + 2;
	default:
		return 0;
	}
}

struct packet_times_key packet_times_key(const void *packet, size_t have, size_t length)
{
	const uint8_t *bytes = packet;
	const size_t n = have < PACKET_TIMES_BYTES ? have : PACKET_TIMES_BYTES,
	             blank = checksum_place(bytes, n);
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < n; i++) {
		const bool left_out = blank && (i == blank || i == blank + 1);
		hash = fnv_byte(hash, left_out ? 0 : bytes[i]);
	}
	return (struct packet_times_key){ .hash = hash, .length = (uint32_t)length };
}

bool packet_times_equal(struct packet_times_key a, struct packet_times_key b)
{
	return a.hash == b.hash && a.length == b.length;
}

struct packet_times *packet_times_new(void)
{
	return calloc(1, sizeof(struct packet_times));
}

static struct chain *chain_of(struct packet_times *t, struct packet_times_key key)
{
	return &t->chains[(key.hash ^ key.hash >> 32) % CHAINS];
}

void packet_times_add(struct packet_times *t, struct packet_times_key key, int64_t at)
{
	struct packet_time *place = &t->ring[t->end];

	if (place->waits)
		LIST_REMOVE(chain_of(t, place->key), place, order);
	*place = (struct packet_time){ .key = key, .at = at, .waits = true };
	LIST_APPEND(chain_of(t, key), place, order);
	t->end = (t->end + 1) % PACKET_TIMES_MAX;
}

bool packet_times_take(struct packet_times *t, struct packet_times_key key, int64_t from,
    int64_t to, int64_t *at)
{
	struct chain *chain = chain_of(t, key);

	for (struct packet_time *seen = chain->first, *next; seen; seen = next) {
		const bool found = seen->at >= from && seen->at <= to &&
		                   packet_times_equal(seen->key, key);

		next = seen->order.next;
		if (found || seen->at < from) {
			LIST_REMOVE(chain, seen, order);
			seen->waits = false;
		}
		if (found) {
			*at = seen->at;
			return true;
		}
	}
	return false;
}

struct timestamp_tap {
	/* The sockets on the host's device and on the outer end, or -1, and their rings. */
	int fd, outer_fd;
	struct device_ring ring, outer_ring;
	/* The times of what the host received; of what it sent. */
	struct packet_times *received, *sent;
};

struct tpacket_req timestamp_tap_shape(void)
{
	return (struct tpacket_req){ .tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = BLOCKS * BLOCK_SIZE / FRAME_SIZE,
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS };
}

struct timestamp_tap *timestamp_tap_new(int fd, int outer)
{
	struct timestamp_tap *tap = calloc(1, sizeof *tap);

	if (!tap) {
		(void)file_close(fd);
		(void)file_close(outer);
		return NULL;
	}
	tap->fd = fd;
	tap->outer_fd = outer;
	if ((tap->received = packet_times_new()) && (tap->sent = packet_times_new()) &&
	    device_ring_map(&tap->ring, fd, timestamp_tap_shape()) == 0 &&
	    (outer < 0 || device_ring_map(&tap->outer_ring, outer, timestamp_tap_shape()) == 0))
		return tap;
	timestamp_tap_free(tap);
	return NULL;
}

void timestamp_tap_free(struct timestamp_tap *tap)
{
	if (!tap)
		return;
	device_ring_unmap(&tap->ring);
	device_ring_unmap(&tap->outer_ring);
	(void)file_close(tap->fd);
	(void)file_close(tap->outer_fd);
	free(tap->received);
	free(tap->sent);
	free(tap);
}

/* Adds the times of what passed a socket, sent to `outgoing`, received to `incoming`, or NULL. */
static void read_ring(struct device_ring *ring, struct packet_times *outgoing,
    struct packet_times *incoming, int64_t offset)
{
	for (struct tpacket2_hdr *frame; (frame = device_ring_frame(ring));) {
		const uint8_t *place = (const uint8_t *)frame;
		const struct sockaddr_ll *from = (const void *)(place +
		                                                TPACKET_ALIGN(sizeof *frame));
		struct packet_times *times = from->sll_pkttype == PACKET_OUTGOING ? outgoing
		                                                                  : incoming;

		if (times)
			packet_times_add(times,
			    packet_times_key(place + frame->tp_net, frame->tp_snaplen,
			        frame->tp_len),
			    frame->tp_sec * NS_PER_S + frame->tp_nsec - offset);
		device_ring_release(ring, frame);
	}
}

/* Each of two sockets has the times of what comes in at its end. */
void timestamp_tap_read(struct timestamp_tap *tap, int64_t offset)
{
	const bool both = tap->outer_fd >= 0;

	read_ring(&tap->ring, both ? NULL : tap->sent, tap->received, offset);
	if (both)
		read_ring(&tap->outer_ring, NULL, tap->sent, offset);
}

bool timestamp_tap_take(struct timestamp_tap *tap, bool sent, struct packet_times_key key,
    int64_t from, int64_t to, int64_t *at)
{
	return packet_times_take(sent ? tap->sent : tap->received, key, from, to, at);
}
