/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/format.h"

#include <jansson.h>

#include "common/printable.h"
#include "ledger/figures.h"
#include "record/fields.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))
#define PEER_MAX 299

static const char *const transports[] = { [false] = "udp", [true] = "tcp" };

static const char *const tags[] = {
	[LEDGER_TAG_AUTO] = "auto",
	[LEDGER_TAG_ALWAYS] = "always",
	[LEDGER_TAG_NEVER] = "never",
};

static const char *const matches[] = {
	[MATCH_STRAY] = "stray",
	[MATCH_ANSWER] = "answer",
	[MATCH_LATE] = "late",
	[MATCH_DUPLICATE] = "duplicate",
};

static const char *const places[] = {
	[TRACE_UNKNOWN] = "unknown",
	[TRACE_GOING] = "going",
	[TRACE_STILL_GOING] = "still going",
	[TRACE_SERVER] = "server",
	[TRACE_COMING] = "coming",
	[TRACE_STILL_COMING] = "still coming",
	[TRACE_HERE] = "here",
};

static const char *const stages[] = {
	[SESSION_CONNECTING] = "connecting",
	[SESSION_CONNECTED] = "connected",
	[SESSION_FAILED] = "failed",
	[SESSION_ENDED] = "ended",
};

/* --- the fields --- */

/* The place and the size of a member. */
#define AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)
#define ITEMS(type, member) .offset = offsetof(type, member), .size = sizeof *((type *)NULL)->member
#define COUNTED(type, member) \
	.count = offsetof(type, member), .count_size = sizeof(((type *)NULL)->member)
#define NAMED(table) .names = table, .name_count = LENGTH(table)

#define SESSION_FIELDS(type, session, stream) \
	{ "session", FIELD_NUMBER, AT(type, session), FIELD_CSV, .max = RECORDER_SESSIONS - 1 }, \
	    { "transport", FIELD_NAME, AT(type, stream), FIELD_CSV, NAMED(transports), \
		    .refused = "is neither \"udp\" nor \"tcp\"" }

/* The first record's fields; the first two are read, and decide whether the rest can be. */
struct file_head {
	char *format;
	int64_t version;
	char *program, *started;
};

static const struct field head_fields[] = {
	{ "format", FIELD_WORDS, AT(struct file_head, format) },
	{ "version", FIELD_NUMBER, AT(struct file_head, version), .min = 1, .max = INT64_MAX },
	{ "program", FIELD_WORDS, AT(struct file_head, program), FIELD_DERIVED },
	{ "started", FIELD_WORDS, AT(struct file_head, started), FIELD_DERIVED },
	{ .key = NULL },
};

static const struct field run_fields[] = {
	{ "started_ns", FIELD_NUMBER, AT(struct record_run, started), .max = INT64_MAX },
	{ "tag", FIELD_NAME, AT(struct record_run, tag), NAMED(tags) },
	{ "count", FIELD_NUMBER, AT(struct record_run, count), .max = RECORD_COUNT_MAX,
	    .missing = RECORD_ENDLESS },
	{ "interval_ns", FIELD_SPAN, AT(struct record_run, interval) },
	{ "size", FIELD_NUMBER, AT(struct record_run, size), .max = RECORD_SIZE_MAX },
	/* Older files do not have it. */
	{ "duration_ns", FIELD_SPAN, AT(struct record_run, duration) },
	{ "link", FIELD_LINE, AT(struct record_run, link) },
	{ .key = NULL },
};

#define WHOLE_SESSION(type, member) \
	SESSION_FIELDS(type, member session, member stream), \
	    { "peer", FIELD_WORDS, AT(type, member peer), FIELD_REQUIRED }, \
	{ \
		"wait_ns", FIELD_SPAN, AT(type, member reply_timeout) \
	}

static const struct field session_fields[] = {
	WHOLE_SESSION(struct record_session, ),
	{ .key = NULL },
};

