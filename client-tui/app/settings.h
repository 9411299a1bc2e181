/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user asked for: the command line over the configuration file over the defaults. */
#ifndef UPCASE_SETTINGS_H
#define UPCASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/options.h"
#include "terminal/screen.h"
#include "net/session.h"
#include "record/record.h"

#define SETTINGS_PEER_PORT "12000"
#define SETTINGS_NAME_MAX 256

/* Numbered lines are sent so often when nothing else is said. */
#define SETTINGS_INTERVAL (10 * 1000 * 1000)
#define SETTINGS_COUNT_MAX RECORD_COUNT_MAX
#define SETTINGS_SIZE_MAX RECORD_SIZE_MAX

struct settings {
	/* The peer; an empty host asks for a private server. */
	char host[SETTINGS_NAME_MAX];
	char port[8];
	enum session_transport transport;
	/* AF_UNSPEC, AF_INET or AF_INET6. */
	int family;
	/* Each line over UDP and TCP at once; `transport` is then where a switch back leads. */
	bool both;
	int64_t reply_timeout, connect_timeout;
	enum ledger_tag tag;
	int64_t window;
	int64_t rows;
	/* SESSION_RETRY_FOR_EVER, or a number; `retries_given`: it is not the default. */
	int64_t retries;
	bool retries_given;
	bool plain, ordered, quiet;
	bool ascii;
	struct screen_settings screen;
	/* Numbered lines to send: how many (0: none), one every `interval` ns (0: at once), each
	 * `size` bytes (0: as short as it can be). */
	int64_t count, interval, size;
	/* What goes to standard output. */
	enum record_output output;
	/* A file to write at the end, by its ending, or NULL. */
	const char *save;
	/* A recorded session to show again, or NULL; a line at a keystroke instead of at its own
	 * speed. */
	const char *read;
	bool step;
	/* Lines of history kept; 0 keeps none, not even a file. */
	int64_t history;
	/* The configuration file to read instead of the usual one; "" for none at all. */
	const char *configuration;
	bool configuration_given;
	bool help, version;
	/* The control socket of the lab that we run in, or NULL. */
	const char *lab;
	/* The control socket of the server at its far end, or NULL. */
	const char *lab_server;
};

/* Reads the configuration file and the command line. Returns 0, or -1 after one line on stderr (the
 * program ends with status 2). */
int settings_read(struct settings *settings, int argc, char **argv);
void settings_usage(void);

/* The settings of a session with that peer. Borrows the host and the port. */
struct session_settings settings_session(const struct settings *settings,
    enum session_transport transport);

/* What the records of a run begin with, at `wall`, ns since 1970. */
struct record_run settings_run(const struct settings *settings, int64_t wall);

/* Takes "host", "host port", "host:port" or "[address]:port" apart into host and port (unchanged
 * when none is given). Returns 0, or -1 with what is wrong in `why`. */
int settings_peer(const char *host, const char *port, struct settings *settings, char *why,
    size_t size);

#endif
