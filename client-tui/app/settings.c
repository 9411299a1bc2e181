/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/settings.h"

#include "common/addr.h"
#include "common/clock.h"
#include "common/standard.h"
#include "common/units.h"
#include "net/tcp-info.h"

static int put_host(char host[SESSION_HOST_MAX], const char *value, size_t n,
    char reason[OPTIONS_REASON])
{
	if (n == 0 || n >= SESSION_HOST_MAX)
		return OPTIONS_REFUSE(reason,
		    n ? "is too long for a host name" : "is empty; a host is a name or an address");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)value[i] <= ' ' || value[i] == 0x7f || value[i] == '/')
			return OPTIONS_REFUSE(reason, "is not a host name or address");
	memcpy(host, value, n);
	host[n] = '\0';
	return 0;
}

static int read_host(void *host, const char *value, char reason[OPTIONS_REASON])
{
	return put_host(host, value, strlen(value), reason);
}

static int read_port(void *port, const char *value, char reason[OPTIONS_REASON])
{
	uint16_t number;

	if (addr_port_number(value, &number) < 0 || number == 0)
		return OPTIONS_REFUSE(reason, "is not a port, 1 to 65535");
	snprintf(port, 8, "%u", number);
	return 0;
}

/* Reads a transport: a command line's "udp" overrides a configuration's "both". */
static int set_transport(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	struct settings *s = to;

	(void)value, (void)reason;
	s->session.stream = o->low == SESSION_TCP;
	s->transport_given = true;
	s->both = false;
	return 0;
}

static int read_retries(void *settings, const char *value, char reason[OPTIONS_REASON])
{
	struct settings *s = settings;
	int64_t count = SESSION_RETRY_FOR_EVER;
	const bool valid = units_count(value, 0, 1000000, &count) == 0 ||
	                   strcmp(value, "forever") == 0;

	s->retries_given = true;
	s->session.retries = (int)count;
	return valid ? 0 : OPTIONS_REFUSE(reason, "is neither a number nor \"forever\"");
}

/* The kernel is asked at once, before anything is done. */
static int read_congestion(void *congestion, const char *value, char reason[OPTIONS_REASON])
{
	if (strlen(value) >= SESSION_CONGESTION || !*value)
		return OPTIONS_REFUSE(reason, "is not a congestion control's name");
	strcpy(congestion, value);
	return tcp_congestion_check(value, reason, OPTIONS_REASON);
}

int settings_flow(const char *text, struct flow_plan *plan, char reason[OPTIONS_REASON])
{
	static const char separators[] = " \t,";
	char copy[80], detail[OPTIONS_REASON], *rest = NULL, *word, *name;

	*plan = (struct flow_plan){ .duration = 0 };
	if (!HAVE_TCP_INFO)
		return OPTIONS_REFUSE(reason,
		    "is not to be had here: what TCP has acknowledged is not known");
	snprintf(copy, sizeof copy, "%s", text);
	word = strtok_r(copy, separators, &rest);
	if (word && strcmp(word, "tcp") == 0)
		word = strtok_r(NULL, separators, &rest);
	name = strtok_r(NULL, separators, &rest);
	if (!word || units_duration(word, &plan->duration) < 0 ||
	    plan->duration < SHARES_INTERVAL || plan->duration > FLOW_DURATION_MAX)
		return OPTIONS_REFUSE(reason, "'%.30s' is not a duration, 100ms to 10m",
		    word ? word : "");
	if (name && read_congestion(plan->congestion, name, detail) < 0)
		return OPTIONS_REFUSE(reason, "'%.20s' %.120s", name, detail);
	word = strtok_r(NULL, separators, &rest);
	return word ? OPTIONS_REFUSE(reason, "'%.30s' is more than a duration and a name", word)
	            : 0;
}

static int read_flow(void *plan, const char *value, char reason[OPTIONS_REASON])
{
	return settings_flow(value, plan, reason);
}

#define HOUR (3600 * NS_PER_S)
/* The number of lines without --count, while the options are read. */
#define COUNT_UNSET (-1)
#define NO_FILE "is empty; it names a file"
#define INTO(field) OPTIONS_FIELD(struct settings, field)
#define ONCE .command_line_only = true