static const struct field packet_fields[] = {
	{ "way", FIELD_NAME, AT(struct link_packet, direction), NAMED(link_direction_names) },
	{ "fate", FIELD_NAME, AT(struct link_packet, fate), NAMED(link_fate_names) },
	{ "again", FIELD_BOOL, AT(struct link_packet, retransmitted) },
	/* Older files do not have it. */
	{ "on_cue", FIELD_BOOL, AT(struct link_packet, requested), FIELD_OMITTED },
	{ "payload", FIELD_BOOL, AT(struct link_packet, payload) },
	{ "in_ns", FIELD_TIME, AT(struct link_packet, in), FIELD_REQUIRED },
	{ "out_ns", FIELD_TIME, AT(struct link_packet, out) },
	{ "out2_ns", FIELD_TIME, AT(struct link_packet, out2) },
	{ "seq", FIELD_NUMBER, AT(struct link_packet, seq), .max = UINT32_MAX },
	{ "length", FIELD_NUMBER, AT(struct link_packet, length), .max = UINT32_MAX },
	{ "flags", FIELD_FLAGS, .flags = FIELD_OMITTED },
	{ .key = NULL },
};

static const struct field leg_fields[] = {
	{ "tries", FIELD_NUMBER, AT(struct trace_leg, tries), .max = UINT16_MAX },
	{ "again", FIELD_NUMBER, AT(struct trace_leg, retransmitted), .max = UINT16_MAX },
	{ "through", FIELD_NUMBER, AT(struct trace_leg, through), .max = UINT16_MAX },
	{ "lost", FIELD_NUMBER, AT(struct trace_leg, lost), .max = UINT16_MAX },
	{ "fate", FIELD_NAME, AT(struct trace_leg, fate), NAMED(link_fate_names) },
	{ "doubled", FIELD_BOOL, AT(struct trace_leg, duplicated) },
	{ "held", FIELD_BOOL, AT(struct trace_leg, held) },
	{ "on_cue", FIELD_BOOL, AT(struct trace_leg, requested) },
	{ "waits_us", FIELD_ARRAY, ITEMS(struct trace_leg, wait), COUNTED(struct trace_leg, waits),
	    .max = UINT32_MAX, .items_max = TRACE_WAITS },
	/* Older files do not have it: then no timeout is known to have expired. */
	{ "timeouts_us", FIELD_ARRAY, ITEMS(struct trace_leg, timeout), FIELD_ZERO_NULL,
	    COUNTED(struct trace_leg, waits), .max = UINT32_MAX },
	{ "first_in_ns", FIELD_TIME, AT(struct trace_leg, first_in) },
	{ "last_in_ns", FIELD_TIME, AT(struct trace_leg, last_in) },
	{ "first_out_ns", FIELD_TIME, AT(struct trace_leg, first_out) },
	{ "last_out_ns", FIELD_TIME, AT(struct trace_leg, last_out) },
	/* Only for a line that waited behind another. */
	{ "behind", FIELD_COUNT, AT(struct trace_leg, behind), FIELD_ZERO_NULL | FIELD_OMITTED },
	{ "behind_ns", FIELD_SPAN, AT(struct trace_leg, behind_for),
	    FIELD_ZERO_NULL | FIELD_OMITTED },
	{ "ack_wait_ns", FIELD_NUMBER, AT(struct trace_leg, ack_wait), FIELD_OMITTED, .min = 1,
	    .max = SESSION_TIME_MAX },
	{ .key = NULL },
};

static const struct field link_fields[] = {
	{ "place", FIELD_NAME, AT(struct record, place), NAMED(places) },
	{ "there", FIELD_PART, AT(struct record, legs), .fields = leg_fields,
	    .part = LINK_GOING * sizeof(struct trace_leg) },
	{ "back", FIELD_PART, AT(struct record, legs), .fields = leg_fields,
	    .part = LINK_COMING * sizeof(struct trace_leg) },
	{ "packets", FIELD_LIST, ITEMS(struct record, packets),
	    COUNTED(struct record, packet_count), .fields = packet_fields,
	    .items_max = RECORD_PACKETS },
	{ .key = NULL },
};

/* A line, and derived values to be written; less than 0 if not known. */
struct line_values {
	struct record of;
	int64_t rtt, waited, queued;
};

