/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the plain front end prints: replies to standard output, the rest to standard error. With two lanes each reply is a line of
 * its own that begins with its transport; while one lane's long reply comes in pieces, the other's wait. */
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

/* --ordered: replies kept while an earlier line is undecided; no more is sent when there are so many. */
#define ORDER_ROOM 65536
#define ORDER_BYTES (32u * 1024 * 1024)
/* Held back for a long reply of the other lane; when there is more, that one is broken off. */
#define HELD_MAX (32u * 1024 * 1024)
/* Lines lost that are told one by one; the summary counts them all. */
#define TOLD_LINES 10
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
	fprintf(stderr, "\r%s%*s", text, n < p->progress_shown ? (int)(p->progress_shown - n) : 0, "");
	if (n > p->progress_shown)
		p->progress_shown = n;
	p->progress_at = now + PROGRESS;
}

void plain_say(struct plain *p, bool bad, const char *words)
{
	char text[RECORD_EVENT_WORDS];

	if (!bad && p->settings->quiet)
		return;
	plain_erase_progress(p);
	snprintf(text, sizeof text, "%s", words);
	standard_say("upcase: %s", p->utf8 ? text : summary_ascii(text));
}

/* --- standard output --- */

static void put(struct plain *p, const void *bytes, size_t n)
{
	if (p->same_terminal && p->progress_shown > 0) {
		plain_erase_progress(p);
		p->progress_at = 0;
	}
	if (n > 0 && fwrite(bytes, 1, n, stdout) != n && !p->write_error)
		p->write_error = errno;
}

static struct lane *other_lane(const struct lane *lane)
{
	struct plain *p = lane->plain;

	return p->lane_count < PLAIN_LANES ? NULL : &p->lanes[lane == p->lanes];
}

static void put_held(struct lane *lane)
{
	put(lane->plain, lane->held, lane->held_length);
	free(lane->held);
	lane->held = NULL;
	lane->held_length = lane->held_room = 0;
}

/* Puts bytes of a lane, or holds them back. */
static void put_or_hold(struct lane *lane, const void *bytes, size_t n)
{
	struct lane *other = other_lane(lane);

	if (n == 0)
		return;
	if (other && other->begun) {
		if (lane->held_length + n <= HELD_MAX && grow_list(&lane->held, &lane->held_room, lane->held_length + n, 1) == 0) {
			memcpy(lane->held + lane->held_length, bytes, n);
			lane->held_length += n;
			return;
		}
		/* Its reply goes on in a line of its own. */
		put(lane->plain, "\n", 1);
		other->begun = false;
		put_held(lane);
	}
	put(lane->plain, bytes, n);
}

/* A reply or a piece of one. */
static void put_part(struct lane *lane, const void *text, size_t n, bool end)
{
	struct lane *other = other_lane(lane);

	if (!lane->begun)
		put_or_hold(lane, lane->prefix, strlen(lane->prefix));
	put_or_hold(lane, text, n);
	if (end)
		put_or_hold(lane, "\n", 1);
	lane->begun = !end;
	if (end && other)
		put_held(other);
}

static void put_reply(struct lane *lane, uint64_t number, const void *text, size_t n)
{
	struct plain *p = lane->plain;

	if (p->lane_count > 1) {
		put_part(lane, text, n, true);
		return;
	}
	if (p->owed)
		put(p, "\n", 1);
	p->owed = false;
	put(p, text, n);
	if (number != 0 && number == p->bare)
		p->owed = true;
	else
		put(p, "\n", 1);
}

void plain_flush(struct plain *p)
{
	if (fflush(stdout) != 0 && !p->write_error)
		p->write_error = errno;
}

void plain_end_output(struct plain *p)
{
	for (size_t i = 0; i < p->lane_count; i++) {
		if (p->lane_count > 1 && p->lanes[i].begun)
			put_part(&p->lanes[i], "", 0, true);
		put_held(&p->lanes[i]);
	}
	plain_flush(p);
}

void plain_free_lane(struct lane *lane)
{
	for (size_t i = 0; lane->early && i < ORDER_ROOM; i++)
		free(lane->early[i].text);
	free(lane->early);
	free(lane->held);
}

/* --- in the order of the lines --- */

int plain_order(struct lane *lane)
{
	lane->early = calloc(ORDER_ROOM, sizeof *lane->early);
	return lane->early ? 0 : -1;
}

bool plain_order_room(const struct lane *lane)
{
	return !lane->early ||
	    (lane->plain->last_number + 1 - lane->next < ORDER_ROOM - 1 && lane->early_bytes <= ORDER_BYTES);
}

static bool decided(const struct lane *lane, uint64_t number)
{
	const struct ledger_row *row = ledger_find(session_ledger(lane->session), number);

	return number <= lane->plain->last_number && (!row || ledger_is_decided(row->fate));
}

