/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells when a host's kernel sent and received each packet: a packet socket on the host's own device, which carries
 * nothing. The descriptor keeps working without any namespace. */
#ifndef UPCASE_LAB_STAMPER_H
#define UPCASE_LAB_STAMPER_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "lab/hosts/packet-times.h"

struct stamper_frame {
	/* The host sent it; else it received it. */
	bool outgoing;
	/* When, ns since 1970 by the kernel's clock at that time. */
	int64_t wall;
	struct sightings_key key;
};

/* Opaque. */
struct stamper;

/* Takes over netdev_stamper()'s socket on the host's device; for a veth pair also that on the outer end, which hears what the
 * host sends, else -1. (What the host's end of a pair hears going out bears the time before the kernel wakes the
 * link up, and so before it stamps the packet for its sender: 20 us on some machines.) NULL with errno; then they are
 * still the caller's. */
struct stamper *stamper_new(int fd, int outer);
/* Closes the socket. NULL is allowed. */
void stamper_free(struct stamper *s);

/* The next packet that passed; false when there is none yet. Never waits. */
bool stamper_next(struct stamper *s, struct stamper_frame *frame);

/* How the socket's ring is to be divided. */
struct tpacket_req stamper_ring(void);

#endif
