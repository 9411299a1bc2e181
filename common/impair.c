/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue before the transmitter is a ring of packets: when each begins to be sent, and its size.
 * A packet that has begun to be sent is no longer in the queue. The transmitter is one number, the
 * time at which it will be free. */
#include "common/impair.h"

#include <math.h>

#include "common/clock.h"
#include "common/random.h"
#include "common/text.h"

#define BYTE_BITS 8

struct queued_packet {
	/* When its first bit is sent. */
	int64_t start;
	int32_t size;
};

struct transmit_queue {
	size_t first, count;
	/* The sum of the sizes. */
	int64_t bytes;
	/* When the transmitter will have sent all of its packets. */
	int64_t free_at;
	/* The remainder of the last division, in bit * ns: rates stay exact over many packets. */
	int64_t rest;
	struct queued_packet ring[IMPAIR_QUEUE_PACKETS_MAX];
};

struct impair {
	struct impair_settings set;
	struct random random;
	/* The chain's state after the last packet, and whether there was one. */
	bool bad, begun;
	/* The latest time at which a packet that keeps its order leaves. */
	int64_t last;
	int64_t paused_until[IMPAIR_PAUSES];
	/* It has the largest size: the system gives only the pages in use. */
	struct transmit_queue queue;
};

/* The random numbers of one packet: all are drawn, also unused ones. */
struct draws {
	double loss, path[2], copy_path[2], duplicate, reorder, corrupt, bit;
};

struct impair_settings impair_perfect(void)
{
	return (struct impair_settings){
		.reorder_by = IMPAIR_REORDER_BY,
		.queue_packets = IMPAIR_QUEUE_PACKETS,
	};
}

int impair_check(const struct impair_settings *s, char reason[IMPAIR_REASON])
{
	/* Good states last one packet at least, so p <= 1: loss <= burst / (burst + 1). */
	if (s->burst == 0 || s->loss >= 1 || s->loss <= s->burst / (s->burst + 1) + 1e-9)
		return 0;
	return text_refuse(reason, IMPAIR_REASON,
	    "%.4g%% loss cannot come in bursts of %.4g packets; for example burst %.0f",
	    s->loss * 100, s->burst, ceil(s->loss / (1 - s->loss) - 1e-9));
}

void impair_chain(const struct impair_settings *s, double *p, double *r)
{
	if (s->loss >= 1) {
		*p = 1;
		*r = 0;
		return;
	}
	*r = s->burst > 0 ? 1 / s->burst : 1 - s->loss;
	*p = fmin(1, *r * s->loss / (1 - s->loss));
}

double impair_mean_burst(const struct impair_settings *s)
{
	if (s->loss <= 0)
		return 0;
	if (s->loss >= 1)
		return INFINITY;
	return s->burst > 0 ? s->burst : 1 / (1 - s->loss);
}

double impair_delivery_probability(const struct impair_settings *s)
{
	return (1 - s->loss) * (1 - s->corrupt);
}

const struct impair_fate_words impair_fates[IMPAIR_FATES] = {
#define X(id, word, text, name, counted) { word, text, name },
	IMPAIR_FATE_LIST(X)
#undef X
};

struct impair *impair_new(const struct impair_settings *s, uint64_t seed, uint64_t stream)
{
	struct impair *impair = calloc(1, sizeof *impair);
	if (!impair)
		return NULL;
	impair->set = *s;
	impair->last = impair->queue.free_at = INT64_MIN;
	for (int pause = 0; pause < IMPAIR_PAUSES; pause++)
		impair->paused_until[pause] = INT64_MIN;
	random_seed(&impair->random, seed, stream);
	return impair;
}

void impair_change(struct impair *impair, const struct impair_settings *s)
{
	impair->set = *s;
}

const struct impair_settings *impair_settings(const struct impair *impair)
{
	return &impair->set;
}

void impair_pause(struct impair *impair, enum impair_pause pause, int64_t until)
{
	impair->paused_until[pause] = until;
}

int64_t impair_paused_until(const struct impair *impair, enum impair_pause pause)
{
	return impair->paused_until[pause];
}

static void draw(struct random *random, struct draws *d)
{
	d->loss = random_share(random);
	d->path[0] = random_share(random);
	d->path[1] = random_share(random);
	d->copy_path[0] = random_share(random);
	d->copy_path[1] = random_share(random);
	d->duplicate = random_share(random);
	d->reorder = random_share(random);
	d->corrupt = random_share(random);
	d->bit = random_share(random);
}

/* Moves the chain by one packet. The first is drawn from the stationary distribution, so that a
 * short run has no bias. */
static bool lost_by_chance(struct impair *impair, double u)
{
	const struct impair_settings *s = &impair->set;
	double p, r;

	if (s->burst == 0 || !impair->begun) {
		impair->bad = u < s->loss;
	} else {
		impair_chain(s, &p, &r);
		impair->bad = impair->bad ? u >= r : u < p;
	}
	impair->begun = true;
	return impair->bad;
}

