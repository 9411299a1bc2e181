/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With two transports each reply is a line of its own that begins with its transport; while a long
 * reply over one transport comes in pieces, replies over the other wait. */
#include "app/plain-output.h"

#include <errno.h>

#include "common/clock.h"
#include "common/grow.h"
#include "common/standard.h"
#include "common/text.h"
#include "report/line-text.h"
#include "report/summary.h"

/* --ordered: the bytes of replies that wait for an earlier line's; at more, sending stops. */
#define ORDER_BYTES (32u * 1024 * 1024)
/* The bytes held back at most for a long reply over TCP, which is then broken off. */
#define HELD_MAX (32u * 1024 * 1024)
/* The maximum number of lost lines reported one by one; the summary counts all. */
#define REPORTED_LINES 10
#define PROGRESS (200 * NS_PER_MS) /* the interval between updates of the progress */

/* --- standard error --- */

void plain_erase_progress(struct plain *p)
{
	if (p->progress_shown > 0)
		fprintf(stderr, "\r%*s\r", (int)p->progress_shown, "");
	p->progress_shown = 0;
}

void plain_progress(struct plain *p, int64_t now)
{
	char text[120];
	size_t n;

	if (!p->progress || p->input_ended || !p->run.generator.running || now < p->progress_at)
		return;
	/* The text is ASCII: a byte takes one column. */
	generator_progress(&p->run.generator, now, "-", text, sizeof text);
	n = strlen(text);
	fprintf(stderr, "\r%s%*s", text, n < p->progress_shown ? (int)(p->progress_shown - n) : 0,
	    "");
	if (n > p->progress_shown)
		p->progress_shown = n;
	p->progress_at = now + PROGRESS;
}

void plain_notice(struct plain *p, bool bad, const char *words)
{
	char text[SESSION_EVENT_WORDS];

	if (!bad && (p->run.settings.quiet || p->run.settings.summary))
		return;
	plain_erase_progress(p);
	snprintf(text, sizeof text, "%s", words);
	standard_report("%s", p->run.utf8 ? text : summary_ascii(text));
}

/* --- standard output --- */

void plain_flush(struct plain *p)
{
	if (p->output_length > 0 && !p->write_error &&
	    !(p->shown ? standard_show(p->output, p->output_length)
	               : standard_write((const char *)p->output, p->output_length)))
		p->write_error = errno;
	p->output_length = 0;
}

static void put(struct plain *p, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;

	if (p->shown && p->progress_shown > 0) {
		plain_erase_progress(p);
		p->progress_at = 0;
	}
	for (size_t part; n > 0; from += part, n -= part) {
		if (p->output_length == sizeof p->output)
			plain_flush(p);
		part = sizeof p->output - p->output_length;
		part = n < part ? n : part;
		memcpy(p->output + p->output_length, from, part);
		p->output_length += part;
	}
}

/* Writes the end of a line. A terminal shows it at once, in order with standard error. */
static void put_end(struct plain *p)
{
	put(p, "\n", 1);
	if (p->shown)
		plain_flush(p);
}

/* Keeps a reply over UDP until TCP's long one has its end. Returns false if there is no room. */
static bool hold(struct plain *p, const void *text, size_t n)
{
	const size_t length = p->held_length + strlen("udp ") + n + 1;

	if (length > HELD_MAX || grow_list(&p->held, &p->held_capacity, length, 1) < 0)
		return false;
	memcpy(p->held + p->held_length, "udp ", strlen("udp "));
	memcpy(p->held + length - 1 - n, text, n);
	p->held[length - 1] = '\n';
	p->held_length = length;
	return true;
}

/* Ends TCP's long reply, if one has begun, and writes what waited for that. */
static void end_long(struct plain *p)
{
	if (p->long_begun)
		put(p, "\n", 1);
	p->long_begun = false;
	put(p, p->held, p->held_length);
	p->held_length = 0;
}

/* Writes a reply or, over TCP, a piece of one. */
static void put_part(struct plain *p, bool stream, const void *text, size_t n, bool end)
{
	if (!stream && p->long_begun && hold(p, text, n))
		return;
	if (!stream)
		end_long(p);
	if (!p->long_begun && p->prefixes)
		put(p, stream ? "tcp " : "udp ", strlen("udp "));
	put(p, text, n);
	p->long_begun = true;
	if (end)
		end_long(p);
	if (end && p->shown)
		plain_flush(p);
}

static void put_reply(struct plain *p, bool stream, uint64_t number, const void *text, size_t n)
{
	if (p->prefixes) {
		put_part(p, stream, text, n, true);
		return;
	}
	if (p->newline_due)
		put_end(p);
	put(p, text, n);
	p->newline_due = number != 0 && number == p->unterminated;
	if (!p->newline_due)
		put_end(p);
}

/* --- UDP in the order of the lines --- */

/* The replies stand in the ledger: all lines that wait for an earlier one's have a row there. */
bool plain_order_has_room(const void *plain)
{
	const struct plain *p = plain;
	const struct session_settings *s = &p->run.settings.session;
	const size_t window = (size_t)s->window, rows = s->rows > window ? s->rows : window;

	return p->next == 0 ||
	       (p->run.last_number + 1 - p->next < rows && p->early_bytes <= ORDER_BYTES);
}

