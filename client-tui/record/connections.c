/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/connections.h"

#include <errno.h>

#include "common/clock.h"
#include "common/fnv.h"
#include "common/text.h"
#include "common/units.h"
#include "ledger/error-text.h"

/* The time after which a connection gets its row before it is open. */
#define ROW_AFTER (100 * NS_PER_MS)
/* The time to wait for packets after the end: a FIN may be sent again. */
#define CLOSING (NS_PER_S)
#define TEXT_SIZE 500

/* --- words --- */

/* Writes "0.31 ms", "1.04 s", with "u" for micro, so that a record is the same in every locale. */
static void put_time(struct text *text, const char *words, int64_t ns)
{
	if (ns < NS_PER_MS)
		text_put(text, "%s %.2g ms", words, (double)ns / (double)NS_PER_MS);
	else
		text_put(text, "%s %s", words, UNITS_DURATION(ns, "u"));
}

static bool is_syn(const struct link_packet *p)
{
	return p->syn && !p->ack;
}

/* Writes what the link did with each SYN and SYN-ACK. Returns false if it only delivered them. */
static bool put_packets(struct text *text, const struct link_packet *packets, size_t count)
{
	const struct link_packet *before = NULL;
	bool lost_ack = false, more = false;
	char words[40];

	for (size_t i = 0; i < count; i++) {
		const struct link_packet *p = &packets[i];
		const bool lost = p->fate != LINK_DELIVERED, syn = is_syn(p);

		if (!syn && !lost && !(p->syn && lost_ack))
			continue;
		if (syn && before)
			put_time(text, is_syn(before) ? ", again after" : ", SYN again after",
			    p->in);
		else if (syn)
			text_put(text, "SYN sent");
		else if (!lost)
			put_time(text, ", SYN-ACK again after", p->in);
		if (lost)
			text_put(text, ", %s%s%s", syn ? "" : record_flags_name(p), syn ? "" : " ",
			    link_loss_text(p->fate, p->requested, p->direction, words,
			        sizeof words));
		more = more || lost || before;
		lost_ack = lost_ack || (lost && !syn);
		before = p;
	}
	return more;
}

static void put_end(struct text *text, const struct session_connection *c)
{
	const char *comma = text->used ? ", " : "";
	char words[100];

	switch (c->stage) {
	case SESSION_CONNECTING:
		return;
	case SESSION_CONNECTED:
		snprintf(words, sizeof words, "%sconnected %s", comma, text->used ? "after" : "in");
		break;
	case SESSION_FAILED:
		snprintf(words, sizeof words, "%s%s after", comma,
		    c->error == ECONNREFUSED ? "refused (RST)"
		    : c->error == ETIMEDOUT  ? "no answer"
		    : c->by_client           ? "given up"
		                             : error_word(c->error));
		break;
	case SESSION_ENDED:
		text_put(text, "%s",
		    c->error == 0 ? c->by_client ? "closed (FIN)" : "closed by the server (FIN)"
		    : c->error == ECONNRESET || c->error == EPIPE ? "reset by the server (RST)"
		                                                  : error_word(c->error));
		return;
	}
	put_time(text, words, c->at - c->began);
}

/* Writes how far a connection came, by the packets of the link or the kernel's count of SYNs. */
static void put_words(struct text *text, const struct session_connection *c,
    const struct link_packet *packets, size_t count)
{
	const bool reported = count > 0 && is_syn(&packets[0]),
	           under_way = c->stage == SESSION_CONNECTING;

	if (reported && !put_packets(text, packets, count) && !under_way)
		*text = text_begin(text->buf, text->size);
	else if (!reported && c->stage != SESSION_ENDED && (c->syns > 1 || under_way))
		text_put(text, c->syns > 1 ? "SYN sent %u times" : "SYN sent", c->syns);
	if (!reported && under_way)
		text_put(text, ", no answer yet");
	put_end(text, c);
}

/* --- notes --- */

static void drop(struct connections *c, size_t i)
{
	memmove(&c->notes[i], &c->notes[i + 1], (--c->count - i) * sizeof *c->notes);
}

