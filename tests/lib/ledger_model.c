/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/ledger_model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "tests/lib/ledger_check.h"

/* ---- comparing ---- */

static void check(struct model *m, bool right, const char *what)
{
	if (!right && !m->wrong)
		m->wrong = what;
}

#define CHECK(m, right) check(m, right, #right)

static bool same(const void *a, size_t n, const void *b, size_t k)
{
	return n == k && (n == 0 || memcmp(a, b, n) == 0);
}

static bool is_connecting(const struct model *m)
{
	return m->attempt_count > 0 && m->attempts[m->attempt_count - 1].ended == INT64_MAX;
}

static void check_row(struct model *m, const struct model_line *x)
{
	const struct ledger_row *row = ledger_find(m->ledger, x->number);
	unsigned char wire[MODEL_TEXT + LEDGER_TAG_SIZE];
	const size_t tag = x->wire_length - x->length;

	CHECK(m, (row == NULL) == x->evicted);
	if (!row || x->evicted)
		return;
	CHECK(m, row->number == x->number && row->fate == x->fate && row->tag == x->tag);
	CHECK(m, same(row->text, row->length, x->text, x->length));
	CHECK(m, ledger_wire(m->ledger, x->number, wire, sizeof wire) == x->wire_length);
	CHECK(m, same(wire, x->wire_length, x->wire, x->wire_length));
	CHECK(m, row->sent_at == x->sent_at && row->replied_at == x->replied_at);
	CHECK(m, row->typed_at == x->typed_at && row->connecting == x->connecting);
	CHECK(m, ledger_is_connecting(m->ledger, 0) == is_connecting(m));
	CHECK(m, row->duplicates == x->duplicates && row->late == x->late &&
	             row->reordered == x->reordered);
	CHECK(m, row->differs == x->differs && row->cut_short == x->cut_short &&
	             row->partial == x->partial);
	CHECK(m, row->error == x->error);
	CHECK(m, (row->reply != NULL) == (x->differs || x->cut_short));
	if (row->reply) {
		const size_t skip = tag < x->reply_length ? tag : x->reply_length;
		CHECK(m,
		    same(row->reply, row->reply_length, x->reply + skip, x->reply_length - skip));
	}
}

static struct model_line *oldest_waiting(struct model *m, bool kept)
{
	struct model_line *best = NULL;
	for (struct model_line *x = m->lines; x < m->lines + m->count; x++)
		if (x->fate == FATE_WAITING && !(kept && x->evicted) &&
		    (!best || x->order < best->order))
			best = x;
	return best;
}

static void check_totals(struct model *m)
{
	const struct ledger_totals *t = ledger_totals(m->ledger);
	struct ledger_totals sum = { .typed = m->count };
	uint64_t fates[FATE_CUT_OFF + 1] = { 0 };

	for (const struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		fates[x->fate]++;
		sum.late += x->late;
		sum.duplicates += x->duplicates;
		sum.reordered += x->reordered;
		sum.differs += x->differs;
		sum.cut_short += x->cut_short;
		sum.evicted += x->evicted;
	}
	CHECK(m, t->typed == sum.typed && t->queued == fates[FATE_QUEUED]);
	CHECK(m, t->sent == sum.typed - fates[FATE_QUEUED]);
	CHECK(m, t->waiting == fates[FATE_WAITING] && t->answered == fates[FATE_ANSWERED]);
	CHECK(m, t->lost == fates[FATE_LOST] && t->refused == fates[FATE_REFUSED]);
	CHECK(m, t->failed == fates[FATE_FAILED] && t->cut_off == fates[FATE_CUT_OFF]);
	CHECK(m,
	    t->sent == t->answered + t->lost + t->waiting + t->refused + t->failed + t->cut_off);
	CHECK(m, t->late == sum.late && t->duplicates == sum.duplicates &&
	             t->reordered == sum.reordered);
	CHECK(m, t->differs == sum.differs && t->cut_short == sum.cut_short);
	CHECK(m, t->strays == m->strays && t->evicted == sum.evicted);
	CHECK(m, ledger_count(m->ledger) == m->count - sum.evicted);
}

