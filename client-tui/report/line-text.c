/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/line-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/text.h"
#include "common/units.h"
#include "common/utf8.h"
#include "ledger/line-times.h"
#include "report/summary.h"

/* Room for the words behind a line's text, and for the details in parentheses. */
#define WORDS 300
#define DETAILS 300

static const char *const transports[] = { [false] = "udp", [true] = "tcp" };

/* --- texts --- */

/* Returns the length of the character at `s`. Writes it; a byte outside any character is replaced
 * alone. */
static size_t put_character(FILE *out, const unsigned char *s, size_t n)
{
	const size_t length = utf8_character(s, n);

	if (length == 1 && (*s < 0x20 || *s == 0x7f))
		fprintf(out, "^%c", *s ^ 0x40);
	else if (!length || utf8_is_control(utf8_code(s, length)))
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(s, 1, length, out);
	return length ? length : 1;
}

void line_text_safe(FILE *out, const unsigned char *text, size_t n)
{
	for (size_t have; n; text += have, n -= have)
		have = put_character(out, text, n);
}

/* Whether the text has one of the two signs at `i`, as a word. */
static bool is_sign(const unsigned char *text, size_t n, size_t i)
{
	return text[i] == '-' && i + 1 < n && (text[i + 1] == '>' || text[i + 1] == 'x') &&
	       (i == 0 || text[i - 1] == ' ') && (i + 2 == n || text[i + 2] == ' ');
}

/* The same, but the '-' of a sign in the text is spelled out. */
static void put_text(FILE *out, const unsigned char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		if (is_sign(text, n, i)) {
			fputs("\\x2d", out);
			i++;
		} else {
			i += put_character(out, text + i, n - i);
		}
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
		put_text(out, row->reply, row->reply_length);
		return 0;
	}
	capitals = malloc(CAPITALS_GROWTH * row->length);
	if (!capitals)
		return -1;
	put_text(out, capitals, capitals_text(row->text, row->length, capitals));
	free(capitals);
	return 0;
}

/* --- words --- */

static void put_detail(struct text *t, bool has, const char *words)
{
	if (has)
		text_put(t, "%s%s", t->used > 0 ? ", " : "", words);
}

static void put_link_details(struct text *t, const struct trace_line *line)
{
	for (int direction = 0; line && direction < LINK_DIRECTIONS; direction++) {
		const struct trace_leg *leg = &line->legs[direction];
		const bool coming = direction == LINK_COMING;

		put_detail(t, leg->retransmitted > 0,
		    TEXT_FORMAT("%ux again%s", leg->retransmitted, coming ? " coming" : ""));
		put_detail(t, !line->stream && leg->duplicated,
		    TEXT_FORMAT("2x %s", link_direction_words[direction]));
		put_detail(t, leg->held, coming ? "held back coming" : "held back going");
		put_detail(t, line->stream && leg->requested_drop,
		    coming ? "on cue coming" : "on cue going");
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

/* Where a datagram was lost, as far as the link knows: "lost going", "lost: queue full coming". */
static void put_lost(struct text *t, const struct trace_line *line, int64_t now)
{
	const enum trace_place place = line ? trace_place(line, now) : TRACE_UNKNOWN;
	const bool coming = place == TRACE_COMING || place == TRACE_STILL_COMING;
	const enum link_direction direction = coming ? LINK_COMING : LINK_GOING;
	char words[100] = "lost";

	if (place == TRACE_GOING || place == TRACE_COMING)
		link_loss_text((enum link_fate)line->legs[direction].fate, direction, words,
		    sizeof words);
	else if (place == TRACE_STILL_GOING || place == TRACE_STILL_COMING)
		snprintf(words, sizeof words, "still %s", link_direction_words[direction]);
	else if (place == TRACE_SERVER)
		snprintf(words, sizeof words, "no reply from the server");
	text_put(t, "%s%s", text_begins(words, "lost") ? "" : "lost: ", words);
}

/* The fate of a line without a reply. */
static void put_fate(struct text *t, const struct ledger_row *row, const struct trace_line *line,
    int64_t now)
{
	char words[WORDS];

	if (row->fate == FATE_LOST)
		put_lost(t, line, now);
	else if (!ledger_is_decided(row->fate))
		text_put(t, "%s", row->fate == FATE_QUEUED ? "never sent" : "still waiting");
	else
		text_put(t, "%s",
		    summary_ascii(summary_fate(row, row->stream, 0, words, sizeof words)));
}

/* --- the line --- */

static int put_line(FILE *out, const struct ledger_row *row, const struct trace_line *line,
    int64_t now)
{
	const bool replied = row->fate == FATE_ANSWERED || row->late;
	char words[WORDS], more[DETAILS];
	struct text fate = text_begin(words, sizeof words), details = text_begin(more, sizeof more);

	put_text(out, row->text, row->length);
	fputs(row->partial ? "..." : "", out);
	fputs(replied ? " -> " : " -x ", out);
	if (replied && put_reply(out, row) < 0)
		return -1;
	if (replied)
		text_put(&fate, " %s", UNITS_DURATION(parts_waited(row), "u"));
	else
		put_fate(&fate, row, line, now);
	put_details(&details, row, line);
	fputs(words, out);
	if (details.used > 0)
		fprintf(out, " (%s)", more);
	fputc('\n', out);
	return 0;
}

int line_text_write(FILE *out, const struct ledger *ledger, bool stream, uint64_t number,
    const struct trace *trace, int64_t now)
{
	const struct ledger_row *row = ledger_find(ledger, number);

	fprintf(out, "%" PRIu64 " %s ", number, transports[stream]);
	if (row)
		return put_line(out, row, trace ? trace_find(trace, stream, number) : NULL, now);
	fputs("-x (no longer kept)\n", out);
	return 0;
}

void line_text_stray(FILE *out, bool stream, const unsigned char *text, size_t n)
{
	fprintf(out, "- %s -> ", transports[stream]);
	put_text(out, text, n);
	fputs(" (stray)\n", out);
}
