/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/link-event.h"
#include "common/fnv.h"
#include "record/record.h"

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

static int set_flags(struct event *e, const char *value)
{
	e->syn = strchr(value, 'S') != NULL;
	e->fin = strchr(value, 'F') != NULL;
	e->rst = strchr(value, 'R') != NULL;
	e->has_ack = strchr(value, 'A') != NULL;
	return 0;
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
} words[] = {
	{ "fate", set_fate }, { "marks", set_marks }, { "proto", set_protocol }, { "flags", set_flags }, { "data", set_data },
};

#define NUMBER(key, member, base, most) { key, offsetof(struct event, member), sizeof((struct event){0}.member), base, most }

static const struct {
	const char *key;
	size_t offset, size;
	int base;
	uint64_t most;
} numbers[] = {
	NUMBER("in", in, 10, RECORD_TIME_MOST), NUMBER("out", out[0], 10, RECORD_TIME_MOST),
	NUMBER("out2", out[1], 10, RECORD_TIME_MOST),
	NUMBER("sport", source_port, 10, UINT16_MAX), NUMBER("dport", target_port, 10, UINT16_MAX),
	NUMBER("id", id, 10, UINT32_MAX), NUMBER("frag", offset, 10, UINT32_MAX), NUMBER("seq", seq, 10, UINT32_MAX),
	NUMBER("ack", ack, 10, UINT32_MAX), NUMBER("payload", length, 10, UINT32_MAX), NUMBER("hash", hash, 16, UINT64_MAX),
};

/* Returns 0, also for a key that is not known, or -1. */
static int set_number(struct event *e, const char *key, const char *value)
{
	uint64_t wide;
	size_t i = 0;

	while (i < sizeof numbers / sizeof *numbers && strcmp(key, numbers[i].key) != 0)
		i++;
	if (i == sizeof numbers / sizeof *numbers)
		return 0;
	if (number(value, numbers[i].base, numbers[i].most, &wide) < 0)
		return -1;
	const uint32_t word = (uint32_t)wide;
	const uint16_t half = (uint16_t)wide;

	memcpy((char *)e + numbers[i].offset, numbers[i].size == sizeof half ? (const void *)&half :
	    numbers[i].size == sizeof word ? (const void *)&word : &wide, numbers[i].size);
	if (strcmp(key, "out") == 0 && e->copies < 1)
		e->copies = 1;
	if (strcmp(key, "out2") == 0)
		e->copies = 2;
	if (strcmp(key, "frag") == 0)
		e->fragment = true;
	return 0;
}

static int set(struct event *e, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i].key) == 0)
			return words[i].set(e, value);
	return set_number(e, word, value);
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
