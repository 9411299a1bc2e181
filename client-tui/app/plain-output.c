/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the plain front end prints: replies to standard output, the rest to standard error. With two
 * channels each reply is a line of its own that begins with its transport; while one channel's long
 * reply comes in pieces, the other's wait. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/grow.h"
#include "app/plain-internal.h"
#include "common/standard.h"
#include "report/summary.h"

/* --ordered: replies kept while an earlier line is undecided; no more is sent when there are so
 * many. */
#define ORDER_CAPACITY 65536
#define ORDER_BYTES (32u * 1024 * 1024)
/* Held back for a long reply of the other channel; when there is more, that one is broken off. */
#define HELD_MAX (32u * 1024 * 1024)
/* Lines lost that are reported one by one; the summary counts them all. */
#define REPORTED_LINES 10
/* How often the progress is written anew. */
#define PROGRESS (200 * NS_PER_MS)

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

	if (!p->progress || p->input_ended || !p->generator.running || now < p->progress_at)
		return;
	/* One byte a column: the text is ASCII. */
	generator_progress(&p->generator, now, "-", text, sizeof text);
	n = strlen(text);
	fprintf(stderr, "\r%s%*s", text, n < p->progress_shown ? (int)(p->progress_shown - n) : 0,
	    "");
	if (n > p->progress_shown)
		p->progress_shown = n;
	p->progress_at = now + PROGRESS;
}

void plain_say(struct plain *p, bool bad, const char *words)
{
	char text[SESSION_EVENT_WORDS];

	if (!bad && p->settings->quiet)
		return;
	plain_erase_progress(p);
	snprintf(text, sizeof text, "%s", words);
	standard_say("upcase: %s", p->utf8 ? text : summary_ascii(text));
}

/* --- standard output --- */

/* Writes to a terminal through the stream, which standard_filter() has replaced. */
static bool write_out(const unsigned char *bytes, size_t n, bool shown)
{
	if (shown)
		return fwrite(bytes, 1, n, stdout) == n && fflush(stdout) == 0;
	return standard_write((const char *)bytes, n);
}

void plain_flush(struct plain *p)
{
	if (p->output_length > 0 && !p->write_error &&
	    !write_out(p->output, p->output_length, p->shown))
		p->write_error = errno;
	p->output_length = 0;
}

