/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers are written without printf's %f, which writes a comma in some locales. */
#include "config.h"

#include "report/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "ledger/error-text.h"
#include "ledger/line-times.h"
#include "report/text.h"
#include "common/units.h"
#include "common/utf8.h"

/* ---- loss ---- */

/* Places behind the point, `min` or as many as it takes to be more than nothing. */
static int digits_for(double percent, int min)
{
	double shown = percent;

	for (int i = 0; i < min; i++)
		shown *= 10;
	for (; percent > 0 && shown < 0.5 && min < 9; min++)
		shown *= 10;
	return min;
}

void summary_put_loss(struct text *out, const struct ledger_totals *t, const char *word)
{
	uint64_t by_chance = ledger_by_chance(t);
	double low, high;

	text_put(out, "%" PRIu64 "/%" PRIu64 "%s", t->lost, by_chance, word);
	double percent = 100 * (double)t->lost / (double)by_chance;
	int digits = digits_for(percent, percent < 9.95 && t->lost ? 1 : 0);
	stats_wilson(t->lost, by_chance, &low, &high);
	text_put(out, " (");
	text_decimal(out, percent, digits);
	text_put(out, " %%, 95 %% ");
	text_decimal(out, 100 * low, digits);
	text_put(out, "–");
	/* Of very many lines none was lost: 0 is not the whole truth. */
	text_decimal(out, 100 * high,
	    digits_for(100 * high, high < 0.00995 && !digits ? 2 : digits));
	text_put(out, ")");
}

/* ---- fates ---- */

static void put_marks(struct text *t, const struct ledger_row *row)
{
	if (row->duplicates) {
		text_put(t, ", ");
		text_count(t, row->duplicates, "duplicate");
	}
	text_put(t, "%s%s%s", row->reordered ? ", reordered" : "",
	    row->cut_short ? ", cut short" : "", row->differs ? ", differs" : "");
}

char *summary_fate(const struct ledger_row *row, bool stream, int64_t now, char *buf, size_t size)
{
	const struct parts parts = parts_of_row(row);
	struct text out = text_begin(buf, size);
	char time[120];

	switch (row->fate) {
	case FATE_QUEUED:
		text_put(&out, "queued %s",
		    units_running_text(now - row->typed_at, "µ", time, sizeof(time)));
		break;
	case FATE_WAITING:
		text_put(&out, "waiting %s",
		    units_running_text(now - row->typed_at, "µ", time, sizeof(time)));
		break;
	case FATE_ANSWERED:
		text_put(&out, "answered in %s",
		    parts_text(&parts, PARTS_ALL, "µ", time, sizeof(time)));
		break;
	case FATE_LOST:
		text_put(&out, row->late ? "late after " : "lost");
		if (row->late)
			text_put(&out, "%s",
			    parts_text(&parts, PARTS_ALL, "µ", time, sizeof(time)));
		break;
	case FATE_REFUSED:
		text_put(&out, "refused: nothing listens on that port there");
		break;
	case FATE_FAILED:
		text_put(&out, "failed: %s", error_sentence(row->error, stream));
		break;
	case FATE_CUT_OFF:
		text_put(&out, "cut off: the connection ended before the reply");
		break;
	}
	put_marks(&out, row);
	return buf;
}

/* ---- a session ---- */

struct count {
	uint64_t count;
	const char *one, *many;
};

/* Those that are not zero. */
static void put_counts(struct text *out, const char *before, const struct count *counts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!counts[i].count)
			continue;
		text_put(out, "%s%" PRIu64 " %s", before, counts[i].count,
		    counts[i].count == 1 ? counts[i].one : counts[i].many);
		before = ", ";
	}
}

/* What chance did not decide comes first; a loss and its interval are told of the rest, if there is
 * any. */
