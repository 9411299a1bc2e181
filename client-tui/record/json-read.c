/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are read from JSON. Keys and types that are not known are passed over, so that later
 * versions can add some. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/error-text.h"
#include "record/json-values.h"
#include "common/printable.h"
#include "record/json-write.h"

/* More sessions are in no file of ours. */
#define JSON_SUMS_MAX RECORDER_SESSIONS
/* Of numbers of lines and counts, so that sums of them never run over. */
#define JSON_COUNT_MAX (INT64_C(1) << 52)

static uint64_t get_count(struct json_values *r, const char *key)
{
	return (uint64_t)json_values_int(r, key, 0, JSON_COUNT_MAX, 0);
}

static int64_t get_time(struct json_values *r, const char *key)
{
	return json_values_int(r, key, -SESSION_TIME_MAX, SESSION_TIME_MAX, RECORD_NEVER);
}

static int64_t get_span(struct json_values *r, const char *key)
{
	return json_values_int(r, key, 0, SESSION_TIME_MAX, 0);
}

/* --- lines --- */

static void read_transport(struct json_values *r, unsigned *session, bool *stream)
{
	const char *transport = json_values_word(r, "transport");

	*session = (unsigned)json_values_int(r, "session", 0, RECORDER_SESSIONS - 1, 0);
	*stream = transport && strcmp(transport, "tcp") == 0;
	if (!transport || (!*stream && strcmp(transport, "udp") != 0))
		json_values_fail(r, "transport", "is neither \"udp\" nor \"tcp\"");
}

static uint32_t short_time(struct json_values *r, const char *key, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > UINT32_MAX)
		json_values_fail(r, key, "has a value that is not a time");
	return (uint32_t)json_integer_value(value);
}

/* Without "timeouts_us", which older files do not have, none is known to have run out. */
static void read_waits(struct json_values *r, struct trace_leg *leg)
{
	json_t *waits = json_values_array(r, "waits_us", TRACE_WAITS), *timeouts, *value;
	size_t i;

	json_array_foreach(waits, i, value)
	    leg->wait[leg->waits++] = short_time(r, "waits_us", value);
	timeouts = json_values_array(r, "timeouts_us", leg->waits);
	json_array_foreach(timeouts, i, value) if (!json_is_null(value))
	    leg->timeout[i] = short_time(r, "timeouts_us", value);
}

static void read_leg(struct json_values *from, const char *key, struct trace_leg *leg)
{
	struct json_values r = json_values_inside(from, key, json_values_get(from, key));

	leg->tries = (uint16_t)json_values_int(&r, "tries", 0, UINT16_MAX, 0);
	leg->retransmitted = (uint16_t)json_values_int(&r, "again", 0, UINT16_MAX, 0);
	leg->through = (uint16_t)json_values_int(&r, "through", 0, UINT16_MAX, 0);
	leg->lost = (uint16_t)json_values_int(&r, "lost", 0, UINT16_MAX, 0);
	leg->fate = (uint8_t)json_values_name(&r, "fate", record_event, LINK_NONE);
	leg->duplicated = json_values_bool(&r, "doubled");
	leg->held = json_values_bool(&r, "held");
	leg->requested_drop = json_values_bool(&r, "on_cue");
	read_waits(&r, leg);
	leg->first_in = get_time(&r, "first_in_ns");
	leg->last_in = get_time(&r, "last_in_ns");
	leg->first_out = get_time(&r, "first_out_ns");
	leg->last_out = get_time(&r, "last_out_ns");
	if (leg->first_in == RECORD_NEVER || leg->last_in == RECORD_NEVER)
		leg->first_in = leg->last_in = 0;
	if (leg->first_out == RECORD_NEVER || leg->last_out == RECORD_NEVER)
		leg->first_out = INT64_MAX, leg->last_out = INT64_MIN;
	from->bad = r.bad;
}

static void read_packet(struct json_values *from, json_t *value, struct record_packet *p)
{
	struct json_values r = json_values_inside(from, "packets", value);
	const char *way = json_values_word(&r, "way"), *flags = json_values_word(&r, "flags");

	p->way = way && strcmp(way, "back") == 0 ? LINK_COMING : LINK_GOING;
	p->fate = (enum link_fate)json_values_name(&r, "fate", record_event, LINK_NONE);
	p->retransmitted = json_values_bool(&r, "again");
	p->payload = json_values_bool(&r, "payload");
	p->in = get_time(&r, "in_ns");
	p->out = get_time(&r, "out_ns");
	p->out2 = get_time(&r, "out2_ns");
	p->seq = (uint32_t)json_values_int(&r, "seq", 0, UINT32_MAX, 0);
	p->length = (uint32_t)json_values_int(&r, "length", 0, UINT32_MAX, 0);
	if (flags && record_flags(flags, p) < 0)
		json_values_fail(&r, "flags", "is not known");
	if (p->in == RECORD_NEVER)
		json_values_fail(&r, "in_ns", "is missing");
	from->bad = r.bad;
}

