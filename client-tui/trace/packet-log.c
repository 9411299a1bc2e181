/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "trace/packet-log.h"

#include <stdlib.h>

struct packet_log {
	/* How many were added; the last one is at ring[(end - 1) % PACKET_LOG_MAX]. */
	uint64_t end;
	struct logged_packet ring[PACKET_LOG_MAX];
};

struct packet_log *packet_log_new(void)
{
	return calloc(1, sizeof(struct packet_log));
}

void packet_log_free(struct packet_log *p)
{
	free(p);
}

void packet_log_add(struct packet_log *p, const struct logged_packet *packet)
{
	const uint64_t oldest = p->end >= PACKET_LOG_MAX ? p->end - PACKET_LOG_MAX + 1 : 0;
	uint64_t at = p->end++;

	/* The link tells of them in order; a recording, line by line. */
	for (; at > oldest && p->ring[(at - 1) % PACKET_LOG_MAX].in > packet->in; at--)
		p->ring[at % PACKET_LOG_MAX] = p->ring[(at - 1) % PACKET_LOG_MAX];
	p->ring[at % PACKET_LOG_MAX] = *packet;
}

/* They stand in the order in which they came: the first one at `since` or later, looked for from
 * the newest on, since a line is asked for soon after it was sent. */
static uint64_t first_since(const struct packet_log *p, int64_t since)
{
	const uint64_t oldest = p->end > PACKET_LOG_MAX ? p->end - PACKET_LOG_MAX : 0;
	uint64_t i = p->end;

	while (i > oldest && p->ring[(i - 1) % PACKET_LOG_MAX].in >= since)
		i--;
	return i;
}

size_t packet_log_find(const struct packet_log *p, bool stream, uint64_t number, int64_t since,
    struct logged_packet *out, size_t max)
{
	size_t count = 0;

	for (uint64_t i = first_since(p, since); i < p->end && count < max; i++) {
		const struct logged_packet *packet = &p->ring[i % PACKET_LOG_MAX];

		if (packet->stream == stream && packet->first <= number && number <= packet->last)
			out[count++] = *packet;
	}
	return count;
}

size_t packet_log_find_handshake(const struct packet_log *p, uint16_t port, bool closing,
    int64_t since, struct logged_packet *out, size_t max)
{
	size_t count = 0;

	for (uint64_t i = first_since(p, since); i < p->end && count < max; i++) {
		const struct logged_packet *packet = &p->ring[i % PACKET_LOG_MAX];

		if (packet->port == port && packet->closing == closing)
			out[count++] = *packet;
	}
	return count;
}
