/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of frames that the kernel shares (PACKET_RX_RING, TPACKET_V2), too short for whole packets: looking into it takes no
 * call, and it holds what a busy relay has not looked at for a while. */
#include "config.h"

#include "stamper.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"

/* The kernel's header and its padding come before the packet. */
#define FRAME_SIZE 256u
/* Bytes that the kernel allocates in one piece; how many of them: 8,192 packets. */
#define BLOCK_SIZE (64u << 10)
#define BLOCKS 32u
#define RING_SIZE (BLOCKS * BLOCK_SIZE)

struct stamper {
	int fd;
	uint8_t *ring;
	/* The frame that is next. */
	unsigned next;
};

struct tpacket_req stamper_ring(void)
{
	return (struct tpacket_req) {
		.tp_frame_size = FRAME_SIZE, .tp_frame_nr = RING_SIZE / FRAME_SIZE,
		.tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS,
	};
}

struct stamper *stamper_new(int fd)
{
	struct stamper *s = calloc(1, sizeof *s);
	void *ring;

	if (!s)
		return NULL;
	ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		free(s);
		return NULL;
	}
	s->fd = fd;
	s->ring = ring;
	return s;
}

void stamper_free(struct stamper *s)
{
	if (!s)
		return;
	munmap(s->ring, RING_SIZE);
	close(s->fd);
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
bool stamper_next(struct stamper *s, struct stamper_frame *frame)
{
	uint8_t *place = s->ring + (size_t)s->next * FRAME_SIZE;
	struct tpacket2_hdr *head = (struct tpacket2_hdr *)(void *)place;

	if (!(__atomic_load_n(&head->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	read_frame(place, frame);
	__atomic_store_n(&head->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	s->next = (s->next + 1) % (RING_SIZE / FRAME_SIZE);
	return true;
}
