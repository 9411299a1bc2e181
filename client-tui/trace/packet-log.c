/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "trace/packet-log.h"

#include <stdlib.h>

struct packets {
	/* How many were added; the last one is at ring[(end - 1) % PACKETS_MAX]. */
	uint64_t end;
	struct packet ring[PACKETS_MAX];
};

struct packets *packets_new(void)
{
	return calloc(1, sizeof(struct packets));
}

void packets_free(struct packets *p)
{
	free(p);
}

void packets_add(struct packets *p, const struct packet *packet)
{
	const uint64_t oldest = p->end >= PACKETS_MAX ? p->end - PACKETS_MAX + 1 : 0;
	uint64_t at = p->end++;

	/* The link tells of them in order; a recording, line by line. */
	for (; at > oldest && p->ring[(at - 1) % PACKETS_MAX].in > packet->in; at--)
		p->ring[at % PACKETS_MAX] = p->ring[(at - 1) % PACKETS_MAX];
	p->ring[at % PACKETS_MAX] = *packet;
}

/* They stand in the order in which they came: the first one at `since` or later, looked for from the newest on, since a line is asked
 * for soon after it was sent. */
static uint64_t first_since(const struct packets *p, int64_t since)
{
	const uint64_t oldest = p->end > PACKETS_MAX ? p->end - PACKETS_MAX : 0;
	uint64_t i = p->end;

	while (i > oldest && p->ring[(i - 1) % PACKETS_MAX].in >= since)
		i--;
	return i;
}

size_t packets_find(const struct packets *p, bool stream, uint64_t number, int64_t since, struct packet *out, size_t most)
{
	size_t count = 0;

	for (uint64_t i = first_since(p, since); i < p->end && count < most; i++) {
		const struct packet *packet = &p->ring[i % PACKETS_MAX];

		if (packet->stream == stream && packet->first <= number && number <= packet->last)
			out[count++] = *packet;
	}
	return count;
}

size_t packets_find_handshake(const struct packets *p, uint16_t port, bool closing, int64_t since, struct packet *out, size_t most)
{
	size_t count = 0;

	for (uint64_t i = first_since(p, since); i < p->end && count < most; i++) {
		const struct packet *packet = &p->ring[i % PACKETS_MAX];

		if (packet->port == port && packet->closing == closing)
			out[count++] = *packet;
	}
	return count;
}