void connections_take(struct connections *c, const struct session_connection *connection)
{
	struct connection_note *note = NULL;

	for (size_t i = 0; connection->stage != SESSION_ENDED && i < c->count && !note; i++)
		if (c->notes[i].of.stage == SESSION_CONNECTING &&
		    c->notes[i].of.began == connection->began)
			note = &c->notes[i];
	if (!note) {
		if (c->count == CONNECTIONS_MAX)
			drop(c, 0);
		note = &c->notes[c->count++];
		*note = (struct connection_note){ .first = !c->was_open,
			.previous_error = c->failed };
	}
	note->of = *connection;
	if (connection->stage == SESSION_CONNECTED)
		c->was_open = true;
	if (connection->stage == SESSION_CONNECTED || connection->stage == SESSION_FAILED)
		c->failed = connection->stage == SESSION_FAILED && !connection->more
		              ? connection->error
		              : 0;
}

/* Returns true if the connection gets no row: it went as expected, or like the previous attempt. */
static bool is_quiet(const struct connection_note *n)
{
	const struct session_connection *c = &n->of;

	if (n->row)
		return false;
	if (c->stage == SESSION_ENDED || (c->stage == SESSION_FAILED && c->more))
		return true;
	if (n->previous_error && c->stage == SESSION_FAILED)
		return c->error == n->previous_error;
	if (n->previous_error)
		return c->syns < 2 ||
		       (c->stage == SESSION_CONNECTING && n->previous_error == ETIMEDOUT);
	return !n->first && c->syns < 2 && c->stage != SESSION_FAILED;
}

/* The time up to which the link's events must be known for a connection to be final. */
static int64_t final_at(const struct session_connection *c)
{
	return c->at + (c->stage == SESSION_ENDED ? CLOSING : 0);
}

/* Reports the news of a connection. Returns true if the connection is final. */
static bool report_note(struct connection_note *n, int session, const struct trace *trace,
    int64_t complete_until, int64_t now, connections_report *report, void *context)
{
	const struct session_connection *c = &n->of;
	const bool final = c->stage != SESSION_CONNECTING &&
	                   (!trace || complete_until >= final_at(c)),
	           ended = c->stage == SESSION_ENDED;
	bool due = c->stage != SESSION_CONNECTING || now >= c->began + ROW_AFTER;
	struct logged_packet packets[RECORD_PACKETS];
	struct link_packet recorded[RECORD_PACKETS];
	char text[TEXT_SIZE];
	struct text words = text_begin(text, sizeof text);
	struct session_event event = { .kind = SESSION_EVENT_TCP,
		.session = session,
		.at = ended ? c->at : c->began,
		.quiet = is_quiet(n),
		.text = text,
		.connection = *c,
		.duration = c->at - c->began,
		.packets = recorded };

	if (!final && event.quiet)
		return false;
	if (trace && c->here)
		event.packet_count = trace_handshake(trace, c->here, ended, c->began, packets,
		    RECORD_PACKETS);
	for (size_t i = 0; i < event.packet_count; i++) {
		recorded[i] = record_packet_shifted(&packets[i].of, -event.at);
		due = due || recorded[i].fate != LINK_DELIVERED;
		/* A requested drop has a row. */
		if (recorded[i].syn && recorded[i].fate == LINK_REQUESTED_DROP)
			event.quiet = false;
	}
	put_words(&words, c, recorded, event.packet_count);
	const uint64_t hash = fnv_hash(text, strlen(text));
	if (final || (due && hash != n->shown_hash)) {
		n->shown_hash = hash;
		report(context, &event, n, final);
	}
	return final;
}

int64_t connections_dispatch(struct connections *c, int session, const struct trace *trace,
    int64_t complete_until, int64_t now, connections_report *report, void *context)
{
	int64_t wanted = INT64_MIN;

	for (size_t i = 0; i < c->count;) {
		const struct session_connection *of = &c->notes[i].of;

		if (report_note(&c->notes[i], session, trace, complete_until, now, report,
		        context)) {
			drop(c, i);
			continue;
		}
		if (of->stage != SESSION_CONNECTING && final_at(of) > wanted)
			wanted = final_at(of);
		i++;
	}
	return wanted;
}

int64_t connections_due(const struct connections *c)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < c->count; i++) {
		const struct connection_note *n = &c->notes[i];

		if (n->of.stage == SESSION_CONNECTING && !n->row && !is_quiet(n) &&
		    n->of.began + ROW_AFTER < due)
			due = n->of.began + ROW_AFTER;
	}
	return due;
}
