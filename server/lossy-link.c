/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/lossy-link.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/delay-queue.h"

/* What those that wait in one direction take, a second at 200 Mbit/s: with the model's own memory less than 32 MiB. */
#define WAITING_MOST (30u << 20)

struct way {
	struct impair *impair;
	struct parcels *parcels;
	struct totals_way *counts;
};

struct impairment {
	struct way ways[TOTALS_WAYS];
};

struct impairment *impairment_new(const struct impair_options *o, struct totals_way ways[TOTALS_WAYS])
{
	struct impairment *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	for (int i = 0; i < TOTALS_WAYS; i++) {
		struct way *way = &m->ways[i];

		way->impair = impair_new(i == TOTALS_THERE ? &o->there : &o->back, o->seed, (uint64_t)i);
		way->parcels = parcels_new(WAITING_MOST);
		way->counts = &ways[i];
		if (!way->impair || !way->parcels) {
			impairment_free(m);
			return NULL;
		}
	}
	return m;
}

void impairment_free(struct impairment *m)
{
	if (!m)
		return;
	for (int i = 0; i < TOTALS_WAYS; i++) {
		impair_free(m->ways[i].impair);
		parcels_free(m->ways[i].parcels);
	}
	free(m);
}

static void count_lost(struct totals_way *counts, enum impair_fate fate)
{
	switch (fate) {
	case IMPAIR_LOST_RANDOM: counts->random++; break;
	case IMPAIR_LOST_BURST: counts->burst++; break;
	case IMPAIR_QUEUE_FULL: counts->queue++; break;
	case IMPAIR_NO_ROOM: counts->room++; break;
	default: break;
	}
}

int impairment_meet(struct impairment *m, enum totals_way_name name, const struct impairment_load *load, int64_t now,
    enum impair_fate *fate)
{
	/* No bits: a corrupt datagram would only be one that the kernel drops. */
	const struct impair_packet packet = {.size = (int32_t)load->n + load->headers};
	struct way *way = &m->ways[name];
	struct impair_verdict verdict;
	int at_once = 0, kept = 0;

	impair_judge(way->impair, &packet, now, &verdict);
	way->counts->datagrams++;
	way->counts->copies += verdict.copies == 2;
	way->counts->held_back += verdict.reordered;
	for (int i = 0; i < verdict.copies; i++) {
		/* Nothing overtakes what should have arrived by now. */
		if (verdict.at[i] <= now && impairment_deadline(m, name) > now)
			at_once++;
		else if (parcels_add(way->parcels, verdict.at[i], load->about, load->about_size, load->bytes, load->n))
			kept++;
		else
			count_lost(way->counts, IMPAIR_NO_ROOM);
	}
	way->counts->waiting += (uint64_t)kept;
	*fate = verdict.copies && !at_once && !kept ? IMPAIR_NO_ROOM : verdict.fate;
	if (!verdict.copies)
		count_lost(way->counts, verdict.fate);
	return at_once;
}

int64_t impairment_deadline(const struct impairment *m, enum totals_way_name way)
{
	const struct parcel *first = parcels_first(m->ways[way].parcels);

	return first ? first->at : CLOCK_NEVER;
}

unsigned char *impairment_next(const struct impairment *m, enum totals_way_name way, size_t *size)
{
	struct parcel *first = parcels_first(m->ways[way].parcels);

	if (!first)
		return NULL;
	*size = (size_t)first->size;
	return parcels_bytes(m->ways[way].parcels);
}

void impairment_arrived(struct impairment *m, enum totals_way_name way)
{
	parcels_drop_first(m->ways[way].parcels);
	m->ways[way].counts->waiting--;
}
