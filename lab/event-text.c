/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/event-text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

#define MS_PER_S 1000

/* A packet as its event says it; "" and 0 for what is not there. */
struct parsed_event {
	const char *direction, *fate, *marks, *proto, *flags;
	int64_t in;
	unsigned long source, target, type, code, fragment, size, seq, payload;
	bool is_fragment;
};

#define TEXT(key, member) { key, offsetof(struct parsed_event, member), true }
#define NUMBER(key, member) { key, offsetof(struct parsed_event, member), false }

static const struct {
	const char *key;
	size_t at;
	bool text;
} keys[] = {
	TEXT("fate", fate),
	TEXT("marks", marks),
	TEXT("proto", proto),
	TEXT("flags", flags),
	NUMBER("sport", source),
	NUMBER("dport", target),
	NUMBER("type", type),
	NUMBER("code", code),
	NUMBER("frag", fragment),
	NUMBER("size", size),
	NUMBER("seq", seq),
	NUMBER("payload", payload),
};

static void take(struct parsed_event *s, const char *key, const char *value)
{
	const unsigned long number = strtoul(value, NULL, 10);

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].key, key) == 0 && keys[i].text)
			memcpy((char *)s + keys[i].at, &value, sizeof(value));
		else if (strcmp(keys[i].key, key) == 0)
			memcpy((char *)s + keys[i].at, &number, sizeof(number));
	}
	if (strcmp(key, "in") == 0)
		s->in = strtoll(value, NULL, 10);
	if (strcmp(key, "frag") == 0)
		s->is_fragment = true;
}

static bool take_apart(struct parsed_event *s, char *event)
{
	char *rest = NULL, *word = strtok_r(event, " ", &rest), *value;

	*s = (struct parsed_event){ .fate = "", .marks = "", .proto = "", .flags = "" };
	if (!word || strcmp(word, "event") != 0 || !strtok_r(NULL, " ", &rest) ||
	    !(s->direction = strtok_r(NULL, " ", &rest)))
		return false;
	while ((word = strtok_r(NULL, " ", &rest))) {
		if (!(value = strchr(word, '=')))
			continue;
		*value++ = 0;
		take(s, word, value);
	}
	return s->in > 0;
}

static struct event_text_flow *find_flow(struct event_text *t, const struct parsed_event *s,
    bool *fresh)
{
	uint64_t key = (uint64_t)(s->direction[0] == 't' ? 1 : 2) << 32 | s->source << 16 |
	               s->target;
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
static void add_retransmission(struct event_text *t, const struct parsed_event *s,
    struct text *line)
{
	bool opens = strchr(s->flags, 'S') != NULL, fresh;
	uint32_t length = (uint32_t)s->payload + opens + (strchr(s->flags, 'F') != NULL);
	uint32_t next = (uint32_t)s->seq + length;
	struct event_text_flow *flow;

	if (length == 0 || strcmp(s->proto, "tcp") != 0)
		return;
	flow = find_flow(t, s, &fresh);
	if (!fresh && (int32_t)(next - flow->next) <= 0) {
		text_put(line, "; again, after ");
		add_time(line, s->in - flow->last);
		text_put(line, " s");
	}
	if (fresh || (int32_t)(next - flow->next) > 0)
		flow->next = next;
	flow->last = s->in;
}

static void add_packet(const struct parsed_event *s, struct text *line)
{
	text_put(line, "  %-5s  %-4s ", s->direction, s->proto);
	if (strcmp(s->proto, "icmp") == 0)
		text_put(line, "type %lu code %lu", s->type, s->code);
	else if (s->source || s->target)
		text_put(line, "%lu > %lu", s->source, s->target);
	if (*s->flags)
		text_put(line, " %-2s", s->flags);
	if (s->is_fragment)
		text_put(line, " fragment at %lu", s->fragment);
	if (strcmp(s->proto, "icmp") != 0)
		text_put(line, " %lu bytes", s->payload);
	text_put(line, " (%lu)", s->size);
}

static void add_fate(const struct parsed_event *s, struct text *line)
{
	if (strcmp(s->fate, "delivered") == 0 || strcmp(s->fate, "corrupted") == 0)
		text_put(line, ": %s", s->fate);
	else
		text_put(line, ": LOST, %s%s", strcmp(s->fate, "cue") == 0 ? "on " : "", s->fate);
	if (*s->marks)
		text_put(line, ", %s", s->marks);
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
	struct parsed_event s;

	if (strncmp(event, changed, strlen(changed)) == 0)
		return event_text_change(t, event + strlen(changed), &line);
	if (!take_apart(&s, event))
		return false;
	add_moment(t, s.in, &line);
	add_packet(&s, &line);
	add_fate(&s, &line);
	add_retransmission(t, &s, &line);
	return true;
}