static void check_figures(struct model *m, const struct ledger_times *t,
    const struct model_times *x)
{
	CHECK(m, t->min == x->min && t->max == x->max && t->m2 >= 0);
	if (m->timed) {
		const double off = t->mean - (double)x->sum / (double)m->timed;
		CHECK(m, off < 1e-6 && off > -1e-6);
	}
}

static void check_times(struct model *m)
{
	const struct ledger_totals *t = ledger_totals(m->ledger);

	CHECK(m, t->timed == m->timed);
	check_figures(m, &t->rtt, &m->rtt);
	check_figures(m, &t->waited, &m->waited);
	/* The parts add up. */
	const double waited = t->waited.mean * (double)t->timed,
	             wire = t->rtt.mean * (double)t->timed;
	CHECK(m, fabs(wire + t->connecting.sum + t->queued_for.sum - waited) <= 1e-6 * waited);
}

static void check_all(struct model *m)
{
	struct model_line *waiting = oldest_waiting(m, true), *first = oldest_waiting(m, false);
	uint64_t queued = 0;

	CHECK(m, ledger_balanced(m->ledger));
	check_totals(m);
	check_times(m);
	for (struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		check_row(m, x);
		if (x->fate == FATE_QUEUED && !queued)
			queued = x->number;
	}
	CHECK(m, ledger_first_queued(m->ledger, 0) == queued);
	CHECK(m, ledger_first_waiting(m->ledger) == (waiting ? waiting->number : 0));
	CHECK(m,
	    ledger_deadline(m->ledger) == (first && !m->over && m->settings.kind == LEDGER_DATAGRAM
	                                          ? first->sent_at + m->settings.reply_timeout + 1
	                                          : INT64_MAX));
}

/* ---- what the contract says ---- */

struct model *model_new(const struct ledger_settings *settings)
{
	struct model *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->settings = *settings;
	m->lines = calloc(MODEL_LINES, sizeof(*m->lines));
	m->ledger = ledger_new(settings);
	m->latest = m->tag_all_until = INT64_MIN;
	if (!m->lines || !m->ledger) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	ledger_free(m->ledger);
	free(m->lines);
	free(m);
}

static struct model_line *find(struct model *m, uint64_t number)
{
	for (struct model_line *x = m->lines; x < m->lines + m->count; x++)
		if (x->number == number && !x->evicted)
			return x;
	return NULL;
}

/* Its text is taken: a reply could be meant for it, or will be. */
static bool blocks(const struct model *m, const struct model_line *x)
{
	if (x->evicted)
		return false;
	switch (x->fate) {
	case FATE_QUEUED:
	case FATE_WAITING:
		return true;
	case FATE_ANSWERED:
	case FATE_LOST:
		return m->latest <= x->sent_at + m->settings.answerable;
	default:
		return x->uncertain && m->latest <= x->sent_at + m->settings.answerable;
	}
}

/* A reply at `now` may belong to it. */
static bool answers(const struct model *m, const struct model_line *x, int64_t now)
{
	return blocks(m, x) && now <= x->sent_at + m->settings.answerable &&
	       (x->fate == FATE_WAITING || x->fate == FATE_ANSWERED || x->fate == FATE_LOST);
}

static bool taken(const struct model *m, const unsigned char *wire, size_t n)
{
	unsigned char caps[4 * MODEL_TEXT];
	const size_t k = capitals_text(wire, n, caps);

	for (const struct model_line *x = m->lines; x < m->lines + m->count; x++)
		if (blocks(m, x) && same(x->caps, x->caps_length, caps, k))
			return true;
	return false;
}

