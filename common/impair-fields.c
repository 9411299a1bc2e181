/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/impair-fields.h"

#include <math.h>
#include <strings.h>

#include "common/clock.h"
#include "common/member.h"
#include "common/text.h"
#include "common/units.h"

/* A new setting that draws random numbers has a generator of its own (a stream from 2 on), so that
 * the runs of old seeds stay as they are. The option --mtu is the hosts' own. */
const struct impair_field impair_fields[IMPAIR_FIELD_COUNT] = {
#define NAMES(name, option) name, { option, option "-there", option "-back" }
#define MEMBER(member) \
	offsetof(struct impair_settings, member), sizeof((struct impair_settings *)NULL)->member
	[IMPAIR_FIELD_loss] = { NAMES("loss", "loss"), "SHARE", "lose packets, each on its own",
	    "20%", "0% 0.1% 0.5% 1% 2% 5% 10% 15% 20% 25% 30% 40% 50% 60% 70% 80% 90% 100%",
	    IMPAIR_SHARE, MEMBER(loss), IMPAIR_FIELD_loss, false },
	[IMPAIR_FIELD_burst] = { NAMES("burst", "burst"), "PACKETS",
	    "lose in bursts of this mean length", "4", "off 2 3 4 5 8 10 20 50", IMPAIR_BURST,
	    MEMBER(burst), IMPAIR_FIELD_loss, false },
	[IMPAIR_FIELD_delay] = { NAMES("delay", "delay"), "TIME", "how long each packet travels",
	    "50ms", "0ms 1ms 2ms 5ms 10ms 20ms 50ms 100ms 150ms 200ms 300ms 500ms 700ms 1s 2s 5s",
	    IMPAIR_TIME, MEMBER(delay), IMPAIR_FIELD_delay, false },
	[IMPAIR_FIELD_jitter] = { NAMES("jitter", "jitter"), "TIME",
	    "how much that varies, more and less", "10ms",
	    "0ms 1ms 2ms 5ms 10ms 20ms 50ms 100ms 200ms 500ms 1s", IMPAIR_TIME, MEMBER(jitter),
	    IMPAIR_FIELD_jitter, false },
	[IMPAIR_FIELD_distribution] = { NAMES("distribution", "distribution"), "KIND",
	    "of the jitter: uniform or normal", "normal", "uniform normal", IMPAIR_WORD,
	    MEMBER(distribution), IMPAIR_FIELD_jitter, false },
	[IMPAIR_FIELD_order] = { NAMES("order", "order"), "WHAT",
	    "kept, or free: packets may overtake", "free", "kept free", IMPAIR_WORD,
	    MEMBER(any_order), IMPAIR_FIELD_jitter, false },
	[IMPAIR_FIELD_duplicate] = { NAMES("duplicate", "duplicate"), "SHARE",
	    "deliver packets twice", "1%", "0% 1% 2% 5% 10% 20% 30% 50% 100%", IMPAIR_SHARE,
	    MEMBER(duplicate), IMPAIR_FIELD_duplicate, false },
	[IMPAIR_FIELD_reorder] = { NAMES("reorder", "reorder"), "SHARE",
	    "hold back while later packets pass", "5%", "0% 1% 2% 5% 10% 20% 30% 50% 100%",
	    IMPAIR_SHARE, MEMBER(reorder), IMPAIR_FIELD_reorder, false },
	[IMPAIR_FIELD_reorder_by] = { NAMES("reorder-by", "reorder-by"), "TIME",
	    "how long these are held back", "10ms",
	    "1ms 2ms 5ms 10ms 20ms 50ms 100ms 200ms 500ms 1s", IMPAIR_TIME, MEMBER(reorder_by),
	    IMPAIR_FIELD_reorder, false },
	[IMPAIR_FIELD_corrupt] = { NAMES("corrupt", "corrupt"), "SHARE", "flip one bit of packets",
	    "1%", "0% 0.1% 0.5% 1% 2% 5% 10% 20% 30% 50% 100%", IMPAIR_SHARE, MEMBER(corrupt),
	    IMPAIR_FIELD_corrupt, .packets_only = true },
	[IMPAIR_FIELD_rate] = { NAMES("rate", "rate"), "RATE",
	    "bits a second that the link carries", "1mbit",
	    "10kbit 20kbit 50kbit 100kbit 200kbit 500kbit 1mbit 2mbit 5mbit 10mbit 20mbit 50mbit"
	    " 100mbit 1gbit off",
	    IMPAIR_RATE, MEMBER(rate), IMPAIR_FIELD_rate, false },
	[IMPAIR_FIELD_queue] = { NAMES("queue", "queue"), "SIZE",
	    "what may wait: packets (p) or bytes", "100p",
	    "1p 2p 5p 10p 20p 50p 100p 200p 500p 1000p 2000p", IMPAIR_QUEUE, MEMBER(queue_packets),
	    IMPAIR_FIELD_rate, false },
	[IMPAIR_FIELD_mtu] = { NAMES("mtu", "link-mtu"), "BYTES", "the largest packet that passes",
	    "1400", "68 296 576 1000 1280 1400 1500 off", IMPAIR_SIZE, MEMBER(mtu),
	    IMPAIR_FIELD_mtu, .packets_only = true },
	[IMPAIR_FIELD_icmp] = { NAMES("icmp", "no-icmp"), NULL,
	    "send no ICMP error for a packet that is too big", "none", "sent none", IMPAIR_WORD,
	    MEMBER(no_icmp), IMPAIR_FIELD_mtu, .packets_only = true },
#undef NAMES
#undef MEMBER
};

