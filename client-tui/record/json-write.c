/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are made into JSON. A value that does not fit becomes null, a memory that is short an
 * object too few; both only show when the whole is put together. */
#include "config.h"

#include "record/json-write.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/error-text.h"
#include "common/text.h"
#include "common/utf8.h"

static void put_int(json_t *to, const char *key, int64_t value)
{
	json_object_set_new(to, key, json_integer(value));
}

static void put_count(json_t *to, const char *key, uint64_t value)
{
	put_int(to, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void put_bool(json_t *to, const char *key, bool value)
{
	json_object_set_new(to, key, json_boolean(value));
}

/* NULL becomes null. Words are ours; where a system's message is in no UTF-8, so much of it is
 * lost. */
static void put_word(json_t *to, const char *key, const char *word)
{
	json_t *value = word ? json_string(word) : json_null();

	json_object_set_new(to, key, value ? value : json_string("?"));
}

static void put_time(json_t *to, const char *key, int64_t at)
{
	json_object_set_new(to, key, at == RECORD_NEVER ? json_null() : json_integer(at));
}

/* Under `key` as text, or under `key64`. */
static void put_bytes(json_t *to, const char *key, const char *key64, const unsigned char *bytes,
    size_t n)
{
	char *base64;

	if (!bytes) {
		json_object_set_new(to, key, json_null());
		return;
	}
	if (record_is_text(bytes, n, true)) {
		json_object_set_new(to, key, json_stringn((const char *)bytes, n));
		return;
	}
	base64 = record_base64(bytes, n);
	put_word(to, key64, base64);
	free(base64);
}

static void put_transport(json_t *to, unsigned session, bool stream)
{
	put_count(to, "session", session);
	put_word(to, "transport", stream ? "tcp" : "udp");
}

static json_t *begin(const char *type)
{
	json_t *o = json_object();

	put_word(o, "type", type);
	return o;
}

/* jansson spells out U+0000 to U+001F only; here also what else could drive a terminal or turn the
 * order of the text about. */
static void put_escaped(struct text *to, const char *json)
{
	const unsigned char *s = (const unsigned char *)json;
	const char *rest = json;

	for (size_t length; *s; s += length) {
		length = utf8_length(*s);
		const uint32_t code = utf8_code(s, length);
		if (!utf8_is_control(code))
			continue;
		text_put(to, "%.*s\\u%04" PRIX32, (int)((const char *)s - rest), rest, code);
		rest = (const char *)s + length;
	}
	text_put(to, "%s", rest);
}

static char *finish(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL, *escaped = NULL;
	struct text to = text_begin(NULL, 0);

	json_decref(o);
	if (text)
		put_escaped(&to, text);
	if (text && (escaped = malloc(to.used + 1)) != NULL) {
		to = text_begin(escaped, to.used + 1);
		put_escaped(&to, text);
	}
	free(text);
	return escaped;
}

/* --- lines --- */

static json_t *make_leg(const struct trace_leg *leg)
{
	json_t *o = json_object(), *waits = json_array(), *timeouts = json_array();

	put_count(o, "tries", leg->tries);
	put_count(o, "again", leg->retransmitted);
	put_count(o, "through", leg->through);
	put_count(o, "lost", leg->lost);
	put_word(o, "fate", record_event_name((enum link_fate)leg->fate));
	put_bool(o, "doubled", leg->duplicated);
	put_bool(o, "held", leg->held);
	put_bool(o, "on_cue", leg->requested_drop);
	for (int i = 0; i < leg->waits; i++) {
		json_array_append_new(waits, json_integer(leg->wait[i]));
		json_array_append_new(timeouts,
		    leg->timeout[i] > 0 ? json_integer(leg->timeout[i]) : json_null());
	}
	json_object_set_new(o, "waits_us", waits);
	json_object_set_new(o, "timeouts_us", timeouts);
	put_time(o, "first_in_ns", leg->tries > 0 ? leg->first_in : RECORD_NEVER);
	put_time(o, "last_in_ns", leg->tries > 0 ? leg->last_in : RECORD_NEVER);
	put_time(o, "first_out_ns", leg->first_out == INT64_MAX ? RECORD_NEVER : leg->first_out);
	put_time(o, "last_out_ns", leg->last_out);
	return o;
}

static json_t *make_packet(const struct record_packet *p)
{
	json_t *o = json_object();

	put_word(o, "way", p->way == LINK_COMING ? "back" : "there");
	put_word(o, "fate", record_event_name(p->fate));
	put_bool(o, "again", p->retransmitted);
	put_bool(o, "payload", p->payload);
	put_time(o, "in_ns", p->in);
	put_time(o, "out_ns", p->out);
	put_time(o, "out2_ns", p->out2);
	put_count(o, "seq", p->seq);
	put_count(o, "length", p->length);
	if (record_flags_name(p))
		put_word(o, "flags", record_flags_name(p));
	return o;
}

static json_t *make_link(const struct record *r)
{
	json_t *o = json_object(), *packets = json_array();

	put_word(o, "place", record_place_name(r->place));
	json_object_set_new(o, "there", make_leg(&r->legs[LINK_GOING]));
	json_object_set_new(o, "back", make_leg(&r->legs[LINK_COMING]));
	for (size_t i = 0; i < r->packet_count; i++)
		json_array_append_new(packets, make_packet(&r->packets[i]));
	json_object_set_new(o, "packets", packets);
	return o;
}

char *json_write_line(const struct record *r)
{
	const struct parts parts = record_parts(r);
	char name[ERROR_NAME];
	json_t *o = begin("line"), *duplicates = json_array();

	put_transport(o, r->session, r->stream);
	put_count(o, "n", r->number);
	put_word(o, "fate", record_fate_name(r->fate));
	put_bool(o, "late", r->late);
	put_bool(o, "reordered", r->reordered);
	put_bool(o, "differs", r->differs);
	put_bool(o, "cut_short", r->cut_short);
	put_bool(o, "partial", r->partial);
	put_count(o, "duplicates", r->duplicates);
	put_time(o, "typed_ns", r->typed_at);
	put_time(o, "sent_ns", r->sent_at);
	put_time(o, "replied_ns", r->replied_at);
	put_time(o, "rtt_ns", record_rtt(r) < 0 ? RECORD_NEVER : record_rtt(r));
	put_time(o, "waited_ns", record_rtt(r) < 0 ? RECORD_NEVER : parts.waited);
	put_time(o, "connecting_ns", r->sent_at == RECORD_NEVER ? RECORD_NEVER : parts.connecting);
	put_time(o, "queued_ns", r->sent_at == RECORD_NEVER ? RECORD_NEVER : parts.queued);
	put_time(o, "decided_ns", r->decided_at);
	for (size_t i = 0; i < r->duplicate_count; i++)
		json_array_append_new(duplicates, json_integer(r->duplicate_at[i]));
	json_object_set_new(o, "duplicates_ns", duplicates);
	put_time(o, "tag", r->tag ? (int64_t)r->tag : RECORD_NEVER);
	put_word(o, "error", r->error ? error_name(r->error, name) : NULL);
	put_bytes(o, "text", "text_base64", r->text, r->length);
	put_bytes(o, "reply", "reply_base64", r->reply, r->reply_length);
	if (r->has_link)
		json_object_set_new(o, "link", make_link(r));
	return finish(o);
}

char *json_write_reply(const struct record_reply *r)
{
	json_t *o = begin("reply");

	put_transport(o, r->session, r->stream);
	put_word(o, "match", record_match_name(r->match));
	put_time(o, "n", r->number ? (int64_t)r->number : RECORD_NEVER);
	put_bool(o, "reordered", r->reordered);
	put_bool(o, "differs", r->differs);
	put_bool(o, "cut_short", r->cut_short);
	put_time(o, "replied_ns", r->replied_at);
	put_time(o, "rtt_ns", r->rtt < 0 ? RECORD_NEVER : r->rtt);
	put_bytes(o, "text", "text_base64", r->text, r->length);
	return finish(o);
}

static void put_connection(json_t *to, const struct session_event *e)
{
	json_t *packets = json_array();
	char name[ERROR_NAME];

	put_word(to, "stage", record_stage_name(e->connection.stage));
	put_int(to, "took_ns", e->took);
	put_int(to, "port", e->connection.here);
	put_count(to, "syns", e->connection.syns);
	put_bool(to, "ours", e->connection.ours);
	put_word(to, "error", e->connection.error ? error_name(e->connection.error, name) : NULL);
	for (size_t i = 0; i < e->packet_count; i++) {
		const struct record_packet p = record_event_packet(e, i);

		json_array_append_new(packets, make_packet(&p));
	}
	json_object_set_new(to, "packets", packets);
}

char *json_write_event(const struct session_event *e)
{
	const bool notice = session_event_is_notice(e);
	json_t *o = begin(notice ? "notice" : "event");

	put_time(o, "at_ns", e->at);
	if (notice)
		put_bool(o, "bad", e->kind == SESSION_EVENT_ERROR);
	else
		put_word(o, "kind", session_event_kind_name(e->kind));
	if (!notice && e->session >= 0)
		put_int(o, "session", e->session);
	if (e->there && e->back) {
		put_word(o, "there", e->there);
		put_word(o, "back", e->back);
	}
	put_word(o, "text", e->text);
	if (e->quiet)
		put_bool(o, "quiet", true);
	if (e->kind == SESSION_EVENT_TCP)
		put_connection(o, e);
	return finish(o);
}

/* --- the beginning and the end --- */

char *json_write_start(const struct record_run *run)
{
	char date[RECORD_DATE_SIZE];
	json_t *o = begin("start");

	put_word(o, "format", "upcase");
	put_int(o, "version", RECORD_VERSION);
	put_word(o, "program", PACKAGE_STRING);
	put_word(o, "started", record_date(run->started, date));
	put_int(o, "started_ns", run->started);
	put_word(o, "tag", record_tag_name(run->tag));
	put_int(o, "count", run->count);
	put_int(o, "interval_ns", run->interval);
	put_int(o, "size", run->size);
	put_word(o, "link", *run->link ? run->link : NULL);
	return finish(o);
}

char *json_write_session(const struct record_session *s)
{
	json_t *o = begin("session");

	put_transport(o, s->session, s->stream);
	put_word(o, "peer", s->peer);
	put_int(o, "wait_ns", s->reply_timeout);
	return finish(o);
}

/* The objects of a session's figures come with their first figure; that of TCP is null over UDP,
 * and without statistics there are none of theirs. */
static void put_figure(json_t *o, const struct figure *row, const struct figures *f)
{
	const bool none = !f->stream && strcmp(row->group, "tcp") == 0;
	json_t *to = *row->group ? json_object_get(o, row->group) : o;

	if (row->type >= FIGURE_STATS_COUNT && !f->stats)
		return;
	if (!to)
		json_object_set_new(o, row->group, to = none ? json_null() : json_object());
	if (none)
		return;
	if (row->type == FIGURE_RUN_MEAN && figure_real(row, f) >= 0)
		json_object_set_new(to, row->key, json_real(figure_real(row, f)));
	else
		put_time(to, row->key, figure_value(row, f));
}

static json_t *make_sum(const struct record_sum *s)
{
	json_t *o = json_object();

	put_transport(o, s->of.session, s->of.stream);
	put_word(o, "peer", s->of.peer);
	put_int(o, "wait_ns", s->of.reply_timeout);
	for (size_t i = 0; i < figures_count; i++)
		if (figures_table[i].key)
			put_figure(o, &figures_table[i], &s->figures);
	return o;
}

/* Why the host and not the network shaped the run. */
static json_t *make_reasons(const struct record_sum *sums, size_t count)
{
	static const enum validity all[] = { VALIDITY_SCHEDULE, VALIDITY_OVERFLOW };
	json_t *o = json_array();
	unsigned reasons = VALIDITY_OK;

	for (size_t i = 0; i < count; i++)
		reasons |= validity_check(&sums[i].figures.schedule, sums[i].figures.overflows);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (reasons & all[i])
			json_array_append_new(o, json_string(validity_name(all[i])));
	return o;
}

char *json_write_summary(const struct record_run *run, int64_t start,
    const struct trace_totals *traced, const struct record_sum *sums, size_t count)
{
	json_t *o = begin("summary"), *sessions = json_array(),
	       *reasons = make_reasons(sums, count);
	json_t *compared = traced ? json_object() : json_null();

	put_int(o, "ended_ns", run->ended_at - start);
	put_bool(o, "stopped", run->stopped);
	put_word(o, "link", *run->link ? run->link : NULL);
	put_bool(o, "valid", json_array_size(reasons) == 0);
	json_object_set_new(o, "invalid", reasons);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(sessions, make_sum(&sums[i]));
	json_object_set_new(o, "sessions", sessions);
	if (traced) {
		put_count(compared, "judged", traced->compared);
		put_count(compared, "mismatches", traced->mismatches);
	}
	json_object_set_new(o, "truth", compared);
	return finish(o);
}
