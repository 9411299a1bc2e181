/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/commands.h"

#include "app/tui-state.h"
#include "common/text.h"
#include "common/units.h"
#include "common/utf8.h"
#include "report/summary.h"

/* --- handlers --- */

static void do_transport(const struct command_call *c)
{
	const bool both = strcmp(c->of->name, "both") == 0, tcp = strcmp(c->of->name, "tcp") == 0;

	tui_switch(c->tui, both ? c->tui->run.settings.session.stream : tcp, both, c->now);
}

static void report_peer(struct tui *tui, int64_t now)
{
	const struct run_session *of = run_current(&tui->run);
	char text[400];

	snprintf(text, sizeof text, "%s %s",
	    tui->run.settings.both ? "UDP and TCP"
	    : of->stream           ? "TCP"
	                           : "UDP",
	    session_peer(of->session));
	tui_event(tui,
	    &(const struct session_event){
	        .kind = SESSION_EVENT_CONNECT, .session = of->recorded, .at = now, .text = text });
}

static void do_connect(const struct command_call *c)
{
	struct tui *tui = c->tui;
	char *rest = NULL;
	const char *host = strtok_r(c->arguments, " \t", &rest);
	const char *port = strtok_r(NULL, " \t", &rest);
	struct settings changed;
	char reason[300];

	if (strtok_r(NULL, " \t", &rest)) {
		tui_message(tui, "%s", c->of->example);
		return;
	}
	tui_demo_leave(tui, "the demonstration is left");
	changed = tui->run.settings;
	strcpy(changed.session.port, SETTINGS_PEER_PORT);
	if (settings_peer(host, port, &changed, reason, sizeof reason) < 0) {
		tui_message(tui, "%s", reason);
		return;
	}
	run_leave_peer(&tui->run, c->now);
	tui->run.settings = changed;
	if (tui_open_sessions(tui, c->now) == 0)
		report_peer(tui, c->now);
}

static void do_order(const struct command_call *c)
{
	c->tui->view.arrivals = !c->tui->view.arrivals;
}

static void do_burst(const struct command_call *c)
{
	const bool bulk = strcmp(c->of->name, "bulk") == 0;
	char reason[GENERATOR_REASON];

	if (generator_read(c->arguments, bulk, &c->tui->run.plan, reason) < 0)
		tui_message(c->tui, "%s", reason);
	else
		tui_burst(c->tui, c->now);
}

static void do_flow(const struct command_call *c)
{
	struct tui *tui = c->tui;
	struct flow_plan plan;
	char reason[OPTIONS_REASON];

	if (strcmp(c->arguments, "off") == 0) {
		if (!run_flow_stop(&tui->run, c->now))
			tui_message(tui, "there is no second flow");
	} else if (settings_flow(c->arguments, &plan, reason) < 0) {
		tui_message(tui, "/flow: %s; for example /flow 5s cubic, /flow off", reason);
	} else if (tui_open_sessions(tui, c->now) == 0) {
		run_flow(&tui->run, &plan, c->now);
	}
}

/* Appends what the link did to the page, in the lab; frees it. */
static char *with_link(const struct view_lab *lab, char *page)
{
	char link[1000], *whole;

	if (!lab || !page)
		return page;
	link_report_end(trace_totals(lab->trace), link, sizeof link);
	if (asprintf(&whole, "%s\n%s", page, link) < 0)
		return page;
	free(page);
	return whole;
}

/* Shows the transports used with this peer, side by side; before any line, the one in use. */
static void do_stats(const struct command_call *c)
{
	const struct run *run = &c->tui->run;
	struct figures figures[2], *used[2] = { NULL, NULL };

	for (int i = 0; i < 2; i++) {
		const struct run_session *of = run->peer[i];

		if (!of)
			continue;
		run_figures(run, of, run_time(run, c->now), &figures[i]);
		if (figures[i].totals.typed > 0 || of == run_current(run))
			used[i] = &figures[i];
	}
	if (used[0] || used[1])
		tui_page(c->tui, "statistics",
		    with_link(c->tui->view.lab, summary_page(used[0], used[1])));
}

