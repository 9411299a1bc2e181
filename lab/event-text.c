/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/event-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/event-line.h"
#include "common/text.h"

#define MS_PER_S 1000

static struct event_text_flow *find_flow(struct event_text *t, const struct packet_event *e,
    bool *fresh)
{
	const uint64_t key = (uint64_t)(e->way == LINK_GOING ? 1 : 2) << 32 |
	                     (uint64_t)e->source_port << 16 | e->target_port;
	struct event_text_flow *flow;

	*fresh = false;
	for (size_t i = 0; i < EVENT_TEXT_FLOWS; i++) {
		if (t->flows[i].key == key)
			return &t->flows[i];
	}
	flow = &t->flows[t->oldest++ % EVENT_TEXT_FLOWS];
	*flow = (struct event_text_flow){ .key = key };
	*fresh = true;
	return flow;
}

static void add_time(struct text *line, int64_t ns)
{
	long long ms = ns / NS_PER_MS + (ns % NS_PER_MS >= NS_PER_MS / 2);

	text_put(line, "%lld.%03lld", ms / MS_PER_S, ms % MS_PER_S);
}

/* Bytes, a SYN and a FIN take numbers; a number that was used before means that it is sent once
 * more. */
static void add_retransmission(struct event_text *t, const struct packet_event *e,
    struct text *line)
{
	const uint32_t length = e->length + e->syn + e->fin, next = e->seq + length;
	struct event_text_flow *flow;
	bool fresh;

	if (length == 0 || e->protocol != LINK_TCP)
		return;
	flow = find_flow(t, e, &fresh);
	if (!fresh && (int32_t)(next - flow->next) <= 0) {
		text_put(line, "; again, after ");
		add_time(line, e->in - flow->last);
		text_put(line, " s");
	}
	if (fresh || (int32_t)(next - flow->next) > 0)
		flow->next = next;
	flow->last = e->in;
}

static void add_packet(const struct packet_event *e, struct text *line)
{
	text_put(line, "  %-5s  %-4s ", link_way_name(e->way), link_protocol_name(e->protocol));
	if (e->protocol == LINK_ICMP)
		text_put(line, "type %u code %u", e->source_port, e->target_port);
	else if (e->source_port || e->target_port)
		text_put(line, "%u > %u", e->source_port, e->target_port);
	if (*e->flags)
		text_put(line, " %-2s", e->flags);
	if (e->fragment)
		text_put(line, " fragment at %" PRIu32, e->offset);
	if (e->protocol != LINK_ICMP)
		text_put(line, " %" PRIu32 " bytes", e->length);
	text_put(line, " (%" PRIu32 ")", e->size);
}

static void add_fate(const struct packet_event *e, struct text *line)
{
	if (e->fate == LINK_DELIVERED || e->fate == LINK_CORRUPTED)
		text_put(line, ": %s", e->fate_word);
	else
		text_put(line, ": LOST, %s%s", e->fate == LINK_REQUESTED_DROP ? "on " : "",
		    e->fate_word);
	if (*e->marks)
		text_put(line, ", %s", e->marks);
}

static void add_moment(struct event_text *t, int64_t at, struct text *line)
{
	if (!t->begun) {
		t->begun = true;
		t->start = at;
	}
	add_time(line, at - t->start);
}

/* "changed NS KIND WORDS". */
static bool event_text_change(struct event_text *t, const char *event, struct text *line)
{
	char *words;
	int64_t at = strtoll(event, &words, 10);

	if (at <= 0 || *words != ' ')
		return false;
	add_moment(t, at, line);
	text_put(line, "  link  %s", words);
	return true;
}

bool event_text_line(struct event_text *t, char *event, char text[EVENT_TEXT_LINE])
{
	static const char changed[] = "changed ";
	struct text line = text_begin(text, EVENT_TEXT_LINE);
	struct packet_event e;

	if (strncmp(event, changed, strlen(changed)) == 0)
		return event_text_change(t, event + strlen(changed), &line);
	if (event_line_parse(&e, event) < 0 || e.in <= 0)
		return false;
	add_moment(t, e.in, &line);
	add_packet(&e, &line);
	add_fate(&e, &line);
	add_retransmission(t, &e, &line);
	return true;
}
