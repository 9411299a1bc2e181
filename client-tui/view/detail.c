/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The detail area below the panes tells the whole story of one item, the selected one or the newest
 * line: a heading, and over each transport the parts of its time and its packets in the order in
 * which they came to the link:
 *
 *   line 7, TCP: HELLO after 514 ms, sent 3 times
 *   TCP   0.2 ms  going   lost
 *   TCP   224 ms  going   arrived at 244 ms   RTO of 224 ms ran out
 *
 * Times are from Enter. It says only what the ledger and the trace know. */
#include "view/view-internal.h"

#include <limits.h>

#include "common/capitals.h"
#include "common/printable.h"
#include "common/units.h"
#include "ledger/error-text.h"

#define FATE_COLUMNS 20 /* the columns of a packet's fate before the reason why it was sent */
#define TEXT_BYTES 40   /* the bytes of a text in the heading */
#define LINES_MAX 100   /* lines at most; the last place is for those that are left out */

struct detail {
	const struct view *v;
	struct detail_line {
		/* The transport that the first word names, in its own style; NULL for none. */
		const struct transport_look *look;
		enum style style;
		char text[240];
	} lines[LINES_MAX];
	size_t count;
};

/* The next line to write, of that transport if `s` is not NULL. */
static struct text next_line(struct detail *d, const struct view_row_side *s, enum style style)
{
	struct detail_line *line = &d->lines[d->count < LINES_MAX - 1 ? d->count++ : LINES_MAX - 1];
	*line = (struct detail_line){ .look = s ? &transport_looks[s->stream] : NULL,
		.style = style };
	struct text t = text_begin(line->text, sizeof line->text);
	if (s)
		text_put(&t, "%s ", transport_info[s->stream].title);
	return t;
}

static const char *micro(const struct view_row_side *s)
{
	return glyph(GLYPH_MICRO, s->v->ascii);
}
/* A time in words. */
#define SPAN(s, ns) UNITS_DURATION(ns, micro(s))

/* --- the heading --- */

/* Writes the beginning of a text, harmless for a terminal; or of its capitals. */
static void put_text(struct text *t, const struct view *v, const unsigned char *bytes, size_t n,
    bool capitals)
{
	unsigned char upper[CAPITALS_GROWTH * TEXT_BYTES];
	char shown[PRINTABLE_ROOM(sizeof upper)];
	size_t length = n < TEXT_BYTES ? n : TEXT_BYTES;
	while (length < n && length > 0 && utf8_follows(bytes[length]))
		length--;
	const bool cut = length < n;
	if (capitals)
		length = capitals_text(bytes, length, upper);
	printable_text(shown, capitals ? upper : bytes, length, "", true);
	text_put(t, "%s%s", n > 0 ? shown : "(empty)", cut ? glyph(GLYPH_ELLIPSIS, v->ascii) : "");
}

static void put_tries(struct text *t, const struct trace_leg *leg, const char *what)
{
	if (leg->tries == leg->retransmitted + 1 && leg->retransmitted > 0)
		text_put(t, ", %s %d times", what, leg->tries);
	else if (leg->retransmitted > 0)
		text_put(t, ", %s in %d segments, %d of them again", what, leg->tries,
		    leg->retransmitted);
}

/* Writes ", sent 3 times", ", 2 replies" and the like. */
static void put_counts(struct text *t, const struct view_row_side *s)
{
	const struct ledger_row *line = s->line;
	if (s->trace) {
		put_tries(t, &s->trace->legs[LINK_GOING], "sent");
		put_tries(t, &s->trace->legs[LINK_COMING], "its reply sent");
	}
	if (line->duplicates > 0)
		text_put(t, ", %" PRIu64 " replies", (uint64_t)line->duplicates + 1);
	text_put(t, "%s%s%s%s", line->late ? ", late" : "",
	    line->reordered ? ", overtaken by a later line's reply" : "",
	    line->differs ? ", not the line's capitals" : "",
	    line->cut_short ? ", only the beginning" : "");
}

