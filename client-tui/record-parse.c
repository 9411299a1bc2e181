/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are read from JSON. Files come from anywhere: each value is checked for its kind and range. A key that is missing is as good as null;
 * keys and types that are not known are passed over, so that later versions can add some. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record-json.h"

/* More sessions are in no file of ours. */
#define SUMS_MOST RECORDER_SESSIONS
/* Numbers of lines and counts, so that sums of them never run over. */
#define COUNT_MOST (INT64_C(1) << 52)

/* An object being read, and where to say what is wrong; `bad` once something is. */
struct reader {
	json_t *object;
	char *why;
	bool bad;
};

static void blame(struct reader *r, const char *key, const char *what)
{
	if (!r->bad)
		snprintf(r->why, RECORD_WHY, "\"%s\" %s", key, what);
	r->bad = true;
}

/* The value, NULL when it is null or missing. */
static json_t *get(const struct reader *r, const char *key)
{
	json_t *value = json_object_get(r->object, key);

	return json_is_null(value) ? NULL : value;
}

static int64_t get_int(struct reader *r, const char *key, int64_t low, int64_t high, int64_t missing)
{
	json_t *value = get(r, key);

	if (!value)
		return missing;
	if (!json_is_integer(value)) {
		blame(r, key, "is not a whole number");
		return missing;
	}
	if (json_integer_value(value) >= low && json_integer_value(value) <= high)
		return json_integer_value(value);
	blame(r, key, "is out of range");
	return missing;
}

static uint64_t get_count(struct reader *r, const char *key, int64_t most)
{
	return (uint64_t)get_int(r, key, 0, most, 0);
}

static int64_t get_time(struct reader *r, const char *key)
{
	return get_int(r, key, -RECORD_TIME_MOST, RECORD_TIME_MOST, RECORD_NEVER);
}

static bool get_bool(struct reader *r, const char *key)
{
	json_t *value = get(r, key);

	if (value && !json_is_boolean(value))
		blame(r, key, "is neither true nor false");
	return json_is_true(value);
}

/* Valid as long as the object; NULL when it is missing. */
static const char *get_word(struct reader *r, const char *key)
{
	json_t *value = get(r, key);

	if (value && !json_is_string(value))
		blame(r, key, "is not a text");
	return json_string_value(value);
}

static int get_name(struct reader *r, const char *key, int (*meaning)(const char *), int missing)
{
	const char *word = get_word(r, key);
	const int value = word ? meaning(word) : missing;

	if (word && value < 0)
		blame(r, key, "has a value that is not known");
	return value < 0 ? missing : value;
}

static char *get_copy(struct reader *r, const char *key)
{
	const char *word = get_word(r, key);
	char *copy = word ? strdup(word) : NULL;

	if (word && !copy)
		blame(r, key, "is more than memory has room for");
	return copy;
}

static unsigned char *copy_bytes(const char *text, size_t n)
{
	unsigned char *bytes = malloc(n + 1);

	if (bytes)
		memcpy(bytes, text, n);
	return bytes;
}

/* Under `key` as text, or under `key64`; NULL when neither is there. */
static unsigned char *get_bytes(struct reader *r, const char *key, const char *key64, size_t *length)
{
	const bool as_text = get(r, key) != NULL;
	const char *word = get_word(r, as_text ? key : key64);
	const size_t n = json_string_length(get(r, as_text ? key : key64));
	unsigned char *bytes;

	*length = n;
	if (!word)
		return NULL;
	bytes = as_text ? copy_bytes(word, n) : record_from_base64(word, n, length);
	if (!bytes)
		blame(r, as_text ? key : key64, as_text ? "is more than memory has room for" : "is not base64");
	return bytes;
}

/* An array, NULL when it is missing; at most so long. */
static json_t *get_array(struct reader *r, const char *key, size_t most)
{
	json_t *value = get(r, key);

	if (value && !json_is_array(value))
		blame(r, key, "is not a list");
	else if (json_array_size(value) > most)
		blame(r, key, "is too long");
	return r->bad ? NULL : value;
}

