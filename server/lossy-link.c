/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/lossy-link.h"

#include "common/clock.h"

/* The most bytes that wait in one direction, 1 s at 200 Mbit/s: with the model less than 32 MiB. */
#define WAITING_MAX (30u << 20)

struct lossy_link_direction {
	struct impair *impair;
	struct delay_queue *delay_queue;
	struct counters_link *counts;
};

struct lossy_link {
	struct lossy_link_direction directions[LINK_DIRECTIONS];
};

struct lossy_link *lossy_link_new(const struct impair_options *o,
    struct counters_link directions[LINK_DIRECTIONS])
{
	struct lossy_link *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		struct lossy_link_direction *direction = &l->directions[i];

		direction->impair = impair_new(i == LINK_GOING ? &o->there : &o->back, o->seed,
		    (uint64_t)i);
		direction->delay_queue = delay_queue_new(WAITING_MAX);
		direction->counts = &directions[i];
		if (!direction->impair || !direction->delay_queue) {
			lossy_link_free(l);
			return NULL;
		}
	}
	return l;
}

void lossy_link_free(struct lossy_link *l)
{
	if (!l)
		return;
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		free(l->directions[i].impair);
		delay_queue_free(l->directions[i].delay_queue);
	}
	free(l);
}

static bool keep(struct delay_queue *q, int64_t at, const struct lossy_link_datagram *datagram)
{
	unsigned char *bytes = delay_queue_add(q,
	    &(struct delayed_packet){ .at = at, .size = datagram->about_size + datagram->n });

	if (!bytes)
		return false;
	memcpy(bytes, datagram->about, datagram->about_size);
	memcpy(bytes + datagram->about_size, datagram->bytes, datagram->n);
	return true;
}

int lossy_link_add(struct lossy_link *l, enum link_direction name,
    const struct lossy_link_datagram *datagram, int64_t now, enum impair_fate *fate)
{
	/* No bit can be flipped: the kernel would drop a corrupt datagram. */
	const struct impair_packet packet = { .size = (int32_t)datagram->n + datagram->headers };
	struct lossy_link_direction *direction = &l->directions[name];
	struct impair_decision decision;
	int at_once = 0, kept = 0;

	impair_decide(direction->impair, &packet, now, &decision);
	direction->counts->datagrams++;
	direction->counts->copies += decision.copies == 2;
	direction->counts->held_back += decision.reordered;
	for (int i = 0; i < decision.copies; i++) {
		/* A datagram that should have arrived by now is not overtaken. */
		if (decision.at[i] <= now && lossy_link_deadline(l, name) > now)
			at_once++;
		else if (keep(direction->delay_queue, decision.at[i], datagram))
			kept++;
		else
			direction->counts->lost[IMPAIR_NO_MEMORY]++;
	}
	direction->counts->waiting += (uint64_t)kept;
	*fate = decision.copies && !at_once && !kept ? IMPAIR_NO_MEMORY : decision.fate;
	if (!decision.copies)
		direction->counts->lost[decision.fate]++;
	return at_once;
}

struct delayed_packet *lossy_link_next(const struct lossy_link *l, enum link_direction direction)
{
	return delay_queue_first(l->directions[direction].delay_queue);
}

int64_t lossy_link_deadline(const struct lossy_link *l, enum link_direction direction)
{
	const struct delayed_packet *first = lossy_link_next(l, direction);

	return first ? first->at : CLOCK_NEVER;
}

void lossy_link_remove_next(struct lossy_link *l, enum link_direction direction)
{
	delay_queue_remove_first(l->directions[direction].delay_queue);
	l->directions[direction].counts->waiting--;
}