static void put_side(struct text *t, const struct view_row_side *s)
{
	const struct ledger_row *line = s->line;
	char word[80];
	text_put(t, "%s %s: ", strchr(t->buf, ':') ? ";" : ",", transport_info[s->stream].title);
	if (!line) {
		text_put(t, "forgotten");
	} else if (ledger_is_replied(line)) {
		const bool kept = line->reply;
		put_text(t, s->v, kept ? line->reply : line->text,
		    kept ? line->reply_length : line->length, !kept);
		text_put(t, " after %s", SPAN(s, parts_waited(line)));
	} else {
		text_put(t, "%s", fate_words_unanswered(s, INT_MAX, false, word, sizeof word));
		if (!ledger_is_decided(line->fate))
			text_put(t, " %s",
			    units_running_text(s->v->now - line->typed_at, micro(s), word,
			        sizeof word));
		else if (line->decided_at > line->typed_at)
			text_put(t, "%s after %s", line->fate == FATE_FAILED ? "," : "",
			    SPAN(s, line->decided_at - line->typed_at));
	}
	if (line)
		put_counts(t, s);
}

/* --- the packets --- */

/* Writes what the link did with a packet. */
static void put_fate(struct text *t, const struct view_row_side *s, const struct link_packet *p)
{
	const int64_t typed = s->line->typed_at, now = s->v->now;
	if (p->fate == LINK_REQUESTED_DROP)
		text_put(t, "dropped on cue");
	else if (p->fate != LINK_DELIVERED || p->out == TRACE_NEVER)
		text_put(t, "%s", link_fate_word(p->fate));
	else
		text_put(t, "%s at %s", p->out > now ? "arrives" : "arrived",
		    SPAN(s, p->out - typed));
	if (p->out2 != TRACE_NEVER && p->out2 > typed)
		text_put(t, ", a copy at %s", SPAN(s, p->out2 - typed));
	if (p->fate == LINK_DELIVERED && s->trace->legs[p->direction].held &&
	    s->trace->legs[p->direction].tries == 1)
		text_put(t, ", held back");
	if (p->requested && p->fate != LINK_REQUESTED_DROP)
		text_put(t, ", on cue");
}

/* Writes why a segment was sent again, as the sender's kernel says: retransmission `nth` of that
 * direction, from 0 on, `wait` ns after the try before. */
static void put_cause(struct text *t, const struct view_row_side *s, const struct trace_leg *leg,
    int nth, int64_t wait)
{
	const int slot = nth < TRACE_WAITS - 1         ? nth
	               : nth + 1 == leg->retransmitted ? TRACE_WAITS - 1
	                                               : -1;
	const int64_t timeout = slot >= 0 ? NS_PER_US * (int64_t)leg->timeout[slot] : 0;
	if (timeout > 0)
		text_put(t, "RTO of %s ran out", SPAN(s, timeout));
	else if (slot >= 0 && (leg->no_timeout >> slot & 1))
		text_put(t, "probe or fast retransmit after %s", SPAN(s, wait));
	else
		text_put(t, "sent again after %s", SPAN(s, wait));
}

static void put_packets(struct detail *d, const struct view_row_side *s)
{
	struct logged_packet packets[LINES_MAX];
	const size_t count = trace_packets(d->v->lab->trace, s->stream, s->line->number, packets,
	    LINES_MAX);
	int nth[LINK_DIRECTIONS] = { 0 };
	int64_t last[LINK_DIRECTIONS] = { 0 };
	for (size_t i = 0; i < count; i++) {
		const struct link_packet *p = &packets[i].of;
		const struct trace_leg *leg = &s->trace->legs[p->direction];
		if (s->stream && !p->payload)
			continue;
		struct text t = next_line(d, s,
		    p->fate == LINK_DELIVERED ? STYLE_NORMAL : STYLE_LOST);
		/* The time since Enter in 8 columns. */
		const char *since = SPAN(s,
		    p->in > s->line->typed_at ? p->in - s->line->typed_at : 0);
		text_put(&t, "%*s%s  %-6s  ", 8 - utf8_columns(since), "", since,
		    link_direction_words[p->direction]);
		const size_t begin = t.used;
		put_fate(&t, s, p);
		if (s->stream && (leg->fate == LINK_TOO_BIG || leg->fate == LINK_NO_ICMP))
			text_put(&t, " (%s)", TEXT_COUNT(p->length, "byte"));
		if (p->retransmitted) {
			const int fate = utf8_columns(t.buf + begin);
			text_put(&t, "%*s", fate < FATE_COLUMNS ? FATE_COLUMNS - fate : 1, "");
			put_cause(&t, s, leg, nth[p->direction]++, p->in - last[p->direction]);
		}
		last[p->direction] = p->in;
	}
}