static struct reader inside(struct reader *r, const char *key, json_t *value)
{
	if (!json_is_object(value))
		blame(r, key, "is not an object");
	return (struct reader){ .object = json_is_object(value) ? value : NULL, .why = r->why, .bad = r->bad };
}

/* --- lines --- */

static void read_transport(struct reader *r, unsigned *session, bool *stream)
{
	const char *transport = get_word(r, "transport");

	*session = (unsigned)get_int(r, "session", 0, RECORDER_SESSIONS - 1, 0);
	*stream = transport && strcmp(transport, "tcp") == 0;
	if (!transport || (!*stream && strcmp(transport, "udp") != 0))
		blame(r, "transport", "is neither \"udp\" nor \"tcp\"");
}

static void read_waits(struct reader *r, struct witness_leg *leg)
{
	json_t *waits = get_array(r, "waits_us", WITNESS_WAITS), *value;
	size_t i;

	json_array_foreach(waits, i, value) {
		if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX)
			blame(r, "waits_us", "has a value that is not a time");
		leg->wait[leg->waits++] = (uint32_t)json_integer_value(value);
	}
}

static void read_leg(struct reader *from, const char *key, struct witness_leg *leg)
{
	struct reader r = inside(from, key, get(from, key));

	leg->tries = (uint16_t)get_count(&r, "tries", UINT16_MAX);
	leg->again = (uint16_t)get_count(&r, "again", UINT16_MAX);
	leg->through = (uint16_t)get_count(&r, "through", UINT16_MAX);
	leg->lost = (uint16_t)get_count(&r, "lost", UINT16_MAX);
	leg->fate = (uint8_t)get_name(&r, "fate", record_event, EVENT_NONE);
	leg->doubled = get_bool(&r, "doubled");
	leg->held = get_bool(&r, "held");
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
	struct reader r = inside(from, "packets", value);
	const char *way = get_word(&r, "way");

	p->way = way && strcmp(way, "back") == 0 ? EVENT_BACK : EVENT_THERE;
	p->fate = (enum event_fate)get_name(&r, "fate", record_event, EVENT_NONE);
	p->again = get_bool(&r, "again");
	p->payload = get_bool(&r, "payload");
	p->in = get_time(&r, "in_ns");
	p->out = get_time(&r, "out_ns");
	p->out2 = get_time(&r, "out2_ns");
	p->seq = (uint32_t)get_count(&r, "seq", UINT32_MAX);
	p->length = (uint32_t)get_count(&r, "length", UINT32_MAX);
	from->bad = r.bad;
}

static void read_link(struct reader *from, struct record *line)
{
	struct reader r;
	json_t *packets, *value;
	size_t i;

	if (!get(from, "link"))
		return;
	r = inside(from, "link", get(from, "link"));
	line->has_link = true;
	line->place = (enum witness_place)get_name(&r, "place", record_place, WITNESS_UNKNOWN);
	read_leg(&r, "there", &line->legs[EVENT_THERE]);
	read_leg(&r, "back", &line->legs[EVENT_BACK]);
	packets = get_array(&r, "packets", RECORD_PACKETS);
	json_array_foreach(packets, i, value)
		read_packet(&r, value, &line->packets[line->packet_count++]);
	from->bad = r.bad;
}

static void read_duplicates(struct reader *r, struct record *line)
{
	json_t *times = get_array(r, "duplicates_ns", RECORD_DUPLICATES), *value;
	size_t i;

	json_array_foreach(times, i, value) {
		const int64_t at = json_is_integer(value) ? json_integer_value(value) : INT64_MAX;

		if (at < -RECORD_TIME_MOST || at > RECORD_TIME_MOST)
			blame(r, "duplicates_ns", "has a value that is not a time");
		line->duplicate_at[line->duplicate_count++] = at;
	}
}

