/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/addr.h"
#include "common/clock.h"
#include "app/xdg.h"
#include "common/standard.h"
#include "common/units.h"

/* The setters, in the order of the table. Each says what a right value is. */

OPTIONS_SETTER(set_ipv4, settings, family, SESSION_IPV4)
OPTIONS_SETTER(set_ipv6, settings, family, SESSION_IPV6)

/* Of a configuration's "both" and a command line's "udp" the later one counts. */
#define TRANSPORT(setter, which) \
	static int setter(void *to, const char *value, char why[OPTIONS_WHY]) \
	{ \
		(void)value, (void)why; \
		((struct settings *)to)->transport = which; \
		((struct settings *)to)->both = false; \
		return 0; \
	}
TRANSPORT(set_udp, SESSION_UDP)
TRANSPORT(set_tcp, SESSION_TCP)

static int put_host(char host[SETTINGS_NAME_MAX], const char *value, size_t n,
    char why[OPTIONS_WHY])
{
	if (n == 0 || n >= SETTINGS_NAME_MAX)
		return text_refuse(why, OPTIONS_WHY,
		    n ? "is too long for a host name" : "is empty; a host is a name or an address");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)value[i] <= ' ' || value[i] == 0x7f || value[i] == '/')
			return text_refuse(why, OPTIONS_WHY, "is not a host name or address");
	memcpy(host, value, n);
	host[n] = '\0';
	return 0;
}

static int put_port(char port[8], const char *value, char why[OPTIONS_WHY])
{
	uint16_t number;

	if (addr_port_number(value, &number) < 0 || number == 0)
		return text_refuse(why, OPTIONS_WHY, "is not a port, 1 to 65535");
	snprintf(port, 8, "%u", number);
	return 0;
}

static int set_host(void *to, const char *value, char why[OPTIONS_WHY])
{
	return put_host(((struct settings *)to)->host, value, strlen(value), why);
}

static int set_port(void *to, const char *value, char why[OPTIONS_WHY])
{
	return put_port(((struct settings *)to)->port, value, why);
}

/* `range` is from `min` to an hour. */
static int put_duration(int64_t *to, const char *value, int64_t min, const char *range,
    char why[OPTIONS_WHY])
{
	int64_t ns;

	if (units_duration(value, &ns) < 0)
		return text_refuse(why, OPTIONS_WHY, "is not a duration");
	if (ns < min || ns > 3600 * NS_PER_S)
		return text_refuse(why, OPTIONS_WHY, "is out of range, %s", range);
	*to = ns;
	return 0;
}

static int put_file(const char **to, const char *value, char why[OPTIONS_WHY])
{
	if (!*value)
		return text_refuse(why, OPTIONS_WHY, "is empty; it names a file");
	*to = value;
	return 0;
}

/* The setter that puts a field by `put`, one of the above, and what more that takes. */
#define PUT(setter, put, field, ...) \
	static int setter(void *to, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return put(&((struct settings *)to)->field, value, __VA_ARGS__); \
	}
PUT(set_wait, put_duration, reply_timeout, NS_PER_MS, "1ms to 1h", why)
PUT(set_connect_timeout, put_duration, connect_timeout, NS_PER_MS, "1ms to 1h", why)
PUT(set_interval, put_duration, interval, 0, "0 to 1h", why)
PUT(set_save, put_file, save, why)
PUT(set_read, put_file, read, why)

#define COUNT(setter, field, low, high) \
	OPTIONS_COUNT(setter, settings, field, low, high, "is not a number from %lld to %lld", \
	    (long long)(low), (long long)(high))
COUNT(set_window, window, 1, 65536)
COUNT(set_rows, rows, 1, 10000000)
COUNT(set_lines, count, 1, SETTINGS_COUNT_MAX)
COUNT(set_size, size, 1, SETTINGS_SIZE_MAX)
COUNT(set_history, history, 0, 1000000)

static int set_retries(void *to, const char *value, char why[OPTIONS_WHY])
{
	struct settings *s = to;

	s->retries_given = true;
	if (strcmp(value, "forever") == 0) {
		s->retries = SESSION_RETRY_FOR_EVER;
		return 0;
	}
	if (units_count(value, 0, 1000000, &s->retries) == 0)
		return 0;
	return text_refuse(why, OPTIONS_WHY, "is neither a number nor \"forever\"");
}

struct word {
	const char *word;
	int value;
};

/* The word's value, or -1. */
static int find_word(const char *value, const struct word *words, char why[OPTIONS_WHY])
{
	struct text t = text_begin(why, OPTIONS_WHY);

	for (const struct word *w = words; w->word; w++)
		if (strcmp(value, w->word) == 0)
			return w->value;
	text_put(&t, "is not one of");
	for (const struct word *w = words; w->word; w++)
		text_put(&t, "%s %s", w == words ? "" : ",", w->word);
	return -1;
}

#define WORDS(setter, type, field, ...) \
	static int setter(void *to, const char *value, char why[OPTIONS_WHY]) \
	{ \
		const int word = find_word(value, \
		    (const struct word[]){ __VA_ARGS__, { NULL, 0 } }, why); \
		if (word >= 0) \
			((struct settings *)to)->field = (enum type)word; \
		return word < 0 ? -1 : 0; \
	}
