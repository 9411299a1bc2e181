/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are read from JSON. Keys and types that are not known are passed over, so that later versions can add some. */
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
#define SUMS_MOST RECORDER_SESSIONS
/* Of numbers of lines and counts, so that sums of them never run over. */
#define COUNT_MOST (INT64_C(1) << 52)

static uint64_t get_count(struct reader *r, const char *key)
{
	return (uint64_t)reader_int(r, key, 0, COUNT_MOST, 0);
}

static int64_t get_time(struct reader *r, const char *key)
{
	return reader_int(r, key, -RECORD_TIME_MOST, RECORD_TIME_MOST, RECORD_NEVER);
}

static int64_t get_span(struct reader *r, const char *key)
{
	return reader_int(r, key, 0, RECORD_TIME_MOST, 0);
}

/* --- lines --- */

static void read_transport(struct reader *r, unsigned *session, bool *stream)
{
	const char *transport = reader_word(r, "transport");

	*session = (unsigned)reader_int(r, "session", 0, RECORDER_SESSIONS - 1, 0);
	*stream = transport && strcmp(transport, "tcp") == 0;
	if (!transport || (!*stream && strcmp(transport, "udp") != 0))
		reader_blame(r, "transport", "is neither \"udp\" nor \"tcp\"");
}

static uint32_t short_time(struct reader *r, const char *key, const json_t *value)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)
		reader_blame(r, key, "has a value that is not a time");
	return (uint32_t)json_integer_value(value);
}

/* Without "timeouts_us", which older files do not have, none is known to have run out. */
static void read_waits(struct reader *r, struct witness_leg *leg)
{
	json_t *waits = reader_array(r, "waits_us", WITNESS_WAITS), *timeouts, *value;
	size_t i;

	json_array_foreach(waits, i, value)
		leg->wait[leg->waits++] = short_time(r, "waits_us", value);
	timeouts = reader_array(r, "timeouts_us", leg->waits);
	json_array_foreach(timeouts, i, value)
		if (!json_is_null(value))
			leg->timeout[i] = short_time(r, "timeouts_us", value);
}