static void do_plot(const struct command_call *c)
{
	const int kind = *c->arguments ? plot_kind(c->arguments) : PLOT_WAITED;

	if (kind < 0)
		tui_message(c->tui,
		    "'%.30s' is no plot; waited, rtt, histogram, cumulative, runs, shares, "
		    "window, off",
		    c->arguments);
	else
		tui_plot(c->tui, (enum plot_kind)kind);
}

static void do_find(const struct command_call *c)
{
	struct tui *tui = c->tui;
	char *copy;

	if (*c->arguments) {
		copy = strdup(c->arguments);
		if (!copy)
			return;
		free(tui->find);
		tui->find = copy;
		tui->view.find = NULL;
	}
	if (!tui->find) {
		tui_message(tui,
		    "/find TEXT; for example /find hello; /find alone goes on to the next older "
		    "one");
		return;
	}
	if (!view_find(&tui->view, tui->find))
		tui_message(tui, "'%.200s' is not found%s", tui->find,
		    tui->view.find ? " further up" : "");
}

static void do_clear(const struct command_call *c)
{
	transcript_clear(c->tui->transcript);
	c->tui->view.find = NULL;
	view_scroll_end(&c->tui->view);
}

/* Shows what is wrong with a file, whose quoted name goes without its middle where it is long. */
static void report_file(struct tui *tui, const char *reason, int columns)
{
	const char *end = *reason == '\'' ? strstr(reason, "': ") : NULL;
	const int rest = end ? utf8_columns(end) + 1 : 0;

	if (end && utf8_columns(reason) > columns)
		tui_message(tui, "'%s%s",
		    text_middle((char[400]){ 0 }, 400,
		        TEXT_FORMAT("%.*s", (int)(end - reason) - 1, reason + 1),
		        columns - rest > 16 ? columns - rest : 16),
		    end);
	else
		tui_message(tui, "%s", reason);
}

static void do_save(const struct command_call *c)
{
	struct export_request q;
	char reason[EXPORT_REASON];
	/* The row has a margin. */
	const int columns = c->tui->view.columns - 2;
	int files = export_request(c->arguments, &q, reason);
	int64_t from, to;
	char more[80] = "";

	if (files == 0 && q.screen)
		c->tui->lay_out(c->tui, c->now, true);
	files = files < 0 ? -1 : tui_save(c->tui, &q, c->now, reason);
	if (files < 0) {
		report_file(c->tui, reason, columns);
		return;
	}
	const bool windows = files > 1 && window_span(trace_windows(run_trace(&c->tui->run)),
	                                      INT64_MAX, &from, &to);
	const int pages = files - 1 - windows;
	if (files > 1)
		snprintf(more, sizeof more, "%s%s -plots.svg%s",
		    pages > 1 ? TEXT_FORMAT(", to -%d.svg", pages) : "",
		    windows     ? ","
		    : pages > 1 ? ", and"
		                : " and",
		    windows ? " and -window.svg" : "");
	tui_message(c->tui, "saved in %s%s",
	    text_middle((char[400]){ 0 }, 400, q.path,
	        columns - (int)strlen("saved in ") - (int)strlen(more)),
	    more);
}

static void do_link(const struct command_call *c)
{
	if (!*c->arguments)
		tui_lab_page(c->tui, c->now);
	else if (strcmp(c->arguments, "panel") == 0)
		tui_lab_panel(c->tui);
	else if (text_begins_word(c->arguments, "presets"))
		tui_page(c->tui, "presets of the link", link_presets_page());
	else if (text_begins_word(c->arguments, "preset"))
		tui_lab_command(c->tui, TUI_LAB_SET, "", c->arguments);
	else
		tui_lab_command(c->tui, TUI_LAB_SET, "set", c->arguments);
}

/* Orders the fault of that name; the message is shown once the lab has accepted it. */
static void do_fault(const struct command_call *c)
{
	snprintf(c->tui->lab_fault, sizeof c->tui->lab_fault, "the lab will %s %.100s", c->of->name,
	    c->arguments);
	tui_lab_command(c->tui, TUI_LAB_FAULT, c->of->name, c->arguments);
}

