/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outer end of a host's network device: reads what the host sends, writes what the host
 * receives. Packets are bare IP, whole, with complete checksums, never larger than the device's
 * MTU. The descriptor works without any namespace, so a relay needs none. */
#pragma once

#include <linux/if_packet.h>
#include <sys/types.h>

/* The largest packet that a device can carry. */
#define DEVICE_PACKET_MAX 65535

struct device;

/* Makes a device of non-blocking descriptors, which it takes over. For a TUN device `fd` is
 * /dev/net/tun's, one packet a read, or, for tests, a socket that carries bare packets, and
 * `injector` is -1. For the end of a veth pair they are the two sockets of netlink_packet_socket():
 * `fd` reads what the host sends over its end, with PACKET_VNET_HDR; `injector` sends from the
 * outer end. Such a device keeps the calling process on its present processor: the kernel queues
 * injected packets for each processor, so after a move later packets would overtake earlier ones.
 * `mtu` is the host's own, in bytes. NULL with errno when memory runs out; the descriptors stay. */
struct device *device_new(int fd, int injector, int mtu);

/* Closes the descriptor too. NULL is allowed. */
void device_free(struct device *device);

/* The descriptor to watch for reading; the device owns it. */
int device_fd(const struct device *device);

/* Reads one packet that the host sent. Returns its length in bytes; 0 when the frame was no packet
 * of the host's (ARP, an echo of our own frame, a frame too short): read again. Returns -1 with
 * errno, EAGAIN when there is nothing; any other errno means that the device is gone. */
ssize_t device_read(struct device *device, void *packet, size_t size);

/* Gives the host a packet of `n` bytes. Returns 0, or -1 with errno: EMSGSIZE if it is longer than
 * the device carries, EAGAIN or ENOBUFS when the host's queue is full (the packet is not
 * delivered), EINVAL if it is no IP packet. */
int device_write(struct device *device, const void *packet, size_t n);

/* Packets for which the kernel had no room, as far as the descriptor counts them (veth). */
unsigned long long device_kernel_drops(struct device *device);

/* A ring of frames shared with the kernel (PACKET_RX_RING, TPACKET_V2): the kernel fills the frames
 * in order and marks each as ours; we mark it as the kernel's again. Reading it takes no system
 * call, and it holds more than a socket's buffer does for an ordinary user. */
struct device_ring {
	uint8_t *frames;
	struct tpacket_req shape;
	/* The frame that is read next. */
	unsigned next;
};

/* The shape of a tap's ring for packets of `mtu` bytes. */
struct tpacket_req device_ring_shape(int mtu);
/* Maps the ring of `fd`, which has this shape. Returns 0, or -1 with errno. */
int device_ring_map(struct device_ring *ring, int fd, struct tpacket_req shape);
/* Unmaps the ring; does nothing to a ring that is all zero. */
void device_ring_unmap(struct device_ring *ring);

/* The next frame, or NULL while there is none. The kernel writes the status on another processor:
 * acquire before reading the frame, release after it. */
static inline struct tpacket2_hdr *device_ring_frame(const struct device_ring *ring)
{
	uint8_t *place = ring->frames + (size_t)ring->next * ring->shape.tp_frame_size;
	struct tpacket2_hdr *frame = (struct tpacket2_hdr *)(void *)place;

	return __atomic_load_n(&frame->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER ? frame : NULL;
}

/* Gives the frame back to the kernel. */
static inline void device_ring_release(struct device_ring *ring, struct tpacket2_hdr *frame)
{
	__atomic_store_n(&frame->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring->next = (ring->next + 1) % ring->shape.tp_frame_nr;
}

/* The hardware address that a host at a veth pair must have. */
extern const unsigned char device_host_mac[6];