/* Writes that the line stayed in the kernel: earlier bytes of the stream had to be acknowledged. */
static void put_buffered(struct detail *d, const struct view_row_side *s)
{
	const struct trace_leg *leg = &s->trace->legs[LINK_GOING];
	const bool sent = leg->tries > 0;
	if (s->line->fate == FATE_QUEUED || leg->ack_wait > 0 ||
	    (sent ? leg->first_in : d->v->now) - s->line->sent_at < PARTS_DIFFER)
		return;
	struct text t = next_line(d, s, STYLE_NORMAL);
	text_put(&t, "in this host's send buffer");
	if (sent)
		text_put(&t, " until %s", SPAN(s, leg->first_in - s->line->typed_at));
}

/* Writes that this line's bytes had left the link before an earlier line's: a stream is read in
 * order. */
static void put_waited_for(struct detail *d, const struct view_row_side *s,
    enum link_direction direction)
{
	const struct trace_leg *leg = &s->trace->legs[direction];
	const char *where = direction == LINK_GOING ? "at the server" : "here";
	const uint64_t running = trace_waits_behind(d->v->lab->trace, s->line->number, direction,
	    d->v->now);
	if (running == 0 && leg->behind == 0)
		return;
	struct text t = next_line(d, s, running > 0 ? STYLE_WAITING : STYLE_NORMAL);
	if (running > 0)
		text_put(&t, "waits behind line %" PRIu64 " %s", running, where);
	else
		text_put(&t, "waited %s behind line %" PRIu64 " %s", SPAN(s, leg->behind_for),
		    leg->behind, where);
}

/* Writes how long the last bytes were held for the ACK of those before. */
static void put_held(struct detail *d, const struct view_row_side *s, enum link_direction direction)
{
	const int64_t ack_wait = s->trace->legs[direction].ack_wait;
	if (ack_wait < PARTS_DIFFER)
		return;
	struct text t = next_line(d, s, STYLE_NORMAL);
	text_put(&t, "last bytes held %s %s for an ACK of those before",
	    direction == LINK_GOING ? "here" : "at the server", SPAN(s, ack_wait));
}

/* Writes the timeout that runs until a missing segment is sent again. */
static void put_running(struct detail *d, const struct view_row_side *s)
{
	const int way = fate_words_missing(s->trace);
	const struct tcp_sample *sender = way < 0 ? NULL : d->v->senders[way];
	if (!sender)
		return;
	struct text t = next_line(d, s, STYLE_WAITING);
	text_put(&t, "waits for %s RTO of %s", way == LINK_COMING ? "the server's" : "the",
	    SPAN(s, sender->timeout));
}

/* --- one transport --- */

/* Writes when the line was handed to the kernel and answered, where no packets say it. */
static void put_times(struct detail *d, const struct view_row_side *s)
{
	const struct ledger_row *line = s->line;
	const struct parts parts = parts_of_row(line);
	char words[100];
	if (line->error != 0 && !ledger_is_replied(line)) {
		struct text t = next_line(d, s, STYLE_LOST);
		text_put(&t, "%s", error_sentence(line->error, s->stream));
	}
	parts_alone(&parts, PARTS_ALL, micro(s), words, sizeof words);
	if (words[0]) {
		struct text t = next_line(d, s, STYLE_NORMAL);
		text_put(&t, "%s", words);
	}
	if (s->trace || line->sent_at == 0)
		return;
	struct text t = next_line(d, s, STYLE_NORMAL);
	text_put(&t, "sent %s after Enter",
	    SPAN(s, line->sent_at > line->typed_at ? line->sent_at - line->typed_at : 0));
	if (ledger_is_replied(line))
		text_put(&t, ", round trip %s", SPAN(s, line->replied_at - line->sent_at));
}

