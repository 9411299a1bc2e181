/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/event-line.h"

#include <errno.h>

#include "common/fnv.h"
#include "common/member.h"

/* The longest line that is read. */
#define LINE_SIZE 2000

/* Reads a number as the link writes it: all digits. Returns 0 or -1. */
static int number(const char *text, int base, uint64_t max, uint64_t *out)
{
	char *end;

	if (*text == '\0' || *text == '-' || *text == '+' || *text == ' ')
		return -1;
	errno = 0;
	*out = strtoull(text, &end, base);
	return errno || *end || *out > max ? -1 : 0;
}

#define KEY(key, member, base, max) \
	{ key, offsetof(struct packet_event, member), sizeof((struct packet_event){ 0 }.member), \
		base, max }
#define TEXT(key, member) KEY(key, member, 0, 0)

/* Base 0: a text. */
static const struct event_key {
	const char *key;
	size_t offset, size;
	int base;
	uint64_t max;
} keys[] = {
	TEXT("fate", fate_word),
	TEXT("marks", marks),
	TEXT("flags", flags),
	TEXT("src", source),
	TEXT("dst", target),
	KEY("in", in, 10, EVENT_LINE_TIME_MAX),
	KEY("out", out[0], 10, EVENT_LINE_TIME_MAX),
	KEY("out2", out[1], 10, EVENT_LINE_TIME_MAX),
	KEY("queue", queue, 10, INT32_MAX),
	KEY("queued", queued, 10, INT32_MAX),
	KEY("sport", source_port, 10, UINT16_MAX),
	KEY("dport", target_port, 10, UINT16_MAX),
	KEY("type", source_port, 10, UINT16_MAX),
	KEY("code", target_port, 10, UINT16_MAX),
	KEY("id", id, 10, UINT32_MAX),
	KEY("frag", offset, 10, UINT32_MAX),
	KEY("size", size, 10, UINT32_MAX),
	KEY("seq", seq, 10, UINT32_MAX),
	KEY("ack", ack, 10, UINT32_MAX),
	KEY("win", window, 10, UINT16_MAX),
	KEY("payload", length, 10, UINT32_MAX),
	KEY("hash", hash, 16, UINT64_MAX),
};

static int set_key(struct packet_event *e, const struct event_key *key, const char *value)
{
	char *to = (char *)e + key->offset;
	uint64_t wide;

	if (key->base == 0) {
		memcpy(to, &value, sizeof value);
		return 0;
	}
	if (number(value, key->base, key->max, &wide) < 0)
		return -1;
	member_set(to, key->size, wide);
	return 0;
}

static int set_data(struct packet_event *e, const char *value)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; value[0] && value[1] && n < EVENT_LINE_DATA; value += 2) {
		const char *high = strchr(digits, value[0]), *low = strchr(digits, value[1]);

		if (!high || !low)
			return -1;
		e->data[n++] = (unsigned char)((high - digits) << 4 | (low - digits));
	}
	e->data_length = n;
	return *value ? -1 : 0;
}

static int set(struct packet_event *e, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return 0;
	*value++ = '\0';
	if (strcmp(word, "data") == 0)
		return set_data(e, value);
	if (strcmp(word, "proto") == 0)
		for (int i = LINK_OTHER; i < LINK_PROTOCOLS; i++)
			if (strcmp(value, link_protocol_names[i]) == 0)
				e->protocol = (enum link_protocol)i;
	if (strcmp(word, "out") == 0 && e->copies < 1)
		e->copies = 1;
	if (strcmp(word, "out2") == 0)
		e->copies = 2;
	if (strcmp(word, "frag") == 0)
		e->fragment = true;
	if (strcmp(word, "queue") == 0)
		e->has_queue = true;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(word, keys[i].key) == 0)
			return set_key(e, &keys[i], value);
	return 0;
}

/* Of fates with the same short name it is the first. An unknown way to lose a packet is a loss. */
static enum link_fate fate_of(const char *word)
{
	int fate = 0, first = 0;

