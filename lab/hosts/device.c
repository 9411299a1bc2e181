/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/hosts/device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lab/hosts/checksum.h"

struct device {
	int fd;
	/* The host's own MTU, bytes. */
	int mtu;
	/* Of a veth pair: the socket that sends to the host, else -1; the ring of what it sent. */
	int injector;
	struct device_ring ring;
	/* Packets that did not fit into the ring. */
	unsigned long long kernel_drops;
};

/* Bytes of a ring: 4,000 packets of 1,500 bytes. */
#define RING_SIZE (8u << 20)
/* Bytes that the kernel allocates in one piece. */
#define BLOCK_SIZE (64u << 10)
/* The space before a packet in its frame: the kernel's padded header, virtio's, Ethernet's. */
#define FRAME_HEAD 128

/* Locally administered, the same for both hosts: without ARP no host compares the addresses. */
const unsigned char device_host_mac[ETH_ALEN] = { 0x02, 0, 0, 0x09, 0, 0x01 };

static bool is_veth(const struct device *device)
{
	return device->injector >= 0;
}

struct tpacket_req device_ring_shape(int mtu)
{
	struct tpacket_req shape = { .tp_frame_size = 2048, .tp_block_size = BLOCK_SIZE };

	while (shape.tp_frame_size < (unsigned)mtu + FRAME_HEAD)
		shape.tp_frame_size *= 2;
	if (shape.tp_block_size < shape.tp_frame_size)
		shape.tp_block_size = shape.tp_frame_size;
	shape.tp_block_nr = RING_SIZE / shape.tp_block_size;
	shape.tp_frame_nr = RING_SIZE / shape.tp_frame_size;
	return shape;
}

int device_ring_map(struct device_ring *ring, int fd, struct tpacket_req shape)
{
	void *frames = mmap(NULL, (size_t)shape.tp_block_size * shape.tp_block_nr,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (frames == MAP_FAILED)
		return -1;
	*ring = (struct device_ring){ .frames = frames, .shape = shape };
	return 0;
}

void device_ring_unmap(struct device_ring *ring)
{
	if (ring->frames)
		munmap(ring->frames, (size_t)ring->shape.tp_block_size * ring->shape.tp_block_nr);
}

static void pin_to_processor(void)
{
	int here = sched_getcpu();
	cpu_set_t set;

	if (here < 0 || here >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(here, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

struct device *device_new(int fd, int injector, int mtu)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	*device = (struct device){ .fd = fd, .injector = injector, .mtu = mtu };
	if (!is_veth(device))
		return device;
	if (device_ring_map(&device->ring, fd, device_ring_shape(mtu)) != 0) {
		const int error = errno;

		free(device);
		errno = error;
		return NULL;
	}
	pin_to_processor();
	return device;
}

void device_free(struct device *device)
{
	if (!device)
		return;
	device_ring_unmap(&device->ring);
	if (device->injector >= 0)
		close(device->injector);
	close(device->fd);
	free(device);
}

unsigned long long device_kernel_drops(struct device *device)
{
	struct tpacket_stats stats;
	socklen_t n = sizeof(stats);

	/* Reading the kernel's count sets it to 0. */
	if (is_veth(device) &&
	    getsockopt(device->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) == 0)
		device->kernel_drops += stats.tp_drops;
	return device->kernel_drops;
}

int device_fd(const struct device *device)
{
	return device->fd;
}

static bool is_ip(const uint8_t *packet, size_t n)
{
	return n >= 20 && (packet[0] >> 4 == 4 || packet[0] >> 4 == 6);
}

/* Copies the packet of a frame. Returns its length, or 0 if it is not whole or not IP. */
static ssize_t open_frame(const struct tpacket2_hdr *frame, uint8_t *packet, size_t size)
{
	const uint8_t *start = (const uint8_t *)frame + frame->tp_mac;
	const size_t head = sizeof(struct ethhdr);
	struct virtio_net_hdr offload;
	struct ethhdr ethernet;
	size_t n = frame->tp_snaplen - head;

	if (frame->tp_snaplen <= head || frame->tp_snaplen != frame->tp_len || n > size)
		return 0;
	memcpy(&ethernet, start, head);
	memcpy(&offload, start - sizeof(offload), sizeof(offload));
	if (ethernet.h_proto != htons(ETH_P_IP) && ethernet.h_proto != htons(ETH_P_IPV6))
		return 0;
	memcpy(packet, start + head, n);
	/* virtio counts from the frame's start. */
	if (offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	    (offload.csum_start < head ||
	        !checksum_complete(packet, n, offload.csum_start - head, offload.csum_offset)))
		return 0;
	return (ssize_t)n;
}

static ssize_t read_ring(struct device *device, uint8_t *packet, size_t size)
{
	struct tpacket2_hdr *frame = device_ring_frame(&device->ring);
	ssize_t n;

	if (!frame) {
		errno = EAGAIN;
		return -1;
	}
	n = open_frame(frame, packet, size);
	device_ring_release(&device->ring, frame);
	return n;
}

ssize_t device_read(struct device *device, void *packet, size_t size)
{
	ssize_t n;

	do {
		n = is_veth(device) ? read_ring(device, packet, size)
		                    : read(device->fd, packet, size);
	} while (n < 0 && errno == EINTR);
	/* A socket's end. */
	if (n == 0 && !is_veth(device)) {
		errno = ENODEV;
		return -1;
	}
	return n > 0 && !is_ip(packet, (size_t)n) ? 0 : n;
}

static ssize_t write_frame(const struct device *device, const uint8_t *packet, size_t n)
{
	struct ethhdr ethernet = {
		.h_proto = htons(packet[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6),
	};
	struct iovec parts[] = {
		{ .iov_base = &ethernet, .iov_len = sizeof(ethernet) },
		{ .iov_base = (void *)(uintptr_t)packet, .iov_len = n },
	};

	memcpy(ethernet.h_dest, device_host_mac, ETH_ALEN);
	memcpy(ethernet.h_source, device_host_mac, ETH_ALEN);
	return writev(device->injector, parts, 2);
}

int device_write(struct device *device, const void *packet, size_t n)
{
	ssize_t written;

	if (!is_ip(packet, n)) {
		errno = EINVAL;
		return -1;
	}
	/* A TUN device would take it: the kernel checks no received packet against the MTU. */
	if (n > (size_t)device->mtu) {
		errno = EMSGSIZE;
		return -1;
	}
	do {
		written = is_veth(device) ? write_frame(device, packet, n)
		                          : write(device->fd, packet, n);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -1 : 0;
}
