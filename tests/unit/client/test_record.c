/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records: what is written is read again the same, whatever the bytes; the recorder's sums are the
 * ledger's; damaged files are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger.h"
#include "record/record-file.h"
#include "record/recorder.h"
#include "report/export.h"
#include "tests/lib/ledger_check.h"

#define MS INT64_C(1000000)

/* A fixed sequence (Numerical Recipes' generator), so that a failure comes again. */
static uint32_t next(uint32_t *seed)
{
	return (*seed = *seed * 1664525 + 1013904223) >> 8;
}

static unsigned char *random_bytes(uint32_t *seed, size_t *n)
{
	static const char *const texts[] = { "", "hello", "gr\303\274\303\237e", "\xed\xa0\x80",
		"\xff\xfe", "a\"b\\c\n\r\t", "\xe2\x80\xa8" };
	const uint32_t kind = next(seed) % 3;
	unsigned char *bytes;

	if (kind == 0) {
		const char *text = texts[next(seed) % (sizeof texts / sizeof *texts)];

		*n = strlen(text);
		return (unsigned char *)strdup(text);
	}
	*n = next(seed) % 40;
	bytes = malloc(*n + 1);
	for (size_t i = 0; i < *n; i++)
		bytes[i] = (unsigned char)(kind == 1 ? next(seed) : next(seed) % 128);
	return bytes;
}

static void random_leg(uint32_t *seed, struct trace_leg *leg)
{
	*leg = (struct trace_leg){ .tries = (uint16_t)(next(seed) % 3),
		.retransmitted = 1,
		.lost = 2,
		.fate = LINK_LOST,
		.waits = 2,
		.wait = { next(seed), 5 },
		.timeout = { next(seed) % 2 * 204000, 408000 },
		.first_in = RECORD_NEVER,
		.last_in = RECORD_NEVER,
		.first_out = RECORD_NEVER,
		.last_out = RECORD_NEVER };
	if (leg->tries > 0)
		leg->first_in = 5, leg->last_in = 7;
	if (next(seed) % 2)
		leg->through = 1, leg->first_out = 8, leg->last_out = 9;
}

static struct record random_record(uint32_t *seed)
{
	const bool replied = next(seed) % 2;
	struct record r = { .row = { .stream = next(seed) % 2,
		                .number = 1 + next(seed),
		                .fate = replied ? FATE_ANSWERED : FATE_CUT_OFF,
		                .typed_at = next(seed),
		                .replied_at = RECORD_NEVER,
		                .decided_at = RECORD_NEVER,
		                .tag = next(seed) % 3,
		                .partial = next(seed) % 2,
		                .error = replied ? 0 : ECONNRESET },
		.session = next(seed) % 9 };

	r.row.connecting = next(seed);
	r.row.sent_at = r.row.typed_at + r.row.connecting + next(seed);
	r.row.text = random_bytes(seed, &r.row.length);
	if (replied) {
		r.row.replied_at = r.row.sent_at + next(seed);
		r.row.duplicates = r.duplicate_count = next(seed) % 3;
		r.duplicate_at = calloc(2, sizeof *r.duplicate_at);
		r.duplicate_at[0] = r.duplicate_at[1] = r.row.replied_at + 1;
		r.row.reordered = next(seed) % 2;
		if (next(seed) % 2)
			r.row.differs = true, r.row.reply = random_bytes(seed, &r.row.reply_length);
	}
	if (next(seed) % 2)
		return r;
	r.place = TRACE_COMING;
	r.legs = calloc(LINK_DIRECTIONS, sizeof *r.legs);
	random_leg(seed, &r.legs[LINK_GOING]);
	random_leg(seed, &r.legs[LINK_COMING]);
	r.packet_count = next(seed) % 3;
	r.packets = calloc(3, sizeof *r.packets);
	for (size_t i = 0; i < r.packet_count; i++)
		r.packets[i] = (struct link_packet){ .direction = LINK_COMING,
			.fate = LINK_QUEUE_FULL,
			.retransmitted = true,
			.payload = true,
			.in = 1,
			.out = RECORD_NEVER,
			.out2 = 3,
			.seq = next(seed),
			.length = next(seed) };
	return r;
}

