/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trace/window.h"

#include "common/clock.h"
#include "common/grow.h"
#include "common/search.h"

/* How far back the sample before one is looked for: both ends and both queues of some flows. */
#define LOOK_BACK 32
/* How long a queue is taken to be as it was. */
#define QUEUE_HOLDS (10 * NS_PER_MS)
#define PAUSE NS_PER_S

const char *const window_letters[WINDOW_MARKS] = { [WINDOW_TIMEOUT] = "t",
	[WINDOW_FAST] = "f",
	[WINDOW_PROBE] = "p",
	[WINDOW_AGAIN] = "a" };

enum kind { KIND_TCP, KIND_QUEUE, KIND_MARK, KINDS };

static enum kind kind_of(const struct window_sample *s)
{
	return s->mark ? KIND_MARK : s->queue >= 0 ? KIND_QUEUE : KIND_TCP;
}

void window_free(struct window_log *l)
{
	free(l->samples);
}

/* The last sample of this kind, flow and way among the first `count`; or NULL. */
static const struct window_sample *last_of(const struct window_log *l, size_t count, enum kind kind,
    uint8_t flow, uint8_t way)
{
	for (size_t i = count; i > 0 && i + LOOK_BACK > count; i--) {
		const struct window_sample *s = &l->samples[i - 1];

		if (kind_of(s) == kind && s->flow == flow && s->way == way)
			return s;
	}
	return NULL;
}

static bool is_news(const struct window_log *l, const struct window_sample *s)
{
	const enum kind kind = kind_of(s);
	const struct window_sample *before = kind == KIND_MARK
	                                       ? NULL
	                                       : last_of(l, l->count, kind, s->flow, s->way);

	if (!before)
		return true;
	if (kind == KIND_TCP)
		return memcmp(&before->tcp, &s->tcp, sizeof s->tcp) != 0;
	return before->queue != s->queue || before->queued != s->queued ||
	       s->at - before->at >= QUEUE_HOLDS;
}

/* Drops every second sample of each flow, way and kind, but no mark; if most are marks, the oldest
 * quarter of all. */
static void thin(struct window_log *l)
{
	bool odd[UINT8_MAX + 1][LINK_DIRECTIONS][KINDS] = { 0 };
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		const struct window_sample *s = &l->samples[i];
		bool *drop = &odd[s->flow][s->way][kind_of(s)];

		if (s->mark || !*drop)
			l->samples[kept++] = *s;
		*drop = !*drop;
	}
	if (kept > WINDOW_SAMPLES / 4 * 3) {
		kept -= WINDOW_SAMPLES / 4;
		memmove(l->samples, l->samples + WINDOW_SAMPLES / 4, kept * sizeof *l->samples);
	}
	l->count = kept;
}

void window_add(struct window_log *l, const struct window_sample *sample)
{
	if (!is_news(l, sample))
		return;
	if (l->count == WINDOW_SAMPLES)
		thin(l);
	if (grow_list(&l->samples, &l->capacity, l->count + 1, sizeof *l->samples) < 0)
		return;
	l->samples[l->count] = *sample;
	l->samples[l->count].serial = ++l->added;
	if (kind_of(sample) != KIND_TCP)
		memset(&l->samples[l->count].tcp, 0xff, sizeof sample->tcp);
	l->count++;
}

const struct window_sample *window_after(const struct window_log *l, uint64_t serial, size_t *index)
{
	if (!l)
		return NULL;
	SEARCH_FIRST(*index, *index, l->count, l->samples[*index].serial > serial);
	return *index < l->count ? &l->samples[*index] : NULL;
}

/* --- a plot over time --- */

/* Whether a segment was out after the first `count` samples. */
static bool is_out(const struct window_log *l, size_t count)
{
	for (size_t i = count; i > 0 && i + LOOK_BACK > count; i--) {
		const struct window_sample *s = &l->samples[i - 1];

		if (kind_of(s) == KIND_TCP && s->tcp.in_flight > 0 &&
		    last_of(l, count, KIND_TCP, s->flow, s->way) == s)
			return true;
	}
	return false;
}

bool window_span(const struct window_log *l, int64_t until, int64_t *from, int64_t *to)
{
	size_t end = l ? l->count : 0;
	bool any = false;

	while (end > 0 && l->samples[end - 1].at >= until)
		end--;
	if (end == 0)
		return false;
	*to = *from = l->samples[end - 1].at;
	for (size_t i = end; i > 0; i--) {
		const struct window_sample *s = &l->samples[i - 1];

		if (*from - s->at >= PAUSE && !is_out(l, i)) {
			if (any)
				break;
			*to = *from = s->at;
		}
		any |= kind_of(s) == KIND_TCP;
		*from = s->at < *from ? s->at : *from;
		*to = s->at > *to ? s->at : *to;
	}
	return any;
}

