/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "fnv.h"
#include "record.h"

/* The longest word that matters, and the longest line. */
#define WORD_MOST 200
#define LINE_MOST 2000

/* A number of a kind that the link writes: all digits. Returns 0 or -1. */
static int number(const char *text, int base, uint64_t most, uint64_t *out)
{
	char *end;

	if (*text == '\0' || *text == '-' || *text == '+' || *text == ' ')
		return -1;
	errno = 0;
	*out = strtoull(text, &end, base);
	return errno || *end || *out > most ? -1 : 0;
}

static int time_of(const char *text, int64_t *out)
{
	uint64_t value;

	if (number(text, 10, RECORD_TIME_MOST, &value) < 0)
		return -1;
	*out = (int64_t)value;
	return 0;
}

static int small(const char *text, uint64_t most, uint32_t *out)
{
	uint64_t value;

	if (number(text, 10, most, &value) < 0)
		return -1;
	*out = (uint32_t)value;
	return 0;
}

static int set_in(struct event *e, const char *value)
{
	return time_of(value, &e->in);
}

static int set_fate(struct event *e, const char *value)
{
	static const struct {
		const char *word;
		enum event_fate fate;
	} fates[] = {
		{ "delivered", EVENT_DELIVERED }, { "corrupted", EVENT_CORRUPTED }, { "random", EVENT_LOST },
		{ "burst", EVENT_LOST }, { "cue", EVENT_CUE }, { "room", EVENT_LOST }, { "queue", EVENT_QUEUE },
		{ "mtu", EVENT_TOO_BIG }, { "unplugged", EVENT_UNPLUGGED },
	};
	/* A way to lose it that is not known here is a loss. */
	e->fate = EVENT_LOST;
	for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
		if (strcmp(value, fates[i].word) == 0)
			e->fate = fates[i].fate;
	return 0;
}

static int set_out(struct event *e, const char *value)
{
	if (e->copies < 1)
		e->copies = 1;
	return time_of(value, &e->out[0]);
}

static int set_out2(struct event *e, const char *value)
{
	e->copies = 2;
	return time_of(value, &e->out[1]);
}

static int set_marks(struct event *e, const char *value)
{
	e->held = strstr(value, "held") != NULL || strstr(value, "reordered") != NULL;
	return 0;
}

static int set_protocol(struct event *e, const char *value)
{
	e->protocol = strcmp(value, "udp") == 0 ? EVENT_UDP : strcmp(value, "tcp") == 0 ? EVENT_TCP :
	    strcmp(value, "icmp") == 0 ? EVENT_ICMP : EVENT_OTHER;
	return 0;
}

static int set_port(const char *value, uint16_t *port)
{
	uint32_t n;

	if (small(value, UINT16_MAX, &n) < 0)
		return -1;
	*port = (uint16_t)n;
	return 0;
}

static int set_source(struct event *e, const char *value)
{
	return set_port(value, &e->source_port);
}

static int set_target(struct event *e, const char *value)
{
	return set_port(value, &e->target_port);
}

static int set_id(struct event *e, const char *value)
{
	return small(value, UINT32_MAX, &e->id);
}

static int set_fragment(struct event *e, const char *value)
{
	e->fragment = true;
	return small(value, UINT32_MAX, &e->offset);
}

static int set_seq(struct event *e, const char *value)
{
	return small(value, UINT32_MAX, &e->seq);
}

static int set_ack(struct event *e, const char *value)
{
	return small(value, UINT32_MAX, &e->ack);
}

static int set_flags(struct event *e, const char *value)
{
	e->syn = strchr(value, 'S') != NULL;
	e->fin = strchr(value, 'F') != NULL;
	e->rst = strchr(value, 'R') != NULL;
	e->has_ack = strchr(value, 'A') != NULL;
	return 0;
}

static int set_length(struct event *e, const char *value)
{
	return small(value, UINT32_MAX, &e->length);
}

