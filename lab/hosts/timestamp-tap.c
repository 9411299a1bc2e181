/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of frames that the kernel shares (PACKET_RX_RING, TPACKET_V2), too short for whole
 * packets: looking into it takes no call, and it holds what a busy relay has not looked at for a
 * while. */
#include "config.h"

#include "lab/hosts/timestamp-tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"

/* The kernel's header and its padding come before the packet. */
#define FRAME_SIZE 256u
/* Bytes that the kernel allocates in one piece; how many of them: 8,192 packets. */
#define BLOCK_SIZE (64u << 10)
#define BLOCKS 32u
#define RING_SIZE (BLOCKS * BLOCK_SIZE)

/* One socket. */
struct tap_socket {
	/* -1: there is none. */
	int fd;
	uint8_t *ring;
	/* The frame that is next. */
	unsigned next;
};

struct timestamp_tap {
	/* On the host's device; on the outer end. */
	struct tap_socket host, outer;
};

struct tpacket_req timestamp_tap_ring(void)
{
	return (struct tpacket_req){ .tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = RING_SIZE / FRAME_SIZE,
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = BLOCKS };
}

static int open_tap_socket(struct tap_socket *tap, int fd)
{
	void *ring = fd < 0 ? NULL
	                    : mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (ring == MAP_FAILED)
		return -1;
	*tap = (struct tap_socket){ .fd = fd, .ring = ring };
	return 0;
}

struct timestamp_tap *timestamp_tap_new(int fd, int outer)
{
	struct timestamp_tap *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	if (open_tap_socket(&s->host, fd) != 0) {
		free(s);
		return NULL;
	}
	if (open_tap_socket(&s->outer, outer) != 0) {
		munmap(s->host.ring, RING_SIZE);
		free(s);
		return NULL;
	}
	return s;
}

static void close_tap_socket(struct tap_socket *tap)
{
	if (tap->fd < 0)
		return;
	munmap(tap->ring, RING_SIZE);
	close(tap->fd);
}

void timestamp_tap_free(struct timestamp_tap *s)
{
	if (!s)
		return;
	close_tap_socket(&s->host);
	close_tap_socket(&s->outer);
	free(s);
}

static void read_frame(const uint8_t *place, struct timestamp_tap_frame *frame)
{
	const struct tpacket2_hdr *head = (const void *)place;
	const struct sockaddr_ll *from = (const void *)(place + TPACKET_ALIGN(sizeof *head));

	frame->outgoing = from->sll_pkttype == PACKET_OUTGOING;
	frame->wall = head->tp_sec * NS_PER_S + head->tp_nsec;
	frame->key = packet_times_key(place + head->tp_net, head->tp_snaplen, head->tp_len);
}

/* The kernel writes the status at another processor's pace: acquire before looking into the frame,
 * release after. */
static bool read_socket(struct tap_socket *tap, struct timestamp_tap_frame *frame)
{
	uint8_t *place = tap->ring + (size_t)tap->next * FRAME_SIZE;
	struct tpacket2_hdr *head = (struct tpacket2_hdr *)(void *)place;

	if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	read_frame(place, frame);
	__atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	tap->next = (tap->next + 1) % (RING_SIZE / FRAME_SIZE);
	return true;
}

/* Of two sockets each reads what comes in at its end. */
bool timestamp_tap_next(struct timestamp_tap *s, struct timestamp_tap_frame *frame)
{
	const bool both = s->outer.fd >= 0;

	while (read_socket(&s->host, frame)) {
		if (!both || !frame->outgoing)
			return true;
	}
	while (both && read_socket(&s->outer, frame)) {
		if (frame->outgoing)
			continue;
		frame->outgoing = true;
		return true;
	}
	return false;
}