static void put(struct plain *p, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;

	if (p->same_terminal && p->progress_shown > 0) {
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

/* The end of a line. On a terminal it shows at once, in order with what standard error says. */
static void put_end(struct plain *p)
{
	if (p->output_length == sizeof p->output)
		plain_flush(p);
	p->output[p->output_length++] = '\n';
	if (p->shown)
		plain_flush(p);
}

static struct channel *other_channel(const struct channel *channel)
{
	struct plain *p = channel->plain;

	return p->channel_count < PLAIN_CHANNELS ? NULL : &p->channels[channel == p->channels];
}

static void put_held(struct channel *channel)
{
	put(channel->plain, channel->held, channel->held_length);
	free(channel->held);
	channel->held = NULL;
	channel->held_length = channel->held_capacity = 0;
}

/* Puts bytes of a channel, or holds them back. */
static void put_or_hold(struct channel *channel, const void *bytes, size_t n)
{
	struct channel *other = other_channel(channel);

	if (n == 0)
		return;
	if (other && other->begun) {
		if (channel->held_length + n <= HELD_MAX &&
		    grow_list(&channel->held, &channel->held_capacity, channel->held_length + n,
		        1) == 0) {
			memcpy(channel->held + channel->held_length, bytes, n);
			channel->held_length += n;
			return;
		}
		/* Its reply goes on in a line of its own. */
		put(channel->plain, "\n", 1);
		other->begun = false;
		put_held(channel);
	}
	put(channel->plain, bytes, n);
}

/* A reply or a piece of one. */
static void put_part(struct channel *channel, const void *text, size_t n, bool end)
{
	struct channel *other = other_channel(channel);

	if (!channel->begun)
		put_or_hold(channel, channel->prefix, strlen(channel->prefix));
	put_or_hold(channel, text, n);
	if (end)
		put_or_hold(channel, "\n", 1);
	channel->begun = !end;
	if (end && other)
		put_held(other);
	if (end && channel->plain->shown)
		plain_flush(channel->plain);
}

static void put_reply(struct channel *channel, uint64_t number, const void *text, size_t n)
{
	struct plain *p = channel->plain;

	if (p->channel_count > 1) {
		put_part(channel, text, n, true);
		return;
	}
	if (p->newline_due)
		put_end(p);
	p->newline_due = false;
	put(p, text, n);
	if (number != 0 && number == p->unterminated)
		p->newline_due = true;
	else
		put_end(p);
}

void plain_end_output(struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++) {
		if (p->channel_count > 1 && p->channels[i].begun)
			put_part(&p->channels[i], "", 0, true);
		put_held(&p->channels[i]);
	}
	plain_flush(p);
}

void plain_free_channel(struct channel *channel)
{
	for (size_t i = 0; channel->early && i < ORDER_CAPACITY; i++)
		free(channel->early[i].text);
	free(channel->early);
	free(channel->held);
}

/* --- in the order of the lines --- */

int plain_order_start(struct channel *channel)
{
	channel->early = calloc(ORDER_CAPACITY, sizeof *channel->early);
	return channel->early ? 0 : -1;
}

bool plain_order_has_room(const struct channel *channel)
{
	return !channel->early ||
	       (channel->plain->last_number + 1 - channel->next < ORDER_CAPACITY - 1 &&
	           channel->early_bytes <= ORDER_BYTES);
}

static bool decided(const struct channel *channel, uint64_t number)
{
	const struct ledger_row *row = ledger_find(session_ledger(channel->session), number);

	return number <= channel->plain->last_number && (!row || ledger_is_decided(row->fate));
}

/* Prints as far as every line is decided. */
void plain_put_in_order(struct channel *channel)
{
	while (channel->early && decided(channel, channel->next)) {
		struct early *e = &channel->early[channel->next % ORDER_CAPACITY];

		if (e->there)
			put_reply(channel, channel->next, e->text, e->length);
		channel->early_bytes -= e->length;
		free(e->text);
		*e = (struct early){ 0 };
		channel->next++;
	}
}

static void keep_for_later(struct channel *channel, uint64_t number, const unsigned char *text,
    size_t n)
{
	struct early *e = &channel->early[number % ORDER_CAPACITY];

	if (number < channel->next || e->there)
		return;
	e->text = grow_copy(text, n);
	if (!e->text) {
		plain_say(channel->plain, true, "memory is short: a reply is left out");
		return;
	}
	e->length = n;
	e->there = true;
	channel->early_bytes += n;
}

/* --- what the session tells --- */

static void report_stray(struct plain *p, const struct session_reply *reply)
{
	char text[120];

	if (p->reported >= REPORTED_LINES || p->settings->quiet)
		return;
	snprintf(text, sizeof text, "a stray reply of %zu bytes, which belongs to no line",
	    reply->length);
	plain_say(p, false, text);
	p->reported++;
}

void plain_reply(void *context, const struct session_reply *reply)
{
	struct channel *channel = context;
	const enum ledger_match match = reply->matched.match;

	plain_record_reply(channel, reply);
	if (channel->plain->settings->output != RECORD_OUTPUT_TEXT)
		return;
	if (reply->more) {
		if (channel->plain->channel_count > 1)
			put_part(channel, reply->text, reply->length, false);
		else
			put(channel->plain, reply->text, reply->length);
		return;
	}
	if (match == MATCH_STRAY && !channel->stream) {
		report_stray(channel->plain, reply);
	} else if (match == MATCH_DUPLICATE) {
		return;
	} else if (channel->early) {
		if (match == MATCH_ANSWER)
			keep_for_later(channel, reply->matched.number, reply->text, reply->length);
		plain_put_in_order(channel);
	} else {
		put_reply(channel, reply->matched.number, reply->text, reply->length);
	}
}

void plain_row(void *context, uint64_t number)
{
	struct channel *channel = context;
	struct plain *p = channel->plain;
	const struct ledger_row *row = ledger_find(session_ledger(channel->session), number);
	char text[300], fate[200];

	plain_record_row(channel, number);
	if (row && ledger_is_decided(row->fate) && p->reported++ < REPORTED_LINES) {
		summary_fate(row, channel->stream, clock_monotonic(), fate, sizeof fate);
		snprintf(text, sizeof text, "line %llu%s: %s%s", (unsigned long long)number,
		    p->channel_count < 2 ? ""
		    : channel->stream    ? " over TCP"
		                         : " over UDP",
		    fate,
		    p->reported == REPORTED_LINES ? " (further lines are counted, not told)" : "");
		plain_say(p, false, text);
	}
	plain_put_in_order(channel);
}

void plain_notice(void *context, bool bad, const char *text)
{
	const struct channel *channel = context;

	plain_event(channel->plain,
	    &(const struct session_event){ .kind = bad ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE,
	        .session = channel->recorded,
	        .at = clock_monotonic(),
	        .text = (char *)(uintptr_t)text });
}

/* A script is not told of what went as it should: only of a SYN that was sent again. */
static void report_connection(void *context, const struct session_event *event,
    struct connection_note *note, bool final)
{
	char words[SESSION_EVENT_WORDS];

	if (!final)
		return;
	plain_record_event(context, event);
	if (!event->quiet && note->of.syns > 1)
		plain_say(context, false, session_event_words(event, words));
}

static void report_connections(struct channel *channel, bool all)
{
	connections_dispatch_lab(&channel->connections, channel->plain->lab, channel->recorded, all,
	    clock_monotonic(), report_connection, channel->plain);
}

void plain_connections_dispatch(struct plain *p, bool all)
{
	if (all && p->lab)
		lab_settle(p->lab);
	for (size_t i = 0; i < p->channel_count; i++)
		report_connections(&p->channels[i], all);
}

/* At once, before the notice of what it means; not while the session is being opened, which is not
 * known yet. */
void plain_connection(void *context, const struct session_connection *connection)
{
	struct channel *channel = context;

	connections_take(&channel->connections, connection);
	if (channel->session)
		report_connections(channel, false);
}

void plain_event(void *plain, const struct session_event *event)
{
	struct plain *p = plain;
	char words[SESSION_EVENT_WORDS];

	plain_record_event(p, event);
	if (!event->quiet)
		plain_say(p, event->kind == SESSION_EVENT_ERROR, session_event_words(event, words));
}