static int set_hash(struct event *e, const char *value)
{
	return number(value, 16, UINT64_MAX, &e->hash);
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int set_data(struct event *e, const char *value)
{
	size_t n = 0;

	for (; value[0] && value[1] && n < EVENT_DATA; value += 2) {
		const int high = digit(value[0]), low = digit(value[1]);

		if (high < 0 || low < 0)
			return -1;
		e->data[n++] = (unsigned char)(high << 4 | low);
	}
	e->data_length = n;
	return *value ? -1 : 0;
}

static const struct {
	const char *key;
	int (*set)(struct event *e, const char *value);
} keys[] = {
	{ "in", set_in }, { "fate", set_fate }, { "out", set_out }, { "out2", set_out2 }, { "marks", set_marks },
	{ "proto", set_protocol }, { "sport", set_source }, { "dport", set_target }, { "id", set_id },
	{ "frag", set_fragment }, { "seq", set_seq }, { "ack", set_ack }, { "flags", set_flags },
	{ "payload", set_length }, { "hash", set_hash }, { "data", set_data },
};

static int set(struct event *e, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(word, keys[i].key) == 0)
			return keys[i].set(e, value);
	return 0;
}

static int read_way(const char *word, enum event_way *way)
{
	*way = word && strcmp(word, "back") == 0 ? EVENT_BACK : EVENT_THERE;
	return word && (*way == EVENT_BACK || strcmp(word, "there") == 0) ? 0 : -1;
}

/* The first two words behind the one that every line begins with. */
static int read_head(char *text, const char *begins, char **rest, uint64_t *serial, enum event_way *way)
{
	const char *word = strtok_r(text, " ", rest);

	if (!word || strcmp(word, begins) != 0 || !(word = strtok_r(NULL, " ", rest)))
		return -1;
	return number(word, 10, UINT64_MAX, serial) < 0 ? -1 : read_way(strtok_r(NULL, " ", rest), way);
}

int event_read(struct event *event, const char *line)
{
	char text[LINE_MOST], *rest = NULL, *word;

	/* An empty payload is told without its hash. */
	*event = (struct event){ .fate = EVENT_NONE, .hash = FNV_START };
	if (strlen(line) >= sizeof text)
		return -1;
	strcpy(text, line);
	if (read_head(text, "event", &rest, &event->serial, &event->way) < 0)
		return -1;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		if (set(event, word) < 0)
			return -1;
	if (event->data_length > event->length)
		return -1;
	/* What is let through has a time at which it leaves. */
	return event->fate == EVENT_NONE || (event->fate == EVENT_DELIVERED && event->copies == 0) ? -1 : 0;
}

int event_read_undelivered(const char *line, uint64_t *serial, enum event_way *way)
{
	char text[WORD_MOST], *rest = NULL;

	if (strlen(line) >= sizeof text)
		return -1;
	strcpy(text, line);
	return read_head(text, "undelivered", &rest, serial, way);
}

const char *const event_fate_names[EVENT_FATES] = {
	[EVENT_NONE] = "none", [EVENT_DELIVERED] = "delivered", [EVENT_LOST] = "lost", [EVENT_CORRUPTED] = "corrupted",
	[EVENT_QUEUE] = "queue full", [EVENT_TOO_BIG] = "too big", [EVENT_UNPLUGGED] = "unplugged", [EVENT_CUE] = "on cue",
};

const char *event_fate_word(enum event_fate fate)
{
	return event_fate_names[fate > EVENT_DELIVERED ? fate : EVENT_LOST];
}

char *event_died_words(enum event_fate fate, enum event_way way, char *buf, size_t size)
{
	if (fate == EVENT_CUE)
		snprintf(buf, size, "lost %s, on cue", event_way_word(way));
	else
		snprintf(buf, size, "%s %s", event_fate_word(fate), event_way_word(way));
	return buf;
}

const char *event_way_word(enum event_way way)
{
	return way == EVENT_THERE ? "going" : "coming";
}
