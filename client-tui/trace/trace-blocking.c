/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Head-of-line blocking: a receiver of TCP reads the bytes of a stream in order, so that a line
 * whose own bytes have all left the link waits for an earlier byte that was lost and leaves later.
 *
 * Each direction of a connection keeps the bytes that left the link, in their order, with the time
 * when they did; of bytes that left twice, the earlier time. Lines whose bytes, and all earlier
 * ones, have left are final in the order of the stream, and their bytes are dropped. */
#include "common/grow.h"
#include "common/search.h"
#include "ledger/line-times.h"
#include "trace/trace-internal.h"

/* Pieces of a stream at once: with more, who waits for whom is not known any more. */
#define PIECES_MAX 8192
#define NOT_YET INT64_MAX /* a byte is lost, or has not come to the link */

static void give_up(struct trace_flow *f, struct trace_departures *d)
{
	d->unknown = f->blocking_unknown = true;
	d->count = 0;
}

void trace_blocking_lost(struct trace_flow *f)
{
	for (uint64_t i = 0; i < CONNECTIONS && i < f->count; i++)
		for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
			give_up(f, &f->connections[i].departures[direction]);
}

/* --- the bytes that left --- */

/* Returns 0 or -1. */
static int insert(struct trace_departures *d, size_t i, struct trace_piece piece)
{
	if (d->count == PIECES_MAX ||
	    grow_list(&d->pieces, &d->capacity, d->count + 1, sizeof *d->pieces) < 0)
		return -1;
	memmove(d->pieces + i + 1, d->pieces + i, (d->count++ - i) * sizeof piece);
	d->pieces[i] = piece;
	return 0;
}

/* Splits the piece at `i` before `place`, if that lies within it. Returns 0 or -1. */
static int split(struct trace_departures *d, size_t i, uint64_t place)
{
	struct trace_piece first = d->pieces[i];

	if (place <= first.begin || place >= first.end)
		return 0;
	d->pieces[i].begin = first.end = place;
	return insert(d, i, first);
}

/* Adds bytes from d->final on that left the link at `at`. Returns 0 or -1. */
static int add(struct trace_departures *d, uint64_t begin, uint64_t end, int64_t at)
{
	size_t i = d->count;

	while (i > 0 && d->pieces[i - 1].end > begin)
		i--;
	for (; begin < end; i++) {
		const uint64_t next = i < d->count && d->pieces[i].begin < end ? d->pieces[i].begin
		                                                               : end;

		if (begin < next) {
			if (insert(d, i, (struct trace_piece){ begin, next, at }) < 0)
				return -1;
		} else if (d->pieces[i].at > at) {
			const size_t before = d->count;

			if (split(d, i, begin) < 0)
				return -1;
			i += d->count - before;
			if (split(d, i, end) < 0)
				return -1;
			d->pieces[i].at = at;
		}
		begin = d->pieces[i].end;
	}
	return 0;
}

/* When the last of these bytes left, or NOT_YET. */
static int64_t whole_at(const struct trace_departures *d, uint64_t begin, uint64_t end)
{
	int64_t at = INT64_MIN;
	size_t i;

	SEARCH_FIRST(i, 0, d->count, d->pieces[i].end > begin);
	for (; i < d->count && begin < end && d->pieces[i].begin <= begin; i++) {
		begin = d->pieces[i].end;
		if (d->pieces[i].at > at)
			at = d->pieces[i].at;
	}
	return begin < end ? NOT_YET : at;
}

/* When the last of all bytes before `place` left, or NOT_YET. Sets *byte to the one of these that
 * was the last, or d->final - 1 for one of the final lines. */
static int64_t latest_before(const struct trace_departures *d, uint64_t place, uint64_t *byte)
{
	int64_t latest = d->latest;
	uint64_t next = d->final;
	size_t i = 0;

	*byte = d->final - 1;
	while (next < place) {
		const struct trace_piece *piece = i < d->count && d->pieces[i].begin < place
		                                    ? &d->pieces[i]
		                                    : NULL;
		const bool left = piece && piece->begin <= next;
		const int64_t at = left ? piece->at : NOT_YET;

		next = left ? piece->end : piece ? piece->begin : place;
		if (next > place)
			next = place;
		if (at >= latest) {
			latest = at;
			*byte = next - 1;
		}
		i += left;
	}
	return latest;
}

/* --- lines --- */

static uint64_t line_at(const struct trace *t, const struct trace_flow *f,
    enum link_direction direction, const struct trace_departures *d, uint64_t byte)
{
	const size_t i = trace_first_line_at(t, f, direction, byte);

	return byte < d->final ? d->latest_line : i < f->end ? f->numbers[i] : 0;
}

