/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/link/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fnv.h"
#include "common/text.h"

/* Bytes of payload shown: most typed lines are shorter. */
#define DATA_BYTES 64
/* The longest line: all keys, two IPv6 addresses, the data. */
#define LINE_SIZE 768

bool events_match(const struct event_filter *filter, const struct packet *p)
{
	if (!filter->on || filter->count == 0 || (p->kind != PACKET_UDP && p->kind != PACKET_TCP))
		return filter->on;
	for (int i = 0; i < filter->count; i++)
		if (p->source_port == filter->ports[i] || p->target_port == filter->ports[i])
			return true;
	return false;
}

static void add_decision(struct text *line, const struct link_event *event)
{
	const struct impair_decision *v = event->decision;
	char marks[40];

	text_put(line, "event %" PRIu64 " %s in=%" PRId64 " fate=%s", event->serial,
	    link_direction_name(event->direction), event->in,
	    v->flip >= 0 ? "corrupted" : impair_fate_word(v->fate));
	if (v->copies > 0)
		text_put(line, " out=%" PRId64, v->at[0]);
	if (v->copies > 1)
		text_put(line, " out2=%" PRId64, v->at[1]);
	snprintf(marks, sizeof marks, "%s%s%s", v->copies > 1 ? ",duplicated" : "",
	    v->held ? ",held" : "", v->reordered ? ",reordered" : "");
	if (marks[0])
		text_put(line, " marks=%s", marks + 1);
}

static void add_headers(struct text *line, const struct packet *p)
{
	static const char *const names[] = {
		[PACKET_OTHER] = "other",
		[PACKET_UDP] = "udp",
		[PACKET_TCP] = "tcp",
		[PACKET_ICMP] = "icmp",
	};
	char source[46], target[46], flags[8];

	packet_hosts(p, source, target);
	text_put(line, " proto=%s src=%s dst=%s", names[p->kind], source, target);
	if (p->kind == PACKET_UDP || p->kind == PACKET_TCP)
		text_put(line, " sport=%u dport=%u", p->source_port, p->target_port);
	else if (p->kind == PACKET_ICMP)
		text_put(line, " type=%u code=%u", p->source_port, p->target_port);
	text_put(line, " id=%" PRIu32, p->id);
	if (p->fragment)
		text_put(line, " frag=%d", p->offset);
	text_put(line, " size=%d", p->size);
	if (p->kind == PACKET_TCP)
		text_put(line, " seq=%" PRIu32 " ack=%" PRIu32 " flags=%s win=%u", p->seq, p->ack,
		    packet_flags_text(p, flags), p->window);
}

static void add_payload(struct text *line, const struct packet *p)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *payload = p->bytes + p->payload;
	char hex[DATA_BYTES * 2 + 1];
	int n = 0;

	text_put(line, " payload=%d", p->length);
	if (p->length == 0)
		return;
	for (; n < DATA_BYTES && n < p->length; n++) {
		hex[2 * n] = digits[payload[n] >> 4];
		hex[2 * n + 1] = digits[payload[n] & 15];
	}
	hex[2 * n] = '\0';
	text_put(line, " hash=%016" PRIx64 " data=%s", fnv_hash(payload, (size_t)p->length), hex);
}

void events_print(const struct link_event *event, struct send_buffer *out)
{
	char buf[LINE_SIZE];
	struct text line = text_begin(buf, sizeof buf);

	add_decision(&line, event);
	add_headers(&line, event->packet);
	add_payload(&line, event->packet);
	text_put(&line, "\n");
	send_buffer_add(out, buf, strlen(buf));
}

void events_print_undelivered(uint64_t serial, enum link_direction direction,
    struct send_buffer *out)
{
	send_buffer_print(out, "undelivered %" PRIu64 " %s\n", serial,
	    link_direction_name(direction));
}

void events_print_changed(int64_t at, const char *change, struct send_buffer *out)
{
	send_buffer_print(out, "changed %" PRId64 " %s\n", at, change);
}
