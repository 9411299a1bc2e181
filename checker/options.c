/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/options.h"

#include "checker/cases-text.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/standard.h"

/* The largest file of cases, or of points. */
#define FILE_MAX (1 << 20)
/* Bytes of settings or of a rule for the link, with the order that stands in front. */
#define LINK_WORDS_MAX 280

static int set_drop(const struct options_spec *row, void *settings, const char *value,
    char reason[OPTIONS_REASON])
{
	struct check_options *o = settings;

	(void)row;
	if (o->drop_count == CHECK_DROPS_MAX)
		return OPTIONS_REFUSE(reason, "is one rule too many: there may be %d",
		    CHECK_DROPS_MAX);
	if (!*value || strlen(value) > LINK_WORDS_MAX || strpbrk(value, "\r\n"))
		return OPTIONS_REFUSE(reason, "is not a rule");
	o->drops[o->drop_count++] = value;
	return 0;
}

#define INTO(field) OPTIONS_FIELD(struct check_options, field)

static const struct options_spec table[] = {
	{ "level", 'l', "LEVEL", "the cases of this level and those before [unicode]", "robust",
	    OPTIONS_WORD, INTO(level), .wrong = "is not a level: " CASES_LEVELS,
	    .words = CASES_LEVELS },
	{ "udp", 'u', NULL, "the program must use UDP", NULL, OPTIONS_SWITCH, INTO(udp), true },
	{ "tcp", 't', NULL, "the program must use TCP", NULL, OPTIONS_SWITCH, INTO(tcp), true },
	{ "case", 'c', "NAMES", "only these cases, with commas between", "udp-line,tcp-line",
	    OPTIONS_TEXT, INTO(only), 1, .wrong = "names no case" },
	{ "skip", 's', "NAMES", "not these cases", "tcp-sentence", OPTIONS_TEXT, INTO(skip), 1,
	    .wrong = "names no case" },
	{ "cases", 0, "FILE", "the cases of this file, in place of the program's own", "own.cases",
	    OPTIONS_TEXT, INTO(cases), 1, .wrong = "is not the name of a file" },
	{ "port", 'p', "PORT", "the port for the command [a free one for {port}, else 12000]",
	    "12000", OPTIONS_NUMBER, INTO(port), 1, 65535, "is not a port, 1 to 65535" },
	{ "wait", 'w', "TIME", "wait for a reply so long [3s]", "1s", OPTIONS_TIME, INTO(wait),
	    NS_PER_MS, 60 * NS_PER_S, .wrong = "is not a duration", .range = "1ms to 1min",
	    .words = "1s, 3s, 10s" },
	{ "limit", 0, "TIME", "the time for all cases [5min]", "1min", OPTIONS_TIME, INTO(limit),
	    NS_PER_S, 3600 * NS_PER_S, .wrong = "is not a duration", .range = "1s to 1h",
	    .words = "1min, 5min" },
	{ "lab", 0, "LINK", "run it in a lab, over a link with these settings",
	    "'loss 20% delay 20ms'", OPTIONS_TEXT, INTO(lab), 0, LINK_WORDS_MAX,
	    "is not a link's settings" },
	{ "drop", 0, "PACKETS", "in each case the link drops these packets; repeatable",
	    "request:3", .set = set_drop },
	{ "tap", 0, NULL, "report as TAP, version 14", NULL, OPTIONS_SWITCH, INTO(format),
	    CHECK_TAP },
	{ "json", 0, NULL, "report as one JSON object", NULL, OPTIONS_SWITCH, INTO(format),
	    CHECK_JSON },
	{ "junit", 0, "FILE", "write JUnit's XML to this file too", "results.xml", OPTIONS_TEXT,
	    INTO(junit), 1, .wrong = "is not the name of a file" },
	{ "weights", 0, "FILE", "the points of each case, \"tcp-line 5\" on each line [1]",
	    "points.txt", OPTIONS_TEXT, INTO(weights), 1, .wrong = "is not the name of a file" },
	{ "list", 0, NULL, "list the cases", NULL, OPTIONS_SWITCH, INTO(list), true },
	{ "show", 0, NULL, "list the cases with their steps", NULL, OPTIONS_SWITCH, INTO(show),
	    true },
	{ "help", 'h', NULL, "show this help", NULL, OPTIONS_SWITCH, INTO(help), true },
	{ "version", 'V', NULL, "show the version", NULL, OPTIONS_SWITCH, INTO(version), true },
	{ .name = NULL },
};

/* The text of a file, from malloc(), or NULL. */
static char *read_text(const char *option, const char *path)
{
	const char *fault = "";
	size_t length = 0;
	const int fd = file_read(path, FILE_MAX, &fault);
	char *text = fd < 0 ? NULL : file_text(fd, FILE_MAX, &length, &fault);

	if (text && strlen(text) == length)
		return text;
	standard_report("--%s %s: %s", option, path,
	    text ? "has a zero byte in it: is this a text file?" : fault);
	free(text);
	return NULL;
}