static void do_mouse(const struct command_call *c)
{
	bool *mouse = &c->tui->run.settings.screen.mouse;
	const bool on = *c->arguments ? strcmp(c->arguments, "on") == 0 : !*mouse;

	if (*c->arguments && !on && strcmp(c->arguments, "off") != 0) {
		tui_message(c->tui, "/mouse is followed by on, off or nothing");
		return;
	}
	*mouse = on;
	screen_mouse(on);
	tui_message(c->tui,
	    on ? "mouse on: click a row, or the keys of this row; Shift selects text; F8: off"
	       : "mouse off: the terminal selects text; F8 or /mouse: on");
}

static void do_demo(const struct command_call *c)
{
	const struct demo_step *first = NULL;
	int64_t number;

	if (units_count(c->arguments, 1, INT32_MAX, &number) == 0)
		first = demo_find(number);
	if (!*c->arguments)
		tui_page(c->tui, "demonstrations", demo_page());
	else if (!first)
		tui_message(c->tui, "'%.40s' is no demonstration; /demo lists them", c->arguments);
	else if ((!demo_needs_lab(first) && !c->tui->run.lab) || tui_in_lab(c->tui))
		tui_demo_start(c->tui, first, c->now);
}

/* F1 closes the page too. */
static void do_help(const struct command_call *c)
{
	if (c->tui->view.page)
		tui_close_page(c->tui);
	else
		tui_page(c->tui, "help", command_help_page(c->tui));
}

static void do_quit(const struct command_call *c)
{
	c->tui->quit = true;
}

/* --- what is offered --- */

bool command_offered(enum command_use use, const struct tui *tui)
{
	const struct run *replay = tui && tui->run.replay ? &tui->run : NULL;
	unsigned now = replay ? USE_PLAYED : USE_LIVE;

	if (replay && replay->settings.step)
		now = USE_STEPS;
	if (!replay || (replay->peer[SESSION_UDP] && replay->peer[SESSION_TCP]))
		now |= USE_BOTH;
	return use == USE_ALWAYS || (use & now);
}

bool command_may_use(enum command_use use, struct tui *tui, const char *name)
{
	if (command_offered(use, tui))
		return true;
	if (tui->run.replay)
		tui_message(tui, "a recording is shown: nothing can be sent, so no %s", name);
	else
		tui_message(tui, "%s is for recordings, which upcase --read FILE shows", name);
	return false;
}

/* --- tables --- */

#define IN_LAB .use = USE_LIVE, .two_letters = true, .may = tui_in_lab