static void assert_same(const struct record *a, const struct record *b)
{
	assert_int_equal(a->row.length, b->row.length);
	assert_memory_equal(a->row.text, b->row.text, a->row.length);
	assert_int_equal(!a->row.reply, !b->row.reply);
	assert_int_equal(a->row.reply_length, b->row.reply_length);
	if (a->row.reply)
		assert_memory_equal(a->row.reply, b->row.reply, a->row.reply_length);
	assert_int_equal(a->row.number, b->row.number);
	assert_int_equal(a->row.fate, b->row.fate);
	assert_int_equal(a->row.typed_at, b->row.typed_at);
	assert_int_equal(a->row.sent_at, b->row.sent_at);
	assert_int_equal(a->row.connecting, b->row.connecting);
	assert_int_equal(a->row.replied_at, b->row.replied_at);
	assert_int_equal(a->row.decided_at, b->row.decided_at);
	assert_int_equal(a->row.error, b->row.error);
	assert_int_equal(a->row.tag, b->row.tag);
	assert_int_equal(a->row.duplicates, b->row.duplicates);
	assert_int_equal(a->packet_count, b->packet_count);
	assert_int_equal(!a->legs, !b->legs);
	if (a->legs) {
		assert_int_equal(a->legs[LINK_COMING].first_out, b->legs[LINK_COMING].first_out);
		/* What the row says: "RTO 204, 408 ms". */
		assert_memory_equal(a->legs[LINK_COMING].timeout, b->legs[LINK_COMING].timeout,
		    sizeof a->legs[LINK_COMING].timeout);
	}
}

/* A record as JSON, without the end of the line. */
static char *json_of(enum record_type type, const void *record)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(record_write(out, RECORD_OUTPUT_JSON, type, record), 0);
	fclose(out);
	assert_int_equal(text[n - 1], '\n');
	text[n - 1] = '\0';
	return text;
}

static struct record text_record(unsigned char *text, size_t n)
{
	return (struct record){ .row = { .number = 1,
		                    .fate = FATE_ANSWERED,
		                    .typed_at = -5,
		                    .replied_at = 7,
		                    .decided_at = RECORD_NEVER,
		                    .text = text,
		                    .length = n,
		                    .reply = text,
		                    .reply_length = n } };
}

/* Every character of two and three bytes at least; no control is there as itself, and each comes
 * back. */
static void json_has_no_controls(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0xffff; code++) {
		unsigned char text[] = { 'a', 0xe0 | code >> 12, 0x80 | (code >> 6 & 63),
			0x80 | (code & 63), 'b' };
		size_t n = 5;
		if (code < 0x80)
			text[1] = (unsigned char)code, text[2] = 'b', n = 3;
		else if (code < 0x800)
			text[1] = (unsigned char)(0xc0 | code >> 6), text[2] = text[3],
			text[3] = 'b', n = 4;
		struct record r = text_record(text, n);
		struct json_record read;
		char reason[RECORD_REASON] = "", *json = json_of(RECORD_LINE, &r);
		assert_true(record_is_text((const unsigned char *)json, strlen(json), false));
		if (json_read(&read, json, strlen(json), reason) < 0)
			fail_msg("U+%04x: %s: %s", code, reason, json);
		assert_same(&r, &read.line);
		json_record_free(&read);
		free(json);
		struct session_event event = {
			.kind = SESSION_EVENT_NOTICE, .session = -1, .text = (char *)text
		};
		text[n - 1] = '\0';
		json = json_of(RECORD_EVENT, &event);
		assert_true(record_is_text((const unsigned char *)json, strlen(json), false));
		free(json);
	}
}

static char *csv_row(const char *peer, const char *text)
{
	unsigned char bytes[100];
	struct record r = text_record(memcpy(bytes, text, strlen(text)), strlen(text));
	char *row;
	r.peer = peer;
	size_t size;
	FILE *out = open_memstream(&row, &size);
	assert_int_equal(record_write(out, RECORD_OUTPUT_CSV, RECORD_LINE, &r), 0);
	fclose(out);
	/* A time before the start stays a number. */
	assert_non_null(strstr(row, ",-5,"));
	assert_true(record_is_text((const unsigned char *)row, size - 2, false));
	return row;
}