/* Rates of access links as sold, and delays as measured, vary widely; these are typical and round,
 * so that they can be checked by hand. `there` is the way up, from the near host. */
const struct impair_preset impair_presets[] = {
#define SAME(settings) settings, settings
	{ "none", "a perfect wire", SAME("") },
	{ "classroom", "a fifth is lost each way", SAME("loss 20% delay 20ms") },
	{ "lan", "a gigabit switch", SAME("delay 100us rate 1gbit") },
	{ "wifi", "a good wireless network",
	    SAME("loss 0.5% burst 2 delay 2ms jitter 1ms rate 100mbit queue 500p") },
	{ "wifi-far", "wireless through two walls",
	    SAME("loss 8% burst 4 delay 8ms jitter 6ms rate 6mbit") },
	{ "dsl", "a telephone line", "delay 12ms jitter 1ms rate 1mbit queue 50p",
	    "delay 12ms jitter 1ms rate 16mbit queue 200p" },
	{ "lte", "a mobile telephone, 4G", "loss 0.1% delay 22ms jitter 6ms rate 10mbit queue 400p",
	    "loss 0.1% delay 22ms jitter 6ms rate 40mbit queue 800p" },
	{ "3g", "a mobile telephone, 3G", "loss 0.5% burst 3 delay 60ms jitter 15ms rate 400kbit",
	    "loss 0.5% burst 3 delay 60ms jitter 15ms rate 2mbit" },
	{ "edge", "a mobile telephone, 2.5G",
	    "loss 1% delay 200ms jitter 50ms rate 100kbit queue 50p",
	    "loss 1% delay 200ms jitter 50ms rate 200kbit queue 50p" },
	{ "satellite", "by a geostationary satellite, 36,000 km up",
	    "loss 0.5% burst 5 delay 280ms jitter 5ms rate 3mbit queue 300p",
	    "loss 0.5% burst 5 delay 280ms jitter 5ms rate 20mbit queue 1000p" },
	{ "leo", "by low satellites that hand over",
	    "loss 1% burst 10 delay 20ms jitter 8ms rate 15mbit",
	    "loss 1% burst 10 delay 20ms jitter 8ms rate 100mbit queue 500p" },
	{ "modem", "56k over the telephone", "delay 90ms jitter 5ms rate 34kbit queue 20p",
	    "delay 90ms jitter 5ms rate 50kbit queue 20p" },
	{ "congested", "nothing is noise, all loss is a full queue",
	    SAME("delay 20ms rate 200kbit queue 8p") },
	{ "chaos", "duplicates, overtaking and damage",
	    SAME("delay 20ms jitter 10ms order free duplicate 10% reorder 10% corrupt 5%") },
#undef SAME
	{ .name = NULL },
};

enum impair_field_id impair_field_find(const char *name)
{
	int id = 0;
	while (id < IMPAIR_FIELD_COUNT && strcmp(impair_fields[id].name, name))
		id++;
	return id;
}

static int refuse(char reason[IMPAIR_REASON], const char *text)
{
	return text_refuse(reason, IMPAIR_REASON, "%s", text);
}