static const struct options_spec table[] = {
	{ "udp", 'u', NULL, "send lines over UDP (the default)", NULL, .set = set_transport,
	    .low = SESSION_UDP },
	{ "tcp", 't', NULL, "send lines over TCP", NULL, .set = set_transport, .low = SESSION_TCP },
	OPTIONS_FLAG("both", 'b', "send each line over both at once", INTO(both)),
	OPTIONS_FLAG("ipv4", '4', "use IPv4 only", INTO(session.family), AF_INET),
	OPTIONS_FLAG("ipv6", '6', "use IPv6 only", INTO(session.family), AF_INET6),
	{ "host", 0, "HOST", "the server, as the operand HOST", "localhost", .read = read_host,
	    INTO(session.host) },
	{ "port", 'p', "PORT", "its port, as the operand PORT (" SETTINGS_PEER_PORT ")",
	    SETTINGS_PEER_PORT, .read = read_port, INTO(session.port),
	    .words = SETTINGS_PEER_PORT },
	{ "wait", 'w', "DURATION", "how long a reply over UDP may take (1s)", "500ms", OPTIONS_TIME,
	    INTO(session.reply_timeout), NS_PER_MS, HOUR, .range = "1ms to 1h",
	    .words = "200ms, 500ms, 1s, 2s, 5s" },
	{ "connect-timeout", 0, "DURATION", "how long one TCP connect may take (5s)", "5s",
	    OPTIONS_TIME, INTO(session.connect_timeout), NS_PER_MS, HOUR, .range = "1ms to 1h",
	    .words = "200ms, 500ms, 1s, 2s, 5s" },
	OPTIONS_FLAG("nagle", 0, "TCP: hold small segments back for an ACK (TCP_NODELAY off)",
	    INTO(session.nagle)),
	OPTIONS_FLAG("split", 0, "TCP: write each line in two pieces", INTO(session.split)),
	{ "retries", 0, "COUNT", "try a failed connection again so often (forever; plain: 0)", "3",
	    .read = read_retries, .words = "0, 3, forever" },
	{ "cc", 0, "NAME", "TCP's congestion control (the system's)", "cubic",
	    .read = read_congestion, INTO(session.congestion) },
	{ "tag", 0, "WHEN", "tell equal UDP lines apart: auto, always, never", "auto", OPTIONS_WORD,
	    INTO(session.tag), .words = "auto, always, never" },
	{ "window", 0, "LINES", "UDP lines on the way at most (64)", "64", OPTIONS_NUMBER,
	    INTO(session.window), 1, 65536 },
	{ "connections", 0, "COUNT", "TCP lines go over so many connections in turn (1)", "4",
	    OPTIONS_NUMBER, INTO(connections), 1, LEDGER_CONNECTIONS, .words = "1, 2, 4, 16" },
	{ "count", 'n', "LINES", "send so many numbered lines (0: without end)", "1000",
	    OPTIONS_NUMBER, INTO(count), 0, SETTINGS_COUNT_MAX, .words = "0, 10, 100, 1000", ONCE },
	{ "duration", 0, "DURATION", "send numbered lines for so long", "10m", OPTIONS_TIME,
	    INTO(duration), NS_PER_MS, 365 * 24 * HOUR, .range = "1ms to 365d",
	    .words = "1s, 10s, 1m, 10m, 1h", ONCE },
	{ "interval", 'i', "DURATION", "one of them every DURATION (10ms; 0: all at once)", "5ms",
	    OPTIONS_TIME, INTO(interval), 0, HOUR, .range = "0 to 1h",
	    .words = "0, 1ms, 5ms, 10ms, 100ms, 1s" },
	{ "bulk", 0, "DURATION", "send lines as fast as TCP takes them for so long", "5s",
	    OPTIONS_TIME, INTO(bulk), NS_PER_MS, SETTINGS_BULK_MAX, .range = "1ms to 1h",
	    .words = "1s, 5s, 10s, 1m", ONCE },
	{ "flow", 0, "FLOW", "a second TCP flow beside the lines, for a time", "5s,cubic",
	    .read = read_flow, INTO(flow), .words = HAVE_TCP_INFO ? "1s, 5s, 10s" : NULL, ONCE },
	{ "size", 's', "BYTES", "each of so many bytes (as short as they can be)", "100",
	    OPTIONS_NUMBER, INTO(size), 1, SETTINGS_SIZE_MAX, .words = "10, 100, 1000" },
	OPTIONS_FLAG("json", 0, "a record of each line to standard output, as JSON Lines",
	    INTO(output), RECORD_OUTPUT_JSON),
	OPTIONS_FLAG("csv", 0, "the same as comma-separated values", INTO(output),
	    RECORD_OUTPUT_CSV),
	{ "save", 0, "FILE", "write .txt, .jsonl, .csv or .svg at the end", "run.svg", OPTIONS_TEXT,
	    INTO(save), 1, .wrong = NO_FILE, ONCE },
	{ "read", 0, "FILE", "show a recorded session (.jsonl) again", "run.jsonl", OPTIONS_TEXT,
	    INTO(read), 1, .wrong = NO_FILE, ONCE },
	OPTIONS_FLAG("step", 0, "with --read: an event at each press of space", INTO(step), ONCE),
	OPTIONS_FLAG("plain", 0, "plain lines, also on a terminal", INTO(plain)),
	OPTIONS_FLAG("ordered", 0, "plain: UDP replies in the order typed", INTO(ordered)),
	OPTIONS_FLAG("verbose", 'v', "plain: each line with its reply or fate", INTO(verbose)),
	{ "report", 0, "DURATION", "plain: a summary of each such interval", "10s", OPTIONS_TIME,
	    INTO(report), 10 * NS_PER_MS, 24 * HOUR, .range = "10ms to 24h",
	    .words = "1s, 10s, 1m, 10m, 1h", ONCE },
	OPTIONS_FLAG("summary", 0, "plain: the summary alone", INTO(summary), ONCE),
	OPTIONS_FLAG("quiet", 'q', "plain: no notices and no summary, only errors", INTO(quiet)),
	{ "rows", 0, "COUNT", "lines remembered with their fates (100000)", "100000",
	    OPTIONS_NUMBER, INTO(session.rows), 1, 10000000 },
	{ "history", 0, "COUNT", "lines of history kept (1000; 0: none)", "1000", OPTIONS_NUMBER,
	    INTO(history), 0, 1000000 },
	OPTIONS_FLAG("mouse", 0, "mouse on from the start: clicks and the wheel (F8 switches)",
	    INTO(screen.mouse)),
	{ "color", 0, "WHEN", "colours: auto, always, never", "never", OPTIONS_WORD,
	    INTO(screen.colour), .words = "auto, always, never" },
	{ "background", 0, "KIND", "colours made for: auto, dark, light", "light", OPTIONS_WORD,
	    INTO(screen.background), .words = "auto, dark, light" },
	OPTIONS_FLAG("ascii", 0, "draw with ASCII characters only", INTO(ascii)),
	{ "config", 0, "FILE", "read FILE, not the usual configuration; none if empty",
	    "upcase.conf", OPTIONS_TEXT, INTO(configuration), ONCE },
	OPTIONS_FLAG("help", 'h', "this text", INTO(help), ONCE),
	OPTIONS_FLAG("version", 'V', "name and version", INTO(version), ONCE),
	{ .name = NULL },
};