/* The order is also that of the columns of CSV. */
static const struct field line_fields[] = {
	SESSION_FIELDS(struct record, session, row.stream),
	{ "peer", FIELD_WORDS, AT(struct record, peer), FIELD_CSV_ONLY },
	{ "n", FIELD_COUNT, AT(struct record, row.number), FIELD_CSV },
	/* Only with several connections. */
	{ "connection", FIELD_NUMBER, AT(struct record, row.connection),
	    FIELD_ZERO_NULL | FIELD_OMITTED, .max = LEDGER_CONNECTIONS },
	{ "fate", FIELD_NAME, AT(struct record, row.fate), FIELD_CSV | FIELD_REQUIRED,
	    .names = ledger_fate_names, .name_count = FATES },
	{ "late", FIELD_BOOL, AT(struct record, row.late), FIELD_CSV },
	{ "reordered", FIELD_BOOL, AT(struct record, row.reordered), FIELD_CSV },
	{ "differs", FIELD_BOOL, AT(struct record, row.differs), FIELD_CSV },
	{ "cut_short", FIELD_BOOL, AT(struct record, row.cut_short), FIELD_CSV },
	{ "partial", FIELD_BOOL, AT(struct record, row.partial), FIELD_CSV },
	{ "duplicates", FIELD_NUMBER, AT(struct record, row.duplicates), FIELD_CSV,
	    .max = 1000000 },
	{ "typed_ns", FIELD_TIME, AT(struct record, row.typed_at), FIELD_CSV | FIELD_REQUIRED },
	{ "sent_ns", FIELD_TIME, AT(struct record, row.sent_at), FIELD_CSV },
	{ "replied_ns", FIELD_TIME, AT(struct record, row.replied_at), FIELD_CSV },
	{ "rtt_ns", FIELD_SPAN, AT(struct line_values, rtt), FIELD_CSV | FIELD_DERIVED },
	{ "waited_ns", FIELD_SPAN, AT(struct line_values, waited), FIELD_CSV | FIELD_DERIVED },
	/* Older files do not have it. */
	{ "connecting_ns", FIELD_SPAN, AT(struct record, row.connecting), FIELD_CSV },
	{ "queued_ns", FIELD_SPAN, AT(struct line_values, queued), FIELD_CSV | FIELD_DERIVED },
	{ "decided_ns", FIELD_TIME, AT(struct record, row.decided_at), FIELD_CSV },
	{ "duplicates_ns", FIELD_LIST, ITEMS(struct record, duplicate_at),
	    COUNTED(struct record, duplicate_count), .min = -SESSION_TIME_MAX,
	    .max = SESSION_TIME_MAX, .items_max = RECORD_DUPLICATES },
	{ "tag", FIELD_COUNT, AT(struct record, row.tag), FIELD_CSV | FIELD_ZERO_NULL },
	{ "error", FIELD_ERROR, AT(struct record, row.error), FIELD_CSV },
	{ "place", FIELD_NAME, AT(struct record, place), FIELD_CSV_ONLY, NAMED(places) },
	{ "text", FIELD_BYTES, AT(struct record, row.text), FIELD_CSV | FIELD_REQUIRED,
	    COUNTED(struct record, row.length) },
	{ "reply", FIELD_BYTES, AT(struct record, row.reply), FIELD_CSV,
	    COUNTED(struct record, row.reply_length) },
	{ "link", FIELD_WITHIN, .offset = offsetof(struct record, legs),
	    .size = LINK_DIRECTIONS * sizeof(struct trace_leg), FIELD_OMITTED,
	    .fields = link_fields },
	{ .key = NULL },
};