const struct command command_table[] = {
	{ "udp", "", "UDP alone from now on", do_transport, .use = USE_BOTH },
	{ "tcp", "", "TCP alone from now on", do_transport, .use = USE_BOTH },
	{ "both", "", "each line over UDP and TCP, side by side", do_transport, .use = USE_BOTH },
	{ "connect", "HOST [PORT]", "go to another server", do_connect, .use = USE_LIVE,
	    .example = "/connect HOST [PORT]; for example /connect localhost " SETTINGS_PEER_PORT },
	{ "order", "", "replies beside their lines, or in the order they came", .run = do_order },
	{ "burst", "N [every D] [size S]", "send N numbered lines, one every D; Ctrl-C stops it",
	    do_burst, .use = USE_LIVE },
	{ "bulk", "TIME [size S]", "lines as fast as TCP takes them; tells the goodput", do_burst,
	    .use = USE_LIVE },
	{ "flow", "TIME [NAME]", "a second TCP flow beside the lines, by NAME; off", do_flow,
	    .use = USE_LIVE, .two_letters = true,
	    .example = "/flow TIME [NAME]; for example /flow 5s cubic, /flow off" },
	{ "stats", "", "what became of all lines, in figures", do_stats, .two_letters = true },
	{ "plot", "[KIND]", "waited rtt histogram cumulative runs shares window", .run = do_plot },
	{ "find", "[TEXT]", "look for TEXT upwards; alone, go on to the next older",
	    .run = do_find },
	{ "clear", "", "forget what the screen shows; the counts stay", .run = do_clear },
	{ "save", "[FILE] [WORDS]", "a new file, by its ending: talk.svg last 12", .run = do_save },
	{ "link", "[NAME VALUE]...", "show the link; change it: loss 30% back, preset wifi",
	    do_link, IN_LAB },
	{ "drop", "PACKETS", "drop packets: next reply, request:3,7, tcp segment:6", do_fault,
	    IN_LAB,
	    .example =
	        "/drop PACKETS; for example /drop next reply, /drop segment:3,7, /drop none" },
	{ "packet", "RULE", "delay, duplicate or corrupt packets by number", do_fault, IN_LAB,
	    .example = "/packet RULE; for example /packet delay 50ms reply:2" },
	{ "hold", "TIME", "keep all packets back for so long", do_fault, IN_LAB,
	    .example = "/hold TIME [there|back]; for example /hold 3s" },
	{ "unplug", "TIME", "lose all packets for so long", do_fault, IN_LAB,
	    .example = "/unplug TIME [there|back]; for example /unplug 5s" },
	{ "pause", "", "stand still, and play on", tui_replay_pause, .use = USE_REPLAY,
	    .two_letters = true },
	{ "goto", "PLACE", "line 12; +1, -1: events; >, <: lines; start, end", tui_replay_goto,
	    .use = USE_REPLAY,
	    .example = "/goto PLACE; for example /goto 12 (a line), +1 (an event), start, end" },
	{ "speed", "FACTOR", "1/4, 1/2, 1, 2, 4, 8 or 16 times as fast; + or -", tui_replay_speed,
	    .use = USE_REPLAY, .two_letters = true,
	    .example = "/speed FACTOR; for example /speed 2, /speed 1/2" },
	{ "mouse", "[on|off]", "the mouse for this program, or for the terminal", .run = do_mouse },
	{ "demo", "[N]", "play a demonstration of the tour; alone, list them", do_demo,
	    .use = USE_LIVE, .two_letters = true },
	{ "help", "", "this page", .run = do_help },
	{ "quit", "", "leave; a summary stays", .run = do_quit },
	{ .name = NULL },
};

/* A character or an arrow's letter, typed while a recording is shown. */
#define REPLAYED(character) .typed = character, .use = USE_REPLAY