/* What a spreadsheet could take for a formula or for two cells, and a terminal for an order. */
static void csv_texts_stay_texts(void **state)
{
	static const struct {
		const char *text, *cells;
	} cells[] = {
		{ "a=1", "\"a=1\"," },
		{ "=1+1", "\"'=1+1\"," },
		{ "+1", "\"'+1\"," },
		{ "-1", "\"'-1\"," },
		{ "@SUM(1)", "\"'@SUM(1)\"," },
		{ "'tis", "\"''tis\"," },
		{ "=\"x\"", "\"'=\"\"x\"\"\"," },
		{ "a;=1;b", "\"a;'=1;b\"," },
		{ ";'", "\";''\"," },
		{ "a;\"=1;b", "\"a;\"\"'=1;b\"," },
		{ "\xef\xbc\x9d"
		  "1",
		    "\"'\xef\xbc\x9d"
		    "1\"," },
		{ "\xef\xbc\xa0", "\"'\xef\xbc\xa0\"," },
		{ "\xef\xbc\xa1", "\"\xef\xbc\xa1\"," },
		{ "\t=1", ",\"CT0x\"" },
		{ "\r=1", ",\"DT0x\"" },
		{ "a\n=1", ",\"YQo9MQ==\"" },
		{ "\x1b[1m", ",\"G1sxbQ==\"" },
		{ "\xe2\x80\xae", ",\"4oCu\"" },
		{ "\xfb\xef\xbe", ",\"'++++\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
		char expected[200], *row = csv_row("127.0.0.1:1", cells[i].text);
		/* The text and the reply, the last of the columns. */
		snprintf(expected, sizeof expected, ",%s,%s\r\n", cells[i].cells, cells[i].cells);
		assert_true(strlen(row) > strlen(expected));
		assert_string_equal(strchr(row, '\0') - strlen(expected), expected);
		free(row);
	}
	char *row = csv_row("=cmd|'/c calc'!A1", "x");
	assert_non_null(strstr(row, ",\"'=cmd|'/c calc'!A1\","));
	free(row);
}

static void any_record_comes_back(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct record r = random_record(&seed);
		struct json_record read;
		char reason[RECORD_REASON] = "", *text = json_of(RECORD_LINE, &r), *again;

		assert_non_null(text);
		assert_null(strchr(text, '\n'));
		if (json_read(&read, text, strlen(text), reason) < 0)
			fail_msg("%s: %s", reason, text);
		assert_int_equal(read.type, RECORD_LINE);
		assert_same(&r, &read.line);
		again = json_of(RECORD_LINE, &read.line);
		assert_string_equal(text, again);
		free(text);
		free(again);
		json_record_free(&read);
		record_free(&r);
	}
}

/* Of a window only what is known is written; it comes back as it was, and CSV has none. */
static void windows_come_back(void **state)
{
	static const struct {
		struct window_sample sample;
		const char *json;
	} samples[] = {
		{ { .at = 7,
		      .flow = 1,
		      .queue = -1,
		      .queued = -1,
		      .tcp = { 10, -1, 3, 1448, 65536, TCP_STATE_RECOVERY } },
		    "{\"type\":\"window\",\"at_ns\":7,\"flow\":1,\"way\":\"there\",\"cwnd\":10,"
		    "\"in_flight\":3,\"mss\":1448,\"peer_window\":65536,\"state\":\"recovery\"}" },
		{ { .at = 8,
		      .way = LINK_COMING,
		      .queue = 0,
		      .queued = 0,
		      .tcp = { -1, -1, -1, -1, -1, -1 } },
		    "{\"type\":\"window\",\"at_ns\":8,\"flow\":0,\"way\":\"back\",\"queue\":0,"
		    "\"queued\":0}" },
		{ { .at = 9,
		      .mark = WINDOW_PROBE,
		      .queue = -1,
		      .queued = -1,
		      .tcp = { -1, -1, -1, -1, -1, -1 } },
		    "{\"type\":\"window\",\"at_ns\":9,\"flow\":0,\"way\":\"there\","
		    "\"mark\":\"probe\"}" },
	};
	struct json_record read;
	const char *bad = "{\"type\":\"window\",\"at_ns\":1,\"flow\":256}";
	char reason[RECORD_REASON] = "", *text;

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		text = json_of(RECORD_WINDOW, &samples[i].sample);
		assert_string_equal(text, samples[i].json);
		assert_int_equal(json_read(&read, text, strlen(text), reason), 0);
		assert_int_equal(read.type, RECORD_WINDOW);
		free(text);
		text = json_of(RECORD_WINDOW, &read.window);
		assert_string_equal(text, samples[i].json);
		free(text);
		json_record_free(&read);
	}
	assert_int_equal(json_read(&read, bad, strlen(bad), reason), -1);
	assert_string_equal(reason, "\"flow\" is out of range");
	json_record_free(&read);
}