static const struct field reply_fields[] = {
	SESSION_FIELDS(struct record_reply, session, row.stream),
	{ "peer", FIELD_WORDS, AT(struct record_reply, peer), FIELD_CSV_ONLY },
	{ "match", FIELD_NAME, AT(struct record_reply, match), NAMED(matches), .column = "fate" },
	{ "n", FIELD_COUNT, AT(struct record_reply, row.number), FIELD_ZERO_NULL },
	{ "reordered", FIELD_BOOL, AT(struct record_reply, row.reordered) },
	{ "differs", FIELD_BOOL, AT(struct record_reply, row.differs) },
	{ "cut_short", FIELD_BOOL, AT(struct record_reply, row.cut_short) },
	{ "replied_ns", FIELD_TIME, AT(struct record_reply, row.replied_at), FIELD_REQUIRED },
	{ "rtt_ns", FIELD_SPAN, AT(struct record_reply, rtt), .missing = -1 },
	{ "text", FIELD_BYTES, AT(struct record_reply, row.reply), FIELD_REQUIRED,
	    COUNTED(struct record_reply, row.reply_length), .column = "reply" },
	{ .key = NULL },
};

/* A notice has one of two kinds. */
static const struct field notice_fields[] = {
	{ "at_ns", FIELD_TIME, AT(struct session_event, at), FIELD_REQUIRED },
	{ "bad", FIELD_BOOL, AT(struct session_event, kind) },
	{ "text", FIELD_WORDS, AT(struct session_event, text), FIELD_REQUIRED },
	{ "quiet", FIELD_BOOL, AT(struct session_event, quiet), FIELD_OMITTED },
	{ .key = NULL },
};

static const struct field event_fields[] = {
	{ "at_ns", FIELD_TIME, AT(struct session_event, at), FIELD_REQUIRED },
	{ "kind", FIELD_NAME, AT(struct session_event, kind), .names = session_event_names,
	    .name_count = SESSION_EVENT_KINDS },
	{ "session", FIELD_NUMBER, AT(struct session_event, session), FIELD_OMITTED,
	    .max = RECORDER_SESSIONS - 1, .missing = -1 },
	{ "there", FIELD_WORDS, AT(struct session_event, there), FIELD_OMITTED },
	{ "back", FIELD_WORDS, AT(struct session_event, back), FIELD_OMITTED },
	{ "text", FIELD_WORDS, AT(struct session_event, text), FIELD_REQUIRED },
	{ "quiet", FIELD_BOOL, AT(struct session_event, quiet), FIELD_OMITTED },
	{ .key = NULL },
};

static const struct field connection_fields[] = {
	{ "stage", FIELD_NAME, AT(struct session_event, connection.stage), NAMED(stages) },
	{ "took_ns", FIELD_SPAN, AT(struct session_event, duration) },
	{ "port", FIELD_NUMBER, AT(struct session_event, connection.here), .max = UINT16_MAX },
	{ "syns", FIELD_NUMBER, AT(struct session_event, connection.syns), .max = INT32_MAX },
	{ "ours", FIELD_BOOL, AT(struct session_event, connection.by_client) },
	{ "error", FIELD_ERROR, AT(struct session_event, connection.error) },
	{ "packets", FIELD_LIST, ITEMS(struct session_event, packets),
	    COUNTED(struct session_event, packet_count), .fields = packet_fields,
	    .items_max = RECORD_PACKETS },
	{ .key = NULL },
};

static const struct field flow_fields[] = {
	{ "took_ns", FIELD_SPAN, AT(struct session_event, duration) },
	{ "lines_bytes", FIELD_COUNT, AT(struct session_event, shares[SHARE_LINES]) },
	{ "flow_bytes", FIELD_COUNT, AT(struct session_event, shares[SHARE_FLOW]) },
	{ .key = NULL },
};

static const char *const states[] = {
	[TCP_STATE_OPEN] = "open",
	[TCP_STATE_DISORDER] = "disorder",
	[TCP_STATE_CWR] = "CWR",
	[TCP_STATE_RECOVERY] = "recovery",
	[TCP_STATE_LOSS] = "loss",
};

static const char *const marks[] = {
	[WINDOW_LOST] = "lost",
	[WINDOW_TIMEOUT] = "timeout",
	[WINDOW_FAST] = "fast",
	[WINDOW_PROBE] = "probe",
	[WINDOW_AGAIN] = "again",
};

/* Left out where it is not known. */
#define WINDOW_NUMBER(key, member) \
	{ key, FIELD_NUMBER, AT(struct window_sample, member), FIELD_OMITTED, .max = INT32_MAX, \
		.missing = -1 }