static void put_body(struct detail *d, const struct view_row_side *s)
{
	put_times(d, s);
	if (!s->trace)
		return;
	if (s->stream)
		put_buffered(d, s);
	for (int direction = 0; s->stream && direction < LINK_DIRECTIONS; direction++)
		put_held(d, s, direction);
	put_packets(d, s);
	for (int direction = 0; s->stream && direction < LINK_DIRECTIONS; direction++)
		put_waited_for(d, s, direction);
	if (s->stream && !ledger_is_decided(s->line->fate))
		put_running(d, s);
}

/* --- the item --- */

static void make_line(struct detail *d, const struct transcript_item *item)
{
	struct view_row_side sides[] = { row_side(d->v, item, false), row_side(d->v, item, true) };
	struct text t = next_line(d, NULL, STYLE_HEADING);
	text_put(&t, "line %" PRIu64, item->number);
	for (int i = 0; i < 2; i++)
		if (sides[i].sent)
			put_side(&t, &sides[i]);
	for (int i = 0; i < 2; i++)
		if (sides[i].line)
			put_body(d, &sides[i]);
}

/* The item that the area tells of; NULL for none. */
static const struct transcript_item *item_of(const struct view *v)
{
	const struct transcript_item *item = transcript_item(v->transcript, v->selected);
	return item ? item : transcript_newest_line(v->transcript);
}

static void make(struct detail *d, const struct view *v, const struct transcript_item *item)
{
	d->v = v;
	d->count = 0;
	if (item && item->kind == TRANSCRIPT_LINE) {
		make_line(d, item);
	} else if (item) {
		struct text words = next_line(d, NULL, STYLE_HEADING);
		text_put(&words, "belongs to no line, %s: ", transport_info[item->stream].title);
		put_text(&words, v, item->text, item->length, false);
	}
}

static bool is_notice(const struct transcript_item *item)
{
	return item && item->kind >= TRANSCRIPT_NOTICE;
}

char *view_detail(const struct view *v)
{
	struct detail d;
	const struct transcript_item *item = item_of(v);
	if (is_notice(item))
		return strndup((const char *)item->text, item->length);
	make(&d, v, item);
	const size_t size = (d.count + 1) * (sizeof d.lines->text + 1);
	char *text = calloc(1, size);
	struct text all = text_begin(text, text ? size : 0);
	for (size_t i = 0; i < d.count; i++)
		text_put(&all, "%s\n", d.lines[i].text);
	if (d.count == LINES_MAX - 1)
		text_put(&all, "%s\n", glyph(GLYPH_ELLIPSIS, v->ascii));
	return text;
}

static void draw_line(const struct panes *p, int row, const struct detail_line *line)
{
	if (line->style == STYLE_HEADING)
		canvas_fill(p->c, row, 0, p->columns, L' ', STYLE_HEADING);
	panes_draw_cut(p, row, p->pad, p->columns, line->text, line->style);
	if (line->look)
		canvas_text(p->c, row, p->pad, p->columns,
		    transport_info[line->look - transport_looks].title, line->look->style);
}

void detail_draw(const struct panes *p)
{
	struct detail d;
	size_t height = (size_t)p->detail_height;
	const struct transcript_item *item = item_of(p->v);
	if (height == 0)
		return;
	if (is_notice(item)) {
		char *text = view_detail(p->v);
		page_draw_text(p, p->detail_row, p->detail_height, text, 0);
		free(text);
		return;
	}
	make(&d, p->v, item);
	const size_t shown = d.count > height ? height - 1 : d.count;
	for (size_t i = 0; i < shown; i++)
		draw_line(p, p->detail_row + (int)i, &d.lines[i]);
	if (shown == d.count)
		return;
	/* With a caption, Enter is for that. */
	const char *how = p->v->caption      ? ""
	                : p->v->selected > 0 ? ": Enter on an empty line shows all"
	                                     : ": Alt-Up, then Enter on an empty line shows all";
	canvas_text(p->c, p->detail_row + (int)shown, p->pad, p->columns,
	    TEXT_FORMAT("%s %zu more%s", glyph(GLYPH_ELLIPSIS, p->v->ascii), d.count - shown, how),
	    STYLE_FAINT);
}