/* Reads digits with at most one point among them; `end` is what follows. strtod() would follow the
 * locale and accept "inf" and "0x1p3". Returns 0, or -1 without a digit. */
static int decimal(const char *text, double *out, const char **end)
{
	double value = 0, unit = 1;
	int digits = 0, points = 0;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !points); text++) {
		if (*text == '.') {
			points = 1;
			continue;
		}
		if (++digits > 15)
			return -1;
		value = value * 10 + (*text - '0');
		unit *= points ? 10 : 1;
	}
	*out = value / unit;
	*end = text;
	return digits > 0 ? 0 : -1;
}

static int read_share(const char *text, double *out, char reason[IMPAIR_REASON])
{
	const char *end;
	double value;

	if (decimal(text, &value, &end))
		return refuse(reason, "is not a share, 0% to 100%");
	if (!strcmp(end, "%"))
		value /= 100;
	else if (*end)
		return refuse(reason, "is not a share, 0% to 100%");
	else if (value == 1)
		return refuse(reason, "could mean percent or all: write 1% or 100%");
	else if (value > 1)
		return refuse(reason, "needs its percent sign");
	if (value > 1)
		return refuse(reason, "is more than 100%");
	*out = value;
	return 0;
}

/* A bare number is refused, unlike elsewhere: "delay 50" means ms and would be read as seconds. */
static int read_time(const char *text, int64_t *out, char reason[IMPAIR_REASON])
{
	int64_t ns;

	if (units_duration(text, &ns))
		return refuse(reason, "is not a time");
	if (ns > 0 && !text[strspn(text, "0123456789.")])
		return refuse(reason, "needs its unit, ms or s");
	if (ns > IMPAIR_DELAY_MAX)
		return refuse(reason, "is more than 60s");
	*out = ns;
	return 0;
}

static int read_burst(const char *text, double *out, char reason[IMPAIR_REASON])
{
	const char *end;
	double value;

	if (decimal(text, &value, &end) || *end)
		return refuse(reason, "is not a number of packets");
	if (value != 0 && (value < 1 || value > 1e6))
		return refuse(reason, "is not from 1 to 1000000 packets");
	*out = value;
	return 0;
}

static int read_rate(const char *text, int64_t *out, char reason[IMPAIR_REASON])
{
	static const char *const prefixes[] = { "", "k", "m", "g" };
	static const double factors[] = { 1, 1e3, 1e6, 1e9 };
	const char *end, *unit;
	double value;
	int i = 3;

	if (decimal(text, &value, &end))
		return refuse(reason, "is not a rate in bit/s");
	while (strncasecmp(end, prefixes[i], strlen(prefixes[i])) != 0)
		i--;
	unit = end + strlen(prefixes[i]);
	unit += strncasecmp(unit, "bit", 3) == 0 ? 3 : 0;
	if (*unit && (unit == end || strcmp(unit, "/s") != 0))
		return refuse(reason, "is not a rate in bit/s");
	value *= factors[i];
	if (value != 0 && (value < IMPAIR_RATE_MIN || value > (double)IMPAIR_RATE_MAX))
		return refuse(reason, "is not from 1kbit to 100gbit");
	*out = (int64_t)(value + 0.5);
	return 0;
}

static int read_queue(const char *text, struct impair_settings *s, char reason[IMPAIR_REASON])
{
	const char *end;
	int64_t bytes = 0;
	double packets;

	if (decimal(text, &packets, &end))
		return refuse(reason, "is not a queue in packets or bytes");
	if (!*end)
		return refuse(reason, "could mean packets or bytes: write 100p or 64kB");
	if (!strcmp(end, "p")) {
		if (packets < 1 || packets > IMPAIR_QUEUE_PACKETS_MAX ||
		    memchr(text, '.', strlen(text)))
			return refuse(reason, "is not from 1p to 100000p");
	} else if (units_bytes(text, 1, IMPAIR_QUEUE_BYTES_MAX, &bytes)) {
		return refuse(reason, "is not from 1B to 100MB, nor packets");
	}
	s->queue_packets = bytes ? 0 : (int32_t)packets;
	s->queue_bytes = bytes;
	return 0;
}

static int read_size(const char *text, int32_t *out, char reason[IMPAIR_REASON])
{
	int64_t bytes = 0;

	if (strcmp(text, "0") && units_bytes(text, IMPAIR_MTU_MIN, IMPAIR_MTU_MAX, &bytes))
		return refuse(reason, "is not a number of bytes, 68 to 65535");
	*out = (int32_t)bytes;
	return 0;
}

