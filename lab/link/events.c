/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/link/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/event-line.h"
#include "common/fnv.h"

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

/* "duplicated,held" behind a comma, or "". Returns `buf`. */
static const char *marks_text(const struct impair_decision *v, char buf[40])
{
	snprintf(buf, 40, "%s%s%s", v->copies > 1 ? ",duplicated" : "", v->held ? ",held" : "",
	    v->reordered ? ",reordered" : "");
	return buf;
}

void events_print(const struct link_event *event, struct send_buffer *out)
{
	static const enum link_protocol protocols[] = {
		[PACKET_OTHER] = LINK_OTHER,
		[PACKET_UDP] = LINK_UDP,
		[PACKET_TCP] = LINK_TCP,
		[PACKET_ICMP] = LINK_ICMP,
	};
	const struct packet *p = event->packet;
	const struct impair_decision *v = event->decision;
	const uint8_t *payload = p->bytes + p->payload;
	char marks[40], flags[8], source[46], target[46], buf[LINE_SIZE];
	struct text line = text_begin(buf, sizeof buf);
	struct packet_event e = {
		.serial = event->serial,
		.way = event->direction == LINK_THERE ? LINK_GOING : LINK_COMING,
		.fate_word = v->flip >= 0 ? "corrupted" : impair_fate_word(v->fate),
		.in = event->in,
		.out = { v->at[0], v->at[1] },
		.copies = v->copies,
		.marks = *marks_text(v, marks) ? marks + 1 : "",
		.protocol = protocols[p->kind],
		.source = source,
		.target = target,
		.source_port = p->source_port,
		.target_port = p->target_port,
		.id = p->id,
		.fragment = p->fragment,
		.offset = (uint32_t)p->offset,
		.size = (uint32_t)p->size,
		.seq = p->seq,
		.ack = p->ack,
		.flags = packet_flags_text(p, flags),
		.window = p->window,
		.length = (uint32_t)p->length,
		.hash = fnv_hash(payload, (size_t)p->length),
		.data_length = p->length < EVENT_LINE_DATA ? (size_t)p->length : EVENT_LINE_DATA,
	};

	packet_hosts(p, source, target);
	memcpy(e.data, payload, e.data_length);
	event_line_put(&line, &e);
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