static size_t read_packets(struct json_values *r, struct record_packet *to)
{
	json_t *packets = json_values_array(r, "packets", RECORD_PACKETS), *value;
	size_t i;

	json_array_foreach(packets, i, value) read_packet(r, value, &to[i]);
	return json_array_size(packets);
}

static void read_link(struct json_values *from, struct record *line)
{
	struct json_values r;

	if (!json_values_get(from, "link"))
		return;
	r = json_values_inside(from, "link", json_values_get(from, "link"));
	line->has_link = true;
	line->place = (enum trace_place)json_values_name(&r, "place", record_place, TRACE_UNKNOWN);
	read_leg(&r, "there", &line->legs[LINK_GOING]);
	read_leg(&r, "back", &line->legs[LINK_COMING]);
	line->packet_count = read_packets(&r, line->packets);
	from->bad = r.bad;
}

static void read_duplicates(struct json_values *r, struct record *line)
{
	json_t *times = json_values_array(r, "duplicates_ns", RECORD_DUPLICATES), *value;
	size_t i;

	json_array_foreach(times, i, value)
	{
		const int64_t at = json_is_integer(value) ? json_integer_value(value) : INT64_MAX;

		if (at < -SESSION_TIME_MAX || at > SESSION_TIME_MAX)
			json_values_fail(r, "duplicates_ns", "has a value that is not a time");
		line->duplicate_at[line->duplicate_count++] = at;
	}
}

/* What a fate needs, so that it can be shown again. */
static void check_line(struct json_values *r, const struct record *line)
{
	const bool replied = line->fate == FATE_ANSWERED || line->late;

	if (line->number == 0)
		json_values_fail(r, "n", "is missing");
	if (line->typed_at == RECORD_NEVER)
		json_values_fail(r, "typed_ns", "is missing");
	if (!line->text)
		json_values_fail(r, "text", "is missing");
	if (line->late && line->fate != FATE_LOST)
		json_values_fail(r, "late", "is true of a line that is not lost");
	if (replied && (line->replied_at == RECORD_NEVER || line->sent_at == RECORD_NEVER))
		json_values_fail(r, "replied_ns", "is missing, or \"sent_ns\"");
	if (!replied && (line->duplicates > 0 || line->reply || line->reordered || line->differs ||
	                    line->cut_short))
		json_values_fail(r, "fate", "is not that of a line with a reply");
	if (line->duplicate_count > line->duplicates)
		json_values_fail(r, "duplicates_ns", "has more times than there are duplicates");
	if (line->fate != FATE_QUEUED && line->fate != FATE_FAILED && line->sent_at == RECORD_NEVER)
		json_values_fail(r, "sent_ns", "is missing");
	if (line->stream && (line->fate == FATE_LOST || line->fate == FATE_REFUSED))
		json_values_fail(r, "fate", "is not one of TCP");
}

static void read_line(struct json_values *r, struct record *line)
{
	line->decided_at = RECORD_NEVER;
	read_transport(r, &line->session, &line->stream);
	line->number = get_count(r, "n");
	line->fate = (enum ledger_fate)json_values_name(r, "fate", record_fate, FATE_QUEUED);
	if (!json_values_get(r, "fate"))
		json_values_fail(r, "fate", "is missing");
	line->late = json_values_bool(r, "late");
	line->reordered = json_values_bool(r, "reordered");
	line->differs = json_values_bool(r, "differs");
	line->cut_short = json_values_bool(r, "cut_short");
	line->partial = json_values_bool(r, "partial");
	line->duplicates = (uint32_t)json_values_int(r, "duplicates", 0, 1000000, 0);
	line->typed_at = get_time(r, "typed_ns");
	line->sent_at = get_time(r, "sent_ns");
	line->replied_at = get_time(r, "replied_ns");
	line->decided_at = get_time(r, "decided_ns");
	/* Older files do not have it. */
	line->connecting = json_values_int(r, "connecting_ns", 0, SESSION_TIME_MAX, 0);
	read_duplicates(r, line);
	line->tag = get_count(r, "tag");
	line->error = json_values_name(r, "error", error_number, 0);
	line->text = json_values_bytes(r, "text", "text_base64", &line->length);
	line->reply = json_values_bytes(r, "reply", "reply_base64", &line->reply_length);
	read_link(r, line);
	check_line(r, line);
}