static void set_wire(struct model_line *x, uint64_t tag)
{
	char text[LEDGER_TAG_SIZE + 1] = "";

	x->tag = tag;
	if (tag)
		snprintf(text, sizeof text, "#%llu ", (unsigned long long)tag);
	memcpy(x->wire, text, strlen(text));
	memcpy(x->wire + strlen(text), x->text, x->length);
	x->wire_length = strlen(text) + x->length;
	x->caps_length = capitals_text(x->wire, x->wire_length, x->caps);
}

static void choose_tag(struct model *m, struct model_line *x, int64_t now)
{
	bool needed = m->settings.tag == LEDGER_TAG_ALWAYS;

	set_wire(x, 0);
	if (m->settings.tag == LEDGER_TAG_AUTO)
		needed = taken(m, x->wire, x->wire_length) || now <= m->tag_all_until;
	if (!needed || m->settings.kind == LEDGER_STREAM)
		return;
	set_wire(x, x->number);
	while (taken(m, x->wire, x->wire_length))
		set_wire(x, x->tag + 1);
}

/* Decided lines first, then those that wait; never queued ones. */
static void remove_oldest(struct model *m, bool waiting)
{
	size_t kept = 0;
	for (const struct model_line *x = m->lines; x < m->lines + m->count; x++)
		kept += !x->evicted;
	for (struct model_line *x = m->lines;
	    x < m->lines + m->count && kept >= m->settings.capacity; x++) {
		if (x->evicted || x->fate == FATE_QUEUED || (x->fate == FATE_WAITING) != waiting)
			continue;
		if (m->settings.kind == LEDGER_DATAGRAM && blocks(m, x) &&
		    m->tag_all_until < x->sent_at + m->settings.answerable)
			m->tag_all_until = x->sent_at + m->settings.answerable;
		x->evicted = true;
		kept--;
	}
}

static void see(struct model *m, int64_t now)
{
	if (now > m->latest)
		m->latest = now;
}

void model_add(struct model *m, uint64_t number, const void *text, size_t n, bool partial,
    int64_t now)
{
	if (m->count == MODEL_LINES || n > MODEL_TEXT ||
	    (m->count && number <= m->lines[m->count - 1].number))
		return;
	struct model_line *x = &m->lines[m->count];
	*x = (struct model_line){
		.number = number, .length = n, .partial = partial, .typed_at = now
	};
	memcpy(x->text, text, n);
	see(m, now);
	choose_tag(m, x, now);
	remove_oldest(m, false);
	remove_oldest(m, true);
	m->count++;
	CHECK(m, ledger_add_as(m->ledger, number, text, n,
	             partial ? LEDGER_LINE_PARTIAL : LEDGER_LINE, now) == 0);
	/* Queued lines are never forgotten. */
	const size_t kept = ledger_count(m->ledger);
	CHECK(m, kept <= m->settings.capacity || kept == ledger_totals(m->ledger)->queued);
	check_all(m);
}

void model_connect(struct model *m, int64_t now)
{
	if (is_connecting(m)) {
		m->attempts[m->attempt_count - 1].ended = now;
		ledger_connected(m->ledger, 0, now);
	} else if (m->attempt_count < MODEL_LINES) {
		m->attempts[m->attempt_count++] = (struct model_attempt){ now, INT64_MAX };
		ledger_connecting(m->ledger, 0, now);
		/* It may say so again. */
		ledger_connecting(m->ledger, 0, now + 1);
	}
	check_all(m);
}

/* What all attempts have in common with the time from typed to sent. */
static int64_t overlap(const struct model *m, int64_t typed, int64_t sent)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->attempt_count; i++) {
		const int64_t from = m->attempts[i].began > typed ? m->attempts[i].began : typed;
		const int64_t to = m->attempts[i].ended < sent ? m->attempts[i].ended : sent;

		sum += to > from ? to - from : 0;
	}
	return sum;
}

