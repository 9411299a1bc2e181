/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row has all columns whatever its type; what it has not is left empty. */
#include "config.h"

#include "record/csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/error-text.h"

void csv_header(FILE *out)
{
	fputs("type,session,transport,peer,n,fate,late,reordered,differs,cut_short,partial,"
	      "duplicates,"
	      "typed_ns,sent_ns,replied_ns,rtt_ns,waited_ns,connecting_ns,queued_ns,decided_ns,tag,"
	      "error,place,text,text_base64,reply,reply_base64\r\n",
	    out);
}

/* A spreadsheet would take what begins so for a formula; the signs of full width too, in some
 * languages. And an apostrophe, which is what keeps it from that. */
static bool is_formula(const char *text, size_t n)
{
	return strchr("=+-@'", *text) || (n > 2 && text[0] == '\xef' && text[1] == '\xbc' &&
	                                     strchr("\x9d\x8b\x8d\xa0", text[2]));
}

/* A comma, then the value in quotes, so that no text is taken for two, or for none. Where the
 * semicolon parts the cells these quotes do not count, and a cell's own, doubled, are an empty
 * beginning of it. */
static void put_text(FILE *out, const char *text, size_t n)
{
	bool begins = true;

	fputs(",\"", out);
	for (size_t at = 0; at < n; at++) {
		if (begins && is_formula(text + at, n - at))
			putc('\'', out);
		if (text[at] == '"')
			putc('"', out);
		else
			begins = text[at] == ';';
		putc(text[at], out);
	}
	putc('"', out);
}

static void put_word(FILE *out, const char *word)
{
	fprintf(out, ",%s", word);
}

static void put_count(FILE *out, uint64_t value)
{
	fprintf(out, ",%" PRIu64, value);
}

static void put_time(FILE *out, int64_t at)
{
	if (at == RECORD_NEVER)
		putc(',', out);
	else
		fprintf(out, ",%" PRId64, at);
}

static void put_bool(FILE *out, bool value)
{
	put_word(out, value ? "true" : "false");
}

/* Two columns, of which one is used: few readers take a zero byte in a text, or an end of line, and
 * a terminal obeys other controls. */
static void put_bytes(FILE *out, const unsigned char *bytes, size_t n)
{
	char *base64;

	if (!bytes) {
		fputs(",,", out);
		return;
	}
	if (record_is_text(bytes, n, false)) {
		put_text(out, (const char *)bytes, n);
		putc(',', out);
		return;
	}
	putc(',', out);
	base64 = record_base64(bytes, n);
	put_text(out, base64, base64 ? strlen(base64) : 0);
	free(base64);
}

static void put_head(FILE *out, const char *type, unsigned session, bool stream, const char *peer)
{
	fprintf(out, "%s,%u,%s", type, session, stream ? "tcp" : "udp");
	put_text(out, peer, strlen(peer));
}

void csv_line(FILE *out, const struct record *r, const char *peer)
{
	const struct parts parts = record_parts(r);
	char name[ERROR_NAME];

	put_head(out, "line", r->session, r->stream, peer);
	put_count(out, r->number);
	put_word(out, record_fate_name(r->fate));
	put_bool(out, r->late);
	put_bool(out, r->reordered);
	put_bool(out, r->differs);
	put_bool(out, r->cut_short);
	put_bool(out, r->partial);
	put_count(out, r->duplicates);
	put_time(out, r->typed_at);
	put_time(out, r->sent_at);
	put_time(out, r->replied_at);
	put_time(out, record_rtt(r) < 0 ? RECORD_NEVER : record_rtt(r));
	put_time(out, record_rtt(r) < 0 ? RECORD_NEVER : parts.waited);
	put_time(out, r->sent_at == RECORD_NEVER ? RECORD_NEVER : parts.connecting);
	put_time(out, r->sent_at == RECORD_NEVER ? RECORD_NEVER : parts.queued);
	put_time(out, r->decided_at);
	put_time(out, r->tag ? (int64_t)r->tag : RECORD_NEVER);
	put_word(out, r->error ? error_name(r->error, name) : "");
	put_word(out, r->has_link ? record_place_name(r->place) : "");
	put_bytes(out, r->text, r->length);
	put_bytes(out, r->reply, r->reply_length);
	fputs("\r\n", out);
}

void csv_reply(FILE *out, const struct record_reply *r, const char *peer)
{
	put_head(out, "reply", r->session, r->stream, peer);
	put_time(out, r->number ? (int64_t)r->number : RECORD_NEVER);
	put_word(out, record_match_name(r->match));
	put_word(out, "");
	put_bool(out, r->reordered);
	put_bool(out, r->differs);
	put_bool(out, r->cut_short);
	fputs(",,,,", out);
	put_time(out, r->replied_at);
	put_time(out, r->rtt < 0 ? RECORD_NEVER : r->rtt);
	fputs(",,,,,,,,,", out);
	put_bytes(out, r->text, r->length);
	fputs("\r\n", out);
}