static void read_leg(struct reader *from, const char *key, struct witness_leg *leg)
{
	struct reader r = reader_inside(from, key, reader_get(from, key));

	leg->tries = (uint16_t)reader_int(&r, "tries", 0, UINT16_MAX, 0);
	leg->again = (uint16_t)reader_int(&r, "again", 0, UINT16_MAX, 0);
	leg->through = (uint16_t)reader_int(&r, "through", 0, UINT16_MAX, 0);
	leg->lost = (uint16_t)reader_int(&r, "lost", 0, UINT16_MAX, 0);
	leg->fate = (uint8_t)reader_name(&r, "fate", record_event, EVENT_NONE);
	leg->doubled = reader_bool(&r, "doubled");
	leg->held = reader_bool(&r, "held");
	leg->cue = reader_bool(&r, "on_cue");
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

static void read_packet(struct reader *from, json_t *value, struct record_packet *p)
{
	struct reader r = reader_inside(from, "packets", value);
	const char *way = reader_word(&r, "way"), *flags = reader_word(&r, "flags");

	p->way = way && strcmp(way, "back") == 0 ? EVENT_BACK : EVENT_THERE;
	p->fate = (enum event_fate)reader_name(&r, "fate", record_event, EVENT_NONE);
	p->again = reader_bool(&r, "again");
	p->payload = reader_bool(&r, "payload");
	p->in = get_time(&r, "in_ns");
	p->out = get_time(&r, "out_ns");
	p->out2 = get_time(&r, "out2_ns");
	p->seq = (uint32_t)reader_int(&r, "seq", 0, UINT32_MAX, 0);
	p->length = (uint32_t)reader_int(&r, "length", 0, UINT32_MAX, 0);
	if (flags && record_flags(flags, p) < 0)
		reader_blame(&r, "flags", "is not known");
	if (p->in == RECORD_NEVER)
		reader_blame(&r, "in_ns", "is missing");
	from->bad = r.bad;
}

static size_t read_packets(struct reader *r, struct record_packet *to)
{
	json_t *packets = reader_array(r, "packets", RECORD_PACKETS), *value;
	size_t i;

	json_array_foreach(packets, i, value)
		read_packet(r, value, &to[i]);
	return json_array_size(packets);
}

static void read_link(struct reader *from, struct record *line)
{
	struct reader r;

	if (!reader_get(from, "link"))
		return;
	r = reader_inside(from, "link", reader_get(from, "link"));
	line->has_link = true;
	line->place = (enum witness_place)reader_name(&r, "place", record_place, WITNESS_UNKNOWN);
	read_leg(&r, "there", &line->legs[EVENT_THERE]);
	read_leg(&r, "back", &line->legs[EVENT_BACK]);
	line->packet_count = read_packets(&r, line->packets);
	from->bad = r.bad;
}

static void read_duplicates(struct reader *r, struct record *line)
{
	json_t *times = reader_array(r, "duplicates_ns", RECORD_DUPLICATES), *value;
	size_t i;

	json_array_foreach(times, i, value) {
		const int64_t at = json_is_integer(value) ? json_integer_value(value) : INT64_MAX;

		if (at < -RECORD_TIME_MOST || at > RECORD_TIME_MOST)
			reader_blame(r, "duplicates_ns", "has a value that is not a time");
		line->duplicate_at[line->duplicate_count++] = at;
	}
}

/* What a fate needs, so that it can be shown again. */
static void check_line(struct reader *r, const struct record *line)
{
	const bool replied = line->fate == FATE_ANSWERED || line->late;

	if (line->number == 0)
		reader_blame(r, "n", "is missing");
	if (line->typed_at == RECORD_NEVER)
		reader_blame(r, "typed_ns", "is missing");
	if (!line->text)
		reader_blame(r, "text", "is missing");
	if (line->late && line->fate != FATE_LOST)
		reader_blame(r, "late", "is true of a line that is not lost");
	if (replied && (line->replied_at == RECORD_NEVER || line->sent_at == RECORD_NEVER))
		reader_blame(r, "replied_ns", "is missing, or \"sent_ns\"");
	if (!replied && (line->duplicates > 0 || line->reply || line->reordered || line->differs || line->cut_short))
		reader_blame(r, "fate", "is not that of a line with a reply");
	if (line->duplicate_count > line->duplicates)
		reader_blame(r, "duplicates_ns", "has more times than there are duplicates");
	if (line->fate != FATE_QUEUED && line->fate != FATE_FAILED && line->sent_at == RECORD_NEVER)
		reader_blame(r, "sent_ns", "is missing");
	if (line->stream && (line->fate == FATE_LOST || line->fate == FATE_REFUSED))
		reader_blame(r, "fate", "is not one of TCP");
}

static void read_line(struct reader *r, struct record *line)
{
	line->decided_at = RECORD_NEVER;
	read_transport(r, &line->session, &line->stream);
	line->number = get_count(r, "n");
	line->fate = (enum ledger_fate)reader_name(r, "fate", record_fate, FATE_QUEUED);
	if (!reader_get(r, "fate"))
		reader_blame(r, "fate", "is missing");
	line->late = reader_bool(r, "late");
	line->reordered = reader_bool(r, "reordered");
	line->differs = reader_bool(r, "differs");
	line->cut_short = reader_bool(r, "cut_short");
	line->partial = reader_bool(r, "partial");
	line->duplicates = (uint32_t)reader_int(r, "duplicates", 0, 1000000, 0);
	line->typed_at = get_time(r, "typed_ns");
	line->sent_at = get_time(r, "sent_ns");
	line->replied_at = get_time(r, "replied_ns");
	line->decided_at = get_time(r, "decided_ns");
	/* Older files do not have it. */
	line->connecting = reader_int(r, "connecting_ns", 0, RECORD_TIME_MOST, 0);
	read_duplicates(r, line);
	line->tag = get_count(r, "tag");
	line->error = reader_name(r, "error", error_number, 0);
	line->text = reader_bytes(r, "text", "text_base64", &line->length);
	line->reply = reader_bytes(r, "reply", "reply_base64", &line->reply_length);
	read_link(r, line);
	check_line(r, line);
}

static void read_reply(struct reader *r, struct record_reply *reply)
{
	read_transport(r, &reply->session, &reply->stream);
	reply->match = (enum ledger_match)reader_name(r, "match", record_match, MATCH_STRAY);
	reply->number = get_count(r, "n");
	reply->reordered = reader_bool(r, "reordered");
	reply->differs = reader_bool(r, "differs");
	reply->cut_short = reader_bool(r, "cut_short");
	reply->replied_at = get_time(r, "replied_ns");
	reply->rtt = reader_int(r, "rtt_ns", 0, RECORD_TIME_MOST, -1);
	reply->text = reader_bytes(r, "text", "text_base64", &reply->length);
	if (!reply->text)
		reader_blame(r, "text", "is missing");
	if (reply->replied_at == RECORD_NEVER)
		reader_blame(r, "replied_ns", "is missing");
	if (reply->match != MATCH_STRAY && reply->number == 0)
		reader_blame(r, "n", "is missing");
}

static void read_connection(struct reader *r, struct record_event *e)
{
	struct session_connection *c = &e->connection;

	c->stage = (enum session_stage)reader_name(r, "stage", record_stage, SESSION_CONNECTING);
	c->here = (uint16_t)reader_int(r, "port", 0, UINT16_MAX, 0);
	c->syns = (unsigned)reader_int(r, "syns", 0, INT32_MAX, 0);
	c->ours = reader_bool(r, "ours");
	c->error = reader_name(r, "error", error_number, 0);
	e->took = get_span(r, "took_ns");
	if (reader_get(r, "packets") && (e->packets = calloc(RECORD_PACKETS, sizeof *e->packets)) != NULL)
		e->packet_count = read_packets(r, e->packets);
}

/* A kind that is not known is a later version's: to be passed over. */
static void read_event(struct reader *r, struct record_read *to)
{
	struct record_event *e = &to->event;
	const char *name = to->type == RECORD_EVENT ? reader_word(r, "kind") : NULL;
	const int kind = name ? record_kind(name) : reader_bool(r, "bad") ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE;

	if (kind < 0 || (!name && to->type == RECORD_EVENT)) {
		to->type = RECORD_UNKNOWN;
		return;
	}
	e->kind = (enum session_event_kind)kind;
	e->session = (int)reader_int(r, "session", 0, RECORDER_SESSIONS - 1, -1);
	e->at = get_time(r, "at_ns");
	e->text = reader_copy(r, "text");
	e->there = reader_copy(r, "there");
	e->back = reader_copy(r, "back");
	e->quiet = reader_bool(r, "quiet");
	if (e->kind == SESSION_EVENT_TCP)
		read_connection(r, e);
	if (!e->text || e->at == RECORD_NEVER)
		reader_blame(r, e->text ? "at_ns" : "text", "is missing");
	for (size_t i = 0; i < e->packet_count && !r->bad; i++)
		record_packet_move(&e->packets[i], -e->at);
}

/* --- the beginning and the end --- */

static void read_words(struct reader *r, struct record_run *run)
{
	char *words = reader_copy(r, "link");

	if (words && strlen(words) >= sizeof run->link)
		reader_blame(r, "link", "is longer than any link's words");
	else
		snprintf(run->link, sizeof run->link, "%s", words ? words : "");
	free(words);
}

static void read_start(struct reader *r, struct record_run *run)
{
	const char *format = reader_word(r, "format");

	if (!format || strcmp(format, "upcase") != 0)
		reader_blame(r, "format", "is not \"upcase\"");
	if (reader_int(r, "version", 1, INT64_MAX, 0) != RECORD_VERSION)
		reader_blame(r, "version", "is not 1, which is all that this upcase can read");
	run->started = reader_int(r, "started_ns", 0, INT64_MAX, 0);
	run->tag = (enum ledger_tag)reader_name(r, "tag", record_tag, LEDGER_TAG_AUTO);
	run->count = reader_int(r, "count", 0, CLIENT_COUNT_MAX, 0);
	run->interval = reader_int(r, "interval_ns", 0, RECORD_TIME_MOST, 0);
	run->size = reader_int(r, "size", 0, CLIENT_SIZE_MAX, 0);
	read_words(r, run);
}

static void read_session(struct reader *r, struct record_session *s)
{
	read_transport(r, &s->session, &s->stream);
	s->peer = reader_copy(r, "peer");
	s->wait = reader_int(r, "wait_ns", 0, RECORD_TIME_MOST, 0);
	if (!s->peer || strlen(s->peer) > 299)
		reader_blame(r, "peer", s->peer ? "is too long" : "is missing");
	else
		printable_tame(s->peer, strlen(s->peer));
}

static void read_figures(struct reader *r, const struct record_figure *f, struct record_sum *s)
{
	for (; f->key; f++) {
		void *at = (char *)s + f->offset;

		if (f->kind == RECORD_FAR) {
			s->facts.tcp.has_far = reader_get(r, f->key) != NULL;
			s->facts.tcp.far_again = get_count(r, f->key);
		} else if (f->kind == RECORD_SPAN) {
			*(int64_t *)at = get_span(r, f->key);
		} else if (f->kind == RECORD_SMALL) {
			*(uint32_t *)at = (uint32_t)reader_int(r, f->key, 0, UINT32_MAX, 0);
		} else {
			*(uint64_t *)at = get_count(r, f->key);
		}
	}
}

/* Of an object that may be missing. */
static void read_inside(struct reader *from, const char *key, const struct record_figure *f, struct record_sum *s)
{
	struct reader r;

	if (!reader_get(from, key))
		return;
	r = reader_inside(from, key, reader_get(from, key));
	read_figures(&r, f, s);
	from->bad = r.bad;
}

static void read_sum(struct reader *from, json_t *value, struct record_sum *s)
{
	struct reader r = reader_inside(from, "sessions", value);

	read_session(&r, &s->of);
	read_figures(&r, record_totals, s);
	read_inside(&r, "times", record_ways, s);
	read_inside(&r, "schedule", record_schedule, s);
	read_inside(&r, "tcp", record_tcp, s);
	s->facts.overflows = get_count(&r, "overflows");
	from->bad = r.bad;
}

static void read_truth(struct reader *from, struct record_read *to)
{
	struct reader r = reader_inside(from, "truth", reader_get(from, "truth"));

	to->has_truth = true;
	to->judged = get_count(&r, "judged");
	to->mismatches = get_count(&r, "mismatches");
	from->bad = r.bad;
}

static void read_summary(struct reader *r, struct record_read *to)
{
	json_t *sessions = reader_array(r, "sessions", SUMS_MOST), *value;
	size_t i;

	to->run.ended_at = get_time(r, "ended_ns");
	to->run.stopped = reader_bool(r, "stopped");
	read_words(r, &to->run);
	if (reader_get(r, "truth"))
		read_truth(r, to);
	to->sums = calloc(json_array_size(sessions) + 1, sizeof *to->sums);
	if (!to->sums)
		reader_blame(r, "sessions", "is more than memory has room for");
	json_array_foreach(sessions, i, value)
		if (to->sums)
			read_sum(r, value, &to->sums[to->sum_count++]);
}

static enum record_type find_type(const char *word)
{
	static const char *const types[] = {
		[RECORD_START] = "start", [RECORD_SESSION] = "session", [RECORD_LINE] = "line", [RECORD_REPLY] = "reply",
		[RECORD_NOTICE] = "notice", [RECORD_EVENT] = "event", [RECORD_SUMMARY] = "summary",
	};
	unsigned i = 0;

	while (i < RECORD_UNKNOWN && strcmp(word, types[i]) != 0)
		i++;
	return (enum record_type)i;
}

static void read_object(struct reader *r, struct record_read *to)
{
	const char *word = reader_word(r, "type");

	if (!word) {
		reader_blame(r, "type", "is missing");
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
int record_json_read(struct record_read *to, const char *text, size_t n, char why[RECORD_WHY])
{
	struct reader r = { .why = why };
	json_error_t error;

	*to = (struct record_read){ .type = RECORD_UNKNOWN };
	r.object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!r.object) {
		snprintf(why, RECORD_WHY, "no JSON: %.120s", error.text);
		printable_tame(why, strlen(why));
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

void record_read_free(struct record_read *r)
{
	record_free(&r->line);
	free(r->reply.text);
	record_event_free(&r->event);
	free(r->session.peer);
	for (size_t i = 0; i < r->sum_count; i++)
		free(r->sums[i].of.peer);
	free(r->sums);
	*r = (struct record_read){ .type = RECORD_UNKNOWN };
}