static const struct field window_fields[] = {
	{ "at_ns", FIELD_TIME, AT(struct window_sample, at), FIELD_REQUIRED },
	{ "flow", FIELD_NUMBER, AT(struct window_sample, flow), .max = UINT8_MAX },
	{ "way", FIELD_NAME, AT(struct window_sample, way), NAMED(link_direction_names) },
	{ "mark", FIELD_NAME, AT(struct window_sample, mark), FIELD_OMITTED, NAMED(marks) },
	WINDOW_NUMBER("queue", queue),
	WINDOW_NUMBER("queued", queued),
	WINDOW_NUMBER("cwnd", tcp.cwnd),
	WINDOW_NUMBER("ssthresh", tcp.ssthresh),
	WINDOW_NUMBER("in_flight", tcp.in_flight),
	WINDOW_NUMBER("mss", tcp.mss),
	WINDOW_NUMBER("peer_window", tcp.peer_window),
	{ "state", FIELD_NAME, AT(struct window_sample, tcp.state), FIELD_OMITTED, NAMED(states) },
	{ .key = NULL },
};

static const char *const interval_groups[] = { "", "waited", "round_trip" };

/* The times are since the session's start. */
static const struct field interval_fields[] = {
	SESSION_FIELDS(struct interval, session, figures.stream),
	{ "from_ns", FIELD_TIME, AT(struct interval, from) },
	{ "to_ns", FIELD_TIME, AT(struct interval, to) },
	{ "figures", FIELD_FIGURES, AT(struct interval, figures), NAMED(interval_groups) },
	{ .key = NULL },
};

/* The last record's fields, before and after the reasons for an invalid run. */
static const struct field end_fields[] = {
	{ "ended_ns", FIELD_TIME, AT(struct record_summary, run.ended_at) },
	{ "stopped", FIELD_BOOL, AT(struct record_summary, run.stopped) },
	{ "link", FIELD_LINE, AT(struct record_summary, run.link) },
	{ .key = NULL },
};

static const struct field sum_fields[] = {
	WHOLE_SESSION(struct record_sum, of.),
	{ "figures", FIELD_FIGURES, AT(struct record_sum, figures) },
	{ .key = NULL },
};

static const struct field comparison_fields[] = {
	{ "judged", FIELD_COUNT, AT(struct record_summary, compared) },
	{ "mismatches", FIELD_COUNT, AT(struct record_summary, mismatches) },
	{ .key = NULL },
};

static const struct field summary_fields[] = {
	{ "sessions", FIELD_LIST, ITEMS(struct record_summary, sums),
	    COUNTED(struct record_summary, count), .fields = sum_fields,
	    .items_max = RECORDER_SESSIONS },
	{ "truth", FIELD_WITHIN, AT(struct record_summary, is_compared),
	    .fields = comparison_fields },
	{ .key = NULL },
};

/* The name of each type, and its fields in a member of struct json_record. */
static const struct {
	const char *name;
	const struct field *fields;
	size_t offset;
} types[] = {
	[RECORD_START] = { "start", run_fields, offsetof(struct json_record, run) },
	[RECORD_SESSION] = { "session", session_fields, offsetof(struct json_record, session) },
	[RECORD_LINE] = { "line", line_fields, offsetof(struct json_record, line) },
	[RECORD_REPLY] = { "reply", reply_fields, offsetof(struct json_record, reply) },
	[RECORD_NOTICE] = { "notice", notice_fields, offsetof(struct json_record, event) },
	[RECORD_EVENT] = { "event", event_fields, offsetof(struct json_record, event) },
	[RECORD_WINDOW] = { "window", window_fields, offsetof(struct json_record, window) },
	[RECORD_SUMMARY] = { "summary", end_fields, offsetof(struct json_record, summary) },
	[RECORD_INTERVAL] = { "interval", interval_fields, 0 },
};

/* --- writing --- */

static struct line_values row_of(const struct record *r)
{
	const struct parts parts = parts_of_row(&r->row);
	const bool sent = r->row.sent_at != RECORD_NEVER,
	           replied = sent && r->row.replied_at != RECORD_NEVER;
	struct line_values row = { .of = *r,
		.rtt = replied ? parts.wire : -1,
		.waited = replied ? parts.waited : -1,
		.queued = sent ? parts.queued : -1 };