/* The first buttons stay on a narrow screen: no terminal takes their keys, as some take F1, F10. */
const struct key_spec key_table[] = {
	{ "?", "?", "help", "this page, on an empty line; once more types a ?", .line = "/help" },
	{ "Ctrl-D", "^D", "quit", "leave, on an empty line; a summary stays", .line = "/quit" },
	{ "Space", "space", "pause", "pause, and play on; or /pause", "/pause", .typed = ' ',
	    .use = USE_PLAYED },
	{ "Space", "space", "step", "one event on", "/goto +1", .typed = ' ', .use = USE_STEPS },
	{ "p", "p", "pause", "pause, and play on; or /pause", "/pause", .typed = 'p',
	    .use = USE_STEPS },
	{ "Left", "←", NULL, "one event back; or /goto -1", "/goto -1", REPLAYED('D') },
	{ "Right", "→", "event", "one event on; or /goto +1", "/goto +1", REPLAYED('C') },
	{ "<", "<", NULL, "back to where the line before was typed", "/goto <", REPLAYED('<') },
	{ ">", ">", "line", "on to where the next line is typed", "/goto >", REPLAYED('>') },
	{ "-", "-", NULL, "half as fast; or /speed", "/speed -", REPLAYED('-') },
	{ "+", "+", "speed", "twice as fast; or /speed", "/speed +", REPLAYED('+') },
	{ "number", "/goto", "N", "and Enter: where that line is typed; or /goto", "/goto ",
	    .use = USE_REPLAY },
	{ "Ctrl-C", .help = "stop generated lines, drop what is typed; twice: leave" },
	{ "PgUp", .help = "a page towards older rows" },
	{ "PgDn", .help = "a page towards newer rows" },
	{ "F2", "F2", "udp/tcp", "the other transport; or /udp, /tcp", .function = 2,
	    .use = USE_BOTH },
	{ "F3", "F3", "both", "each line over both, or over one again; or /both, /udp",
	    .function = 3, .use = USE_BOTH },
	{ "F4", "F4", "order", "replies beside their lines, or as they came; or /order", "/order",
	    .function = 4 },
	{ "F5", "F5", "burst", "send lines as the last /burst; stop them; or /burst N",
	    .function = 5, .use = USE_LIVE },
	{ "F6", "F6", "plot", "the plots, and away with them; or /plot KIND, /plot off",
	    .function = 6 },
	{ "F7", "F7", "link", "in the lab: the link, by arrow keys; or /link panel", "/link panel",
	    .function = 7, .use = USE_LIVE },
	{ "F8", "F8", "mouse", "the mouse on: a click selects a row; off; or /mouse", "/mouse",
	    .function = 8 },
	{ "Ctrl-Home", .help = "the oldest row" },
	{ "Ctrl-End", .help = "the newest row, and follow new ones again" },
	{ "Shift-Up", .help = "one row towards older ones" },
	{ "Shift-Down", .help = "one row towards newer ones" },
	{ "Alt-Up", .help = "select a line, then older ones; Enter shows all of it" },
	{ "Alt-Down", .help = "select the newer line; after the newest: none" },
	{ "wheel", .help = "three rows, with the mouse on" },
	{ "click", .help = "with the mouse on: select a row; a key of the last row" },
	{ "Tab", .help = "complete a command, or show what may follow" },
	{ "Up", .help = "the line typed before" },
	{ "Down", .help = "the line typed after" },
	{ "Ctrl-R", .help = "search the lines typed before" },
	{ "Ctrl-L", .help = "draw the screen anew" },
	{ "Ctrl-Z", .help = "stop; fg in the shell goes on" },
	{ "F1", NULL, NULL, "this page, and away with it; or ?, /help", "/help", .function = 1 },
	{ "F10", NULL, NULL, "leave; or Ctrl-D, /quit", "/quit", .function = 10 },
	{ "Esc", .help = "close a page or plot or panel; leave /demo; select none" },
	{ .key = NULL },
};

int command_buttons(const struct tui *tui, struct view_button buttons[VIEW_BUTTONS])
{
	int count = 0;

	for (int i = 0; key_table[i].key && count < VIEW_BUTTONS; i++) {
		const struct key_spec *k = &key_table[i];
		struct view_button b = { k->label, k->words, i };

		if (!k->label || !command_offered(k->use, tui))
			continue;
		if (tui->view.ascii && (unsigned char)*k->label >= 0x80)
			b.key = k->key;
		/* As wide as "pause", so that no button moves. */
		if (k->line && strcmp(k->line, "/pause") == 0 &&
		    replay_status(tui->run.replay)->paused)
			b.words = "play ";
		buttons[count++] = b;
	}
	return count;
}

/* --- lines --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Returns the length of the name in a line, without its slash, up to a blank. */
static size_t name_of(const char *line, size_t n, const char **name)
{
	size_t length = 0;

	*name = line;
	if (n == 0 || line[0] != '/')
		return 0;
	*name = line + 1;
	while (length < n - 1 && !is_blank((*name)[length]))
		length++;
	return length;
}

/* Returns true if the name of `c` begins so, and the beginning is long enough. */
static bool has_prefix(const struct command *c, const char *name, size_t n)
{
	return strncmp(c->name, name, n) == 0 && strlen(c->name) >= n && n >= 1u + c->two_letters;
}

const struct command *command_find(const char *line, size_t n, const char **arguments)
{
	const struct command *found = NULL;
	const char *name, *end = line + n;
	const size_t length = name_of(line, n, &name);
	bool ambiguous = false;

	*arguments = name + length;
	while (*arguments < end && is_blank(**arguments))
		++*arguments;
	for (const struct command *c = command_table; c->name; c++) {
		if (!has_prefix(c, name, length))
			continue;
		if (strlen(c->name) == length)
			return c;
		ambiguous = found != NULL;
		found = c;
	}
	return ambiguous ? NULL : found;
}

