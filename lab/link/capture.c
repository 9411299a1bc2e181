/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet is fresh until its time stamp is known or TIMEOUT has passed. Then it stays in a heap by
 * stamp until nothing earlier can come: the link reads a packet only after its host sent it, and
 * the host may have received others in between. */
#include "lab/link/capture.h"

#include "common/clock.h"
#include "common/delay-queue.h"
#include "common/list.h"

/* A stamp comes before the packet or with it, unless the kernel is late: at the outer end of a veth
 * pair it stamps what the link may have read already. */
#define TIMEOUT (20 * NS_PER_MS)
/* The time of a packet in the heap: longer than TIMEOUT and than it waits in a host's queue. */
#define HOLD (150 * NS_PER_MS)
/* The greatest time between a stamp and the link's own time of the packet; the greatest error
 * between the readings of the two clocks. */
#define APART NS_PER_S
#define NOISE (100 * NS_PER_US)
/* The file lags by at most twice FLUSH_AFTER; a write to a slow reader is tried again after
 * FLUSH_RETRY. At the end a read is waited for LAST_WAIT, and all of them LAST_TOTAL. */
#define FLUSH_AFTER (200 * NS_PER_MS)
#define FLUSH_RETRY (5 * NS_PER_MS)
#define LAST_WAIT (150 * NS_PER_MS)
#define LAST_TOTAL (2 * NS_PER_S)
/* Bytes of the heap; beyond this the first packet is written early. */
#define HEAP_MAX (64u << 20)
/* The readings of both clocks, of which the fastest is used; the longest that is used later. */
#define SAMPLES 8
#define SAMPLE_TIME_MAX (20 * NS_PER_US)

struct captured_packet {
	LIST_PLACE(captured_packet) order;
	struct capture_packet packet;
	char comment[PCAPNG_COMMENT + 1];
	uint8_t bytes[];
};

/* One direction of one host. */
struct captured_side {
	/* The last packet that was found, for its other fragments. */
	struct packet_times_key key;
	int64_t at;
};

struct captured_host {
	struct timestamp_tap *timestamp_tap;
	/* By enum pcapng_direction. */
	struct captured_side sides[PCAPNG_OUT + 1];
	/* Packets of the capture; how many have the link's time; how many found no room. */
	uint64_t packets, unstamped, dropped;
};

struct capture {
	struct pcapng *out;
	struct captured_host hosts[CAPTURE_HOSTS];
	LIST_OF(captured_packet, ) pending;
	struct delay_queue *heap;
	/* Wall clock minus monotonic clock: at the beginning, for stamps that never jump; now. */
	int64_t wall, offset;
	/* When the file is flushed next, or CLOCK_NEVER. */
	int64_t flush_at;
	bool failed, finished;
};

static void free_all(struct capture *c)
{
	for (int i = 0; i < CAPTURE_HOSTS; i++)
		timestamp_tap_free(c->hosts[i].timestamp_tap);
	delay_queue_free(c->heap);
	free(c);
}

struct capture *capture_new(int fd, struct timestamp_tap *const timestamp_taps[CAPTURE_HOSTS])
{
	static const char *const names[CAPTURE_HOSTS] = { "near", "far" };
	const char *comment =
	    timestamp_taps
	        ? "times: the host's kernel's, when it sent or received the packet"
	        : "times: the link's own, when it had read the packet or was about to write it";
	struct capture *c = calloc(1, sizeof *c);
	int64_t took;

	if (!c)
		return NULL;
	c->heap = delay_queue_new(HEAP_MAX);
	if (!c->heap || !(c->out = pcapng_new(fd, names, comment, CAPTURE_HOSTS))) {
		free_all(c);
		return NULL;
	}
	for (int i = 0; i < CAPTURE_HOSTS && timestamp_taps; i++)
		c->hosts[i].timestamp_tap = timestamp_taps[i];
	c->wall = c->offset = clock_difference(SAMPLES, 0, &took);
	c->flush_at = clock_monotonic();
	return c;
}

/* ---- stamps ---- */

static void read_taps(struct capture *c)
{
	int64_t took;
	const int64_t seen = clock_difference(1, 0, &took);

	/* Follows the wall clock when it is set. */
	if (took <= SAMPLE_TIME_MAX && llabs(seen - c->offset) > NOISE)
		c->offset = seen;
	for (int i = 0; i < CAPTURE_HOSTS; i++)
		if (c->hosts[i].timestamp_tap)
			timestamp_tap_read(c->hosts[i].timestamp_tap, c->offset);
}

/* A host sends before the link reads, and receives after the link writes. */
static bool find(struct captured_host *host, const struct capture_packet *p, int64_t *at)
{
	struct captured_side *side = &host->sides[p->direction];
	const bool out = p->direction == PCAPNG_OUT;

	if (p->fragment && packet_times_equal(p->key, side->key)) {
		*at = side->at;
		return true;
	}
	if (!timestamp_tap_take(host->timestamp_tap, out, p->key, p->at - (out ? APART : NOISE),
	        p->at + (out ? TIMEOUT : APART), at))
		return false;
	side->key = p->key;
	side->at = *at;
	return true;
}