static int read_cases(struct check_options *o)
{
	char reason[CASES_REASON],
	    *weights = o->weights ? read_text("weights", o->weights) : strdup("");
	int result = -1;

	o->text = o->cases ? read_text("cases", o->cases)
	                   : strdup(o->client ? cases_client : cases_server);
	if (o->text && weights && (result = cases_read(&o->table, o->text, reason)) < 0)
		standard_report("--cases %s: %s", o->cases, reason);
	else if (o->text && weights && (result = cases_weigh(&o->table, weights, reason)) < 0)
		standard_report("--weights %s: %s", o->weights, reason);
	free(weights);
	return result;
}

/* Chooses the cases that are named, or not. Returns 0, or -1 when there is no such case. */
static int choose(struct check_options *o, const char *option, const char *names, bool chosen)
{
	struct check_case *c;

	for (size_t n; names && *names; names += n + (names[n] == ',')) {
		n = strcspn(names, ",");
		if (!(c = cases_find(&o->table, names, n))) {
			standard_report("--%s: there is no case '%.*s'; --list lists them", option,
			    (int)(n < 40 ? n : 40), names);
			return -1;
		}
		c->chosen = chosen;
	}
	return 0;
}

/* Leaves in the table what is to run. */
static int choose_cases(struct check_options *o)
{
	struct case_table *t = &o->table;
	int count = 0;

	for (int i = 0; i < t->count; i++)
		t->cases[i].chosen = !o->only;
	if (choose(o, "case", o->only, true) < 0 || choose(o, "skip", o->skip, false) < 0)
		return -1;
	for (int i = 0; i < t->count; i++)
		if (t->cases[i].chosen && t->cases[i].level <= o->level)
			t->cases[count++] = t->cases[i];
	t->count = count;
	if (count == 0)
		standard_report("no case is left to run: see --level, --case, --skip, --cases");
	return count > 0 ? 0 : -1;
}

/* What stands behind the options: HOST PORT, or -- COMMAND. Returns NULL or what is wrong. */
static const char *read_operands(struct check_options *o, int count, char **words, bool dashes)
{
	uint16_t port = 0;

	if (dashes && count == 0)
		return "there is no command behind --";
	if (dashes) {
		o->command = words;
		while (*words && !strstr(*words, "{port}"))
			words++;
		if (!o->port && !*words)
			o->port = CHECK_PORT;
		return NULL;
	}
	if (o->client)
		return "a client's command stands behind --: upcase-check client -- COMMAND";
	if (count != 2)
		return "which server? HOST PORT, or -- COMMAND";
	if (o->lab)
		return "--lab and --drop start the server themselves: -- COMMAND";
	o->host = words[0];
	if (addr_port_number(words[1], &port) < 0 || port == 0)
		return "the word behind HOST is not a port, 1 to 65535; a command stands behind --";
	o->port = port;
	return NULL;
}

int check_options_read(struct check_options *o, bool (*known)(const char *line), int argc,
    char **argv)
{
	const char *side = argc > 1 ? argv[1] : "", *wrong;
	const bool is_side = strcmp(side, "server") == 0 || strcmp(side, "client") == 0;
	int first;

	*o = (struct check_options){ .level = CASE_UNICODE,
		.wait = 3 * NS_PER_S,
		.limit = 300 * NS_PER_S,
		.table.known = known,
		.client = strcmp(side, "client") == 0 };
	argc -= is_side;
	argv += is_side;
	if ((first = options_command_line(table, o, argc, argv)) < 0)
		return -1;
	if (o->help || o->version)
		return 0;
	if (o->drop_count && !o->lab)
		o->lab = "";
	wrong = !is_side
	          ? "what is to be judged? upcase-check server ... or upcase-check client ..."
	      : o->list || o->show ? NULL
	                           : read_operands(o, argc - first, argv + first,
	                                 strcmp(argv[first - 1], "--") == 0);
	if (wrong) {
		standard_report("%s; see upcase-check --help", wrong);
		return -1;
	}
	return read_cases(o) == 0 ? choose_cases(o) : -1;
}

void check_options_help(FILE *out)
{
	fputs("usage: upcase-check server [OPTION]... HOST PORT\n"
	      "       upcase-check server [OPTION]... -- COMMAND [WORD]...\n"
	      "       upcase-check client [OPTION]... -- COMMAND [WORD]...\n\n"
	      "Judges a program that sends lines or returns them in capitals, case by case. In\n"
	      "COMMAND, {host} and {port} are replaced by the server's address.\n\n",
	    out);
	options_help(table, out);
	fputs("\nExit status: 0 if all cases passed, 1 if some failed, 2 for wrong usage.\n", out);
}

void check_options_complete(int argc, char **argv, FILE *out)
{
	const int first = argc > 2;
	int operands;

	if (argc == 2 && *argv[1] != '-') {
		fputs("server\tjudge a server\nclient\tjudge a client\n", out);
		return;
	}
	operands = options_complete(table, true, argc - first, argv + first, out);
	if (operands >= 0 && strcmp(argv[argc - 2 - operands], "--") == 0)
		fprintf(out, "\tcommand %d\n", argc - 2 - operands);
	else if (operands == 0 && strcmp(argv[1], "server") == 0)
		fputs("\tHOST: the server\n", out);
}