static void defaults(struct settings *s)
{
	*s = (struct settings){
		.session = { .port = SETTINGS_PEER_PORT,
		    .rows = 100000,
		    .reply_timeout = NS_PER_S,
		    .window = 64,
		    .retries = SESSION_RETRY_FOR_EVER,
		    .connect_timeout = 5 * NS_PER_S },
		.connections = 1,
		.count = COUNT_UNSET,
		.interval = SETTINGS_INTERVAL,
		.history = 1000,
	};
}

void settings_usage(void)
{
	puts("Usage: upcase [OPTION]... [HOST [PORT]]\n"
	     "Sends each typed line to a server and shows it as it comes back in capitals, over\n"
	     "UDP or TCP. Without HOST it starts a private server. Without a terminal (or with\n"
	     "--plain) lines come from standard input and replies go to standard output.\n");
	options_help(table, stdout);
	puts("\nLines of the configuration file are the long options. See upcase(1), upcase(7).");
}

void settings_complete(int argc, char **argv)
{
	struct options_spec own[sizeof table / sizeof *table];
	char congestion[256];
	int operands;

	options_append(own, table);
	for (struct options_spec *o = own; o->name; o++)
		if (strcmp(o->name, "cc") == 0)
			o->words = !HAVE_TCP_INFO
			             ? NULL
			             : tcp_congestion_names(congestion, sizeof congestion);
	operands = options_complete(own, true, argc, argv, stdout);

	if (operands == 0)
		puts("\tHOST: the server");
	else if (operands == 1)
		puts(SETTINGS_PEER_PORT);
}

struct record_run settings_run(const struct settings *s, int64_t wall)
{
	return (struct record_run){ .started = wall,
		.tag = s->session.tag,
		.count = s->count == SETTINGS_ENDLESS ? RECORD_ENDLESS : s->count,
		.duration = s->duration,
		.interval = s->count ? s->interval : 0,
		.size = s->size };
}