void model_sent(struct model *m, uint64_t number, int64_t now)
{
	struct model_line *x = find(m, number);

	if (x && (x->fate == FATE_QUEUED || x->fate == FATE_WAITING)) {
		x->fate = FATE_WAITING;
		x->sent_at = now;
		x->connecting = overlap(m, x->typed_at, now);
		x->order = ++m->orders;
	}
	ledger_sent(m->ledger, number, now);
	check_all(m);
}

void model_failed(struct model *m, uint64_t number, int error)
{
	struct model_line *x = find(m, number);

	if (x && (x->fate == FATE_QUEUED || x->fate == FATE_WAITING)) {
		x->fate = FATE_FAILED;
		x->error = error;
	}
	ledger_failed(m->ledger, number, error, 0);
	check_all(m);
}

void model_requeue(struct model *m, uint64_t number)
{
	struct model_line *x = find(m, number);

	if (x && x->fate == FATE_WAITING) {
		x->fate = FATE_QUEUED;
		x->sent_at = x->connecting = 0;
	}
	ledger_requeue(m->ledger, number);
	check_all(m);
}

/* A beginning of what was sent, cut anywhere before or after it became capitals. */
static bool begins(const struct model_line *x, const unsigned char *caps, size_t n)
{
	unsigned char part[4 * MODEL_TEXT];

	if (n > 0 && n < x->caps_length && memcmp(x->caps, caps, n) == 0)
		return true;
	for (size_t k = 1; k < x->wire_length; k++)
		if (same(part, capitals_text(x->wire, k, part), caps, n))
			return true;
	return false;
}

static struct model_line *match_whole(struct model *m, const unsigned char *caps, size_t n,
    int64_t now)
{
	struct model_line *waiting = NULL, *silent = NULL, *answered = NULL;

	for (struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		if (!answers(m, x, now) || !same(x->caps, x->caps_length, caps, n))
			continue;
		if (x->fate == FATE_WAITING)
			waiting = waiting && waiting->order < x->order ? waiting : x;
		else if (x->fate == FATE_LOST && !x->late)
			silent = silent && silent->order < x->order ? silent : x;
		else
			answered = answered && answered->reply_order < x->reply_order ? answered
			                                                              : x;
	}
	return waiting ? waiting : silent ? silent : answered;
}

static struct model_line *match_beginning(struct model *m, const unsigned char *caps, size_t n,
    const unsigned char *reply, size_t reply_length, int64_t now)
{
	struct model_line *waiting = NULL, *other = NULL;
	int waitings = 0, others = 0;

	for (struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		if (n == 0 || !answers(m, x, now) || !begins(x, caps, n))
			continue;
		if (x->fate == FATE_WAITING) {
			waiting = x;
			waitings++;
		} else if (x->fate == FATE_LOST && !x->late) {
			other = x;
			others++;
		} else if (x->cut_short && same(x->reply, x->reply_length, reply, reply_length)) {
			other = x;
			others++;
		}
	}
	if (waitings)
		return waitings == 1 ? waiting : NULL;
	return others == 1 ? other : NULL;
}

static void count_time(struct model_times *t, bool first, int64_t time)
{
	t->min = first || time < t->min ? time : t->min;
	t->max = first || time > t->max ? time : t->max;
	t->sum += time;
}

static void first_reply(struct model *m, struct model_line *x, const void *reply, size_t n,
    int64_t now)
{
	x->replied_at = now > x->sent_at ? now : x->sent_at;
	x->reply_order = ++m->replies;
	if (n)
		memcpy(x->reply, reply, n);
	x->reply_length = n;
	x->late = m->settings.kind == LEDGER_DATAGRAM &&
	          now > x->sent_at + m->settings.reply_timeout;
	x->fate = x->late ? FATE_LOST : FATE_ANSWERED;
	if (x->late)
		return;
	count_time(&m->rtt, m->timed == 0, x->replied_at - x->sent_at);
	count_time(&m->waited, m->timed == 0, x->replied_at - x->typed_at);
	m->timed++;
	if (m->settings.kind == LEDGER_STREAM)
		return;
	x->reordered = x->order < m->expected;
	if (!x->reordered)
		m->expected = x->order + 1;
}