static void read_reply(struct json_values *r, struct record_reply *reply)
{
	read_transport(r, &reply->session, &reply->stream);
	reply->match = (enum ledger_match)json_values_name(r, "match", record_match, MATCH_STRAY);
	reply->number = get_count(r, "n");
	reply->reordered = json_values_bool(r, "reordered");
	reply->differs = json_values_bool(r, "differs");
	reply->cut_short = json_values_bool(r, "cut_short");
	reply->replied_at = get_time(r, "replied_ns");
	reply->rtt = json_values_int(r, "rtt_ns", 0, SESSION_TIME_MAX, -1);
	reply->text = json_values_bytes(r, "text", "text_base64", &reply->length);
	if (!reply->text)
		json_values_fail(r, "text", "is missing");
	if (reply->replied_at == RECORD_NEVER)
		json_values_fail(r, "replied_ns", "is missing");
	if (reply->match != MATCH_STRAY && reply->number == 0)
		json_values_fail(r, "n", "is missing");
}

static void read_connection(struct json_values *r, struct session_event *e)
{
	struct session_connection *c = &e->connection;

	c->stage = (enum session_stage)json_values_name(r, "stage", record_stage,
	    SESSION_CONNECTING);
	c->here = (uint16_t)json_values_int(r, "port", 0, UINT16_MAX, 0);
	c->syns = (unsigned)json_values_int(r, "syns", 0, INT32_MAX, 0);
	c->ours = json_values_bool(r, "ours");
	c->error = json_values_name(r, "error", error_number, 0);
	e->took = get_span(r, "took_ns");
	if (json_values_get(r, "packets") &&
	    (e->packets = calloc(RECORD_PACKETS, sizeof *e->packets)) != NULL)
		e->packet_count = read_packets(r, e->packets);
}

/* A kind that is not known is a later version's: to be passed over. */
static void read_event(struct json_values *r, struct json_record *to)
{
	struct session_event *e = &to->event;
	const char *name = to->type == RECORD_EVENT ? json_values_word(r, "kind") : NULL;
	const int kind = name                       ? session_event_kind(name)
	               : json_values_bool(r, "bad") ? SESSION_EVENT_ERROR
	                                            : SESSION_EVENT_NOTICE;

	if (kind < 0 || (!name && to->type == RECORD_EVENT)) {
		to->type = RECORD_UNKNOWN;
		return;
	}
	e->kind = (enum session_event_kind)kind;
	e->session = (int)json_values_int(r, "session", 0, RECORDER_SESSIONS - 1, -1);
	e->at = get_time(r, "at_ns");
	e->text = json_values_copy(r, "text");
	e->there = json_values_copy(r, "there");
	e->back = json_values_copy(r, "back");
	e->quiet = json_values_bool(r, "quiet");
	if (e->kind == SESSION_EVENT_TCP)
		read_connection(r, e);
	if (!e->text || e->at == RECORD_NEVER)
		json_values_fail(r, e->text ? "at_ns" : "text", "is missing");
	for (size_t i = 0; i < e->packet_count && !r->bad; i++)
		record_packet_move(&e->packets[i], -e->at);
}

/* --- the beginning and the end --- */

static void read_words(struct json_values *r, struct record_run *run)
{
	char *words = json_values_copy(r, "link");

	if (words && strlen(words) >= sizeof run->link)
		json_values_fail(r, "link", "is longer than any link's words");
	else
		snprintf(run->link, sizeof run->link, "%s", words ? words : "");
	free(words);
}

static void read_start(struct json_values *r, struct record_run *run)
{
	const char *format = json_values_word(r, "format");

	if (!format || strcmp(format, "upcase") != 0)
		json_values_fail(r, "format", "is not \"upcase\"");
	if (json_values_int(r, "version", 1, INT64_MAX, 0) != RECORD_VERSION)
		json_values_fail(r, "version", "is not 1, which is all that this upcase can read");
	run->started = json_values_int(r, "started_ns", 0, INT64_MAX, 0);
	run->tag = (enum ledger_tag)json_values_name(r, "tag", record_tag, LEDGER_TAG_AUTO);
	run->count = json_values_int(r, "count", 0, RECORD_COUNT_MAX, 0);
	run->interval = json_values_int(r, "interval_ns", 0, SESSION_TIME_MAX, 0);
	run->size = json_values_int(r, "size", 0, RECORD_SIZE_MAX, 0);
	read_words(r, run);
}

static void read_session(struct json_values *r, struct record_session *s)
{
	read_transport(r, &s->session, &s->stream);
	s->peer = json_values_copy(r, "peer");
	s->reply_timeout = json_values_int(r, "wait_ns", 0, SESSION_TIME_MAX, 0);
	if (!s->peer || strlen(s->peer) > 299)
		json_values_fail(r, "peer", s->peer ? "is too long" : "is missing");
	else
		printable_replace(s->peer, strlen(s->peer));
}