	row.of.row.connecting = sent ? parts.connecting : -1;
	if (!r->legs)
		row.of.place = LENGTH(places);
	return row;
}

static void put_head(json_t *to, const struct record_run *run)
{
	char format[] = "upcase", program[] = PACKAGE_STRING, started[RECORD_DATE_SIZE];

	fields_put(to, head_fields,
	    &(struct file_head){ .format = format,
	        .version = RECORD_VERSION,
	        .program = program,
	        .started = record_date(run->started, started) });
}

static void put_connection(json_t *to, const struct session_event *event)
{
	struct session_event e = *event;
	struct link_packet packets[RECORD_PACKETS];

	for (size_t i = 0; i < e.packet_count; i++)
		packets[i] = record_packet_shifted(&event->packets[i], event->at);
	e.packets = packets;
	fields_put(to, connection_fields, &e);
}

/* The reasons why the host, not the network, shaped the run. */
static void put_validity(json_t *to, const struct record_summary *s)
{
	json_t *list = json_array();
	unsigned reasons = VALIDITY_OK;

	for (size_t i = 0; i < s->count; i++)
		reasons |= validity_check(&s->sums[i].figures.schedule,
		    s->sums[i].figures.overflows);
	for (int bit = 0; bit < VALIDITY_REASONS; bit++)
		if (reasons & 1u << bit)
			json_array_append_new(list, json_string(validity_names[bit]));
	json_object_set_new(to, "valid", json_boolean(!reasons));
	json_object_set_new(to, "invalid", list);
}

static void put_kind(json_t *to, const struct session_event *event)
{
	if (event->kind == SESSION_EVENT_TCP)
		put_connection(to, event);
	else if (event->kind == SESSION_EVENT_FLOW)
		fields_put(to, flow_fields, event);
}

static json_t *json_of(enum record_type type, const void *record)
{
	json_t *o = json_object();

	if (type == RECORD_EVENT && session_event_is_notice(record))
		type = RECORD_NOTICE;
	json_object_set_new(o, "type", json_string(types[type].name));
	if (type == RECORD_START)
		put_head(o, record);
	if (type == RECORD_LINE)
		fields_put(o, line_fields, &(struct line_values[]){ row_of(record) });
	else
		fields_put(o, types[type].fields, record);
	if (type == RECORD_EVENT)
		put_kind(o, record);
	if (type == RECORD_SUMMARY) {
		put_validity(o, record);
		fields_put(o, summary_fields, record);
	}
	return o;
}

int record_write(FILE *out, enum record_output output, enum record_type type, const void *record)
{
	if (output == RECORD_OUTPUT_JSON)
		return fields_write(out, json_of(type, record));
	if (type == RECORD_START)
		fields_header(out, line_fields);
	else if (type == RECORD_LINE)
		fields_row(out, "line", line_fields, line_fields,
		    &(struct line_values[]){ row_of(record) });
	else if (type == RECORD_REPLY)
		fields_row(out, "reply", line_fields, reply_fields, record);
	return ferror(out) ? -1 : 0;
}

/* --- reading --- */

/* Returns true if the rest can be read. */
static bool read_head(struct fields_reader *r)
{
	struct file_head head = { .format = NULL };

	fields_read(r, head_fields, &head);
	if (!head.format || strcmp(head.format, "upcase") != 0)
		fields_fail(r, "format", "is not \"upcase\"");
	if (head.version != RECORD_VERSION)
		fields_fail(r, "version", "is not 1, which is all that this upcase can read");
	free(head.format);
	return !r->bad;
}

/* Checks that a peer's name fits, and makes it printable. */
static void check_peer(struct fields_reader *r, struct record_session *s)
{
	if (s->peer && strlen(s->peer) > PEER_MAX)
		fields_fail(r, "peer", "is too long");
	else if (s->peer)
		printable_replace(s->peer, strlen(s->peer));
}

