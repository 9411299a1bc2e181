/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link's options come from the link's own list of settings: each one for both directions, and
 * for each alone. */
#include "config.h"

#include "lab/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/options.h"
#include "common/impair-options.h"
#include "common/standard.h"
#include "common/units.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int set_backend(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;

	for (int b = HOST_BACKEND_AUTO; b <= HOST_BACKEND_VETH; b++) {
		if (strcmp(value, hosts_backend_name((enum host_backend)b)) == 0) {
			o->hosts.backend = (enum host_backend)b;
			return 0;
		}
	}
	return text_refuse(why, OPTIONS_WHY, "is not auto, tun or veth");
}

static int set_host_mtu(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;
	int64_t mtu;

	if (units_bytes(value, HOST_MTU_MIN, HOST_MTU_MAX, &mtu) != 0)
		return text_refuse(why, OPTIONS_WHY, "is not a number of bytes, %d to %d",
		    HOST_MTU_MIN, HOST_MTU_MAX);
	o->hosts.mtu = (int)mtu;
	return 0;
}

static int set_congestion(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct lab_options *o = settings;

	if (!*value || strlen(value) >= sizeof(o->hosts.congestion))
		return text_refuse(why, OPTIONS_WHY, "is not a congestion control's name");
	strcpy(o->hosts.congestion, value);
	return 0;
}

OPTIONS_SETTER(set_far_command, lab_options, far_command, value)
OPTIONS_SETTER(set_far_log, lab_options, far_log, value)

static int set_pcap(void *settings, const char *value, char why[OPTIONS_WHY])
{
	/* Standard output is the command's. */
	if (strcmp(value, "-") == 0 || !*value)
		return text_refuse(why, OPTIONS_WHY, "is no file; to read along, make a fifo");
	((struct lab_options *)settings)->pcap = value;
	return 0;
}

OPTIONS_SETTER(set_quiet, lab_options, quiet, true)
OPTIONS_SETTER(set_check, lab_options, check, true)
OPTIONS_SETTER(set_help, lab_options, help, true)
OPTIONS_SETTER(set_version, lab_options, version, true)
OPTIONS_SETTER(set_presets, lab_options, presets, true)

static const struct options_spec own[] = {
	{ "far", 0, "COMMAND", "run this on the far host instead of upcased", "'iperf3 -s'",
	    set_far_command, 1 },
	{ "far-log", 0, "FILE", "where the far command's output goes; - is stderr", "far.log",
	    set_far_log, 1 },
	{ "backend", 0, "KIND", "how the hosts are joined: auto, tun or veth", "veth", set_backend,
	    1 },
	{ "mtu", 0, "BYTES", "the hosts' own MTU", "1500", set_host_mtu, 1 },
	{ "cc", 0, "NAME", "TCP's congestion control on both hosts", "cubic", set_congestion, 1 },
	{ "pcap", 0, "FILE", "write what each host saw, as pcapng", "lab.pcapng", set_pcap, 1 },
	{ "preset", 0, "NAME", "a link that has a name; --presets lists them", "wifi",
	    impair_option_preset, 1 },
	{ "seed", 0, "NUMBER", "of the link's dice: the same gives the same fates", "42",
	    impair_option_seed, 1 },
	{ "quiet", 'q', NULL, "say only what goes wrong", NULL, set_quiet, 1 },
	{ "check", 0, NULL, "say whether each back end works here, and why not", NULL, set_check,
	    1 },
	{ "presets", 0, NULL, "list the presets with their values", NULL, set_presets, 1 },
	{ "help", 'h', NULL, "show this help", NULL, set_help, 1 },
	{ "version", 'V', NULL, "show the version", NULL, set_version, 1 },
};

static const struct options_spec both[] = { IMPAIR_FIELDS(IMPAIR_OPTION_BOTH) };

static const struct options_spec one_way[] = { IMPAIR_FIELDS(IMPAIR_OPTION_EACH) };

/* The link's MTU is not the hosts' own. */
static const struct {
	const char *field, *option;
} renamed[] = {
	{ "mtu", "link-mtu" },
	{ "mtu-there", "link-mtu-there" },
	{ "mtu-back", "link-mtu-back" },
};

static size_t add_link_options(struct options_spec *table, const struct options_spec *from,
    size_t count)
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

	if (impair_options_check(&o->link, why) != 0) {
		standard_say("upcase-lab: the link: %s", why);
		return -1;
	}
	if (o->pcap && o->far_log && strcmp(o->pcap, o->far_log) == 0 &&
	    strcmp(o->pcap, "/dev/null") != 0) {
		standard_say("upcase-lab: --pcap and --far-log: both are %s; name two files",
		    o->pcap);
		return -1;
	}
	return 0;
}

static uint32_t chance(void)
{
	uint32_t number;

	return getrandom(&number, sizeof(number), 0) == sizeof(number) ? number : 1;
}

int lab_options_read(struct lab_options *o, int argc, char **argv)
{
	int first;

	*o = (struct lab_options){ .hosts = { .mtu = 1500 } };
	impair_options_start(&o->link);
	if ((first = parse(o, argc, argv)) < 0)
		return -1;
	if (first < argc)
		o->near_command = argv + first;
	impair_options_seed(&o->link, chance());
	return o->help || o->version ? 0 : check_together(o);
}

void lab_options_help(FILE *out)
{
	struct options_spec table[LENGTH(own) + LENGTH(both) + 1] = { { .name = NULL } };

	fputs("Usage: upcase-lab [OPTION]... [--] [COMMAND [ARGUMENT]...]\n"
	      "       upcase-lab ctl [--socket PATH] [WORD]...\n"
	      "Two hosts and a lossy link on one machine. The near host runs COMMAND (upcase by\n"
	      "default), the far one upcased; ctl asks and changes the link of a running lab.\n\n",
	    out);
	memcpy(table, own, sizeof(own));
	options_help(table, out);
	fputs("\nThe link, both ways; with -there (near to far) or -back, one way only, as in\n"
	      "--loss-there=20%:\n",
	    out);
	memset(table, 0, sizeof(table));
	add_link_options(table, both, LENGTH(both));
	options_help(table, out);
}

void lab_options_presets(FILE *out)
{
	const struct impair_preset *p;

	for (size_t i = 0; (p = impair_preset(i)); i++) {
		fprintf(out, "%-12s %s\n", p->name, p->about);
		if (strcmp(p->there, p->back) != 0)
			fprintf(out, "%12s there: %s\n%12s back: %s\n", "", p->there, "", p->back);
		else if (*p->there)
			fprintf(out, "%12s %s\n", "", p->there);
	}
}
