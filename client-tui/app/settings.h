/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's settings: the command line's, else the configuration file's, else the defaults. */
#pragma once

#include "common/options.h"
#include "net/flow.h"
#include "net/session.h"
#include "record/record.h"
#include "terminal/screen.h"

#define SETTINGS_PEER_PORT "12000"

/* The default interval of numbered lines, ns. */
#define SETTINGS_INTERVAL (10 * 1000 * 1000)
#define SETTINGS_COUNT_MAX RECORD_COUNT_MAX
/* The number of lines without an end. */
#define SETTINGS_ENDLESS INT64_MAX
#define SETTINGS_SIZE_MAX RECORD_SIZE_MAX
/* The longest duration of bulk lines, ns, and their default size. */
#define SETTINGS_BULK_MAX INT64_C(3600000000000)
#define SETTINGS_BULK_SIZE 1000

struct settings {
	struct session_settings session; /* the host "" means a private server */
	/* Each line goes over UDP and TCP at once; a switch back restores the transport. */
	bool both;
	bool transport_given; /* session.stream was chosen */
	bool retries_given;   /* session.retries is not the default */
	int64_t connections;  /* TCP: lines go over so many in turn */
	bool plain, ordered, quiet;
	/* These imply `plain`: each line's fate; the summary alone; reports' interval, ns. */
	bool verbose, summary;
	int64_t report;
	bool ascii;
	struct screen_settings screen;
	/* Numbered lines to send, as in struct generator_plan; `count` may be 0 or
	 * SETTINGS_ENDLESS. */
	int64_t count, interval, size, duration;
	/* The second flow that begins with the first line. */
	struct flow_plan flow;
	/* The duration of bulk lines, 0: none; they are then a plan of the four above. */
	int64_t bulk;
	enum record_output output; /* the contents of standard output */
	/* The file to write at the end, or NULL; its ending selects the format. */
	const char *save;
	/* The recorded session to show again, or NULL; with a keystroke for each line. */
	const char *read;
	bool step;
	int64_t history; /* the number of history lines kept; 0 keeps none, not even a file */
	/* The configuration file: NULL for the usual one, "" for none. */
	const char *configuration;
	bool help, version;
	const char *lab; /* the control socket of the lab around the program, or NULL */
	/* The command that starts a lab from the current folder, without options; "": none. */
	const char *lab_command;
	/* The control socket of the server at the lab's far end, or NULL. */
	const char *lab_server;
};

/* Reads configuration file and command line. Returns 0, or -1 after a line on standard error. */
int settings_read(struct settings *settings, int argc, char **argv);
void settings_usage(void);
/* Prints what completes the last word of a command line, as options.h says. */
void settings_complete(int argc, char **argv);
/* The path of the history, $XDG_STATE_HOME/upcase/history or ~/.local/state/upcase/history:
 * malloc()ed; NULL if neither folder is known. */
char *settings_history(void);

/* Reads "[tcp] DURATION [CONGESTION]", also with commas between. Returns 0, or -1 with the error in
 * `reason`. */
int settings_flow(const char *text, struct flow_plan *plan, char reason[OPTIONS_REASON]);

/* The data at the beginning of a run's records; `wall` is in ns since 1970. */
struct record_run settings_run(const struct settings *settings, int64_t wall);

/* Splits "host", "host port", "host:port" or "[address]:port" into host and port (unchanged if none
 * is given). Returns 0, or -1 with the error in `reason`. */
int settings_peer(const char *host, const char *port, struct settings *settings, char *reason,
    size_t size);
