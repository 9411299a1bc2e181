/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network devices set up by rtnetlink and ethtool, in the calling process's network namespace. Each
 * function returns 0, or -1 with errno. */
#pragma once

#include <linux/if_packet.h>

/* How a device is set up. */
struct netlink_setup {
	/* Bytes; 0 keeps the present one. */
	int mtu;
	/* Packets; 0 keeps the present length. */
	int queue;
	/* Switches off ARP and neighbour discovery, so that only the hosts' own packets travel. */
	bool no_arp;
	/* Never hands over a packet that is still to be segmented. */
	bool no_offload;
};

/* Makes a veth pair: `name` here, with the hardware address `mac` (6 bytes), and `peer` in the
 * namespace of the descriptor `peer_ns`. */
int netlink_veth(const char *name, const unsigned char *mac, const char *peer, int peer_ns,
    int mtu);

/* Makes a TUN device of `fd`, a descriptor of /dev/net/tun. */
int netlink_tun(int fd, const char *name);

/* Configures the device and sets it up (administratively). It gets no link-local address. */
int netlink_raise(const char *name, const struct netlink_setup *shape);

/* Waits, two seconds at most, until the device really carries packets: the kernel may notice up to
 * a second late that both ends of a pair are up, and drops what is sent before. */
void netlink_wait_carrier(const char *name);

/* Adds a numeric address, IPv4 or IPv6, usable at once: without duplicate-address detection. */
int netlink_address(const char *name, const char *address, int prefix);

/* Waits, two seconds at most, until the host accepts packets to its IPv6 `address`: the kernel does
 * that part of its work later. */
void netlink_wait_address(const char *address);

/* Replaces the route to the network of `address` and `prefix` that netlink_address() made by one on
 * which TCP uses the congestion control `congestion`, whatever the namespace's default is
 * (RTAX_CC_ALGO). EINVAL if there is none of that name. */
int netlink_route_congestion(const char *name, const char *address, int prefix,
    const char *congestion);

/* Opens a packet socket on `name`, or returns -1. With a ring of that shape (TPACKET_V2) it is a
 * tap: it keeps what this namespace sends from now on, in the order of sending, with
 * PACKET_VNET_HDR. (At the other end of a veth pair, packets sent from several processors may have
 * changed places.) With NULL it is an injector, which only sends. */
int netlink_packet_socket(const char *name, const struct tpacket_req *ring);
/* Opens a packet socket that reads all that this namespace sends and receives over `name`, with the
 * kernel's stamps, without the link's header, in a ring of timestamp_tap_shape(); or returns -1. */
int netlink_timestamp_tap(const char *name);