/* Sets what is known of a line by now. Returns false if an earlier byte has not left yet. */
static bool set_line(const struct trace *t, const struct trace_flow *f,
    const struct trace_departures *d, struct trace_slot *r, enum link_direction direction)
{
	struct trace_leg *leg = &r->line.legs[direction];
	uint64_t byte;
	const int64_t own = whole_at(d, r->begins[direction], r->ends[direction]),
	              latest = latest_before(d, r->begins[direction], &byte);

	if (latest == NOT_YET)
		return false;
	leg->behind = own < latest ? line_at(t, f, direction, d, byte) : 0;
	leg->behind_for = leg->behind ? latest - own : 0;
	return true;
}

static void count(struct blocked_totals *b, const struct trace_slot *r,
    enum link_direction direction)
{
	const struct trace_leg *leg = &r->line.legs[direction], *there = &r->line.legs[LINK_GOING];

	if (leg->ack_wait >= PARTS_DIFFER) {
		b->held_lines += direction == LINK_GOING || there->ack_wait < PARTS_DIFFER;
		b->held += leg->ack_wait;
	}
	if (!leg->behind)
		return;
	/* The reply is the second of the two. */
	b->lines += direction == LINK_GOING || !there->behind;
	b->total += leg->behind_for;
	if (leg->behind_for > b->longest)
		b->longest = leg->behind_for;
}

/* Makes lines final that had left at `now`. */
static void finish(const struct trace *t, struct trace_flow *f, struct trace_departures *d,
    enum link_direction direction, int64_t now)
{
	size_t gone = 0;

	for (size_t i = trace_first_line_at(t, f, direction, d->final); i < f->end; i++) {
		const struct trace_slot *r = trace_slot(t, f->stream, f->numbers[i]);
		const int64_t own = !r ? NOT_YET : whole_at(d, d->final, r->ends[direction]);

		if (own > now)
			break;
		/* Of lines before it nothing is kept. */
		f->blocking_unknown |= r->begins[direction] != d->final;
		count(&f->blocked, r, direction);
		d->final = r->ends[direction];
		if (own >= d->latest) {
			d->latest = own;
			d->latest_line = r->line.number;
		}
	}
	while (gone < d->count && d->pieces[gone].end <= d->final)
		gone++;
	d->count -= gone;
	if (gone > 0)
		memmove(d->pieces, d->pieces + gone, d->count * sizeof *d->pieces);
}

void trace_blocking_take(struct trace *t, struct trace_flow *f, struct trace_connection *c,
    const struct packet_event *e, uint64_t begin, uint64_t end)
{
	struct trace_departures *d = &c->departures[e->direction];
	const bool second = e->copies > 1 && e->out[1] < e->out[0];

	/* The place of replies other than the capitals is not known, nor that of a piece of a
	 * segment, which arrives with the last piece. */
	if (e->fragment || (f->unaligned && e->direction == LINK_COMING))
		give_up(f, d);
	if (d->unknown)
		return;
	if (begin < d->final)
		begin = d->final;
	if (e->fate == LINK_DELIVERED && add(d, begin, end, e->out[second]) < 0) {
		give_up(f, d);
		return;
	}
	for (size_t i = trace_first_line_at(t, f, e->direction, begin); i < f->end; i++) {
		struct trace_slot *r = trace_slot(t, f->stream, f->numbers[i]);

		if (!r || d->count == 0 || r->begins[e->direction] >= d->pieces[d->count - 1].end ||
		    !set_line(t, f, d, r, e->direction))
			break;
	}
	finish(t, f, d, e->direction, e->in);
}

void trace_blocking_finish(struct trace *t, int64_t now)
{
	for (int i = 0; i < t->flow_count; i++) {
		struct trace_flow *f = &t->flows[i];

		for (uint64_t k = 0; k < CONNECTIONS && k < f->count; k++)
			for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
				finish(t, f, &f->connections[k].departures[direction], direction,
				    now);
	}
}

/* --- queries --- */

bool trace_blocked(const struct trace *t, int flow, struct blocked_totals *totals)
{
	const struct trace_flow *f = &t->flows[flow];

	totals->lines += f->blocked.lines;
	totals->total += f->blocked.total;
	totals->held_lines += f->blocked.held_lines;
	totals->held += f->blocked.held;
	if (f->blocked.longest > totals->longest)
		totals->longest = f->blocked.longest;
	return !f->blocking_unknown;
}

uint64_t trace_waits_behind(const struct trace *t, uint64_t number, enum link_direction direction,
    int64_t now)
{
	const struct trace_slot *r = trace_slot(t, true, number);
	const struct trace_flow *f = r ? &t->flows[r->flow] : NULL;

	for (uint64_t i = 0; r && i < CONNECTIONS && i < f->count; i++) {
		const struct trace_connection
		    *c = &f->connections[(f->count - 1 - i) % CONNECTIONS];
		const struct trace_departures *d = &c->departures[direction];
		const uint64_t begin = r->begins[direction];
		uint64_t byte;

		if (c->from[direction] > begin)
			continue;
		return whole_at(d, begin, r->ends[direction]) <= now &&
		               latest_before(d, begin, &byte) > now
		         ? line_at(t, f, direction, d, byte)
		         : 0;
	}
	return 0;
}