/* Splits "host:port" and "[address]:port"; more colons without brackets mean an IPv6 address. */
static int split_peer(const char *text, struct settings *s, char reason[OPTIONS_REASON])
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = close ? (close[1] == ':' ? close + 1 : NULL) : strchr(text, ':');

	if (*text == '[' && (!close || (close[1] != '\0' && close[1] != ':')))
		return OPTIONS_REFUSE(reason, "is not an address in brackets");
	if (close) {
		if (put_host(s->session.host, text + 1, (size_t)(close - text - 1), reason) < 0)
			return -1;
	} else if (colon && !strchr(colon + 1, ':')) {
		if (put_host(s->session.host, text, (size_t)(colon - text), reason) < 0)
			return -1;
	} else {
		return put_host(s->session.host, text, strlen(text), reason);
	}
	return colon ? read_port(s->session.port, colon + 1, reason) : 0;
}

int settings_peer(const char *host, const char *port, struct settings *s, char *reason, size_t size)
{
	struct settings changed = *s;
	char detail[OPTIONS_REASON];

	if (split_peer(host, &changed, detail) < 0)
		return text_refuse(reason, size, "host '%.100s' %s", host, detail);
	if (port && read_port(changed.session.port, port, detail) < 0)
		return text_refuse(reason, size,
		    "port '%.100s' %s; for example " SETTINGS_PEER_PORT, port, detail);
	*s = changed;
	return 0;
}

static int operands(struct settings *s, int argc, char **argv, int first)
{
	char reason[OPTIONS_REASON + 120];

	if (argc - first > 2) {
		standard_report("'%.100s': one HOST and one PORT at most; see upcase --help",
		    argv[first + 2]);
		return -1;
	}
	if (first < argc && settings_peer(argv[first], first + 1 < argc ? argv[first + 1] : NULL, s,
	                        reason, sizeof reason) < 0) {
		standard_report("%s", reason);
		return -1;
	}
	return 0;
}

/* The path of a file in a folder of the XDG Base Directory Specification: malloc()ed; NULL if the
 * folder is not known. By its rule, a relative path in the variable counts as unset. */
static char *user_file(const char *variable, const char *below_home, const char *file)
{
	const char *folder = getenv(variable), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (folder && *folder == '/')
		n = asprintf(&path, "%s/upcase/%s", folder, file);
	else if (home && *home)
		n = asprintf(&path, "%s/%s/upcase/%s", home, below_home, file);
	return n < 0 ? NULL : path;
}

char *settings_history(void)
{
	return user_file("XDG_STATE_HOME", ".local/state", "history");
}

static int configuration(struct settings *s)
{
	char *usual = s->configuration ? NULL : user_file("XDG_CONFIG_HOME", ".config", "config");
	const char *path = s->configuration ? s->configuration : usual;
	int result = 0;

	if (path && *path)
		result = options_file(table, s, path);
	if (result == 1 && s->configuration) {
		standard_report("--config=%s: there is no such file", path);
		result = -1;
	}
	free(usual);
	return result < 0 ? -1 : 0;
}

/* Makes bulk lines a plan of numbered lines. Returns 0, or -1 after a line on standard error. */
static int plan_bulk(struct settings *s)
{
	if (s->bulk == 0)
		return 0;
	if (s->both || (s->transport_given && !s->session.stream)) {
		standard_report("--bulk is for TCP alone, UDP has no flow control: without "
		                "--udp and --both; over UDP --count sends on a schedule");
		return -1;
	}
	if (s->count != COUNT_UNSET || s->duration > 0) {
		standard_report("--bulk sends what TCP takes in its time: without --count "
		                "and --duration");
		return -1;
	}
	s->session.stream = true;
	s->count = SETTINGS_ENDLESS;
	s->interval = 0;
	s->duration = s->bulk;
	if (s->size == 0)
		s->size = SETTINGS_BULK_SIZE;
	return 0;
}

/* The command line is read twice: first to find --config, then again to override the file. */
int settings_read(struct settings *s, int argc, char **argv)
{
	const char *file;
	int first;

	defaults(s);
	first = options_command_line(table, s, argc, argv);
	if (first < 0)
		return -1;
	if (s->help || s->version)
		return 0;
	file = s->configuration;
	defaults(s);
	s->configuration = file;
	if (configuration(s) < 0)
		return -1;
	first = options_command_line(table, s, argc, argv);
	if (first < 0 || plan_bulk(s) < 0)
		return -1;
	if (s->count == 0 || (s->count == COUNT_UNSET && s->duration > 0))
		s->count = SETTINGS_ENDLESS;
	else if (s->count == COUNT_UNSET)
		s->count = 0;
	s->plain = s->plain || s->verbose || s->report > 0 || s->summary;
	return operands(s, argc, argv, first);
}
