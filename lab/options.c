/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/options.h"

#include <sys/random.h>

#include "common/file.h"
#include "common/options.h"
#include "common/standard.h"
#include "lab/hosts/diagnose.h"

/* The largest file of rules. */
#define RULES_MAX_BYTES 65536

static int read_pcap(void *options, const char *value, char reason[OPTIONS_REASON])
{
	/* Standard output belongs to the command. */
	if (strcmp(value, "-") == 0 || !*value)
		return OPTIONS_REFUSE(reason, "is no file; to read along, make a fifo");
	((struct lab_options *)options)->pcap = value;
	return 0;
}

_Static_assert(OPTIONS_REASON >= PACKET_RULE_REASON, "a rule's reason becomes an option's");

static int add_rule(struct lab_options *o, const char *text, bool drop, char reason[OPTIONS_REASON])
{
	if (o->rule_count == PACKET_RULES_MAX)
		return OPTIONS_REFUSE(reason, "is one rule too many: there may be %d",
		    PACKET_RULES_MAX);
	return packet_rule_read(&o->rules[o->rule_count++], text, drop, reason);
}

static int read_drop(void *options, const char *value, char reason[OPTIONS_REASON])
{
	return add_rule(options, value, true, reason);
}

static int read_packet(void *options, const char *value, char reason[OPTIONS_REASON])
{
	return add_rule(options, value, false, reason);
}

/* Reads a rule a line. Blank lines and those that begin with # do not count. */
static int read_drops(void *options, const char *value, char reason[OPTIONS_REASON])
{
	const char *fault = "", *line;
	size_t length;
	const int fd = file_read(value, RULES_MAX_BYTES, &fault);
	char *text = fd < 0 ? NULL : file_text(fd, RULES_MAX_BYTES, &length, &fault), *rest = text;
	char detail[OPTIONS_REASON];
	int number = 0, result = 0;

	if (!text)
		return text_refuse(reason, OPTIONS_REASON, "cannot be read: %s", fault);
	while (result == 0 && (line = strsep(&rest, "\n"))) {
		number++;
		line += strspn(line, " \t\r");
		if (*line && *line != '#')
			result = add_rule(options, line, false, detail);
	}
	free(text);
	return result == 0 ? 0
	                   : text_refuse(reason, OPTIONS_REASON, "line %d: %.130s", number, detail);
}

#define INTO(field) OPTIONS_FIELD(struct lab_options, field)

static const struct options_spec own[] = {
	{ "far", 0, "COMMAND", "run this on the far host instead of upcased", "'iperf3 -s'",
	    OPTIONS_TEXT, INTO(far_command), 0 },
	{ "far-log", 0, "FILE", "where the far command's output goes; - is stderr", "far.log",
	    OPTIONS_TEXT, INTO(far_log), 0 },
	{ "backend", 0, "KIND", "how the hosts are joined: auto, tun or veth", "veth", OPTIONS_WORD,
	    INTO(hosts.backend), .wrong = "is not auto, tun or veth", .words = "auto, tun, veth" },
	{ "mtu", 0, "BYTES", "the hosts' own MTU", "1500", OPTIONS_BYTES, INTO(hosts.mtu),
	    HOSTS_MTU_MIN, HOSTS_MTU_MAX,
	    "is not a number of bytes, " OPTIONS_DIGITS(HOSTS_MTU_MIN) " to " OPTIONS_DIGITS(
	        HOSTS_MTU_MAX),
	    .words = "576, 1280, 1500, 9000" },
	{ "cc", 0, "NAME", "TCP's congestion control on both hosts", "cubic", OPTIONS_COPY,
	    INTO(hosts.congestion), 1, .wrong = "is not a congestion control's name" },
	{ "flow", 0, "FLOW", "upcase's second TCP flow, beside its lines", "5s,cubic", OPTIONS_TEXT,
	    INTO(flow), 1, .wrong = "is no flow", .words = "5s, 10s" },
	{ "pcap", 0, "FILE", "write what each host saw, as pcapng", "lab.pcapng",
	    .read = read_pcap },
	{ "drop", 0, "PACKETS", "drop packets by number; may be given again", "request:3,7",
	    .read = read_drop, .words = "request:3 reply:2 segment:6 syn:1 ack:every:2" },
	{ "packet", 0, "RULE", "delay, duplicate or corrupt them instead", "'delay 50ms reply:2'",
	    .read = read_packet },
	{ "drops", 0, "FILE", "read such rules from a file, a rule a line", "drops.txt",
	    .read = read_drops },
	OPTIONS_FLAG("quiet", 'q', "say only what goes wrong", INTO(quiet)),
	OPTIONS_FLAG("check", 0, "say whether each back end works here, and why not", INTO(check)),
	OPTIONS_FLAG("presets", 0, "list the presets with their values", INTO(presets)),
	OPTIONS_FLAG("help", 'h', "show this help", INTO(help)),
	OPTIONS_FLAG("version", 'V', "show the version", INTO(version)),
	{ .name = NULL },
};