static void put_totals(struct text *out, const struct ledger_totals *t, bool stream)
{
	const struct count ends[] = {
		{ t->refused, "refused", "refused" },
		{ t->failed, "failed", "failed" },
		{ t->cut_off, "cut off", "cut off" },
		{ t->waiting, "still waiting", "still waiting" },
		{ t->queued, "never sent", "never sent" },
	};

	text_put(out, "answered %" PRIu64 " of %" PRIu64, t->answered, t->sent);
	put_counts(out, ", ", ends, sizeof(ends) / sizeof(ends[0]));
	if (ledger_by_chance(t) == 0 || (stream && !t->lost))
		return;
	text_put(out, ", ");
	summary_put_loss(out, t, " lost");
	if (t->late)
		text_put(out, ", of them %" PRIu64 " late", t->late);
}

char *summary_totals(const struct ledger_totals *t, bool stream, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);
	put_totals(&out, t, stream);
	return buf;
}

/* On a line of their own. */
static void put_marks_seen(struct text *out, const struct ledger_totals *t)
{
	const struct count marks[] = {
		{ t->duplicates, "duplicate", "duplicates" },
		{ t->reordered, "reordered", "reordered" },
		{ t->cut_short, "cut short", "cut short" },
		{ t->differs, "differs", "differ" },
		{ t->strays, "stray reply", "stray replies" },
	};
	const size_t used = out->used;

	put_counts(out, "", marks, sizeof(marks) / sizeof(marks[0]));
	if (out->used > used)
		text_put(out, "\n");
}

double summary_deviation(const struct ledger_times *t, uint64_t count)
{
	return count > 1 ? sqrt(t->m2 / (double)(count - 1)) : -1;
}

/* In the unit that fits the greatest, with as many decimals as it takes for three digits. */
void summary_put_figures(struct text *out, const double *figures, size_t count, double max)
{
	const double unit = max >= NS_PER_S ? NS_PER_S : max >= NS_PER_MS ? NS_PER_MS : NS_PER_US;
	const double scaled = max / unit;
	const int digits = scaled < 10 ? 2 : scaled < 100 ? 1 : 0;

	for (size_t i = 0; i < count; i++) {
		int needed = digits;

		/* A figure far below the greatest keeps two digits of its own. */
		for (double tens = figures[i] / unit * pow(10, digits);
		    tens > 0 && tens < 9.5 && needed < 9; tens *= 10)
			needed++;
		text_put(out, i ? "/" : "");
		text_decimal(out, figures[i] / unit, needed);
	}
	text_put(out, " %s", unit == NS_PER_S ? "s" : unit == NS_PER_MS ? "ms" : "µs");
}

static void put_times(struct text *out, const char *name, const char *where,
    const struct ledger_times *t, uint64_t count)
{
	const double deviation = summary_deviation(t, count);
	const double figures[] = { (double)t->min, t->mean, (double)t->max, deviation };

	if (!count)
		return;
	text_put(out, "%s min/mean/max%s ", name, deviation < 0 ? "" : "/sd");
	summary_put_figures(out, figures, deviation < 0 ? 3 : 4, (double)t->max);
	text_put(out, ", %s\n", where);
}

void summary_put_part(struct text *out, const char *before, const struct ledger_part *part,
    uint64_t count, const char *after)
{
	if (part->max < PARTS_DIFFER)
		return;
	text_put(out, "%s", before);
	text_span(out, (int64_t)(part->sum / (double)count + 0.5));
	text_put(out, ", at most ");
	text_span(out, part->max);
	text_put(out, "%s", after);
}

char *summary_session(const struct ledger_totals *t, bool stream, const char *peer,
    int64_t reply_timeout, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);

	text_put(&out, "--- %s %s ---\n", stream ? "TCP" : "UDP", peer);
	put_totals(&out, t, stream);
	if (!stream) {
		text_put(&out, "; wait ");
		text_span(&out, reply_timeout);
	}
	text_put(&out, "\n");
	put_marks_seen(&out, t);
	put_times(&out, "waited", "from Enter to reply", &t->waited, t->timed);
	summary_put_part(&out, stream ? "of it connecting: mean " : "of it opening: mean ",
	    &t->connecting, t->timed, "\n");
	summary_put_part(&out, "of it queued: mean ", &t->queued_for, t->timed, "\n");
	put_times(&out, "round trip", "on the wire", &t->rtt, t->timed);
	return buf;
}

