/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/stats.h"

#include <math.h>

#include "common/grow.h"

#define Z95 1.959963984540054 /* the 0.975 quantile of the normal distribution */

/* A lost line begins a run or extends the present one. */
static void add_lost(struct stats *s)
{
	const uint64_t length = ++s->run;

	s->lost++;
	if (length == 1)
		s->run_count++;
	else if (length <= STATS_RUNS)
		s->runs[length - 2]--;
	if (length <= STATS_RUNS)
		s->runs[length - 1]++;
	if (length > s->longest_run)
		s->longest_run = length;
}

void stats_add(struct stats *s, bool lost, int64_t rtt, int64_t waited)
{
	s->lines++;
	if (lost)
		add_lost(s);
	else
		s->run = 0;
	if (waited >= 0)
		histogram_add(&s->waited, waited);
	if (rtt >= 0) {
		const int64_t step = rtt > s->last_rtt ? rtt - s->last_rtt : s->last_rtt - rtt;

		histogram_add(&s->rtt, rtt);
		if (s->follows_answer) {
			histogram_add(&s->ipdv, step);
			s->ipdv_sum += (double)step;
		}
	}
	s->last_rtt = rtt;
	s->follows_answer = rtt >= 0;
}

void stats_amend(struct stats *s, int64_t rtt, int64_t waited)
{
	histogram_add(&s->rtt, rtt);
	histogram_add(&s->waited, waited);
	s->amended++;
}

double stats_mean_run(const struct stats *s)
{
	return s->run_count ? (double)s->lost / (double)s->run_count : 0;
}

char *stats_runs_words(const struct stats *s, char *buf, size_t size)
{
	if (s->run_count)
		snprintf(buf, size,
		    "lost in a row: longest %" PRIu64 ", mean %.2f, %" PRIu64 " run%s",
		    s->longest_run, stats_mean_run(s), s->run_count, s->run_count == 1 ? "" : "s");
	else
		snprintf(buf, size, "no line was lost");
	return buf;
}

double stats_mean_ipdv(const struct stats *s)
{
	return s->ipdv.count ? s->ipdv_sum / (double)s->ipdv.count : -1;
}

int64_t stats_pdv(const struct stats *s, double q)
{
	const int64_t quantile = histogram_quantile(&s->rtt, q);

	return quantile < 0 ? -1 : quantile - s->rtt.min;
}

/* E. B. Wilson, JASA 22 (1927), the score interval. */
void stats_wilson(uint64_t k, uint64_t n, double *low, double *high)
{
	double count = (double)n, p = (double)k / count, z2 = Z95 * Z95;
	double middle = (p + z2 / (2 * count)) / (1 + z2 / count);
	double half = Z95 / (1 + z2 / count) * sqrt(p * (1 - p) / count + z2 / (4 * count * count));

	/* At the ends the formula gives 0 and 1, except for rounding errors. */
	*low = k == 0 || middle < half ? 0 : middle - half;
	*high = k >= n || middle + half > 1 ? 1 : middle + half;
}

/* ---- the order of sending: the positions stand in a ring that grows ---- */

/* `position` is 1 or more. */
static struct stats_order_slot *slot(const struct stats_order *o, uint64_t position)
{
	return &o->slots[(position - 1) & (o->capacity - 1)];
}

uint64_t stats_order_take(struct stats_order *o)
{
	if (o->end - o->head == o->capacity && grow_ring(&o->slots, &o->capacity, (size_t)o->head,
	                                           o->capacity, sizeof *o->slots) < 0) {
		o->missing_lines++;
		return 0;
	}
	o->end++;
	*slot(o, o->end) = (struct stats_order_slot){ STATS_ORDER_OPEN, -1 };
	return o->end;
}

static void count_decided(struct stats_order *o, struct stats *s)
{
	for (; o->head < o->end; o->head++) {
		const struct stats_order_slot *position = slot(o, o->head + 1);
		const int64_t outcome = position->outcome;

		if (outcome == STATS_ORDER_OPEN || outcome == STATS_ORDER_EVICTED)
			return;
		if (outcome != STATS_ORDER_VOID)
			stats_add(s, outcome == STATS_ORDER_LOST, outcome >= 0 ? outcome : -1,
			    position->waited);
	}
}

bool stats_order_decide(struct stats_order *o, struct stats *s, uint64_t position, int64_t outcome,
    int64_t waited)
{
	if (position == 0)
		return true;
	if (position <= o->head)
		return false;
	*slot(o, position) = (struct stats_order_slot){ outcome, waited };
	if (position == o->head + 1)
		count_decided(o, s);
	return true;
}

void stats_order_evict(struct stats_order *o, uint64_t position)
{
	if (position > o->head)
		slot(o, position)->outcome = STATS_ORDER_EVICTED;
}

void stats_order_decide_evicted(struct stats_order *o, struct stats *s, uint64_t *first,
    uint64_t last, uint64_t count, int64_t outcome)
{
	for (; *first && *first <= last && count > 0; ++*first) {
		if (*first <= o->head || slot(o, *first)->outcome != STATS_ORDER_EVICTED)
			continue;
		stats_order_decide(o, s, *first, outcome, -1);
		count--;
	}
}

void stats_order_close(struct stats_order *o, struct stats *s)
{
	for (uint64_t position = o->head + 1; position <= o->end; position++)
		if (slot(o, position)->outcome == STATS_ORDER_OPEN ||
		    slot(o, position)->outcome == STATS_ORDER_EVICTED)
			slot(o, position)->outcome = STATS_ORDER_NONE;
	count_decided(o, s);
	o->closed = true;
}
