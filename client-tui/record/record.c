/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/record.h"

#include <time.h>

#include "common/grow.h"
#include "common/utf8.h"

/* --- lines and their packets --- */

static int64_t shifted(int64_t at, int64_t by)
{
	return at == RECORD_NEVER ? at : at + by;
}

struct trace_leg record_leg_shifted(const struct trace_leg *leg, int64_t by)
{
	struct trace_leg l = *leg;

	l.first_in = shifted(l.first_in, by);
	l.last_in = shifted(l.last_in, by);
	l.first_out = shifted(l.first_out, by);
	l.last_out = shifted(l.last_out, by);
	return l;
}

struct link_packet record_packet_shifted(const struct link_packet *packet, int64_t by)
{
	struct link_packet p = *packet;

	p.in = shifted(p.in, by);
	p.out = shifted(p.out, by);
	p.out2 = shifted(p.out2, by);
	return p;
}

void record_free(struct record *r)
{
	free(r->duplicate_at);
	free((void *)(uintptr_t)r->row.text);
	free((void *)(uintptr_t)r->row.reply);
	free(r->legs);
	free(r->packets);
	*r = (struct record){ .session = 0 };
}

const char *record_flags_name(const struct link_packet *p)
{
	if (p->syn)
		return p->ack ? "SYN-ACK" : "SYN";
	return p->rst ? "RST" : p->fin ? "FIN" : p->ack && !p->payload ? "ACK" : NULL;
}

int record_flags(const char *name, struct link_packet *p)
{
	const bool syn_ack = strcmp(name, "SYN-ACK") == 0;

	p->syn = syn_ack || strcmp(name, "SYN") == 0;
	p->rst = strcmp(name, "RST") == 0;
	p->fin = strcmp(name, "FIN") == 0;
	p->ack = syn_ack || p->fin || strcmp(name, "ACK") == 0;
	return p->syn || p->rst || p->ack ? 0 : -1;
}

/* --- events --- */

int record_event_copy(struct session_event *to, const struct session_event *e)
{
	*to = *e;
	to->text = strdup(e->text);
	to->there = e->there ? strdup(e->there) : NULL;
	to->back = e->back ? strdup(e->back) : NULL;
	to->packets = grow_copy(e->packets, e->packet_count * sizeof *to->packets);
	if (to->text && !to->there == !e->there && !to->back == !e->back && to->packets)
		return 0;
	record_event_free(to);
	return -1;
}

void record_event_free(struct session_event *e)
{
	free(e->text);
	free(e->there);
	free(e->back);
	free(e->packets);
}

/* --- the date --- */

char *record_date(int64_t wall, char buf[RECORD_DATE_SIZE])
{
	const int64_t ns = (wall % 1000000000 + 1000000000) % 1000000000;
	const time_t seconds = (time_t)((wall - ns) / 1000000000);
	struct tm tm;
	const size_t used = strftime(buf, RECORD_DATE_SIZE, "%Y-%m-%dT%H:%M:%S",
	    gmtime_r(&seconds, &tm));

	snprintf(buf + used, RECORD_DATE_SIZE - used, ".%09" PRId64 "Z", ns);
	return buf;
}

/* --- bytes --- */

bool record_is_text(const unsigned char *bytes, size_t n, bool controls)
{
	for (size_t at = 0; at < n;) {
		const size_t length = controls ? utf8_character(bytes + at, n - at)
		                               : utf8_harmless(bytes + at, n - at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *record_base64(const unsigned char *bytes, size_t n)
{
	char *text = n <= SIZE_MAX / 2 ? malloc((n + 2) / 3 * 4 + 1) : NULL, *to = text;

	for (size_t at = 0; text && at < n; at += 3) {
		unsigned group = 0;

		for (size_t i = at; i < at + 3; i++)
			group = group << 8 | (i < n ? bytes[i] : 0);
		for (size_t i = 0; i < 4; i++)
			*to++ = at + i <= n ? digits[group >> (18 - 6 * i) & 63] : '=';
	}
	if (text)
		*to = '\0';
	return text;
}

/* Decodes four characters, the last `padding` of them "=". Returns 0 or -1. */
static int take_group(const char *text, size_t padding, unsigned char *to)
{
	unsigned group = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *at = i < 4 - padding ? memchr(digits, text[i], 64) : digits;

		if (!at)
			return -1;
		group = group << 6 | (unsigned)(at - digits);
	}
	for (size_t i = 0; i < 3 - padding; i++)
		to[i] = (unsigned char)(group >> (16 - 8 * i));
	/* The unused bits of padding must be zero, so that equal bytes have equal texts. */
	return padding && (group & ((1u << (8 * padding)) - 1)) ? -1 : 0;
}

unsigned char *record_from_base64(const char *text, size_t n, size_t *length)
{
	const bool whole = n % 4 == 0;
	const size_t padding = n == 0 || !whole || text[n - 1] != '=' ? 0
	                     : text[n - 2] != '='                     ? 1
	                                                              : 2;
	unsigned char *bytes = whole ? malloc(n / 4 * 3 + 1) : NULL;

	for (size_t at = 0; bytes && at < n; at += 4) {
		if (take_group(text + at, at + 4 == n ? padding : 0, bytes + at / 4 * 3) == 0)
			continue;
		free(bytes);
		return NULL;
	}
	*length = n / 4 * 3 - padding;
	return bytes;
}
