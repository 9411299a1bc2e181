/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "trace/link-event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fnv.h"
#include "ledger/session-event.h"

/* The longest word that matters, and the longest line. */
#define WORD_MAX 200
#define LINE_MOST 2000

/* A number of a kind that the link writes: all digits. Returns 0 or -1. */
static int number(const char *text, int base, uint64_t max, uint64_t *out)
{
	char *end;

	if (*text == '\0' || *text == '-' || *text == '+' || *text == ' ')
		return -1;
	errno = 0;
	*out = strtoull(text, &end, base);
	return errno || *end || *out > max ? -1 : 0;
}

static int set_fate(struct packet_event *e, const char *value)
{
	const enum impair_fate fate = impair_fate_find(value);

	/* A way to lose it that is not known here is a loss. */
	e->fate = strcmp(value, "corrupted") == 0 ? LINK_CORRUPTED
	        : fate == IMPAIR_FATES            ? LINK_LOST
	                                          : (enum link_fate)(1 + fate);
	return 0;
}

static int set_marks(struct packet_event *e, const char *value)
{
	e->held = strstr(value, "held") != NULL || strstr(value, "reordered") != NULL;
	return 0;
}

static int set_protocol(struct packet_event *e, const char *value)
{
	e->protocol = strcmp(value, "udp") == 0  ? LINK_UDP
	            : strcmp(value, "tcp") == 0  ? LINK_TCP
	            : strcmp(value, "icmp") == 0 ? LINK_ICMP
	                                         : LINK_OTHER;
	return 0;
}

static int set_flags(struct packet_event *e, const char *value)
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

static int set_data(struct packet_event *e, const char *value)
{
	size_t n = 0;

	for (; value[0] && value[1] && n < LINK_EVENT_DATA; value += 2) {
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
	int (*set)(struct packet_event *e, const char *value);
} words[] = {
	{ "fate", set_fate },
	{ "marks", set_marks },
	{ "proto", set_protocol },
	{ "flags", set_flags },
	{ "data", set_data },
};

#define NUMBER(key, member, base, max) \
	{ key, offsetof(struct packet_event, member), sizeof((struct packet_event){ 0 }.member), \
		base, max }

static const struct {
	const char *key;
	size_t offset, size;
	int base;
	uint64_t max;
} numbers[] = {
	NUMBER("in", in, 10, SESSION_TIME_MAX),
	NUMBER("out", out[0], 10, SESSION_TIME_MAX),
	NUMBER("out2", out[1], 10, SESSION_TIME_MAX),
	NUMBER("sport", source_port, 10, UINT16_MAX),
	NUMBER("dport", target_port, 10, UINT16_MAX),
	NUMBER("id", id, 10, UINT32_MAX),
	NUMBER("frag", offset, 10, UINT32_MAX),
	NUMBER("seq", seq, 10, UINT32_MAX),
	NUMBER("ack", ack, 10, UINT32_MAX),
	NUMBER("payload", length, 10, UINT32_MAX),
	NUMBER("hash", hash, 16, UINT64_MAX),
};

/* Returns 0, also for a key that is not known, or -1. */
static int set_number(struct packet_event *e, const char *key, const char *value)
{
	uint64_t wide;
	size_t i = 0;

	while (i < sizeof numbers / sizeof *numbers && strcmp(key, numbers[i].key) != 0)
		i++;
	if (i == sizeof numbers / sizeof *numbers)
		return 0;
	if (number(value, numbers[i].base, numbers[i].max, &wide) < 0)
		return -1;
	const uint32_t word = (uint32_t)wide;
	const uint16_t half = (uint16_t)wide;

	memcpy((char *)e + numbers[i].offset,
	    numbers[i].size == sizeof half   ? (const void *)&half
	    : numbers[i].size == sizeof word ? (const void *)&word
	                                     : &wide,
	    numbers[i].size);
	if (strcmp(key, "out") == 0 && e->copies < 1)
		e->copies = 1;
	if (strcmp(key, "out2") == 0)
		e->copies = 2;
	if (strcmp(key, "frag") == 0)
		e->fragment = true;
	return 0;
}

static int set(struct packet_event *e, char *word)
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

static int read_way(const char *word, enum link_way *way)
{
	*way = word && strcmp(word, "back") == 0 ? LINK_COMING : LINK_GOING;
	return word && (*way == LINK_COMING || strcmp(word, "there") == 0) ? 0 : -1;
}

/* The first two words behind the one that every line begins with. */
static int read_head(char *text, const char *begins, char **rest, uint64_t *serial,
    enum link_way *way)
{
	const char *word = strtok_r(text, " ", rest);

	if (!word || strcmp(word, begins) != 0 || !(word = strtok_r(NULL, " ", rest)))
		return -1;
	return number(word, 10, UINT64_MAX, serial) < 0 ? -1
	                                                : read_way(strtok_r(NULL, " ", rest), way);
}

int link_event_read(struct packet_event *event, const char *line)
{
	char text[LINE_MOST], *rest = NULL, *word;

	/* An empty payload is told without its hash. */
	*event = (struct packet_event){ .fate = LINK_NONE, .hash = FNV_START };
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
	return event->fate == LINK_NONE || (event->fate == LINK_DELIVERED && event->copies == 0)
	         ? -1
	         : 0;
}

int link_event_read_undelivered(const char *line, uint64_t *serial, enum link_way *way)
{
	char text[WORD_MAX], *rest = NULL;

	if (strlen(line) >= sizeof text)
		return -1;
	strcpy(text, line);
	return read_head(text, "undelivered", &rest, serial, way);
}

const char *const link_fate_names[LINK_FATES] = {
	[LINK_NONE] = "none",
#define X(id, word, text, name) [1 + IMPAIR_##id] = name,
	IMPAIR_FATE_LIST(X)
#undef X
	    [LINK_CORRUPTED] = "corrupted",
};

const char *link_fate_word(enum link_fate fate)
{
	return link_fate_names[fate > LINK_DELIVERED ? fate : LINK_LOST];
}

char *link_event_died_words(enum link_fate fate, enum link_way way, char *buf, size_t size)
{
	if (fate == LINK_REQUESTED_DROP)
		snprintf(buf, size, "lost %s, on cue", link_way_word(way));
	else
		snprintf(buf, size, "%s %s", link_fate_word(fate), link_way_word(way));
	return buf;
}

const char *link_way_word(enum link_way way)
{
	return way == LINK_GOING ? "going" : "coming";
}