/* Prints as far as every line is decided. */
void plain_put_in_order(struct lane *lane)
{
	while (lane->early && decided(lane, lane->next)) {
		struct early *e = &lane->early[lane->next % ORDER_ROOM];

		if (e->there)
			put_reply(lane, lane->next, e->text, e->length);
		lane->early_bytes -= e->length;
		free(e->text);
		*e = (struct early){0};
		lane->next++;
	}
}

static void keep_for_its_turn(struct lane *lane, uint64_t number, const unsigned char *text, size_t n)
{
	struct early *e = &lane->early[number % ORDER_ROOM];

	if (number < lane->next || e->there)
		return;
	e->text = grow_copy(text, n);
	if (!e->text) {
		plain_say(lane->plain, true, "memory is short: a reply is left out");
		return;
	}
	e->length = n;
	e->there = true;
	lane->early_bytes += n;
}

/* --- what the session tells --- */

static void tell_stray(struct plain *p, const struct session_reply *reply)
{
	char text[120];

	if (p->told >= TOLD_LINES || p->settings->quiet)
		return;
	snprintf(text, sizeof text, "a stray reply of %zu bytes, which belongs to no line", reply->length);
	plain_say(p, false, text);
	p->told++;
}

void plain_reply(void *context, const struct session_reply *reply)
{
	struct lane *lane = context;
	const enum ledger_match match = reply->verdict.match;

	plain_record_reply(lane, reply);
	if (lane->plain->settings->output != CLIENT_TEXT)
		return;
	if (reply->more) {
		if (lane->plain->lane_count > 1)
			put_part(lane, reply->text, reply->length, false);
		else
			put(lane->plain, reply->text, reply->length);
		return;
	}
	if (match == MATCH_STRAY && !lane->stream) {
		tell_stray(lane->plain, reply);
	} else if (match == MATCH_DUPLICATE) {
		return;
	} else if (lane->early) {
		if (match == MATCH_ANSWER)
			keep_for_its_turn(lane, reply->verdict.number, reply->text, reply->length);
		plain_put_in_order(lane);
	} else {
		put_reply(lane, reply->verdict.number, reply->text, reply->length);
	}
}

void plain_row(void *context, uint64_t number)
{
	struct lane *lane = context;
	struct plain *p = lane->plain;
	const struct ledger_row *row = ledger_find(session_ledger(lane->session), number);
	char text[300], fate[200];

	plain_record_row(lane, number);
	if (row && ledger_is_decided(row->fate) && p->told++ < TOLD_LINES) {
		summary_fate(row, lane->stream, clock_monotonic(), fate, sizeof fate);
		snprintf(text, sizeof text, "line %llu%s: %s%s", (unsigned long long)number,
		    p->lane_count < 2 ? "" : lane->stream ? " over TCP" : " over UDP", fate,
		    p->told == TOLD_LINES ? " (further lines are counted, not told)" : "");
		plain_say(p, false, text);
	}
	plain_put_in_order(lane);
}

void plain_notice(void *context, bool bad, const char *text)
{
	const struct lane *lane = context;

	plain_event(lane->plain, &(const struct record_event){ .kind = bad ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE,
		.session = lane->recorded, .at = clock_monotonic(), .text = (char *)(uintptr_t)text });
}

/* A script is not told of what went as it should: only of a SYN that was sent again. */
static void tell_connection(void *context, const struct record_event *event, struct connection_note *note, bool final)
{
	char words[RECORD_EVENT_WORDS];

	if (!final)
		return;
	plain_record_event(context, event);
	if (!event->quiet && note->of.syns > 1)
		plain_say(context, false, record_event_words(event, words));
}

static void tell_connections(struct lane *lane, bool all)
{
	truth_connections(lane->plain->truth, &lane->connections, lane->recorded, all, clock_monotonic(), tell_connection, lane->plain);
}

void plain_connections_turn(struct plain *p, bool all)
{
	if (all && p->truth)
		truth_settle(p->truth);
	for (size_t i = 0; i < p->lane_count; i++)
		tell_connections(&p->lanes[i], all);
}

/* At once, before the notice of what it means; not while the session is being opened, which is not known yet. */
void plain_connection(void *context, const struct session_connection *connection)
{
	struct lane *lane = context;

	connections_take(&lane->connections, connection);
	if (lane->session)
		tell_connections(lane, false);
}

void plain_event(void *plain, const struct record_event *event)
{
	struct plain *p = plain;
	char words[RECORD_EVENT_WORDS];

	plain_record_event(p, event);
	if (!event->quiet)
		plain_say(p, event->kind == SESSION_EVENT_ERROR, record_event_words(event, words));
}