static size_t column_of(const struct window_plot *p, int64_t at)
{
	if (at <= p->from || p->to <= p->from)
		return 0;
	if (at >= p->to)
		return p->count - 1;
	return (size_t)((double)(at - p->from) / (double)(p->to - p->from) *
	                    (double)(p->count - 1) +
	                0.5);
}

/* The values of a sample, -1 for those that it does not have. */
static void values_of(const struct window_sample *s, int32_t values[WINDOW_VALUES])
{
	values[WINDOW_CWND] = s->tcp.cwnd;
	values[WINDOW_SSTHRESH] = s->tcp.ssthresh;
	values[WINDOW_IN_FLIGHT] = s->tcp.in_flight;
	values[WINDOW_PEER] = s->tcp.mss > 0 && s->tcp.peer_window >= 0
	                        ? s->tcp.peer_window / s->tcp.mss
	                        : -1;
	values[WINDOW_QUEUE] = s->queue;
}

/* Draws a sample up to the next one; NULL is allowed. */
static void hold(struct window_plot *p, const struct window_sample *s, int64_t until)
{
	int32_t values[WINDOW_VALUES];

	if (!s || s->at < p->from || s->at > p->to)
		return;
	if (kind_of(s) == KIND_QUEUE && until > s->at + QUEUE_HOLDS)
		until = s->at + QUEUE_HOLDS;
	values_of(s, values);
	for (size_t i = column_of(p, s->at); i <= column_of(p, until); i++)
		for (int v = 0; v < WINDOW_VALUES; v++) {
			struct window_column *c = &p->columns[i];

			if (values[v] >= 0 && (c->max[v] < 0 || values[v] < c->min[v]))
				c->min[v] = values[v];
			if (values[v] > c->max[v])
				c->max[v] = values[v];
		}
}

void window_plot_fill(struct window_plot *p, uint8_t flow, enum link_direction way)
{
	const struct window_sample *held[KINDS] = { NULL };

	memset(p->columns, 0xff, p->count * sizeof *p->columns);
	for (size_t i = 0; i < p->count; i++)
		p->columns[i].marks = 0;
	for (size_t i = 0; i < p->log->count; i++) {
		const struct window_sample *s = &p->log->samples[i];
		const enum kind kind = kind_of(s);

		if (s->way != way || (kind != KIND_QUEUE && s->flow != flow))
			continue;
		if (kind != KIND_MARK) {
			hold(p, held[kind], s->at);
			held[kind] = s;
		} else if (s->at >= p->from && s->at <= p->to) {
			p->columns[column_of(p, s->at)].marks |= 1u << s->mark;
		}
	}
	for (int kind = 0; kind < KINDS; kind++)
		hold(p, held[kind], p->to);
}

/* Finds the parts, and the first flows of which a kernel said something, in order of number. */
static void find_parts(struct window_plot *p)
{
	bool found[UINT8_MAX + 1] = { false };
	int32_t values[WINDOW_VALUES];

	for (size_t i = 0; i < p->log->count; i++) {
		const struct window_sample *s = &p->log->samples[i];
		int32_t *part = &p->parts[s->queue >= 0 ? WINDOW_QUEUES : s->way];

		if (s->at < p->from || s->at > p->to)
			continue;
		found[s->flow] |= kind_of(s) == KIND_TCP;
		values_of(s, values);
		for (int v = 0; v < WINDOW_VALUES; v++)
			if (v != WINDOW_PEER && values[v] > *part)
				*part = values[v];
	}
	for (int flow = 0; flow <= UINT8_MAX && p->flow_count < WINDOW_FLOWS; flow++)
		if (found[flow])
			p->flows[p->flow_count++] = (uint8_t)flow;
}

int window_plot_begin(struct window_plot *p, const struct window_log *l, int64_t until,
    size_t count)
{
	*p = (struct window_plot){ .log = l, .count = count, .parts = { -1, -1, -1 } };
	if (!window_span(l, until, &p->from, &p->to))
		return -1;
	find_parts(p);
	p->columns = calloc(count, sizeof *p->columns);
	return p->columns ? 0 : -1;
}

void window_plot_end(struct window_plot *p)
{
	free(p->columns);
}