/* What a fate needs, so that it can be shown again. */
static void check_line(struct reader *r, const struct record *line)
{
	const bool replied = line->fate == FATE_ANSWERED || line->late;

	if (line->number == 0)
		blame(r, "n", "is missing");
	if (line->typed_at == RECORD_NEVER)
		blame(r, "typed_ns", "is missing");
	if (!line->text)
		blame(r, "text", "is missing");
	if (line->late && line->fate != FATE_LOST)
		blame(r, "late", "is true of a line that is not lost");
	if (replied && (line->replied_at == RECORD_NEVER || line->sent_at == RECORD_NEVER))
		blame(r, "replied_ns", "is missing, or \"sent_ns\"");
	if (!replied && (line->duplicates > 0 || line->reply || line->reordered || line->differs || line->cut_short))
		blame(r, "fate", "is not that of a line with a reply");
	if (line->duplicate_count > line->duplicates)
		blame(r, "duplicates_ns", "has more times than there are duplicates");
	if (line->fate != FATE_QUEUED && line->fate != FATE_FAILED && line->sent_at == RECORD_NEVER)
		blame(r, "sent_ns", "is missing");
	if (line->stream && (line->fate == FATE_LOST || line->fate == FATE_REFUSED))
		blame(r, "fate", "is not one of TCP");
}

static void read_line(struct reader *r, struct record *line)
{
	line->decided_at = RECORD_NEVER;
	read_transport(r, &line->session, &line->stream);
	line->number = get_count(r, "n", COUNT_MOST);
	line->fate = (enum ledger_fate)get_name(r, "fate", record_fate, FATE_QUEUED);
	if (!get(r, "fate"))
		blame(r, "fate", "is missing");
	line->late = get_bool(r, "late");
	line->reordered = get_bool(r, "reordered");
	line->differs = get_bool(r, "differs");
	line->cut_short = get_bool(r, "cut_short");
	line->partial = get_bool(r, "partial");
	line->duplicates = (uint32_t)get_count(r, "duplicates", 1000000);
	line->typed_at = get_time(r, "typed_ns");
	line->sent_at = get_time(r, "sent_ns");
	line->replied_at = get_time(r, "replied_ns");
	line->decided_at = get_time(r, "decided_ns");
	read_duplicates(r, line);
	line->tag = get_count(r, "tag", COUNT_MOST);
	line->error = get_name(r, "error", record_error, 0);
	line->text = get_bytes(r, "text", "text_base64", &line->length);
	line->reply = get_bytes(r, "reply", "reply_base64", &line->reply_length);
	read_link(r, line);
	check_line(r, line);
}

static void read_reply(struct reader *r, struct record_reply *reply)
{
	read_transport(r, &reply->session, &reply->stream);
	reply->match = (enum ledger_match)get_name(r, "match", record_match, MATCH_STRAY);
	reply->number = get_count(r, "n", COUNT_MOST);
	reply->reordered = get_bool(r, "reordered");
	reply->differs = get_bool(r, "differs");
	reply->cut_short = get_bool(r, "cut_short");
	reply->replied_at = get_time(r, "replied_ns");
	reply->rtt = get_int(r, "rtt_ns", 0, RECORD_TIME_MOST, -1);
	reply->text = get_bytes(r, "text", "text_base64", &reply->length);
	if (!reply->text)
		blame(r, "text", "is missing");
	if (reply->replied_at == RECORD_NEVER)
		blame(r, "replied_ns", "is missing");
	if (reply->match != MATCH_STRAY && reply->number == 0)
		blame(r, "n", "is missing");
}

static void read_notice(struct reader *r, struct record_notice *n)
{
	n->at = get_time(r, "at_ns");
	n->bad = get_bool(r, "bad");
	n->text = get_copy(r, "text");
	if (!n->text || n->at == RECORD_NEVER)
		blame(r, n->text ? "at_ns" : "text", "is missing");
}

/* --- the beginning and the end --- */