static void check_verdict(struct model *m, struct ledger_reply_match v, enum ledger_match match,
    const struct model_line *x, size_t n, int64_t now)
{
	CHECK(m, v.match == match);
	if (!x) {
		CHECK(m, v.number == 0 && v.skip == 0 && v.rtt == -1);
		return;
	}
	const size_t tag = x->wire_length - x->length;
	CHECK(m, v.number == x->number && v.skip == (tag < n ? tag : n));
	CHECK(m, v.rtt == (now > x->sent_at ? now - x->sent_at : 0));
}

void model_reply(struct model *m, const void *reply, size_t n, int64_t now)
{
	unsigned char caps[12 * MODEL_TEXT];

	if (n > 4 * MODEL_TEXT)
		return;
	see(m, now);
	const size_t k = capitals_text(reply, n, caps);
	const bool datagram = m->settings.kind == LEDGER_DATAGRAM;
	struct model_line *x = datagram ? match_whole(m, caps, k, now) : NULL;
	const bool whole = x != NULL;
	if (!x && datagram)
		x = match_beginning(m, caps, k, reply, n, now);

	enum ledger_match match = MATCH_STRAY;
	if (!x) {
		m->strays++;
	} else if (x->fate == FATE_ANSWERED || x->late) {
		match = MATCH_DUPLICATE;
		x->duplicates++;
	} else {
		x->differs = !same(reply, n, caps, k);
		x->cut_short = !whole;
		first_reply(m, x, reply, n, now);
		match = x->late ? MATCH_LATE : MATCH_ANSWER;
	}
	check_verdict(m, ledger_reply(m->ledger, reply, n, now), match, x, n, now);
	check_all(m);
}

void model_stream_reply(struct model *m, const void *reply, size_t n, bool ended, int64_t now)
{
	unsigned char caps[12 * MODEL_TEXT];
	struct model_line *x = oldest_waiting(m, false);
	enum ledger_match match = MATCH_STRAY;

	if (n > 4 * MODEL_TEXT)
		return;
	const size_t k = capitals_text(reply, n, caps);
	if (m->settings.kind == LEDGER_DATAGRAM)
		x = NULL;
	if (ended && n == 0)
		x = NULL;
	else if (!x)
		m->strays++;
	if (x) {
		match = MATCH_ANSWER;
		if (x->evicted) {
			x->fate = FATE_ANSWERED;
		} else {
			first_reply(m, x, reply, n, now);
			if (!x->partial && !same(x->caps, x->caps_length, reply, n)) {
				x->cut_short = ended && begins(x, caps, k);
				x->differs = !x->cut_short || !same(reply, n, caps, k);
			}
		}
	}
	const struct ledger_reply_match v = ledger_stream_reply(m->ledger, 0, reply, n, ended, now);
	if (x && x->evicted)
		CHECK(m, v.match == MATCH_ANSWER && v.number == 0 && v.rtt == -1);
	else
		check_verdict(m, v, match, x, n, now);
	check_all(m);
}

void model_unreachable(struct model *m, const void *quoted, size_t n, size_t least, int error)
{
	struct model_line *whole = NULL, *first = NULL;
	int found = 0;

	for (struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		if (m->settings.kind == LEDGER_STREAM || x->evicted || x->fate != FATE_WAITING ||
		    x->wire_length < least || n > x->wire_length ||
		    (n && memcmp(x->wire, quoted, n) != 0))
			continue;
		found++;
		first = first && first->order < x->order ? first : x;
		if (n && n == x->wire_length)
			whole = whole && whole->order < x->order ? whole : x;
	}
	struct model_line *x = whole ? whole : first;
	if (x) {
		x->uncertain = !whole && found > 1;
		x->fate = error == ECONNREFUSED ? FATE_REFUSED : FATE_FAILED;
		x->error = error;
	}
	CHECK(m, ledger_unreachable(m->ledger, quoted, n, least, error, 0) == (x ? x->number : 0));
	check_all(m);
}