static const void *at(const struct impair_settings *s, enum impair_field_id id)
{
	return (const char *)s + impair_fields[id].at;
}

static void switch_off(struct impair_settings *s, enum impair_field_id id)
{
	const struct impair_settings perfect = impair_perfect();

	memcpy((char *)s + impair_fields[id].at, at(&perfect, id), impair_fields[id].size);
	if (impair_fields[id].kind == IMPAIR_QUEUE)
		s->queue_bytes = 0;
}

size_t impair_fields_word(const char **text, char word[IMPAIR_VALUE])
{
	*text += strspn(*text, " ,\t");
	size_t n = strcspn(*text, " ,\t");
	snprintf(word, IMPAIR_VALUE, "%.*s", (int)n, *text);
	*text += n;
	return n;
}

/* Reads one of the setting's two words, which are the steps of the panel: 0 or 1. */
static int read_word(const char *text, const struct impair_field *f, void *to,
    char reason[IMPAIR_REASON])
{
	const char *steps = f->steps;
	char words[2][IMPAIR_VALUE];
	int word = 0;

	impair_fields_word(&steps, words[0]);
	impair_fields_word(&steps, words[1]);
	while (word < 2 && strcmp(text, words[word]) != 0)
		word++;
	if (word == 2)
		return text_refuse(reason, IMPAIR_REASON, "is neither %s nor %s", words[0],
		    words[1]);
	member_set(to, f->size, (uint64_t)word);
	return 0;
}

int impair_fields_set(struct impair_settings *s, enum impair_field_id id, const char *value,
    char reason[IMPAIR_REASON])
{
	void *to = (char *)s + impair_fields[id].at;

	if (!strcmp(value, "off")) {
		switch_off(s, id);
		return 0;
	}
	switch (impair_fields[id].kind) {
	case IMPAIR_SHARE:
		return read_share(value, to, reason);
	case IMPAIR_BURST:
		return read_burst(value, to, reason);
	case IMPAIR_TIME:
		return read_time(value, to, reason);
	case IMPAIR_WORD:
		return read_word(value, &impair_fields[id], to, reason);
	case IMPAIR_RATE:
		return read_rate(value, to, reason);
	case IMPAIR_QUEUE:
		return read_queue(value, s, reason);
	case IMPAIR_SIZE:
		return read_size(value, to, reason);
	}
	return -1;
}

/* Writes at most `places` decimals, without zeros at the end. */
static void put_decimal(struct text *t, double value, int places)
{
	const char *digits = TEXT_DECIMAL(value, places);
	size_t n = strlen(digits);

	while (digits[n - 1] == '0')
		n--;
	n -= digits[n - 1] == '.';
	text_put(t, "%.*s", (int)n, digits);
}

struct scale {
	int64_t unit;
	const char *name;
};

/* Writes the value in the largest unit in which it has three places at most. */
static void put_scaled(struct text *t, int64_t value, const struct scale *s)
{
	while (s->unit > 1 && (value < s->unit || (s->unit >= 1000 && value % (s->unit / 1000))))
		s++;
	put_decimal(t, (double)value / (double)s->unit, 3);
	text_put(t, "%s", s->name);
}

char *impair_fields_get(const struct impair_settings *s, enum impair_field_id id,
    char buf[IMPAIR_VALUE])
{
	static const struct scale times[] = { { NS_PER_S, "s" }, { NS_PER_MS, "ms" },
		{ NS_PER_US, "us" }, { 1, "ns" } };
	static const struct scale rates[] = { { 1000000000, "gbit" }, { 1000000, "mbit" },
		{ 1000, "kbit" }, { 1, "bit" } };
	static const struct scale zero = { 1, "ms" };
	static const struct scale sizes[] = { { 1000000, "MB" }, { 1000, "kB" }, { 1, "B" } };
	const double measure = impair_fields_measure(s, id);
	const char *words = impair_fields[id].steps;
	struct text t = text_begin(buf, IMPAIR_VALUE);

	if (isinf(measure) || (impair_fields[id].kind == IMPAIR_BURST && measure == 0)) {
		text_put(&t, "off");
		return buf;
	}
	switch (impair_fields[id].kind) {
	case IMPAIR_SHARE:
		/* A share has 15 digits at most. */
		put_decimal(&t, 100 * measure, 10);
		text_put(&t, "%%");
		break;
	case IMPAIR_BURST:
		put_decimal(&t, measure, 3);
		break;
	case IMPAIR_TIME:
		put_scaled(&t, *(const int64_t *)at(s, id), measure ? times : &zero);
		break;
	case IMPAIR_RATE:
		put_scaled(&t, *(const int64_t *)at(s, id), rates);
		break;
	case IMPAIR_QUEUE:
		if (s->queue_packets)
			text_put(&t, "%dp", (int)s->queue_packets);
		else
			put_scaled(&t, s->queue_bytes, sizes);
		break;
	case IMPAIR_WORD:
		impair_fields_word(&words, buf);
		if (measure)
			impair_fields_word(&words, buf);
		break;
	case IMPAIR_SIZE:
		text_put(&t, "%d", (int)*(const int32_t *)at(s, id));
		break;
	}
	return buf;
}

