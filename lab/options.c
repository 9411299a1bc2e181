/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link's options come from the link's own list of settings: each one for both directions, and for
 * each alone. */
#include "config.h"

#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/options.h"
#include "impair-text.h"
#include "units.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum way { WAY_THERE = 1, WAY_BACK = 2, WAY_BOTH = 3 };

static int set_link(void *settings, enum impair_field_id id, enum way way, const char *value, char *why)
{
	struct lab_options *o = settings;

	if ((way & WAY_THERE) && impair_text_set(&o->there, id, value, why) != 0)
		return -1;
	if ((way & WAY_BACK) && impair_text_set(&o->back, id, value, why) != 0)
		return -1;
	return 0;
}

#define X(id, name, argument, help, example) \
	static int set_##id(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set_link(settings, IMPAIR_FIELD_##id, WAY_BOTH, value, why); \
	} \
	static int set_##id##_there(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set_link(settings, IMPAIR_FIELD_##id, WAY_THERE, value, why); \
	} \
	static int set_##id##_back(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set_link(settings, IMPAIR_FIELD_##id, WAY_BACK, value, why); \
	}
IMPAIR_FIELDS(X)
#undef X

static int set_backend(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;

	for (int b = HOST_BACKEND_AUTO; b <= HOST_BACKEND_VETH; b++) {
		if (strcmp(value, host_backend_name((enum host_backend)b)) == 0) {
			o->hosts.backend = (enum host_backend)b;
			return 0;
		}
	}
	snprintf(why, OPTIONS_WHY, "is not auto, tun or veth");
	return -1;
}

static int set_host_mtu(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;
	int64_t mtu;

	if (units_bytes(value, HOST_MTU_MIN, HOST_MTU_MAX, &mtu) != 0) {
		snprintf(why, OPTIONS_WHY, "is not a number of bytes, %d to %d", HOST_MTU_MIN, HOST_MTU_MAX);
		return -1;
	}
	o->hosts.mtu = (int)mtu;
	return 0;
}

static int set_congestion(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;

	if (!*value || strlen(value) >= sizeof(o->hosts.congestion)) {
		snprintf(why, OPTIONS_WHY, "is not a congestion control's name");
		return -1;
	}
	strcpy(o->hosts.congestion, value);
	return 0;
}

static int set_seed(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;
	int64_t seed;

	if (units_count(value, 0, INT64_MAX, &seed) != 0) {
		snprintf(why, OPTIONS_WHY, "is not a whole number");
		return -1;
	}
	o->seed = (uint64_t)seed;
	o->seed_given = true;
	return 0;
}

static int set_preset(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;
	const struct impair_preset *preset = impair_preset_find(value);

	if (!preset) {
		snprintf(why, OPTIONS_WHY, "is not a preset; upcase-lab --presets lists them");
		return -1;
	}
	impair_preset_settings(preset, &o->there, &o->back);
	return 0;
}

#define TEXT_SETTER(field) \
	static int set_##field(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		(void)why; \
		((struct lab_options *)settings)->field = value; \
		return 0; \
	}
TEXT_SETTER(pcap)
TEXT_SETTER(far_command)
TEXT_SETTER(far_log)

#define SWITCH_SETTER(field) \
	static int set_##field(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		(void)value; \
		(void)why; \
		((struct lab_options *)settings)->field = true; \
		return 0; \
	}
SWITCH_SETTER(quiet)
SWITCH_SETTER(check)
SWITCH_SETTER(help)
SWITCH_SETTER(version)
SWITCH_SETTER(presets)

static const struct options_spec own[] = {
	{ "far", 0, "COMMAND", "run this on the far host instead of upcased", "'iperf3 -s'", set_far_command, 1 },
	{ "far-log", 0, "FILE", "where the far command's output goes; - is stderr", "far.log", set_far_log, 1 },
	{ "backend", 0, "KIND", "how the hosts are joined: auto, tun or veth", "veth", set_backend, 1 },
	{ "mtu", 0, "BYTES", "the hosts' own MTU", "1500", set_host_mtu, 1 },
	{ "cc", 0, "NAME", "TCP's congestion control on both hosts", "cubic", set_congestion, 1 },
	{ "pcap", 0, "FILE", "write what each host saw, as pcapng", "lab.pcapng", set_pcap, 1 },
	{ "preset", 0, "NAME", "a link that has a name; --presets lists them", "wifi", set_preset, 1 },
	{ "seed", 0, "NUMBER", "of the link's dice: the same gives the same fates", "42", set_seed, 1 },
	{ "quiet", 'q', NULL, "say only what goes wrong", NULL, set_quiet, 1 },
	{ "check", 0, NULL, "say whether each back end works here, and why not", NULL, set_check, 1 },
	{ "presets", 0, NULL, "list the presets with their values", NULL, set_presets, 1 },
	{ "help", 'h', NULL, "show this help", NULL, set_help, 1 },
	{ "version", 'V', NULL, "show the version", NULL, set_version, 1 },
};