static void queue_advance(struct transmit_queue *q, int64_t now)
{
	while (q->count > 0 && q->ring[q->first].start <= now) {
		q->bytes -= q->ring[q->first].size;
		q->first = (q->first + 1) % IMPAIR_QUEUE_PACKETS_MAX;
		q->count--;
	}
}

/* Sends a packet through the transmitter, whose queue is advanced to `now`. Returns 0 and in `sent`
 * when its last bit is sent, or -1 when the queue is full. */
static int transmit(struct transmit_queue *q, const struct impair_settings *s, int32_t size,
    int64_t now, int64_t *sent)
{
	*sent = now;
	if (s->rate == 0)
		return 0;
	if (q->free_at <= now) {
		q->free_at = now;
		q->rest = 0;
	} else if (q->count >=
	               (size_t)(s->queue_packets ? s->queue_packets : IMPAIR_QUEUE_PACKETS_MAX) ||
	           (s->queue_bytes && q->bytes + size > s->queue_bytes)) {
		return -1;
	} else {
		q->ring[(q->first + q->count++) % IMPAIR_QUEUE_PACKETS_MAX] =
		    (struct queued_packet){ q->free_at, size };
		q->bytes += size;
	}
	int64_t work = size * BYTE_BITS * NS_PER_S + q->rest;
	q->free_at += work / s->rate;
	q->rest = work % s->rate;
	*sent = q->free_at;
	return 0;
}

/* The travel time of a packet; normal deviates by Box and Muller (1958). */
static int64_t propagation_delay(const struct impair_settings *s, const double u[2])
{
	double off = 0;

	if (s->jitter > 0 && s->distribution == IMPAIR_NORMAL)
		off = sqrt(-2 * log(1 - u[0])) * cos(2 * M_PI * u[1]) * (double)s->jitter;
	else if (s->jitter > 0)
		off = (2 * u[0] - 1) * (double)s->jitter;
	int64_t time = s->delay + llround(off);
	return time > 0 ? time : 0;
}

/* When a packet that the transmitter has sent leaves the link. */
static int64_t departure_time(struct impair *impair, int64_t sent, const double path[2],
    struct impair_decision *decision)
{
	const struct impair_settings *s = &impair->set;
	int64_t at = sent + propagation_delay(s, path);

	if (at < impair->paused_until[IMPAIR_HOLD]) {
		at = impair->paused_until[IMPAIR_HOLD];
		decision->held = true;
	}
	if (!s->any_order) {
		if (at < impair->last)
			at = impair->last;
		impair->last = at;
	}
	return decision->reordered ? at + s->reorder_by : at;
}

static void deliver(struct impair *impair, const struct impair_packet *packet,
    const struct draws *d, int64_t sent, struct impair_decision *decision)
{
	const struct impair_settings *s = &impair->set;
	const struct impair_request *r = &packet->request;

	decision->fate = IMPAIR_DELIVERED;
	decision->copies = d->duplicate < s->duplicate || r->duplicate ? 2 : 1;
	decision->reordered = d->reorder < s->reorder;
	decision->held = r->delay > 0;
	decision->requested = r->duplicate || r->delay || (r->corrupt && packet->bits > 0);
	if ((d->corrupt < s->corrupt || r->corrupt) && packet->bits > 0)
		decision->flip = (int32_t)(d->bit * packet->bits);
	decision->at[0] = departure_time(impair, sent, d->path, decision) + r->delay;
	if (decision->copies == 2)
		decision->at[1] = departure_time(impair, sent, d->copy_path, decision) + r->delay;
}

void impair_decide(struct impair *impair, const struct impair_packet *packet, int64_t now,
    struct impair_decision *decision)
{
	const struct impair_settings *s = &impair->set;
	struct draws d;
	int64_t sent;

	queue_advance(&impair->queue, now);
	*decision = (struct impair_decision){ .flip = -1,
		.has_queue = s->rate > 0,
		.queue_packets = (uint32_t)impair->queue.count,
		.queue_bytes = impair->queue.bytes };
	draw(&impair->random, &d);
	bool lost = lost_by_chance(impair, d.loss);

	if (now < impair->paused_until[IMPAIR_UNPLUG]) {
		decision->fate = IMPAIR_UNPLUGGED;
	} else if (s->mtu && packet->size > s->mtu) {
		decision->fate = s->no_icmp ? IMPAIR_NO_ICMP : IMPAIR_TOO_BIG;
	} else if (packet->request.drop) {
		decision->fate = IMPAIR_REQUESTED_DROP;
		decision->requested = true;
	} else if (transmit(&impair->queue, s, packet->size, now, &sent)) {
		decision->fate = IMPAIR_QUEUE_FULL;
	} else if (lost) {
		decision->fate = s->burst == 0 ? IMPAIR_LOST_RANDOM : IMPAIR_LOST_BURST;
	} else {
		deliver(impair, packet, &d, sent, decision);
	}
}