/* They are shown as our own words are: without anything that a terminal would carry out. */
static void read_words(struct reader *r, struct record_run *run)
{
	const char *words = get_word(r, "link");

	if (words && strlen(words) >= sizeof run->link) {
		blame(r, "link", "is longer than any link's words");
		words = NULL;
	}
	snprintf(run->link, sizeof run->link, "%s", words ? words : "");
	for (unsigned char *c = (unsigned char *)run->link; *c; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			*c = c[0] == 0xc2 ? (c[1] = '?') : '?';
}

static void read_start(struct reader *r, struct record_run *run)
{
	const char *format = get_word(r, "format");

	if (!format || strcmp(format, "upcase") != 0)
		blame(r, "format", "is not \"upcase\"");
	if (get_int(r, "version", 1, INT64_MAX, 0) != RECORD_VERSION)
		blame(r, "version", "is not 1, which is all that this upcase can read");
	run->started = get_int(r, "started_ns", 0, INT64_MAX, 0);
	run->tag = (enum ledger_tag)get_name(r, "tag", record_tag, LEDGER_TAG_AUTO);
	run->count = get_int(r, "count", 0, CLIENT_COUNT_MAX, 0);
	run->interval = get_int(r, "interval_ns", 0, RECORD_TIME_MOST, 0);
	run->size = get_int(r, "size", 0, CLIENT_SIZE_MAX, 0);
	read_words(r, run);
}

static void read_session(struct reader *r, struct record_session *s)
{
	read_transport(r, &s->session, &s->stream);
	s->peer = get_copy(r, "peer");
	s->wait = get_int(r, "wait_ns", 0, RECORD_TIME_MOST, 0);
	if (!s->peer || strlen(s->peer) > 299)
		blame(r, "peer", s->peer ? "is too long" : "is missing");
}

static int64_t get_span(struct reader *r, const char *key)
{
	return get_int(r, key, 0, RECORD_TIME_MOST, 0);
}

static void read_ways(struct reader *from, struct facts_times *t)
{
	struct reader r = inside(from, "times", get(from, "times"));

	t->sent_kernel = get_count(&r, "sent_kernel", COUNT_MOST);
	t->sent_program = get_count(&r, "sent_program", COUNT_MOST);
	t->received_kernel = get_count(&r, "received_kernel", COUNT_MOST);
	t->received_program = get_count(&r, "received_program", COUNT_MOST);
	t->clock_steps = get_count(&r, "clock_steps", COUNT_MOST);
	from->bad = r.bad;
}

static void read_tcp(struct reader *from, struct facts *f)
{
	struct reader r = inside(from, "tcp", get(from, "tcp"));
	struct facts_tcp *tcp = &f->tcp;

	tcp->connections = get_count(&r, "connections", COUNT_MOST);
	tcp->looks = get_count(&r, "looks", COUNT_MOST);
	tcp->again = get_count(&r, "retransmissions", COUNT_MOST);
	tcp->timeout = get_span(&r, "rto_ns");
	tcp->timeout_most = get_span(&r, "rto_most_ns");
	tcp->round_trip = get_span(&r, "srtt_ns");
	tcp->variation = get_span(&r, "rttvar_ns");
	tcp->window = (uint32_t)get_count(&r, "cwnd", UINT32_MAX);
	tcp->window_least = (uint32_t)get_count(&r, "cwnd_least", UINT32_MAX);
	tcp->window_most = (uint32_t)get_count(&r, "cwnd_most", UINT32_MAX);
	tcp->has_far = get(&r, "far_retransmissions") != NULL;
	tcp->far_again = get_count(&r, "far_retransmissions", COUNT_MOST);
	f->stalls.count = get_count(&r, "stalls", COUNT_MOST);
	f->stalls.total = get_span(&r, "stalled_ns");
	f->stalls.longest = get_span(&r, "longest_stall_ns");
	from->bad = r.bad;
}

static void read_schedule(struct reader *from, struct schedule_totals *t)
{
	struct reader r = inside(from, "schedule", get(from, "schedule"));

	t->due = get_count(&r, "due", COUNT_MOST);
	t->slipped = get_count(&r, "slipped", COUNT_MOST);
	t->worst = get_span(&r, "worst_ns");
	from->bad = r.bad;
}

static void read_facts(struct reader *r, struct record_sum *s)
{
	if (get(r, "times"))
		read_ways(r, &s->facts.times);
	if (get(r, "schedule"))
		read_schedule(r, &s->facts.schedule);
	if (get(r, "tcp"))
		read_tcp(r, &s->facts);
	s->facts.overflows = get_count(r, "overflows", COUNT_MOST);
}

static void read_sum(struct reader *from, json_t *value, struct record_sum *s)
{
	struct reader r = inside(from, "sessions", value);
	struct ledger_totals *t = &s->totals;
	const struct {
		const char *key;
		uint64_t *to;
	} counts[] = {
		{ "typed", &t->typed }, { "queued", &t->queued }, { "sent", &t->sent }, { "answered", &t->answered },
		{ "lost", &t->lost }, { "late", &t->late }, { "waiting", &t->waiting }, { "refused", &t->refused },
		{ "failed", &t->failed }, { "cut_off", &t->cut_off }, { "duplicates", &t->duplicates },
		{ "reordered", &t->reordered }, { "differs", &t->differs }, { "cut_short", &t->cut_short },
		{ "strays", &t->strays }, { "unrecorded", &s->unrecorded },
	};

	read_session(&r, &s->of);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		*counts[i].to = get_count(&r, counts[i].key, COUNT_MOST);
	read_facts(&r, s);
	from->bad = r.bad;
}

static void read_truth(struct reader *from, struct record_read *to)
{
	struct reader r = inside(from, "truth", get(from, "truth"));

	to->has_truth = true;
	to->judged = get_count(&r, "judged", COUNT_MOST);
	to->mismatches = get_count(&r, "mismatches", COUNT_MOST);
	from->bad = r.bad;
}

static void read_summary(struct reader *r, struct record_read *to)
{
	json_t *sessions = get_array(r, "sessions", SUMS_MOST), *value;
	size_t i;

	to->run.ended_at = get_time(r, "ended_ns");
	to->run.stopped = get_bool(r, "stopped");
	read_words(r, &to->run);
	if (get(r, "truth"))
		read_truth(r, to);
	to->sums = calloc(json_array_size(sessions) + 1, sizeof *to->sums);
	if (!to->sums)
		blame(r, "sessions", "is more than memory has room for");
	json_array_foreach(sessions, i, value)
		if (to->sums)
			read_sum(r, value, &to->sums[to->sum_count++]);
}

static enum record_type find_type(const char *word)
{
	static const char *const types[] = {
		[RECORD_START] = "start", [RECORD_SESSION] = "session", [RECORD_LINE] = "line", [RECORD_REPLY] = "reply",
		[RECORD_NOTICE] = "notice", [RECORD_SUMMARY] = "summary",
	};
	unsigned i = 0;

	while (i < RECORD_UNKNOWN && strcmp(word, types[i]) != 0)
		i++;
	return (enum record_type)i;
}

static void read_object(struct reader *r, struct record_read *to)
{
	const char *word = get_word(r, "type");

	if (!word) {
		blame(r, "type", "is missing");
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
		read_notice(r, &to->notice);
		break;
	case RECORD_SUMMARY:
		read_summary(r, to);
		break;
	case RECORD_UNKNOWN:
		break;
	}
}

/* The reason may quote the file, which can hold anything. */
static void make_plain(char *why)
{
	for (; *why; why++)
		if (*why < ' ' || *why > '~')
			*why = '?';
}

int record_json_read(struct record_read *to, const char *text, size_t n, char why[RECORD_WHY])
{
	struct reader r = { .why = why };
	json_error_t error;

	*to = (struct record_read){ .type = RECORD_UNKNOWN };
	r.object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!r.object) {
		snprintf(why, RECORD_WHY, "no JSON: %.120s", error.text);
		make_plain(why);
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
	free(r->notice.text);
	free(r->session.peer);
	for (size_t i = 0; i < r->sum_count; i++)
		free(r->sums[i].of.peer);
	free(r->sums);
	*r = (struct record_read){ .type = RECORD_UNKNOWN };
}