static void base64_comes_back(void **state)
{
	static const struct {
		const char *bytes, *text;
	} known[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *const bad[] = { "Z", "Zg=", "Zg",
		"Zh==", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9" };
	size_t n;

	(void)state;
	/* RFC 4648, section 10. */
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char *text = record_base64((const unsigned char *)known[i].bytes,
		    strlen(known[i].bytes));
		unsigned char *bytes = record_from_base64(known[i].text, strlen(known[i].text), &n);

		assert_string_equal(text, known[i].text);
		assert_int_equal(n, strlen(known[i].bytes));
		assert_memory_equal(bytes, known[i].bytes, n);
		free(text);
		free(bytes);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_null(record_from_base64(bad[i], strlen(bad[i]), &n));
}

static void dates_are_right(void **state)
{
	char buf[RECORD_DATE_SIZE];

	(void)state;
	assert_string_equal(record_date(0, buf), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(record_date(INT64_C(951782400) * 1000000000 + 7, buf),
	    "2000-02-29T00:00:00.000000007Z");
	if (sizeof(time_t) > 4)
		assert_string_equal(record_date(INT64_C(4107542399) * 1000000000, buf),
		    "2100-02-28T23:59:59.000000000Z");
	assert_string_equal(record_date(-1, buf), "1969-12-31T23:59:59.999999999Z");
}

/* --- the recorder --- */

struct fixture {
	struct ledger *l;
	struct recorder *r;
	char *text;
	size_t length;
	FILE *out;
	struct record_run run;
};

static void evicted(void *desk, const struct ledger_row *row)
{
	recorder_evicted(((struct fixture *)desk)->r, 0, row, 0);
}

static void desk_open(struct fixture *d, size_t rows)
{
	d->l = ledger_new(&(struct ledger_settings){ .capacity = rows,
	    .reply_timeout = 100 * MS,
	    .answerable = 1000 * MS,
	    .evicted = evicted,
	    .context = d });
	d->out = open_memstream(&d->text, &d->length);
	d->run = (struct record_run){ .started = 1 };
	d->r = recorder_new(RECORD_OUTPUT_JSON, d->out, false, MS, &d->run);
	assert_int_equal(recorder_add(d->r, d->l, false, "peer:1", 100 * MS, NULL), 0);
}

static void send(struct fixture *d, uint64_t number, const char *text, int64_t at)
{
	assert_int_equal(ledger_add(d->l, number, text, strlen(text), at), 0);
	ledger_sent(d->l, number, at);
}

static void reply(struct fixture *d, const char *text, int64_t at)
{
	const struct session_reply reply = { .matched = ledger_reply(d->l, text, strlen(text), at),
		.text = (const unsigned char *)text,
		.length = strlen(text) };

	recorder_reply(d->r, 0, &reply, at);
}

/* What is written, read back. */
static struct record_file *desk_read(struct fixture *d)
{
	char reason[RECORD_FILE_REASON] = "";
	FILE *in;
	struct record_file *f;

	fflush(d->out);
	in = fmemopen(d->text, d->length, "r");
	f = record_file_read(in, reason);
	fclose(in);
	if (!f)
		fail_msg("%s\n%s", reason, d->text);
	return f;
}

static void report(struct fixture *d, enum session_event_kind kind, const char *text,
    const char *there, const char *back, int64_t at)
{
	const struct session_event event = { .kind = kind,
		.session = kind == SESSION_EVENT_TCP ? 0 : -1,
		.at = at,
		.text = (char *)(uintptr_t)text,
		.there = (char *)(uintptr_t)there,
		.back = (char *)(uintptr_t)back };

	recorder_event(d->r, &event, at);
}

/* With packets, of which times are those since then. */
static void report_connection(struct fixture *d, int64_t at)
{
	char text[] = "connected";
	struct link_packet packets[] = {
		{ .direction = LINK_GOING,
		    .fate = LINK_LOST,
		    .syn = true,
		    .in = 1,
		    .out = RECORD_NEVER,
		    .out2 = RECORD_NEVER },
		{ .direction = LINK_COMING,
		    .fate = LINK_DELIVERED,
		    .syn = true,
		    .ack = true,
		    .retransmitted = true,
		    .in = 2,
		    .out = 3,
		    .out2 = 4 },
	};
	const struct session_event event = { .kind = SESSION_EVENT_TCP,
		.quiet = true,
		.at = at,
		.text = text,
		.packets = packets,
		.packet_count = 2,
		.duration = 7,
		.connection = { .stage = SESSION_FAILED,
		    .here = 40000,
		    .syns = 3,
		    .error = ECONNREFUSED,
		    .by_client = true } };

	recorder_event(d->r, &event, at);
}

static void assert_connection(const struct session_event *e, int64_t at)
{
	const struct link_packet *p = e->packets;

	assert_int_equal(e->kind, SESSION_EVENT_TCP);
	assert_true(e->quiet);
	assert_int_equal(e->at, at);
	assert_int_equal(e->duration, 7);
	assert_int_equal(e->connection.stage, SESSION_FAILED);
	assert_int_equal(e->connection.here, 40000);
	assert_int_equal(e->connection.syns, 3);
	assert_int_equal(e->connection.error, ECONNREFUSED);
	assert_true(e->connection.by_client);
	assert_int_equal(e->packet_count, 2);
	assert_true(p[0].syn && !p[0].ack && p[0].fate == LINK_LOST &&
	            p[0].direction == LINK_GOING);
	assert_int_equal(p[0].in, 1);
	assert_int_equal(p[0].out, RECORD_NEVER);
	assert_true(p[1].syn && p[1].ack && p[1].retransmitted && p[1].direction == LINK_COMING);
	assert_int_equal(p[1].out2, 4);
}

static void desk_close(struct fixture *d)
{
	assert_true(ledger_balanced(d->l));
	recorder_free(d->r);
	fclose(d->out);
	free(d->text);
	ledger_free(d->l);
}

static void set_figures(struct fixture *d)
{
	const struct figures figures = {
		.peer = "peer:1", .totals = *ledger_totals(d->l), .stats = ledger_stats(d->l)
	};

	recorder_figures(d->r, 0, &figures);
}

static void end(struct fixture *d, int64_t at)
{
	ledger_give_up(d->l);
	set_figures(d);
	d->run.ended_at = at;
	recorder_end(d->r);
	assert_int_equal(recorder_error(d->r), 0);
}

/* Lines and the records behind them add up to the totals. */
static void assert_sum(const struct record_file *f, const struct ledger_totals *t)
{
	const struct record_file_session *side = &f->sessions[0];
	uint64_t answered = 0, lost = 0, late = 0, duplicates = 0, strays = 0;

	for (size_t i = 0; i < side->count; i++) {
		answered += side->lines[i].row.fate == FATE_ANSWERED;
		lost += side->lines[i].row.fate == FATE_LOST;
		late += side->lines[i].row.late;
		duplicates += side->lines[i].row.duplicates;
	}
	for (size_t i = 0; i < f->reply_count; i++) {
		answered += f->replies[i].match == MATCH_ANSWER;
		lost -= f->replies[i].match == MATCH_ANSWER;
		late += f->replies[i].match == MATCH_LATE;
		duplicates += f->replies[i].match == MATCH_DUPLICATE;
		strays += f->replies[i].match == MATCH_STRAY;
	}
	assert_int_equal(answered, t->answered);
	assert_int_equal(lost, t->lost);
	assert_int_equal(late, t->late);
	assert_int_equal(duplicates, t->duplicates);
	assert_int_equal(strays, t->strays);
	assert_int_equal(side->count + side->sum.unrecorded, t->typed);
	assert_int_equal(side->sum.totals.answered, t->answered);
	assert_int_equal(side->sum.totals.lost, t->lost);
}

static void records_wait_until_final(void **state)
{
	struct fixture d;
	struct record_file *f;

	(void)state;
	desk_open(&d, 100);
	send(&d, 1, "one", 10 * MS);
	send(&d, 2, "two", 11 * MS);
	reply(&d, "ONE", 20 * MS);
	assert_int_equal(recorder_dispatch(d.r, 21 * MS), 210 * MS + 1);
	reply(&d, "ONE", 22 * MS);
	while (ledger_expire(d.l, 150 * MS))
		;
	recorder_dispatch(d.r, 150 * MS);
	fflush(d.out);
	assert_int_equal(d.length, 0);
	recorder_dispatch(d.r, 300 * MS);
	/* Both were written; what comes now is told apart. */
	reply(&d, "TWO", 310 * MS);
	reply(&d, "ONE", 311 * MS);
	reply(&d, "NOBODY", 312 * MS);
	end(&d, 400 * MS);
	f = desk_read(&d);
	assert_int_equal(f->sessions[0].lines[0].row.duplicates, 1);
	assert_int_equal(f->sessions[0].lines[0].duplicate_at[0], 21 * MS);
	assert_int_equal(f->sessions[0].lines[1].row.decided_at, 110 * MS);
	assert_int_equal(f->reply_count, 3);
	assert_sum(f, ledger_totals(d.l));
	record_file_free(f);
	desk_close(&d);
}

/* Rows are forgotten sooner than they are final: they are written in time, if out of order. */
static void crowded_rows_are_written(void **state)
{
	struct fixture d;
	struct record_file *f;
	char text[30], capitals[30];

	(void)state;
	desk_open(&d, 64);
	for (uint64_t i = 1; i <= 2000; i++) {
		const int64_t at = (int64_t)i * 2 * MS;

		snprintf(text, sizeof text, "line %d", (int)i);
		snprintf(capitals, sizeof capitals, "LINE %d", (int)i);
		send(&d, i, text, at);
		while (ledger_expire(d.l, at))
			;
		if (i % 7)
			reply(&d, capitals, at + MS);
		recorder_dispatch(d.r, at + MS);
	}
	end(&d, 9000 * MS);
	f = desk_read(&d);
	assert_int_equal(f->sessions[0].sum.unrecorded, 0);
	assert_int_equal(f->sessions[0].count, 2000);
	assert_sum(f, ledger_totals(d.l));
	record_file_free(f);
	desk_close(&d);
}

/* What /save writes in the midst of a session: lines that wait, what came besides, in the order of
 * the session. */
static void all_is_saved_at_once(void **state)
{
	struct fixture d;
	struct record_file *f;

	(void)state;
	desk_open(&d, 100);
	report(&d, SESSION_EVENT_ERROR, "a notice", NULL, NULL, 5 * MS);
	send(&d, 1, "one", 10 * MS);
	reply(&d, "ONE", 20 * MS);
	reply(&d, "ONE", 21 * MS);
	reply(&d, "", 22 * MS);
	send(&d, 2, "two", 30 * MS);
	fclose(d.out);
	free(d.text);
	d.out = open_memstream(&d.text, &d.length);
	set_figures(&d);
	d.run.ended_at = 40 * MS;
	assert_int_equal(recorder_save(d.r, RECORD_OUTPUT_JSON, d.out), 0);
	f = desk_read(&d);
	assert_int_equal(f->event_count, 1);
	assert_string_equal(f->events[0].text, "a notice");
	assert_int_equal(f->events[0].at, 4 * MS);
	assert_int_equal(f->sessions[0].lines[0].duplicate_at[0], 20 * MS);
	assert_int_equal(f->sessions[0].lines[1].row.fate, FATE_WAITING);
	assert_int_equal(f->reply_count, 1);
	assert_sum(f, ledger_totals(d.l));
	record_file_free(f);
	desk_close(&d);
}

static void assert_event(const struct session_event *e, enum session_event_kind kind, int64_t at,
    const char *words)
{
	char buf[SESSION_EVENT_WORDS];

	assert_int_equal(e->kind, kind);
	assert_int_equal(e->session, kind == SESSION_EVENT_TCP ? 0 : -1);
	assert_int_equal(e->at, at);
	assert_string_equal(session_event_words(e, buf), words);
}

static void assert_events(const struct record_file *f)
{
	assert_non_null(f);
	assert_int_equal(f->event_count, 5);
	assert_event(&f->events[0], SESSION_EVENT_NOTICE, 1 * MS, "a notice");
	assert_event(&f->events[1], SESSION_EVENT_LINK, 2 * MS, "link: loss 30 % each way");
	assert_string_equal(f->events[1].there, "loss 30%");
	assert_string_equal(f->events[1].back, "nothing");
	assert_event(&f->events[2], SESSION_EVENT_FAULT, 3 * MS, "link: held for 3 s");
	assert_null(f->events[2].there);
	assert_event(&f->events[3], SESSION_EVENT_CONNECT, 4 * MS, "connect: TCP [::1]:7");
	assert_event(&f->events[4], SESSION_EVENT_TCP, 5 * MS, "TCP: connected");
}

static void desk_write_text(struct fixture *d)
{
	struct transcript *t = recorder_transcript(d->r);

	assert_non_null(t);
	assert_int_equal(export_text(d->out, t, NULL, NULL, 9 * MS), 0);
	transcript_free(t);
}

/* Written while the session goes on, and saved at its end, in the order of what happened. */
static void connections_come_back(void **state)
{
	struct fixture d;
	struct record_file *f;

	(void)state;
	desk_open(&d, 100);
	send(&d, 1, "one", 5 * MS);
	report_connection(&d, 6 * MS);
	recorder_dispatch(d.r, 7 * MS);
	set_figures(&d);
	f = desk_read(&d);
	assert_int_equal(f->event_count, 1);
	assert_connection(&f->events[0], 5 * MS);
	assert_non_null(strstr(d.text, "\"in_ns\":5000001"));
	record_file_free(f);
	/* No row in a text. */
	fclose(d.out);
	free(d.text);
	d.out = open_memstream(&d.text, &d.length);
	desk_write_text(&d);
	assert_null(strstr(d.text, "TCP:"));
	desk_close(&d);
}

static void events_come_back(void **state)
{
	struct fixture d;
	struct record_file *f;
	char *line, *event;

	(void)state;
	desk_open(&d, 100);
	report(&d, SESSION_EVENT_NOTICE, "a notice", NULL, NULL, 2 * MS);
	report(&d, SESSION_EVENT_LINK, "loss 30 % each way", "loss 30%", "nothing", 3 * MS);
	report(&d, SESSION_EVENT_FAULT, "held for 3 s", NULL, NULL, 4 * MS);
	report(&d, SESSION_EVENT_CONNECT, "TCP [::1]:7", NULL, NULL, 5 * MS);
	send(&d, 1, "one", 5 * MS + 1);
	report(&d, SESSION_EVENT_TCP, "connected", NULL, NULL, 6 * MS);
	recorder_dispatch(d.r, 7 * MS);
	set_figures(&d);
	f = desk_read(&d);
	assert_events(f);
	record_file_free(f);
	for (int i = 0; i < 2; i++) {
		fclose(d.out);
		free(d.text);
		d.out = open_memstream(&d.text, &d.length);
		if (i)
			desk_write_text(&d);
		else
			assert_int_equal(recorder_save(d.r, RECORD_OUTPUT_JSON, d.out), 0);
		line = strstr(d.text, i ? " one " : "\"one\"");
		event = strstr(d.text,
		    i ? "-- TCP: connected"
		      : "{\"type\":\"event\",\"at_ns\":5000000,\"kind\":\"tcp\",\"session\":0,");
		assert_non_null(line);
		assert_non_null(event);
		assert_true(event > line);
		f = i ? NULL : desk_read(&d);
		if (f)
			assert_events(f);
		record_file_free(f);
	}
	desk_close(&d);
}

/* Sessions that never had a line can go, their ledgers with them, however many there were. */
static void forgotten_sessions_do_no_harm(void **state)
{
	struct fixture d;
	struct record_file *f;

	(void)state;
	desk_open(&d, 100);
	send(&d, 1, "one", 5 * MS);
	for (int i = 0; i < 2 * RECORDER_SESSIONS; i++) {
		struct ledger *l = ledger_new(&(struct ledger_settings){ .capacity = 10 });
		const int session = recorder_add(d.r, l, i % 2, "peer:2", 1, NULL);

		assert_true(session > 0);
		recorder_remove(d.r, session);
		ledger_free(l);
	}
	set_figures(&d);
	d.run.ended_at = 9 * MS;
	assert_int_equal(recorder_save(d.r, RECORD_OUTPUT_JSON, d.out), 0);
	f = desk_read(&d);
	assert_int_equal(f->session_count, RECORDER_SESSIONS);
	assert_int_equal(f->sessions[0].count, 1);
	record_file_free(f);
	desk_close(&d);
}

/* A later version's kinds are passed over; what is shown as our own words has nothing that a
 * terminal obeys. */
static void strange_events_do_no_harm(void **state)
{
	static const char later[] =
	    "{\"type\":\"event\",\"at_ns\":5,\"kind\":\"weather\",\"text\":\"rain\"}";
	static const char harm[] =
	    "{\"type\":\"event\",\"at_ns\":5,\"kind\":\"link\",\"text\":\"\\u001b]0;x\\u0007\\u009b31m\\n\"}";
	static const char bare[] = "{\"type\":\"event\",\"kind\":\"link\",\"text\":\"x\"}";
	struct json_record r;
	char reason[RECORD_REASON];

	(void)state;
	assert_int_equal(json_read(&r, later, sizeof later - 1, reason), 0);
	assert_int_equal(r.type, RECORD_UNKNOWN);
	json_record_free(&r);
	assert_int_equal(json_read(&r, harm, sizeof harm - 1, reason), 0);
	assert_string_equal(r.event.text, "\\x1b]0;x\\x07\\xc2\\x9b31m\\x0a");
	json_record_free(&r);
	assert_int_equal(json_read(&r, bare, sizeof bare - 1, reason), -1);
	assert_non_null(strstr(reason, "at_ns"));
	json_record_free(&r);
}

static void a_full_disk_is_told(void **state)
{
	struct fixture d;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	desk_open(&d, 10);
	recorder_free(d.r);
	d.r = recorder_new(RECORD_OUTPUT_JSON, full, false, MS, &d.run);
	recorder_add(d.r, d.l, false, "peer:1", 100 * MS, NULL);
	send(&d, 1, "one", 10 * MS);
	reply(&d, "ONE", 20 * MS);
	recorder_dispatch(d.r, 900 * MS);
	assert_int_equal(recorder_error(d.r), ENOSPC);
	assert_int_equal(recorder_dispatch(d.r, 901 * MS), INT64_MAX);
	fclose(full);
	desk_close(&d);
}

/* --- playing --- */

static void played_lines_have_their_fates(void **state)
{
	struct ledger_row same = { .text = (const unsigned char *)"same", .length = 4 };
	struct ledger *l = ledger_new(&(struct ledger_settings){
	    .capacity = 3, .reply_timeout = 100 * MS });

	(void)state;
	for (uint64_t i = 1; i <= 6; i++) {
		same.number = same.tag = i;
		assert_int_equal(ledger_replay_line(l, &same, (int64_t)i), 0);
		ledger_sent(l, i, (int64_t)i);
	}
	assert_int_equal(ledger_replay_line(l, &same, 7), -1);
	/* The rows of the first three are forgotten, their totals are not. */
	ledger_replay_reply(l, &(struct ledger_row){ .number = 1 }, 50);
	ledger_replay_fate(l, 2, FATE_LOST, 0, 0);
	ledger_replay_fate(l, 4, FATE_LOST, 0, 0);
	ledger_replay_reply(l, &(struct ledger_row){ .number = 4, .late = true }, 200 * MS);
	ledger_replay_reply(l,
	    &(struct ledger_row){ .number = 5,
	        .reordered = true,
	        .differs = true,
	        .reply = (const unsigned char *)"other",
	        .reply_length = 5 },
	    60);
	ledger_replay_duplicate(l, 5);
	ledger_replay_fate(l, 6, FATE_REFUSED, ECONNREFUSED, 0);
	ledger_replay_stray(l);
	assert_true(ledger_balanced(l));
	assert_int_equal(ledger_totals(l)->answered, 2);
	assert_int_equal(ledger_totals(l)->lost, 2);
	assert_int_equal(ledger_totals(l)->late, 1);
	assert_int_equal(ledger_totals(l)->refused, 1);
	assert_int_equal(ledger_totals(l)->waiting, 1);
	assert_int_equal(ledger_totals(l)->reordered, 1);
	assert_int_equal(ledger_find(l, 5)->reply_length, 5);
	assert_int_equal(ledger_find(l, 5)->tag, 5);
	ledger_free(l);
}

/* --- damaged files --- */

#define START "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1}\n"
#define SESSION \
	"{\"type\":\"session\",\"session\":0,\"transport\":\"udp\",\"peer\":\"p\",\"wait_ns\":1}\n"
#define LINE(n, more) \
	"{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":" n \
	",\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":1,\"text\":\"x\"" more "}\n"

static void damaged_files_are_refused(void **state)
{
	static const struct {
		const char *file, *reason;
	} bad[] = {
		{ "", "line 1: the file is empty" },
		{ "\n", "line 1: empty" },
		{ "hello\n", "line 1: no JSON" },
		{ SESSION, "line 1: it does not begin" },
		{ "[1]\n", "line 1: no record" },
		{ "{\"type\":\"start\",\"format\":\"upcase\",\"version\":2}\n",
		    "line 1: \"version\"" },
		{ START "{\"type\":\"line\"", "line 2: the file ends within" },
		{ START LINE("1", ""), "line 2: a session that was not told" },
		{ START SESSION LINE("1", "") LINE("1", ""), "line 4: a line with this" },
		{ START SESSION LINE("0", ""), "line 3: \"n\"" },
		{ START SESSION LINE("1e3", ""), "line 3: \"n\" is not a whole" },
		{ START SESSION LINE("NaN", ""), "line 3: no JSON" },
		{ START SESSION LINE("99999999999999999999999", ""), "line 3: no JSON" },
		{ START SESSION LINE("9223372036854775807", ""), "line 3: \"n\" is out of range" },
		{ START SESSION LINE("1", ",\"n\":2"), "line 3: no JSON" },
		{ START SESSION LINE("1", ",\"duplicates\":7"), "line 3: \"fate\"" },
		{ START SESSION LINE("1", ",\"late\":true"), "line 3: \"replied_ns\"" },
		{ START SESSION LINE("1", ",\"tag\":\"x\""), "line 3: \"tag\" is not a whole" },
		{ "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1,\"link\":7}\n",
		    "line 1: \"link\" is not a text" },
		{ START SESSION LINE("1", ",\"link\":7"), "line 3: \"link\" is not an object" },
		{ START SESSION LINE("1",
		      ",\"link\":{\"there\":{\"waits_us\":[5],\"timeouts_us\":[null,5]}}"),
		    "line 3: \"timeouts_us\" is too long" },
		{ START SESSION SESSION, "line 3: the sessions are not numbered" },
		{ START "{\"type\":\"summary\",\"sessions\":[]}\n" SESSION,
		    "line 3: there is more behind" },
		{ START SESSION "{\"type\":\"summary\",\"sessions\":[]}\n",
		    "line 3: the summary has other" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char reason[RECORD_FILE_REASON] = "", *copy = strdup(bad[i].file);
		FILE *in = *copy ? fmemopen(copy, strlen(copy), "r") : fopen("/dev/null", "r");
		struct record_file *f = record_file_read(in, reason);

		if (f || strncmp(reason, bad[i].reason, strlen(bad[i].reason)) != 0)
			fail_msg("%s\ngave: %s\nnot: %s", bad[i].file, reason, bad[i].reason);
		fclose(in);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_record_comes_back),
		cmocka_unit_test(json_has_no_controls),
		cmocka_unit_test(csv_texts_stay_texts),
		cmocka_unit_test(windows_come_back),
		cmocka_unit_test(base64_comes_back),
		cmocka_unit_test(dates_are_right),
		cmocka_unit_test(records_wait_until_final),
		cmocka_unit_test(crowded_rows_are_written),
		cmocka_unit_test(all_is_saved_at_once),
		cmocka_unit_test(events_come_back),
		cmocka_unit_test(connections_come_back),
		cmocka_unit_test(strange_events_do_no_harm),
		cmocka_unit_test(forgotten_sessions_do_no_harm),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(played_lines_have_their_fates),
		cmocka_unit_test(damaged_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