WORDS(set_tag, ledger_tag, tag, { "auto", LEDGER_TAG_AUTO }, { "always", LEDGER_TAG_ALWAYS },
    { "never", LEDGER_TAG_NEVER })
WORDS(set_colour, screen_colour, screen.colour, { "auto", SCREEN_COLOUR_AUTO },
    { "always", SCREEN_COLOUR_ALWAYS }, { "never", SCREEN_COLOUR_NEVER })
WORDS(set_background, screen_background, screen.background, { "auto", SCREEN_BACKGROUND_AUTO },
    { "dark", SCREEN_BACKGROUND_DARK }, { "light", SCREEN_BACKGROUND_LIGHT })

static int set_configuration(void *to, const char *value, char why[OPTIONS_WHY])
{
	(void)why;
	((struct settings *)to)->configuration = value;
	((struct settings *)to)->configuration_given = true;
	return 0;
}

OPTIONS_SETTER(set_json, settings, output, RECORD_OUTPUT_JSON)
OPTIONS_SETTER(set_csv, settings, output, RECORD_OUTPUT_CSV)
OPTIONS_SETTER(set_both, settings, both, true)
OPTIONS_SETTER(set_step, settings, step, true)
OPTIONS_SETTER(set_plain, settings, plain, true)
OPTIONS_SETTER(set_ordered, settings, ordered, true)
OPTIONS_SETTER(set_quiet, settings, quiet, true)
OPTIONS_SETTER(set_ascii, settings, ascii, true)
OPTIONS_SETTER(set_mouse, settings, screen.mouse, true)
OPTIONS_SETTER(set_help, settings, help, true)
OPTIONS_SETTER(set_version, settings, version, true)

static const struct options_spec table[] = {
	{ "udp", 'u', NULL, "send lines over UDP (the default)", NULL, set_udp, 0 },
	{ "tcp", 't', NULL, "send lines over TCP", NULL, set_tcp, 0 },
	{ "both", 'b', NULL, "send each line over both at once", NULL, set_both, 0 },
	{ "ipv4", '4', NULL, "use IPv4 only", NULL, set_ipv4, 0 },
	{ "ipv6", '6', NULL, "use IPv6 only", NULL, set_ipv6, 0 },
	{ "host", 0, "HOST", "the server, as the operand HOST", "localhost", set_host, 0 },
	{ "port", 'p', "PORT", "its port, as the operand PORT (" SETTINGS_PEER_PORT ")",
	    SETTINGS_PEER_PORT, set_port, 0 },
	{ "wait", 'w', "DURATION", "how long a reply over UDP may take (1s)", "500ms", set_wait,
	    0 },
	{ "connect-timeout", 0, "DURATION", "how long one TCP connect may take (5s)", "5s",
	    set_connect_timeout, 0 },
	{ "retries", 0, "COUNT", "try a failed connection again so often (forever; plain: 0)", "3",
	    set_retries, 0 },
	{ "tag", 0, "WHEN", "tell equal UDP lines apart: auto, always, never", "auto", set_tag, 0 },
	{ "window", 0, "LINES", "UDP lines on the way at most (64)", "64", set_window, 0 },
	{ "count", 'n', "LINES", "send so many numbered lines", "1000", set_lines, 1 },
	{ "interval", 'i', "DURATION", "one of them every DURATION (10ms; 0: all at once)", "5ms",
	    set_interval, 0 },
	{ "size", 's', "BYTES", "each of so many bytes (as short as they can be)", "100", set_size,
	    0 },
	{ "json", 0, NULL, "a record of each line to standard output, as JSON Lines", NULL,
	    set_json, 0 },
	{ "csv", 0, NULL, "the same as comma-separated values", NULL, set_csv, 0 },
	{ "save", 0, "FILE", "write .txt, .jsonl, .csv or .svg at the end", "run.svg", set_save,
	    1 },
	{ "read", 0, "FILE", "show a recorded session (.jsonl) again", "run.jsonl", set_read, 1 },
	{ "step", 0, NULL, "with --read: a line at each keystroke", NULL, set_step, 1 },
	{ "plain", 0, NULL, "plain lines, also on a terminal", NULL, set_plain, 0 },
	{ "ordered", 0, NULL, "plain: UDP replies in the order typed", NULL, set_ordered, 0 },
	{ "quiet", 'q', NULL, "plain: no notices and no summary, only errors", NULL, set_quiet, 0 },
	{ "rows", 0, "COUNT", "lines remembered with their fates (100000)", "100000", set_rows, 0 },
	{ "history", 0, "COUNT", "lines of history kept (1000; 0: none)", "1000", set_history, 0 },
	{ "mouse", 0, NULL, "the wheel scrolls (the terminal's own selection then needs Shift)",
	    NULL, set_mouse, 0 },
	{ "color", 0, "WHEN", "colours: auto, always, never", "never", set_colour, 0 },
	{ "background", 0, "KIND", "colours made for: auto, dark, light", "light", set_background,
	    0 },
	{ "ascii", 0, NULL, "draw with ASCII characters only", NULL, set_ascii, 0 },
	{ "config", 0, "FILE", "read FILE, not the usual configuration; none if empty",
	    "upcase.conf", set_configuration, 1 },
	{ "help", 'h', NULL, "this text", NULL, set_help, 1 },
	{ "version", 'V', NULL, "name and version", NULL, set_version, 1 },
	{ NULL, 0, NULL, NULL, NULL, NULL, 0 },
};