	if (*word == '\0')
		return LINK_NONE;
	if (strcmp(word, link_fate_names[LINK_CORRUPTED]) == 0)
		return LINK_CORRUPTED;
	while (fate < IMPAIR_FATES && strcmp(impair_fates[fate].word, word) != 0)
		fate++;
	if (fate == IMPAIR_FATES)
		return LINK_LOST;
	while (strcmp(impair_fates[first].name, impair_fates[fate].name) != 0)
		first++;
	return (enum link_fate)(1 + first);
}

/* Reads the first two words after the word that every line begins with. */
static int read_head(char *text, const char *begins, char **rest, uint64_t *serial,
    enum link_direction *direction)
{
	const char *word = strtok_r(text, " ", rest);

	if (!word || strcmp(word, begins) != 0 || !(word = strtok_r(NULL, " ", rest)) ||
	    number(word, 10, UINT64_MAX, serial) < 0 || !(word = strtok_r(NULL, " ", rest)))
		return -1;
	*direction = strcmp(word, link_direction_names[LINK_COMING]) == 0 ? LINK_COMING
	                                                                  : LINK_GOING;
	return strcmp(word, link_direction_names[*direction]) == 0 ? 0 : -1;
}

int event_line_parse(struct packet_event *e, char *line)
{
	char *rest = NULL, *word;

	/* An empty payload has no hash in the line. */
	*e = (struct packet_event){ .hash = FNV_START,
		.fate_word = "",
		.marks = "",
		.flags = "",
		.source = "",
		.target = "" };
	if (read_head(line, "event", &rest, &e->serial, &e->direction) < 0)
		return -1;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		if (set(e, word) < 0)
			return -1;
	e->fate = fate_of(e->fate_word);
	e->held = strstr(e->marks, "held") != NULL || strstr(e->marks, "reordered") != NULL;
	e->requested = e->fate == LINK_REQUESTED_DROP || strstr(e->marks, "cue") != NULL;
	e->syn = strchr(e->flags, 'S') != NULL;
	e->fin = strchr(e->flags, 'F') != NULL;
	e->rst = strchr(e->flags, 'R') != NULL;
	e->has_ack = strchr(e->flags, 'A') != NULL;
	return 0;
}

int event_line_read(struct packet_event *e, const char *line)
{
	char text[LINE_SIZE];

	if (strlen(line) >= sizeof text)
		return -1;
	strcpy(text, line);
	if (event_line_parse(e, text) < 0)
		return -1;
	e->fate_word = e->marks = e->flags = e->source = e->target = NULL;
	return e->fate == LINK_NONE || (e->fate == LINK_DELIVERED && e->copies == 0) ||
	               e->data_length > e->length
	         ? -1
	         : 0;
}

int event_line_read_undelivered(const char *line, uint64_t *serial, enum link_direction *direction)
{
	char text[LINE_SIZE], *rest = NULL;

	if (strlen(line) >= sizeof text)
		return -1;
	strcpy(text, line);
	return read_head(text, "undelivered", &rest, serial, direction);
}

/* --- words --- */

const char *const link_direction_names[LINK_DIRECTIONS] = { "there", "back" };
const char *const link_direction_words[LINK_DIRECTIONS] = { "going", "coming" };

const char *const link_protocol_names[LINK_PROTOCOLS] = { "other", "udp", "tcp", "icmp" };

const char *const link_fate_names[LINK_FATES] = {
	[LINK_NONE] = "none",
#define X(id, word, text, name, counted) [1 + IMPAIR_##id] = name,
	IMPAIR_FATE_LIST(X)
#undef X
	    [LINK_CORRUPTED] = "corrupted",
};

const char *link_fate_word(enum link_fate fate)
{
	return link_fate_names[fate > LINK_DELIVERED ? fate : LINK_LOST];
}

char *link_loss_text(enum link_fate fate, bool requested, enum link_direction direction, char *buf,
    size_t size)
{
	const bool drop = fate == LINK_REQUESTED_DROP;
	const char *word = drop ? "lost" : link_fate_word(fate);

	snprintf(buf, size, "%s%s %s%s", word, strchr(word, ',') ? "," : "",
	    link_direction_words[direction], drop || requested ? ", on cue" : "");
	return buf;
}
