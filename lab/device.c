/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for a host's name and its end. */
#define NAME_SIZE 16

struct device {
	enum device_kind kind;
	int fd;
	/* The host's own MTU, bytes. */
	int mtu;
	char name[NAME_SIZE];
	/* The host's hardware address (DEVICE_VETH): frames to it bear it. */
	uint8_t mac[ETH_ALEN];
};

/* What stands before each packet on a packet socket with PACKET_VNET_HDR. */
struct envelope {
	struct virtio_net_hdr offload;
	struct ether_header frame;
};

/* Locally administered, the same for both hosts: no ARP is spoken, so nobody compares them. */
static const uint8_t host_mac[ETH_ALEN] = { 0x02, 0, 0, 0x09, 0, 0x01 };

const unsigned char *device_host_mac(void)
{
	return host_mac;
}

static int set_flags(int fd)
{
	int status = fcntl(fd, F_GETFL);

	if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

struct device *device_new(enum device_kind kind, int fd, const char *name, int mtu)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	if (set_flags(fd) != 0) {
		free(device);
		return NULL;
	}
	device->kind = kind;
	device->fd = fd;
	device->mtu = mtu;
	memcpy(device->mac, host_mac, sizeof(device->mac));
	strncpy(device->name, name, sizeof(device->name) - 1);
	return device;
}

void device_free(struct device *device)
{
	if (!device)
		return;
	close(device->fd);
	free(device);
}

int device_fd(const struct device *device)
{
	return device->fd;
}

const char *device_name(const struct device *device)
{
	return device->name;
}

enum device_kind device_kind(const struct device *device)
{
	return device->kind;
}

int device_mtu(const struct device *device)
{
	return device->mtu;
}

/* The Internet checksum (RFC 1071) of `n` bytes, not yet inverted. */
static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (; n >= 2; p += 2, n -= 2)
		sum += (uint64_t)(p[0] << 8 | p[1]);
	if (n)
		sum += (uint64_t)(p[0] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The kernel left the transport checksum to the "hardware": it holds the pseudo-header's sum and
 * wants the rest added. `start` and `offset` count from the frame's start, as virtio has it. */
static bool complete_checksum(uint8_t *packet, size_t n, size_t start, size_t offset)
{
	uint16_t sum;

	if (start < sizeof(struct ether_header))
		return false;
	start -= sizeof(struct ether_header);
	if (start > n || offset + 2 > n - start)
		return false;
	sum = (uint16_t)~checksum(packet + start, n - start);
	/* UDP's zero means "no checksum" (RFC 768); for TCP all ones is the same as zero. */
	if (sum == 0)
		sum = 0xffff;
	packet[start + offset] = (uint8_t)(sum >> 8);
	packet[start + offset + 1] = (uint8_t)sum;
	return true;
}

static bool is_ip(const uint8_t *packet, size_t n)
{
	return n >= 20 && (packet[0] >> 4 == 4 || packet[0] >> 4 == 6);
}

static ssize_t read_frame(const struct device *device, uint8_t *packet, size_t size)
{
	struct envelope envelope;
	struct sockaddr_ll from;
	struct iovec parts[] = {
		{ .iov_base = &envelope.offload, .iov_len = sizeof(envelope.offload) },
		{ .iov_base = &envelope.frame, .iov_len = sizeof(envelope.frame) },
		{ .iov_base = packet, .iov_len = size },
	};
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = parts, .msg_iovlen = 3,
	};
	ssize_t n = recvmsg(device->fd, &message, 0);

	if (n < 0)
		return -1;
	n -= (ssize_t)(sizeof(envelope.offload) + sizeof(envelope.frame));
	if (n <= 0 || from.sll_pkttype == PACKET_OUTGOING || message.msg_flags & MSG_TRUNC)
		return 0;
	if (envelope.frame.ether_type != htons(ETHERTYPE_IP) && envelope.frame.ether_type != htons(ETHERTYPE_IPV6))
		return 0;
	if (envelope.offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM
	    && !complete_checksum(packet, (size_t)n, envelope.offload.csum_start, envelope.offload.csum_offset))
		return 0;
	return n;
}

ssize_t device_read(struct device *device, void *packet, size_t size)
{
	ssize_t n;

	do {
		n = device->kind == DEVICE_VETH ? read_frame(device, packet, size)
		                                : read(device->fd, packet, size);
	} while (n < 0 && errno == EINTR);
	if (n == 0 && device->kind == DEVICE_SOCKET) {
		errno = ENODEV;
		return -1;
	}
	return n > 0 && !is_ip(packet, (size_t)n) ? 0 : n;
}

static ssize_t write_frame(const struct device *device, const uint8_t *packet, size_t n)
{
	struct envelope envelope = { .offload = { .flags = 0 } };
	struct iovec parts[] = {
		{ .iov_base = &envelope.offload, .iov_len = sizeof(envelope.offload) },
		{ .iov_base = &envelope.frame, .iov_len = sizeof(envelope.frame) },
		{ .iov_base = (void *)(uintptr_t)packet, .iov_len = n },
	};

	memcpy(envelope.frame.ether_dhost, device->mac, ETH_ALEN);
	memcpy(envelope.frame.ether_shost, device->mac, ETH_ALEN);
	envelope.frame.ether_type = htons(packet[0] >> 4 == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	return writev(device->fd, parts, 3);
}

int device_write(struct device *device, const void *packet, size_t n)
{
	ssize_t written;

	if (!is_ip(packet, n)) {
		errno = EINVAL;
		return -1;
	}
	/* A TUN device would take it: the kernel does not hold received packets against the MTU. */
	if (n > (size_t)device->mtu) {
		errno = EMSGSIZE;
		return -1;
	}
	do {
		written = device->kind == DEVICE_VETH ? write_frame(device, packet, n)
		                                      : write(device->fd, packet, n);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -1 : 0;
}