double impair_fields_measure(const struct impair_settings *s, enum impair_field_id id)
{
	const double number = (double)member_get(at(s, id), impair_fields[id].size);

	switch (impair_fields[id].kind) {
	case IMPAIR_SHARE:
	case IMPAIR_BURST:
		return *(const double *)at(s, id);
	case IMPAIR_TIME:
	case IMPAIR_WORD:
		break;
	case IMPAIR_RATE:
	case IMPAIR_SIZE:
		return number > 0 ? number : INFINITY;
	/* A queue in bytes counts as many packets of the full size. */
	case IMPAIR_QUEUE:
		return s->queue_packets ? s->queue_packets : (double)s->queue_bytes / 1500;
	}
	return number;
}

static bool differs(const struct impair_settings *s, enum impair_field_id id)
{
	const struct impair_settings perfect = impair_perfect();

	return memcmp(at(s, id), at(&perfect, id), impair_fields[id].size) != 0;
}

/* Whether a setting has an effect; two settings have one also with a perfect wire's value. */
static bool has_effect(const struct impair_settings *s, enum impair_field_id id)
{
	return differs(s, impair_fields[id].requires) &&
	       (id == IMPAIR_FIELD_reorder_by || id == IMPAIR_FIELD_queue || differs(s, id));
}

char *impair_fields_line(const struct impair_settings *s, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
		if (has_effect(s, id))
			text_put(&t, "%s%s %s", t.used ? ", " : "", impair_fields[id].name,
			    IMPAIR_VALUE_TEXT(s, id));
	if (t.used == 0)
		text_put(&t, "nothing");
	return buf;
}

bool impair_fields_same(const struct impair_settings *a, const struct impair_settings *b)
{
	return strcmp(IMPAIR_LINE_TEXT(a), IMPAIR_LINE_TEXT(b)) == 0;
}

int impair_fields_parse(struct impair_settings *s, const char *text, char reason[IMPAIR_REASON])
{
	struct impair_settings changed = *s;
	char name[IMPAIR_VALUE], value[IMPAIR_VALUE], detail[IMPAIR_REASON];

	while (impair_fields_word(&text, name)) {
		enum impair_field_id id = impair_field_find(name);
		if (id == IMPAIR_FIELD_COUNT)
			return text_refuse(reason, IMPAIR_REASON,
			    "'%s' is no setting of a link; for example loss 20%%", name);
		if (!impair_fields_word(&text, value))
			return text_refuse(reason, IMPAIR_REASON,
			    "%s needs a value; for example %s %s", name, name,
			    impair_fields[id].example);
		if (impair_fields_set(&changed, id, value, detail))
			return text_refuse(reason, IMPAIR_REASON,
			    "%.12s: '%.30s' %.60s; for example %.12s %.8s", name, value, detail,
			    name, impair_fields[id].example);
	}
	if (impair_check(&changed, reason))
		return -1;
	*s = changed;
	return 0;
}

const struct impair_preset *impair_preset_find(const char *name)
{
	for (const struct impair_preset *p = impair_presets; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

void impair_preset_settings(const struct impair_preset *preset, struct impair_settings *there,
    struct impair_settings *back)
{
	char reason[IMPAIR_REASON];

	*there = *back = impair_perfect();
	impair_fields_parse(there, preset->there, reason);
	impair_fields_parse(back, preset->back, reason);
}
