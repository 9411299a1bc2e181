/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells when a host's kernel sent and received each packet: a packet socket on the host's own
 * device, which carries nothing. The descriptor keeps working without any namespace. */
#ifndef UPCASE_LAB_TIMESTAMP_TAP_H
#define UPCASE_LAB_TIMESTAMP_TAP_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "lab/hosts/packet-times.h"

struct timestamp_tap_frame {
	/* The host sent it; else it received it. */
	bool outgoing;
	/* When, ns since 1970 by the kernel's clock at that time. */
	int64_t wall;
	struct packet_times_key key;
};

/* Opaque. */
struct timestamp_tap;

/* Takes over netlink_timestamp_tap()'s socket on the host's device; for a veth pair also that on
 * the outer end, which hears what the host sends, else -1. (What the host's end of a pair hears
 * going out bears the time before the kernel wakes the link up, and so before it stamps the packet
 * for its sender: 20 us on some machines.) NULL with errno; then they are still the caller's. */
struct timestamp_tap *timestamp_tap_new(int fd, int outer);
/* Closes the socket. NULL is allowed. */
void timestamp_tap_free(struct timestamp_tap *s);

/* The next packet that passed; false when there is none yet. Never waits. */
bool timestamp_tap_next(struct timestamp_tap *s, struct timestamp_tap_frame *frame);

/* How the socket's ring is to be divided. */
struct tpacket_req timestamp_tap_ring(void);

#endif
