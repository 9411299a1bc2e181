/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network devices set up by rtnetlink and ethtool, in the calling process's network namespace. Each
 * function returns 0, or -1 with errno. */
#ifndef UPCASE_LAB_NETLINK_H
#define UPCASE_LAB_NETLINK_H

#include <linux/if_packet.h>
#include <stdbool.h>

/* How a device is set up. */
struct netlink_setup {
	/* Bytes; 0 leaves it. */
	int mtu;
	/* Packets; 0 leaves it. */
	int queue;
	/* Neither ARP nor neighbour discovery, so that nothing but the hosts' own packets travels.
	 */
	bool no_arp;
	/* Never hands over a packet that is still to be cut up. */
	bool no_offload;
};

/* A veth pair: `name` here, with the hardware address `mac` (6 bytes), and `peer` in the namespace
 * that `peer_ns` is open on. */
int netlink_veth(const char *name, const unsigned char *mac, const char *peer, int peer_ns,
    int mtu);

/* A device of /dev/net/tun's descriptor `fd`. */
int netlink_tun(int fd, const char *name);

/* Shapes the device and sets it up (administratively). No link-local address is made. */
int netlink_raise(const char *name, const struct netlink_setup *shape);

/* Waits, two seconds at most, until the device really carries packets: the kernel may notice only
 * up to a second after both ends of a pair are up, and drops what is sent before. */
void netlink_wait_carrier(const char *name);

/* A numeric address, IPv4 or IPv6, usable at once: no duplicate-address detection. */
int netlink_address(const char *name, const char *address, int prefix);

/* Waits, two seconds at most, until the host takes packets to its IPv6 `address` as its own: the
 * kernel does that part of its work later. */
void netlink_wait_address(const char *address);

/* Replaces the route to the network of `address` and `prefix` that netlink_address() made by one on
 * which TCP uses the congestion control `congestion`, whatever the namespace's default is
 * (RTAX_CC_ALGO). EINVAL if there is none of that name. */
int netlink_route_congestion(const char *name, const char *address, int prefix,
    const char *congestion);

/* A packet socket on `name`, or -1. With a ring of that shape (TPACKET_V2) it is a tap: from now on
 * it keeps what this namespace sends, in the order in which it does so, with PACKET_VNET_HDR.
 * (Heard at the other end of a veth pair, packets sent from several processors may have changed
 * places.) With NULL it is an injector, which only sends. */
int netlink_packet_socket(const char *name, const struct tpacket_req *ring);
/* A packet socket that reads all that this namespace sends and receives over `name`, without the
 * link's header and with the kernel's stamps, in a ring of that shape, or -1. */
int netlink_timestamp_tap(const char *name, const struct tpacket_req *ring);

#endif