size_t command_trim(const char *arguments, size_t n)
{
	while (n && is_blank(arguments[n - 1]))
		n--;
	return n;
}

char *command_candidates(const char *line, size_t n, char *buf, size_t size)
{
	const char *name;
	const size_t length = name_of(line, n, &name);
	struct text t = text_begin(buf, size);

	for (const struct command *c = command_table; c->name; c++)
		if (has_prefix(c, name, length))
			text_put(&t, "%s/%s", t.used ? ", " : "", c->name);
	return buf;
}

void command_run(struct tui *tui, const char *line, size_t n, int64_t now)
{
	const char *arguments = "";
	const struct command *c = command_find(line, n, &arguments);
	const size_t length = command_trim(arguments, n - (size_t)(arguments - line));
	char names[200], *copy;

	if (!c && *command_candidates(line, n, names, sizeof names)) {
		tui_message(tui, "which one: %s?", names);
	} else if (!c) {
		tui_message(tui,
		    "%.60s: no such command; /help lists them, // sends a line that starts with /",
		    line);
	} else if (!command_may_use(c->use, tui, TEXT_FORMAT("/%s", c->name)) ||
	           (c->may && !c->may(tui))) {
		return;
	} else if (c->example && length == 0) {
		tui_message(tui, "%s", c->example);
	} else if ((copy = strndup(arguments, length))) {
		c->run(&(const struct command_call){ tui, c, copy, now });
		tui->changed = true;
		free(copy);
	}
}

/* --- help --- */

#define COLUMN 22 /* the width of a page's first column */
/* The number of keys that the page begins with. */
#define FIRST_KEYS 8

/* Writes an item and, beside it or below an item that is too long, its words. */
static void put_row(struct text *t, const char *usage, const char *help)
{
	if (strlen(usage) >= COLUMN)
		text_put(t, "  %s\n  %-*s%s\n", usage, COLUMN, "", help);
	else
		text_put(t, "  %-*s%s\n", COLUMN, usage, help);
}

/* The first keys of the last row, or all others. */
static void put_keys(struct text *t, const struct tui *tui, bool first)
{
	int labelled = 0;

	for (const struct key_spec *k = key_table; k->key; k++)
		if (command_offered(k->use, tui) && (k->label && ++labelled <= FIRST_KEYS) == first)
			put_row(t, k->key, k->help);
}

static void put_commands(struct text *t, const struct tui *tui, bool for_lab)
{
	for (const struct command *c = command_table; c->name; c++)
		if ((c->may == tui_in_lab) == for_lab && command_offered(c->use, tui))
			put_row(t, TEXT_FORMAT("/%s %s", c->name, c->arguments), c->help);
}

char *command_help_page(const struct tui *tui)
{
	struct text t = text_page();

	text_put(&t, "%s\n\nKeys\n",
	    command_offered(USE_LIVE, tui)
	        ? "Each line is sent as it is; the reply is the line in capitals."
	        : "A recording is shown: nothing is sent.");
	put_keys(&t, tui, true);
	text_put(&t, "\nCommands\n");
	put_commands(&t, tui, false);
	if (command_offered(USE_LIVE, tui))
		text_put(&t, "\nIn the lab\n");
	put_commands(&t, tui, true);
	text_put(&t, "\nTab completes a command, its names, values and presets.\n"
	             "The beginning of a name is enough where only one begins so: /u, /conn.\n"
	             "The commands for the lab want two letters at least: /li, /dr.\n"
	             "A line that itself begins with / is sent with one more: //etc sends /etc.\n\n"
	             "More keys\n");
	put_keys(&t, tui, false);
	text_put(&t,
	    "\nThe other keys are those of the line editor, readline; ~/.inputrc counts.\n");
	return t.buf;
}