static uint64_t end_waiting(struct model *m, enum ledger_fate fate)
{
	uint64_t count = 0;
	for (struct model_line *x = m->lines; x < m->lines + m->count; x++) {
		if (x->fate != FATE_WAITING)
			continue;
		x->fate = fate;
		count++;
	}
	return count;
}

void model_cut_off(struct model *m)
{
	CHECK(m, ledger_cut_off(m->ledger, 0, 0) == end_waiting(m, FATE_CUT_OFF));
	check_all(m);
}

void model_give_up(struct model *m)
{
	m->over = m->settings.kind == LEDGER_DATAGRAM;
	ledger_give_up(m->ledger);
	check_all(m);
}

void model_expire(struct model *m, int64_t now)
{
	uint64_t number;
	struct model_line *x;

	do {
		while ((x = oldest_waiting(m, false)) && m->settings.kind == LEDGER_DATAGRAM &&
		       now > x->sent_at + m->settings.reply_timeout) {
			x->fate = FATE_LOST;
			if (!x->evicted)
				break;
			x = NULL;
		}
		if (x && x->fate != FATE_LOST)
			x = NULL;
		number = ledger_expire(m->ledger, now);
		CHECK(m, number == (x ? x->number : 0));
		check_all(m);
	} while (number && !m->wrong);
}

/* ---- playing ---- */

struct tape {
	const unsigned char *at, *end;
};

static unsigned next(struct tape *t)
{
	return t->at < t->end ? *t->at++ : 0;
}

/* Texts that look alike: by case, by beginning, by tag, by characters that grow or are cut. */
static const char *const texts[] = { "a", "A", "ab", "AB", "abc", "hello", "HELLO", "hello world",
	"", "#1 a", "#2 A", "#3 ab", "#4 hello",
	"stra\xc3\x9f"
	"e",
	"strasse", "STRASSE", "\xc5\x89x", "\xca\xbcN",
	"gr\xc3\xbc\xc3\x9f"
	"e",
	"ab\xc3", "\xe2\x82", "\xce\x90", "\xff\xfe", "#" };

static void play_add(struct model *m, struct tape *t, int64_t now)
{
	const unsigned pick = next(t);
	const uint64_t number = m->count ? m->lines[m->count - 1].number + 1 + (pick >> 7) : 1;
	const bool partial = m->settings.kind == LEDGER_STREAM && (pick & 0x40);
	unsigned char own[8];

	if ((pick & 0x3f) < sizeof texts / sizeof *texts) {
		const char *text = texts[pick & 0x3f];
		model_add(m, number, text, strlen(text), partial, now);
		return;
	}
	const size_t n = pick % sizeof own;
	for (size_t i = 0; i < n; i++)
		own[i] = (unsigned char)next(t);
	model_add(m, number, own, n, partial, now);
}

static size_t make_reply(const struct model *m, struct tape *t, unsigned char *out)
{
	const unsigned how = next(t);
	const struct model_line *x = m->count ? &m->lines[m->count - 1 - next(t) % m->count] : NULL;
	size_t n = 0;

	if (!x || how % 8 == 7) {
		for (n = 0; n < how / 8; n++)
			out[n] = (unsigned char)next(t);
		return n;
	}
	n = how & 1 ? x->wire_length : x->caps_length;
	memcpy(out, how & 1 ? x->wire : x->caps, n);
	if (how % 8 == 3)
		for (size_t i = 0; i < n; i++)
			out[i] = (unsigned char)(out[i] >= 'a' && out[i] <= 'z' ? out[i] - 32
			                                                        : out[i]);
	if (how % 8 >= 4 && n)
		n = how / 8 % (n + 1);
	/* A cut may also come before the capitals. */
	if (how % 8 == 6) {
		n = x->wire_length ? how / 8 % x->wire_length : 0;
		n = capitals_text(x->wire, n, out);
	}
	return n;
}