/* Checks that a line has the values that its fate needs, so that a replay can show it. */
static void check_line(struct fields_reader *r, const struct record *line)
{
	const bool replied = ledger_is_replied(&line->row);

	if (line->row.number == 0)
		fields_fail(r, "n", "is missing");
	if (line->row.late && line->row.fate != FATE_LOST)
		fields_fail(r, "late", "is true of a line that is not lost");
	if (replied && (line->row.replied_at == RECORD_NEVER || line->row.sent_at == RECORD_NEVER))
		fields_fail(r, "replied_ns", "is missing, or \"sent_ns\"");
	if (!replied && (line->row.duplicates > 0 || line->row.reply || line->row.reordered ||
	                    line->row.differs || line->row.cut_short))
		fields_fail(r, "fate", "is not that of a line with a reply");
	if (line->duplicate_count > line->row.duplicates)
		fields_fail(r, "duplicates_ns", "has more times than there are duplicates");
	if (line->row.fate != FATE_QUEUED && line->row.fate != FATE_FAILED &&
	    line->row.sent_at == RECORD_NEVER)
		fields_fail(r, "sent_ns", "is missing");
	if (line->row.stream && (line->row.fate == FATE_LOST || line->row.fate == FATE_REFUSED))
		fields_fail(r, "fate", "is not one of TCP");
}

static void read_type(struct fields_reader *r, struct json_record *to)
{
	fields_read(r, types[to->type].fields, (char *)to + types[to->type].offset);
	switch (to->type) {
	case RECORD_SESSION:
		check_peer(r, &to->session);
		break;
	case RECORD_LINE:
		check_line(r, &to->line);
		break;
	case RECORD_REPLY:
		if (to->reply.match != MATCH_STRAY && to->reply.row.number == 0)
			fields_fail(r, "n", "is missing");
		break;
	case RECORD_EVENT:
		if (to->event.kind == SESSION_EVENT_FLOW)
			fields_read(r, flow_fields, &to->event);
		if (to->event.kind != SESSION_EVENT_TCP)
			break;
		fields_read(r, connection_fields, &to->event);
		for (size_t i = 0; i < to->event.packet_count; i++)
			to->event.packets[i] = record_packet_shifted(&to->event.packets[i],
			    -to->event.at);
		break;
	case RECORD_SUMMARY:
		fields_read(r, summary_fields, &to->summary);
		for (size_t i = 0; i < to->summary.count; i++)
			check_peer(r, &to->summary.sums[i].of);
		break;
	default:
		break;
	}
}

static void read_object(struct fields_reader *r, struct json_record *to)
{
	const char *word = fields_word(r, "type");
	unsigned type = 0;

	if (!word) {
		fields_fail(r, "type", "is missing");
		return;
	}
	while (type < LENGTH(types) && strcmp(word, types[type].name) != 0)
		type++;
	/* A later version may have other types, and kinds of events. */
	if ((type == RECORD_START && !read_head(r)) || type >= RECORD_INTERVAL ||
	    (type == RECORD_EVENT &&
	        fields_name(session_event_names, SESSION_EVENT_KINDS, fields_word(r, "kind")) < 0))
		return;
	to->type = (enum record_type)type;
	to->event.session = -1;
	read_type(r, to);
}

/* The reason may quote the file, which can contain any bytes. */
int json_read(struct json_record *to, const char *text, size_t n, char reason[RECORD_REASON])
{
	struct fields_reader r = { .reason = reason };
	json_error_t error;

	*to = (struct json_record){ .type = RECORD_UNKNOWN };
	r.object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!r.object) {
		snprintf(reason, RECORD_REASON, "no JSON: %.120s", error.text);
		printable_replace(reason, strlen(reason));
		return -1;
	}
	if (!json_is_object(r.object)) {
		snprintf(reason, RECORD_REASON, "no record: not an object");
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
	free((void *)(uintptr_t)r->reply.row.reply);
	record_event_free(&r->event);
	free(r->session.peer);
	for (size_t i = 0; i < r->summary.count; i++)
		free(r->summary.sums[i].of.peer);
	free(r->summary.sums);
	*r = (struct json_record){ .type = RECORD_UNKNOWN };
}