static void defaults(struct settings *s)
{
	*s = (struct settings){
		.port = SETTINGS_PEER_PORT,
		.reply_timeout = NS_PER_S,
		.connect_timeout = 5 * NS_PER_S,
		.window = 64,
		.interval = SETTINGS_INTERVAL,
		.rows = 100000,
		.retries = SESSION_RETRY_FOR_EVER,
		.history = 1000,
	};
}

void settings_usage(void)
{
	puts("usage: upcase [OPTION]... [HOST [PORT]]\n"
	     "Sends each typed line to a server and shows it as it comes back in capitals, over\n"
	     "UDP or TCP. Without HOST it starts a private server. Without a terminal (or with\n"
	     "--plain) lines come from standard input and replies go to standard output.\n");
	options_help(table, stdout);
	puts("\nLines of the configuration file are the long options. See upcase(1), upcase(7).");
}

struct session_settings settings_session(const struct settings *s, enum session_transport transport)
{
	return (struct session_settings){
		.transport = transport,
		.host = s->host,
		.port = s->port,
		.family = s->family,
		.tag = s->tag,
		.rows = (size_t)s->rows,
		.reply_timeout = s->reply_timeout,
		.window = (int)s->window,
		.retries = (int)s->retries,
		.connect_timeout = s->connect_timeout,
	};
}

struct record_run settings_run(const struct settings *s, int64_t wall)
{
	return (struct record_run){ .started = wall,
		.tag = s->tag,
		.count = s->count,
		.interval = s->count ? s->interval : 0,
		.size = s->size };
}

/* "host:port" and "[address]:port"; more than one colon without brackets is an IPv6 address. */
static int split_peer(const char *text, struct settings *s, char why[OPTIONS_WHY])
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = close ? (close[1] == ':' ? close + 1 : NULL) : strchr(text, ':');

	if (*text == '[' && (!close || (close[1] != '\0' && close[1] != ':')))
		return text_refuse(why, OPTIONS_WHY, "is not an address in brackets");
	if (close) {
		if (put_host(s->host, text + 1, (size_t)(close - text - 1), why) < 0)
			return -1;
	} else if (colon && !strchr(colon + 1, ':')) {
		if (put_host(s->host, text, (size_t)(colon - text), why) < 0)
			return -1;
	} else {
		return put_host(s->host, text, strlen(text), why);
	}
	return colon ? put_port(s->port, colon + 1, why) : 0;
}

int settings_peer(const char *host, const char *port, struct settings *s, char *why, size_t size)
{
	struct settings changed = *s;
	char reason[OPTIONS_WHY];

	if (split_peer(host, &changed, reason) < 0)
		return text_refuse(why, size, "host '%.100s' %s", host, reason);
	if (port && put_port(changed.port, port, reason) < 0)
		return text_refuse(why, size, "port '%.100s' %s; for example " SETTINGS_PEER_PORT,
		    port, reason);
	memcpy(s->host, changed.host, sizeof s->host);
	memcpy(s->port, changed.port, sizeof s->port);
	return 0;
}

static int operands(struct settings *s, int argc, char **argv, int first)
{
	char why[OPTIONS_WHY + 120];

	if (argc - first > 2) {
		standard_say("upcase: '%.100s': one HOST and one PORT at most; see upcase --help",
		    argv[first + 2]);
		return -1;
	}
	if (first < argc && settings_peer(argv[first], first + 1 < argc ? argv[first + 1] : NULL, s,
	                        why, sizeof why) < 0) {
		standard_say("upcase: %s", why);
		return -1;
	}
	return 0;
}

static int configuration(struct settings *s)
{
	char *usual = s->configuration_given ? NULL : xdg_configuration();
	const char *path = s->configuration_given ? s->configuration : usual;
	int result = 0;

	if (path && *path)
		result = options_file(table, s, "upcase", path);
	if (result == 1 && s->configuration_given) {
		standard_say("upcase: --config=%s: there is no such file", path);
		result = -1;
	}
	free(usual);
	return result < 0 ? -1 : 0;
}

/* The command line is read twice: once to find --config, then again over what the file said. */
int settings_read(struct settings *s, int argc, char **argv)
{
	const char *file;
	bool given;
	int first;

	defaults(s);
	first = options_command_line(table, s, argc, argv);
	if (first < 0)
		return -1;
	if (s->help || s->version)
		return 0;
	file = s->configuration;
	given = s->configuration_given;
	defaults(s);
	s->configuration = file;
	s->configuration_given = given;
	if (configuration(s) < 0)
		return -1;
	first = options_command_line(table, s, argc, argv);
	return first < 0 ? -1 : operands(s, argc, argv, first);
}
