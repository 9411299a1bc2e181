/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are made into JSON. A value that does not fit becomes null, a memory that is short an object too few; both
 * only show when the whole is put together. */
#include "config.h"

#include "record-json.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "stats.h"

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

/* NULL becomes null. */
static void put_word(json_t *to, const char *key, const char *word)
{
	json_object_set_new(to, key, word ? json_string(word) : json_null());
}

static void put_time(json_t *to, const char *key, int64_t at)
{
	json_object_set_new(to, key, at == RECORD_NEVER ? json_null() : json_integer(at));
}

/* Under `key` as text, or under `key64`. */
static void put_bytes(json_t *to, const char *key, const char *key64, const unsigned char *bytes, size_t n)
{
	char *base64;

	if (!bytes) {
		json_object_set_new(to, key, json_null());
		return;
	}
	if (record_is_text(bytes, n)) {
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

static char *finish(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

/* --- lines --- */

static json_t *make_leg(const struct witness_leg *leg)
{
	json_t *o = json_object(), *waits = json_array();

	put_count(o, "tries", leg->tries);
	put_count(o, "again", leg->again);
	put_count(o, "through", leg->through);
	put_count(o, "lost", leg->lost);
	put_word(o, "fate", record_event_name((enum event_fate)leg->fate));
	put_bool(o, "doubled", leg->doubled);
	put_bool(o, "held", leg->held);
	for (int i = 0; i < leg->waits; i++)
		json_array_append_new(waits, json_integer(leg->wait[i]));
	json_object_set_new(o, "waits_us", waits);
	put_time(o, "first_in_ns", leg->tries > 0 ? leg->first_in : RECORD_NEVER);
	put_time(o, "last_in_ns", leg->tries > 0 ? leg->last_in : RECORD_NEVER);
	put_time(o, "first_out_ns", leg->first_out == INT64_MAX ? RECORD_NEVER : leg->first_out);
	put_time(o, "last_out_ns", leg->last_out);
	return o;
}

static json_t *make_packet(const struct record_packet *p)
{
	json_t *o = json_object();

	put_word(o, "way", p->way == EVENT_BACK ? "back" : "there");
	put_word(o, "fate", record_event_name(p->fate));
	put_bool(o, "again", p->again);
	put_bool(o, "payload", p->payload);
	put_time(o, "in_ns", p->in);
	put_time(o, "out_ns", p->out);
	put_time(o, "out2_ns", p->out2);
	put_count(o, "seq", p->seq);
	put_count(o, "length", p->length);
	return o;
}

static json_t *make_link(const struct record *r)
{
	json_t *o = json_object(), *packets = json_array();

	put_word(o, "place", record_place_name(r->place));
	json_object_set_new(o, "there", make_leg(&r->legs[EVENT_THERE]));
	json_object_set_new(o, "back", make_leg(&r->legs[EVENT_BACK]));
	for (size_t i = 0; i < r->packet_count; i++)
		json_array_append_new(packets, make_packet(&r->packets[i]));
	json_object_set_new(o, "packets", packets);
	return o;
}

static json_t *make_duplicates(const struct record *r)
{
	json_t *times = json_array();

	for (size_t i = 0; i < r->duplicate_count; i++)
		json_array_append_new(times, json_integer(r->duplicate_at[i]));
	return times;
}

char *record_json_line(const struct record *r)
{
	char name[RECORD_ERROR_ROOM];
	json_t *o = begin("line");

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
	put_time(o, "decided_ns", r->decided_at);
	json_object_set_new(o, "duplicates_ns", make_duplicates(r));
	put_time(o, "tag", r->tag ? (int64_t)r->tag : RECORD_NEVER);
	put_word(o, "error", r->error ? record_error_name(r->error, name) : NULL);
	put_bytes(o, "text", "text_base64", r->text, r->length);
	put_bytes(o, "reply", "reply_base64", r->reply, r->reply_length);
	if (r->has_link)
		json_object_set_new(o, "link", make_link(r));
	return finish(o);
}

char *record_json_reply(const struct record_reply *r)
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

char *record_json_notice(const struct record_notice *n)
{
	json_t *o = begin("notice");

	put_time(o, "at_ns", n->at);
	put_bool(o, "bad", n->bad);
	put_word(o, "text", n->text);
	return finish(o);
}

/* --- the beginning and the end --- */

char *record_json_start(const struct record_run *run)
{
	char date[RECORD_DATE_ROOM];
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
	return finish(o);
}

char *record_json_session(const struct record_session *s)
{
	json_t *o = begin("session");

	put_transport(o, s->session, s->stream);
	put_word(o, "peer", s->peer);
	put_int(o, "wait_ns", s->wait);
	return finish(o);
}

static void put_times(json_t *to, const struct ledger_totals *t)
{
	json_t *o = json_object();

	put_count(o, "count", t->timed);
	if (t->timed > 0) {
		put_int(o, "min_ns", t->rtt_min);
		put_int(o, "mean_ns", llround(t->rtt_mean));
		put_int(o, "max_ns", t->rtt_max);
		put_int(o, "sd_ns", t->timed > 1 ? llround(sqrt(t->rtt_m2 / (double)(t->timed - 1))) : 0);
	}
	json_object_set_new(to, "round_trip", o);
}

static void put_tcp(json_t *to, const struct session_tcp *tcp)
{
	json_t *o = json_object();

	put_count(o, "retransmissions", tcp->again);
	put_int(o, "rto_ns", tcp->timeout);
	put_int(o, "srtt_ns", tcp->round_trip);
	put_int(o, "rttvar_ns", tcp->variation);
	json_object_set_new(to, "tcp", o);
}

static json_t *make_sum(const struct record_sum *s)
{
	const struct ledger_totals *t = &s->totals;
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "typed", t->typed }, { "queued", t->queued }, { "sent", t->sent }, { "answered", t->answered }, { "lost", t->lost },
		{ "late", t->late }, { "waiting", t->waiting }, { "refused", t->refused }, { "failed", t->failed },
		{ "cut_off", t->cut_off }, { "duplicates", t->duplicates }, { "reordered", t->reordered },
		{ "differs", t->differs }, { "cut_short", t->cut_short }, { "strays", t->strays },
		{ "unrecorded", s->unrecorded },
	};
	json_t *o = json_object();

	put_transport(o, s->of.session, s->of.stream);
	put_word(o, "peer", s->of.peer);
	put_int(o, "wait_ns", s->of.wait);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		put_count(o, counts[i].key, counts[i].value);
	put_times(o, t);
	if (s->tcp)
		put_tcp(o, s->tcp);
	return o;
}

char *record_json_summary(const struct record_run *run, int64_t start, const struct record_sum *sums, size_t count)
{
	json_t *o = begin("summary"), *sessions = json_array();

	put_int(o, "ended_ns", run->ended_at - start);
	put_bool(o, "stopped", run->stopped);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(sessions, make_sum(&sums[i]));
	json_object_set_new(o, "sessions", sessions);
	put_word(o, "send_times", run->send_times);
	put_word(o, "receive_times", run->receive_times);
	put_count(o, "slipped", run->slipped);
	put_int(o, "worst_slip_ns", run->worst_slip);
	put_count(o, "overflowed", run->overflowed);
	put_bool(o, "valid", run->invalid == NULL);
	put_word(o, "invalid", run->invalid);
	return finish(o);
}