static void play_reply(struct model *m, struct tape *t, int64_t now)
{
	unsigned char reply[4 * MODEL_TEXT];
	const unsigned when = next(t);
	const size_t n = make_reply(m, t, reply);

	/* The kernel's time stamp may be older than what is known already. */
	now -= when % 16 == 0 ? when / 16 * 3 : 0;
	if (m->settings.kind == LEDGER_STREAM)
		model_stream_reply(m, reply, n, when & 1, now);
	else
		model_reply(m, reply, n, now);
}

static void play_trouble(struct model *m, struct tape *t, uint64_t number)
{
	static const int errors[] = { ECONNREFUSED, EHOSTUNREACH, EMSGSIZE };
	const unsigned pick = next(t);
	const int error = errors[pick / 8 % 3];
	const struct model_line *x = m->count ? &m->lines[m->count - 1 - pick / 8 % m->count]
	                                      : NULL;

	switch (pick % 8) {
	case 0:
		model_failed(m, number, error);
		break;
	case 1:
	case 2:
		model_requeue(m, number);
		break;
	case 3:
	case 4:
		if (x)
			model_unreachable(m, x->wire,
			    pick & 0x80 ? x->wire_length : next(t) % (x->wire_length + 1),
			    pick % 8 == 3 ? 0 : x->wire_length / 2, error);
		break;
	case 5:
		model_unreachable(m, NULL, 0, pick >> 4, error);
		break;
	case 6:
		if (m->settings.kind == LEDGER_STREAM || pick & 0x80)
			model_cut_off(m);
		break;
	default:
		break;
	}
}

static void play_step(struct model *m, struct tape *t, int64_t *now)
{
	const unsigned step = next(t);
	const struct model_line *x = m->count ? &m->lines[m->count - 1 - (step >> 4) % m->count]
	                                      : NULL;
	const uint64_t number = x ? x->number : 1;

	switch (step & 15) {
	case 0:
	case 1:
	case 2:
		play_add(m, t, *now);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		model_sent(m,
		    (step & 15) < 6 && ledger_first_queued(m->ledger, 0)
		        ? ledger_first_queued(m->ledger, 0)
		        : number,
		    *now);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		play_reply(m, t, *now);
		break;
	case 12:
		play_trouble(m, t, number);
		break;
	case 13:
		model_expire(m, *now);
		break;
	case 14:
		model_connect(m, *now);
		break;
	default:
		*now += step >> 4 < 12 ? step >> 4 : (step >> 4) * 8;
	}
}

const char *model_play(const unsigned char *bytes, size_t n)
{
	struct tape t = { bytes, bytes + n };
	const unsigned how = next(&t);
	static const size_t capacities[] = { 1, 2, 3, 8, 1000, 1000, 1000, 1000 };
	const struct ledger_settings settings = {
		.kind = how & 1 ? LEDGER_STREAM : LEDGER_DATAGRAM,
		.tag = (how >> 1 & 3) == 1 ? LEDGER_TAG_ALWAYS
		     : (how >> 1 & 3) == 2 ? LEDGER_TAG_NEVER
		                           : LEDGER_TAG_AUTO,
		.capacity = capacities[how >> 3 & 7],
		.reply_timeout = 10 + (how >> 6) * 15,
		.answerable = 150,
	};
	struct model *m = model_new(&settings);
	const char *wrong;
	int64_t now = 1000;

	if (!m)
		return NULL;
	while (t.at < t.end && !m->wrong)
		play_step(m, &t, &now);
	if (!m->wrong)
		model_give_up(m);
	wrong = m->wrong;
	model_free(m);
	return wrong;
}