/* Prints replies up to the first undecided line: as they came, or the line's capitals. */
static void put_in_order(struct plain *p)
{
	const struct run_session *udp = p->run.peer[SESSION_UDP];

	for (; p->next > 0 && p->next <= p->run.last_number; p->next++) {
		const struct ledger_row *row = ledger_find(session_ledger(udp->session), p->next);
		size_t n;

		if (row && !ledger_is_decided(row->fate))
			return;
		if (!row || row->fate != FATE_ANSWERED)
			continue;
		n = row->reply ? row->reply_length
		               : capitals_text(row->text, row->length, p->capitals);
		p->early_bytes -= n;
		put_reply(p, false, row->number, row->reply ? row->reply : p->capitals, n);
	}
}

/* --- lines with their fates --- */

/* Prints a line in its present state, or with number 0 a reply that belongs to none. */
static void put_verbose(struct plain *p, const struct run_session *of, uint64_t number,
    const struct session_reply *stray)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (p->run.lab && !p->lab_settled)
		lab_settle(p->run.lab);
	p->lab_settled = true;
	if (out && number > 0)
		line_text_write(out, session_ledger(of->session), of->stream, number,
		    run_trace(&p->run), run_time(&p->run, clock_monotonic()));
	else if (out)
		line_text_stray(out, of->stream, stray->text, stray->length);
	if (!out || fclose(out) != 0)
		plain_notice(p, true, "memory is short: a line is left out");
	else
		put(p, text, n);
	free(text);
	if (p->shown)
		plain_flush(p);
}

/* Prints the lines that were cut off since the last call. */
static void put_cut_off(struct plain *p, const struct run_session *of)
{
	const struct ledger *l = session_ledger(of->session);
	const struct ledger_row *row;

	/* Several connections do not end in the order of their lines. */
	for (size_t i = ledger_index(l, p->cut_off[0] + 1); (row = ledger_at(l, i)) != NULL; i++) {
		if (row->fate != FATE_CUT_OFF || row->number <= p->cut_off[row->connection])
			continue;
		p->cut_off[row->connection] = row->number;
		put_verbose(p, of, row->number, NULL);
	}
}

void plain_end_output(struct plain *p)
{
	const struct ledger_row *row;

	put_in_order(p);
	if (p->prefixes)
		end_long(p);
	for (size_t i = 0; p->run.settings.verbose && i < p->run.count; i++) {
		const struct run_session *of = p->run.sessions[i];

		for (size_t k = 0; (row = ledger_at(session_ledger(of->session), k)) != NULL; k++)
			if (!ledger_is_decided(row->fate))
				put_verbose(p, of, row->number, NULL);
	}
	plain_flush(p);
}

/* --- intervals --- */

void plain_interval(void *plain, const struct interval *interval)
{
	struct plain *p = plain;
	char text[600];

	if (p->run.settings.output != RECORD_OUTPUT_TEXT) {
		recorder_interval(p->run.recorder, interval);
		return;
	}
	summary_interval(interval, p->started, text, sizeof text);
	if (!p->run.utf8)
		summary_ascii(text);
	put(p, text, strlen(text));
	put_end(p);
}

/* --- hooks --- */

void plain_reply(void *plain, struct run_session *of, const struct session_reply *reply)
{
	struct plain *p = plain;
	const enum ledger_match match = reply->matched.match;

	if (p->run.settings.output != RECORD_OUTPUT_TEXT || p->run.settings.summary ||
	    (reply->more && p->run.settings.verbose))
		return;
	if (p->run.settings.verbose) {
		put_verbose(p, of, reply->matched.number, reply);
	} else if (reply->more) {
		put_part(p, of->stream, reply->text, reply->length, false);
	} else if (match == MATCH_STRAY && !of->stream) {
		if (p->reported < REPORTED_LINES && !p->run.settings.quiet) {
			plain_notice(p, false,
			    TEXT_FORMAT("a stray reply of %zu bytes, which belongs to no line",
			        reply->length));
			p->reported++;
		}
	} else if (match == MATCH_DUPLICATE) {
		return;
	} else if (!of->stream && p->next > 0) {
		if (match == MATCH_ANSWER && reply->matched.number >= p->next)
			p->early_bytes += reply->length;
		put_in_order(p);
	} else {
		put_reply(p, of->stream, reply->matched.number, reply->text, reply->length);
	}
}

void plain_row(void *plain, struct run_session *of, uint64_t number)
{
	struct plain *p = plain;
	const struct ledger_row *row;
	char fate[200];

	row = ledger_find(session_ledger(of->session), number);
	if (p->run.settings.verbose && number == 0) {
		put_cut_off(p, of);
	} else if (p->run.settings.verbose) {
		if (row && ledger_is_decided(row->fate))
			put_verbose(p, of, number, NULL);
	} else if (row && ledger_is_decided(row->fate) && p->reported++ < REPORTED_LINES) {
		plain_notice(p, false,
		    TEXT_FORMAT("line %" PRIu64 "%s%s: %s%s", number, p->prefixes ? " over " : "",
		        p->prefixes ? transport_info[of->stream].title : "",
		        summary_fate(row, fate, sizeof fate),
		        p->reported == REPORTED_LINES ? " (further lines are counted, not told)"
		                                      : ""));
	}
	if (!of->stream)
		put_in_order(p);
}

/* Reports a SYN that was sent again; a normal connection is not reported. */
void plain_connection(void *plain, const struct session_event *event, struct connection_note *note,
    bool final)
{
	if (final && !event->quiet && note->of.syns > 1)
		plain_notice(plain, false, SESSION_EVENT_TEXT(event));
}

void plain_event(void *plain, const struct session_event *event)
{
	struct plain *p = plain;

	run_record(&p->run, event);
	if (!event->quiet)
		plain_notice(p, event->kind == SESSION_EVENT_ERROR, SESSION_EVENT_TEXT(event));
}
