/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/line-text.h"

#include "common/capitals.h"
#include "common/text.h"
#include "common/units.h"
#include "common/utf8.h"
#include "ledger/line-times.h"
#include "report/summary.h"

#define WORDS 300 /* room for the words behind a line's text */

/* --- texts --- */

/* Whether the text has one of the two signs at `i`, as a word. */
static bool is_sign(const unsigned char *text, size_t n, size_t i)
{
	return text[i] == '-' && i + 1 < n && (text[i + 1] == '>' || text[i + 1] == 'x') &&
	       (i == 0 || text[i - 1] == ' ') && (i + 2 == n || text[i + 2] == ' ');
}

void line_text_put(FILE *out, const unsigned char *text, size_t n)
{
	for (size_t i = 0, length; i < n; i += length ? length : 1) {
		length = utf8_character(text + i, n - i);
		if (is_sign(text, n, i))
			fputs("\\x2d", out);
		else if (length == 1 && (text[i] < 0x20 || text[i] == 0x7f))
			fprintf(out, "^%c", text[i] ^ 0x40);
		else if (!length || utf8_is_control(utf8_code(text + i, length)))
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(text + i, 1, length, out);
	}
}

/* Writes the reply as it came, or the line's capitals. Returns 0, or -1 when memory is short. */
static int put_reply(FILE *out, const struct ledger_row *row)
{
	unsigned char *capitals;

	if (row->partial) {
		fputs("...", out);
		return 0;
	}
	if (row->reply || row->length == 0) {
		line_text_put(out, row->reply, row->reply_length);
		return 0;
	}
	capitals = malloc(CAPITALS_GROWTH * row->length);
	if (!capitals)
		return -1;
	line_text_put(out, capitals, capitals_text(row->text, row->length, capitals));
	free(capitals);
	return 0;
}

/* --- words --- */

static void put_detail(struct text *t, bool has, const char *words)
{
	if (has)
		text_put(t, "%s%s", t->used > 0 ? ", " : "", words);
}

char *line_text_held(int64_t ns, char buf[LINE_TEXT_HELD])
{
	const int64_t ms = (ns + NS_PER_MS / 2) / NS_PER_MS;
	struct text t = text_begin(buf, LINE_TEXT_HELD);

	if (ns >= NS_PER_S)
		text_put(&t, "held %s for an ACK", UNITS_DURATION(ns, "u"));
	else if (ns >= PARTS_DIFFER)
		text_put(&t, "held %" PRId64 " ms for an ACK", ms);
	return buf;
}

static void put_link_details(struct text *t, const struct trace_line *line)
{
	for (int direction = 0; line && direction < LINK_DIRECTIONS; direction++) {
		const struct trace_leg *leg = &line->legs[direction];
		const bool coming = direction == LINK_COMING;
		char held[LINE_TEXT_HELD];

		line_text_held(leg->ack_wait, held);
		put_detail(t, *held, TEXT_FORMAT("%s%s", held, coming ? " coming" : ""));
		put_detail(t, line->stream && leg->fate == LINK_NO_ICMP,
		    link_loss_text(LINK_NO_ICMP, false, (enum link_direction)direction,
		        (char[40]){ 0 }, 40));
		put_detail(t, leg->retransmitted > 0,
		    TEXT_FORMAT("%ux again%s", leg->retransmitted, coming ? " coming" : ""));
		put_detail(t, !line->stream && leg->duplicated,
		    TEXT_FORMAT("2x %s", link_direction_words[direction]));
		put_detail(t, leg->behind > 0,
		    TEXT_FORMAT("waited %s behind line %" PRIu64 "%s",
		        UNITS_DURATION(leg->behind_for, "u"), leg->behind,
		        coming ? "" : " at the server"));
		put_detail(t, leg->held, coming ? "held back coming" : "held back going");
		/* A lost datagram says so with its fate. */
		put_detail(t, leg->requested && (line->stream || leg->lost == 0), "on cue");
	}
}

/* "861 ms connecting, 44.8 ms on the wire, late, 2 duplicates, differs, 2x again". */
static void put_details(struct text *t, const struct ledger_row *row, const struct trace_line *line)
{
	const struct parts parts = parts_of_row(row);
	char alone[120];

	if (row->replied_at)
		text_put(t, "%s", parts_alone(&parts, PARTS_ALL, "u", alone, sizeof alone));
	put_detail(t, row->late, "late");
	put_detail(t, row->duplicates > 0, TEXT_COUNT(row->duplicates, "duplicate"));
	put_detail(t, row->reordered, "reordered");
	put_detail(t, row->cut_short, "cut short");
	put_detail(t, row->differs, "differs");
	put_detail(t, row->partial, "only the beginning is kept");
	put_link_details(t, line);
}

/* Writes the fate of a line without a reply, and where a datagram was lost, as far as the link
 * knows: "lost going", "lost: queue full coming". */
static void put_fate(FILE *out, const struct ledger_row *row, const struct trace_line *line,
    int64_t now)
{
	char buf[WORDS];
	const char *place = row->fate == FATE_LOST && line
	                      ? summary_place(trace_place(line, now), line->legs, buf, sizeof buf)
	                      : NULL;

	if (place)
		fprintf(out, "%s%s", text_begins(place, "lost") ? "" : "lost: ", place);
	else
		fputs(summary_fate(row, buf, sizeof buf), out);
}

/* --- the line --- */

static int put_line(FILE *out, const struct ledger_row *row, const struct trace_line *line,
    int64_t now)
{
	const bool replied = ledger_is_replied(row);
	char words[WORDS];
	struct text details = text_begin(words, sizeof words);

	line_text_put(out, row->text, row->length);
	fprintf(out, "%s %s ", row->partial ? "..." : "", replied ? "->" : "-x");
	if (replied && put_reply(out, row) < 0)
		return -1;
	if (replied)
		fprintf(out, " %s", UNITS_DURATION(parts_waited(row), "u"));
	else
		put_fate(out, row, line, now);
	put_details(&details, row, line);
	if (details.used > 0)
		fprintf(out, " (%s)", words);
	fputc('\n', out);
	return 0;
}

int line_text_write(FILE *out, const struct ledger *ledger, bool stream, uint64_t number,
    const struct trace *trace, int64_t now)
{
	const struct ledger_row *row = ledger_find(ledger, number);

	fprintf(out, "%" PRIu64 " %s ", number, transport_info[stream].name);
	if (row)
		return put_line(out, row, trace ? trace_find(trace, stream, number) : NULL, now);
	fputs("-x (no longer kept)\n", out);
	return 0;
}

void line_text_stray(FILE *out, bool stream, const unsigned char *text, size_t n)
{
	fprintf(out, "- %s -> ", transport_info[stream].name);
	line_text_put(out, text, n);
	fputs(" (stray)\n", out);
}