static int parse(struct lab_options *o, int argc, char **argv)
{
	struct options_spec table[sizeof own / sizeof *own + IMPAIR_OPTIONS_ROWS];
	const bool was_set = getenv("POSIXLY_CORRECT") != NULL;
	int first;

	impair_options_append(options_append(table, own), true, true);
	/* The arguments after the first operand belong to the command. */
	setenv("POSIXLY_CORRECT", "1", 0);
	first = options_command_line(table, o, argc, argv);
	if (!was_set)
		unsetenv("POSIXLY_CORRECT");
	return first;
}

static bool is_client(const char *command)
{
	const char *slash = strrchr(command, '/');

	return strcmp(slash ? slash + 1 : command, "upcase") == 0;
}

static int check_together(const struct lab_options *o)
{
	char reason[IMPAIR_REASON];

	if (impair_options_check(&o->link, reason) != 0) {
		standard_report("the link: %s", reason);
		return -1;
	}
	if (o->flow && o->near_command && !is_client(o->near_command[0])) {
		standard_report("--flow: '%.60s' has no second flow: the near command "
		                "must be upcase",
		    o->near_command[0]);
		return -1;
	}
	if (o->pcap && o->far_log && strcmp(o->pcap, o->far_log) == 0 &&
	    strcmp(o->pcap, "/dev/null") != 0) {
		standard_report("--pcap and --far-log: both are %s; name two files", o->pcap);
		return -1;
	}
	return 0;
}

int lab_options_read(struct lab_options *o, int argc, char **argv)
{
	uint32_t chance;
	int first;

	*o = (struct lab_options){ .hosts = { .mtu = 1500 } };
	impair_options_start(&o->link);
	if ((first = parse(o, argc, argv)) < 0)
		return -1;
	if (first < argc)
		o->near_command = argv + first;
	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		chance = 1;
	impair_options_seed(&o->link, chance);
	return o->help || o->version ? 0 : check_together(o);
}

void lab_options_complete(int argc, char **argv, FILE *out)
{
	struct options_spec table[sizeof own / sizeof *own + IMPAIR_OPTIONS_ROWS];
	struct diagnose_facts facts;
	int operands;

	impair_options_append(options_append(table, own), true, true);
	hosts_facts(&facts);
	for (struct options_spec *o = table; o->name; o++)
		if (strcmp(o->name, "cc") == 0)
			o->words = facts.congestion;
	operands = options_complete(table, false, argc, argv, out);
	if (operands < 0)
		return;
	if (argc == 2)
		fputs("ctl\task or change the link of a running lab\n", out);
	fprintf(out, "\tcommand %d\n", argc - 2 - operands);
}

void lab_options_help(FILE *out)
{
	struct options_spec table[IMPAIR_OPTIONS_ROWS];

	fputs("Usage: upcase-lab [OPTION]... [--] [COMMAND [ARGUMENT]...]\n"
	      "       upcase-lab ctl [--socket PATH] [WORD]...\n"
	      "Two hosts and a lossy link on one machine. The near host runs COMMAND (upcase by\n"
	      "default), the far one upcased; ctl asks and changes the link of a running lab.\n\n",
	    out);
	options_help(own, out);
	fputs("\nThe link, both ways; with -there (near to far) or -back, one way only, as in\n"
	      "--loss-there=20%:\n",
	    out);
	impair_options_append(table, true, false);
	options_help(table, out);
}

void lab_options_presets(FILE *out)
{
	for (const struct impair_preset *p = impair_presets; p->name; p++) {
		fprintf(out, "%-12s %s\n", p->name, p->about);
		if (strcmp(p->there, p->back) != 0)
			fprintf(out, "%12s there: %s\n%12s back: %s\n", "", p->there, "", p->back);
		else if (*p->there)
			fprintf(out, "%12s %s\n", "", p->there);
	}
}
