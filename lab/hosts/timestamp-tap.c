/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of frames that the kernel shares (PACKET_RX_RING, TPACKET_V2), too short for whole packets: looking into it takes no
 * call, and it holds what a busy relay has not looked at for a while. */
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
struct ear {
	/* -1: there is none. */
	int fd;
	uint8_t *ring;
	/* The frame that is next. */
	unsigned next;
};

struct stamper {
	/* On the host's device; on the outer end. */
	struct ear host, outer;
};

struct tpacket_req stamper_ring(void)
{
	return (struct tpacket_req) {
		.tp_frame_size = FRAME_SIZE, .tp_frame_nr = RING_SIZE / FRAME_SIZE,
		.tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS,
	};
}

static int open_ear(struct ear *ear, int fd)
{
	void *ring = fd < 0 ? NULL : mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (ring == MAP_FAILED)
		return -1;
	*ear = (struct ear) { .fd = fd, .ring = ring };
	return 0;
}

struct stamper *stamper_new(int fd, int outer)
{
	struct stamper *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	if (open_ear(&s->host, fd) != 0) {
		free(s);
		return NULL;
	}
	if (open_ear(&s->outer, outer) != 0) {
		munmap(s->host.ring, RING_SIZE);
		free(s);
		return NULL;
	}
	return s;
}

static void close_ear(struct ear *ear)
{
	if (ear->fd < 0)
		return;
	munmap(ear->ring, RING_SIZE);
	close(ear->fd);
}

void stamper_free(struct stamper *s)
{
	if (!s)
		return;
	close_ear(&s->host);
	close_ear(&s->outer);
	free(s);
}

static void read_frame(const uint8_t *place, struct stamper_frame *frame)
{
	const struct tpacket2_hdr *head = (const void *)place;
	const struct sockaddr_ll *from = (const void *)(place + TPACKET_ALIGN(sizeof *head));

	frame->outgoing = from->sll_pkttype == PACKET_OUTGOING;
	frame->wall = head->tp_sec * NS_PER_S + head->tp_nsec;
	frame->key = sightings_key(place + head->tp_net, head->tp_snaplen, head->tp_len);
}

/* The kernel writes the status at another processor's pace: acquire before looking into the frame, release after. */
static bool hear(struct ear *ear, struct stamper_frame *frame)
{
	uint8_t *place = ear->ring + (size_t)ear->next * FRAME_SIZE;
	struct tpacket2_hdr *head = (struct tpacket2_hdr *)(void *)place;

	if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	read_frame(place, frame);
	__atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ear->next = (ear->next + 1) % (RING_SIZE / FRAME_SIZE);
	return true;
}

/* Of two ears each hears what comes in at its end. */
bool stamper_next(struct stamper *s, struct stamper_frame *frame)
{
	const bool both = s->outer.fd >= 0;

	while (hear(&s->host, frame)) {
		if (!both || !frame->outgoing)
			return true;
	}
	while (both && hear(&s->outer, frame)) {
		if (frame->outgoing)
			continue;
		frame->outgoing = true;
		return true;
	}
	return false;
}