static const struct options_spec both[] = {
#define X(id, name, argument, help, example) { name, 0, argument, help, example, set_##id, 1 },
	IMPAIR_FIELDS(X)
#undef X
};

static const struct options_spec one_way[] = {
#define X(id, name, argument, help, example) \
	{ name "-there", 0, argument, help, example, set_##id##_there, 1 }, \
	{ name "-back", 0, argument, help, example, set_##id##_back, 1 },
	IMPAIR_FIELDS(X)
#undef X
};

/* The link's MTU is not the hosts' own. */
static const struct {
	const char *field, *option;
} renamed[] = {
	{ "mtu", "link-mtu" },
	{ "mtu-there", "link-mtu-there" },
	{ "mtu-back", "link-mtu-back" },
};

static size_t add_link_options(struct options_spec *table, const struct options_spec *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		table[i] = from[i];
		for (size_t r = 0; r < LENGTH(renamed); r++) {
			if (strcmp(table[i].name, renamed[r].field) == 0)
				table[i].name = renamed[r].option;
		}
	}
	return count;
}

static int parse(struct lab_options *o, int argc, char **argv)
{
	struct options_spec table[LENGTH(own) + LENGTH(both) + LENGTH(one_way) + 1];
	bool was_set = getenv("POSIXLY_CORRECT") != NULL;
	size_t n = LENGTH(own);
	int first;

	memcpy(table, own, sizeof(own));
	n += add_link_options(table + n, both, LENGTH(both));
	n += add_link_options(table + n, one_way, LENGTH(one_way));
	table[n] = (struct options_spec){ .name = NULL };
	/* What follows the first operand are the command's options. */
	setenv("POSIXLY_CORRECT", "1", 0);
	first = options_command_line(table, o, argc, argv);
	if (!was_set)
		unsetenv("POSIXLY_CORRECT");
	return first;
}

static int check_together(const struct lab_options *o)
{
	char why[IMPAIR_WHY];

	if (impair_check(&o->there, why) != 0 || impair_check(&o->back, why) != 0) {
		fprintf(stderr, "upcase-lab: the link: %s\n", why);
		return -1;
	}
	return 0;
}

/* Short enough to be typed again. */
static uint64_t choose_seed(void)
{
	uint32_t seed = 1;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = 1;
	return seed % 1000000;
}

int lab_options_read(struct lab_options *o, int argc, char **argv)
{
	int first;

	*o = (struct lab_options){ .hosts = { .mtu = 1500 }, .there = impair_perfect(), .back = impair_perfect() };
	if ((first = parse(o, argc, argv)) < 0)
		return -1;
	if (first < argc)
		o->near_command = argv + first;
	if (!o->seed_given)
		o->seed = choose_seed();
	return o->help || o->version ? 0 : check_together(o);
}

void lab_options_help(FILE *out)
{
	struct options_spec table[LENGTH(own) + LENGTH(both) + 1] = { { .name = NULL } };

	fputs("Usage: upcase-lab [OPTION]... [--] [COMMAND [ARGUMENT]...]\n"
	    "       upcase-lab ctl [--socket PATH] [WORD]...\n"
	    "Two hosts and a lossy link on one machine. The near host runs COMMAND (upcase by\n"
	    "default), the far one upcased; ctl asks and changes the link of a running lab.\n\n", out);
	memcpy(table, own, sizeof(own));
	options_help(table, out);
	fputs("\nThe link, both ways; with -there (near to far) or -back, one way only, as in\n"
	    "--loss-there=20%:\n", out);
	memset(table, 0, sizeof(table));
	add_link_options(table, both, LENGTH(both));
	options_help(table, out);
}

void lab_options_presets(FILE *out)
{
	const struct impair_preset *p;

	for (size_t i = 0; (p = impair_preset(i)); i++) {
		fprintf(out, "%-12s %s\n", p->name, p->about);
		if (strcmp(p->there, p->back) == 0)
			fprintf(out, "%12s %s\n", "", p->there);
		else
			fprintf(out, "%12s there: %s\n%12s back: %s\n", "", p->there, "", p->back);
	}
}