static void write_first(struct capture *c)
{
	const struct delayed_packet *delayed = delay_queue_first(c->heap);
	const struct captured_packet *r = (const void *)delayed->bytes;
	const struct capture_packet *p = &r->packet;

	if (!pcapng_packet(c->out, p->host, p->direction, delayed->at + c->wall, r->bytes, p->n,
	        p->comment ? r->comment : NULL))
		c->hosts[p->host].dropped++;
	delay_queue_remove_first(c->heap);
}

static void put_on_heap(struct capture *c, struct captured_packet *r, int64_t at)
{
	const size_t size = sizeof *r + r->packet.n;

	while (!delay_queue_has_room(c->heap, size, 1) && delay_queue_count(c->heap) > 0)
		write_first(c);
	void *copy = delay_queue_add(c->heap, &(struct delayed_packet){ .at = at, .size = size });
	if (copy)
		memcpy(copy, r, size);
	else
		c->failed = true;
	free(r);
}

/* Whether the time of a fresh packet is final: the kernel's, or after TIMEOUT the link's. */
static bool time_is_final(struct capture *c, const struct capture_packet *p, int64_t now,
    int64_t *at)
{
	struct captured_host *h = &c->hosts[p->host];

	*at = p->at;
	if (!h->timestamp_tap)
		return true;
	if (find(h, p, at)) {
		/* The host has sent what the link has read. */
		if (p->direction == PCAPNG_OUT && *at > p->at)
			*at = p->at;
		return true;
	}
	if (now - p->at < TIMEOUT)
		return false;
	h->unstamped++;
	return true;
}

static void queue_final(struct capture *c, int64_t now)
{
	int64_t at;

	for (struct captured_packet *r = c->pending.first, *next; r; r = next) {
		next = r->order.next;
		if (!time_is_final(c, &r->packet, now, &at))
			continue;
		LIST_REMOVE(&c->pending, r, order);
		put_on_heap(c, r, at);
	}
}

/* ---- packets ---- */

void capture_add(struct capture *c, const struct capture_packet *packet)
{
	struct captured_packet *r = malloc(sizeof *r + packet->n);

	if (!r) {
		c->failed = true;
		return;
	}
	r->packet = *packet;
	if (packet->comment) {
		strncpy(r->comment, packet->comment, PCAPNG_COMMENT);
		r->comment[PCAPNG_COMMENT] = '\0';
	}
	memcpy(r->bytes, packet->bytes, packet->n);
	LIST_APPEND(&c->pending, r, order);
	c->hosts[packet->host].packets++;
	if (c->flush_at == CLOCK_NEVER)
		c->flush_at = packet->at + FLUSH_AFTER;
}

static void write_until(struct capture *c, int64_t until)
{
	const struct delayed_packet *first;

	while ((first = delay_queue_first(c->heap)) && first->at <= until)
		write_first(c);
}

void capture_dispatch(struct capture *c, int64_t now, bool all_added)
{
	read_taps(c);
	queue_final(c, now);
	if (all_added)
		write_until(c, now - HOLD);
	if (now < c->flush_at)
		return;
	c->failed |= pcapng_flush(c->out) != 0;
	c->flush_at = pcapng_pending(c->out)                               ? now + FLUSH_RETRY
	            : !c->pending.first && delay_queue_count(c->heap) == 0 ? CLOCK_NEVER
	                                                                   : now + FLUSH_AFTER;
}

int64_t capture_due(const struct capture *c)
{
	return c->flush_at;
}

static void write_statistics(struct capture *c, int64_t now)
{
	char text[PCAPNG_COMMENT];

	for (int i = 0; i < CAPTURE_HOSTS; i++) {
		const struct captured_host *h = &c->hosts[i];
		if (!h->timestamp_tap && !h->dropped)
			continue;
		snprintf(text, sizeof text,
		    "%llu of %llu packets bear the link's own time, for want of the kernel's",
		    (unsigned long long)(h->timestamp_tap ? h->unstamped : h->packets),
		    (unsigned long long)h->packets);
		pcapng_interface_end(c->out, i, now + c->wall, h->packets, h->dropped, text);
	}
}

int capture_finish(struct capture *c)
{
	const int64_t now = clock_monotonic();

	if (!c->finished)
		pcapng_wait(c->out, LAST_WAIT, now + LAST_TOTAL);
	read_taps(c);
	queue_final(c, now);
	queue_final(c, CLOCK_NEVER);
	write_until(c, CLOCK_NEVER);
	if (!c->finished)
		write_statistics(c, now);
	c->finished = true;
	c->failed |= pcapng_flush(c->out) != 0;
	c->flush_at = CLOCK_NEVER;
	return c->failed ? -1 : 0;
}

uint64_t capture_dropped(const struct capture *c)
{
	return c->hosts[0].dropped + c->hosts[1].dropped + pcapng_unread(c->out);
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	(void)capture_finish(c);
	(void)pcapng_free(c->out);
	free_all(c);
}