static void read_figure(struct json_values *r, const struct figure *row, struct figures *f)
{
	if (row->type == FIGURE_SMALL)
		figure_set(row, f, json_values_int(r, row->key, 0, UINT32_MAX, 0));
	else if (row->type == FIGURE_SPAN)
		figure_set(row, f, get_span(r, row->key));
	else if (row->type != FIGURE_FAR || json_values_get(r, row->key))
		figure_set(row, f, (int64_t)get_count(r, row->key));
}

/* Objects may be missing. */
static void read_sum(struct json_values *from, json_t *value, struct record_sum *s)
{
	struct json_values r = json_values_inside(from, "sessions", value), inside;

	read_session(&r, &s->of);
	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++) {
		if (!row->key || row->type >= FIGURE_DERIVED)
			continue;
		if (!*row->group) {
			read_figure(&r, row, &s->figures);
		} else if (json_values_get(&r, row->group)) {
			inside = json_values_inside(&r, row->group,
			    json_values_get(&r, row->group));
			read_figure(&inside, row, &s->figures);
			r.bad = inside.bad;
		}
	}
	from->bad = r.bad;
}

static void read_truth(struct json_values *from, struct json_record *to)
{
	struct json_values r = json_values_inside(from, "truth", json_values_get(from, "truth"));

	to->has_truth = true;
	to->compared = get_count(&r, "judged");
	to->mismatches = get_count(&r, "mismatches");
	from->bad = r.bad;
}

static void read_summary(struct json_values *r, struct json_record *to)
{
	json_t *sessions = json_values_array(r, "sessions", JSON_SUMS_MAX), *value;
	size_t i;

	to->run.ended_at = get_time(r, "ended_ns");
	to->run.stopped = json_values_bool(r, "stopped");
	read_words(r, &to->run);
	if (json_values_get(r, "truth"))
		read_truth(r, to);
	to->sums = calloc(json_array_size(sessions) + 1, sizeof *to->sums);
	if (!to->sums)
		json_values_fail(r, "sessions", "is more than memory has room for");
	json_array_foreach(sessions, i, value) if (to->sums)
	    read_sum(r, value, &to->sums[to->sum_count++]);
}

static enum record_type find_type(const char *word)
{
	static const char *const types[] = {
		[RECORD_START] = "start",
		[RECORD_SESSION] = "session",
		[RECORD_LINE] = "line",
		[RECORD_REPLY] = "reply",
		[RECORD_NOTICE] = "notice",
		[RECORD_EVENT] = "event",
		[RECORD_SUMMARY] = "summary",
	};
	unsigned i = 0;

	while (i < RECORD_UNKNOWN && strcmp(word, types[i]) != 0)
		i++;
	return (enum record_type)i;
}

static void read_object(struct json_values *r, struct json_record *to)
{
	const char *word = json_values_word(r, "type");

	if (!word) {
		json_values_fail(r, "type", "is missing");
		return;
	}
	to->type = find_type(word);
	switch (to->type) {
	case RECORD_START:
		read_start(r, &to->run);
		break;
	case RECORD_SESSION:
		read_session(r, &to->session);
		break;
	case RECORD_LINE:
		read_line(r, &to->line);
		break;
	case RECORD_REPLY:
		read_reply(r, &to->reply);
		break;
	case RECORD_NOTICE:
	case RECORD_EVENT:
		read_event(r, to);
		break;
	case RECORD_SUMMARY:
		read_summary(r, to);
		break;
	case RECORD_UNKNOWN:
		break;
	}
}

/* The reason may quote the file, which can hold anything. */
int json_read(struct json_record *to, const char *text, size_t n, char why[RECORD_WHY])
{
	struct json_values r = { .why = why };
	json_error_t error;

	*to = (struct json_record){ .type = RECORD_UNKNOWN };
	r.object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!r.object) {
		snprintf(why, RECORD_WHY, "no JSON: %.120s", error.text);
		printable_replace(why, strlen(why));
		return -1;
	}
	if (!json_is_object(r.object)) {
		snprintf(why, RECORD_WHY, "no record: not an object");
		r.bad = true;
	} else {
		read_object(&r, to);
	}
	json_decref(r.object);
	return r.bad ? -1 : 0;
}

void json_record_free(struct json_record *r)
{
	record_free(&r->line);
	free(r->reply.text);
	record_event_free(&r->event);
	free(r->session.peer);
	for (size_t i = 0; i < r->sum_count; i++)
		free(r->sums[i].of.peer);
	free(r->sums);
	*r = (struct json_record){ .type = RECORD_UNKNOWN };
}