/* ---- saving ---- */

static void write_safe(FILE *out, const unsigned char *s, size_t n)
{
	size_t have;

	for (; n; s += have, n -= have) {
		const size_t length = utf8_character(s, n);

		/* A byte that is no character stands for itself. */
		have = length ? length : 1;
		if (length == 1 && (*s < 0x20 || *s == 0x7f))
			fprintf(out, "^%c", *s ^ 0x40);
		else if (!length || utf8_is_control(utf8_code(s, length)))
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(s, 1, have, out);
	}
}

/* The reply as it came, or the capitals that it was. 0, or -1 when memory is short. */
static int write_reply(FILE *out, const struct ledger_row *row)
{
	if (row->reply) {
		write_safe(out, row->reply, row->reply_length);
		return 0;
	}
	unsigned char *caps = malloc(CAPITALS_GROWTH * row->length + 1);
	if (!caps)
		return -1;
	size_t n = row->length ? capitals_text(row->text, row->length, caps) : 0;
	write_safe(out, caps, n);
	free(caps);
	return 0;
}

static int save_line(FILE *out, const struct ledger *ledger, bool stream, uint64_t number,
    int64_t now)
{
	const struct ledger_row *row = ledger_find(ledger, number);
	char fate[300];

	fprintf(out, "%5" PRIu64 "  %s  ", number, stream ? "TCP" : "UDP");
	if (!row) {
		fputs("(no longer kept)\n", out);
		return 0;
	}
	write_safe(out, row->text, row->length);
	fputs(row->partial ? "..." : "", out);
	if (row->fate == FATE_ANSWERED || row->late) {
		fputs("  ->  ", out);
		if (row->partial)
			fputs("(not kept)", out);
		else if (write_reply(out, row))
			return -1;
	}
	fprintf(out, "  %s\n", summary_fate(row, stream, now, fate, sizeof(fate)));
	return 0;
}

static int save_item(FILE *out, const struct transcript_item *item, int64_t now)
{
	switch (item->kind) {
	case TRANSCRIPT_LINE:
		/* What went over both at once has a fate over each. */
		if (save_line(out, item->ledger, item->stream, item->number, now))
			return -1;
		return item->other ? save_line(out, item->other, true, item->number, now) : 0;
	case TRANSCRIPT_STRAY:
		fprintf(out, "       %s  stray  ->  ", item->stream ? "TCP" : "UDP");
		break;
	case TRANSCRIPT_NOTICE:
		fputs("       -- ", out);
		break;
	case TRANSCRIPT_ERROR:
		fputs("       !! ", out);
		break;
	}
	write_safe(out, item->text, item->length);
	fputc('\n', out);
	return 0;
}

int export_text(FILE *out, const struct transcript *b, int64_t now)
{
	fputs("upcase: number, transport, line, reply, and what became of it\n", out);
	for (uint64_t serial = transcript_first(b); serial < transcript_end(b); serial++) {
		if (save_item(out, transcript_item(b, serial), now)) {
			errno = ENOMEM;
			return -1;
		}
		if (ferror(out))
			return -1;
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- ASCII ---- */

char *summary_ascii(char *text)
{
	static const struct {
		/* Not longer than the sign's bytes. */
		const char *sign, *ascii;
	} signs[] = { { "–", "-" }, { "µ", "u" }, { "±", "+-" }, { "×", "x" } };
	char *out = text;

	for (const char *in = text; *in;) {
		size_t i = 0, count = sizeof(signs) / sizeof(signs[0]);
		while (i < count && strncmp(in, signs[i].sign, strlen(signs[i].sign)) != 0)
			i++;
		if (i == count) {
			*out++ = *in++;
			continue;
		}
		for (const char *c = signs[i].ascii; *c; c++)
			*out++ = *c;
		in += strlen(signs[i].sign);
	}
	*out = '\0';
	return text;
}
