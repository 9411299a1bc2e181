/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user asked for: the command line over the configuration file over the defaults. */
#ifndef UPCASE_SETTINGS_H
#define UPCASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/options.h"
#include "terminal/screen.h"
#include "net/session.h"

#define CLIENT_PORT "12000"
#define CLIENT_NAME_MAX 256

/* Replies as plain text; a record a line, as JSON Lines or as CSV (record.h). */
enum client_output { CLIENT_TEXT, CLIENT_JSON, CLIENT_CSV };

/* Numbered lines are sent so often when nothing else is said. */
#define CLIENT_INTERVAL (10 * 1000 * 1000)
#define CLIENT_COUNT_MAX 1000000000
/* The most that a datagram carries over IPv4. */
#define CLIENT_SIZE_MAX 65507

struct client_settings {
	/* The peer; an empty host asks for a private server. */
	char host[CLIENT_NAME_MAX];
	char port[8];
	enum session_transport transport;
	enum session_family family;
	/* Each line over UDP and TCP at once; `transport` is then where a switch back leads. */
	bool both;
	int64_t wait, connect_timeout;
	enum ledger_tag tag;
	int64_t window;
	int64_t rows;
	/* SESSION_RETRY_FOR_EVER, or a number; `retries_given` tells a wish from the default. */
	int64_t retries;
	bool retries_given;
	bool plain, ordered, quiet;
	bool ascii;
	struct screen_settings screen;
	/* Numbered lines to send: how many (0: none), one every `interval` ns (0: at once), each `size` bytes (0: as short as
	 * it can be). */
	int64_t count, interval, size;
	/* What goes to standard output. */
	enum client_output output;
	/* A file to write at the end, by its ending, or NULL. */
	const char *save;
	/* A recorded session to show again, or NULL; a line at a keystroke instead of at its own speed. */
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
	const char *lab_far;
};

/* Reads the configuration file and the command line. Returns 0, or -1 after one line on stderr (the program ends with
 * status 2). */
int client_settings_read(struct client_settings *settings, int argc, char **argv);
void client_help(void);

/* The settings of a session with that peer. Borrows the host and the port. */
struct session_settings client_session(const struct client_settings *settings, enum session_transport transport);

/* Takes "host", "host port", "host:port" or "[address]:port" apart into host and port (unchanged when none is given).
 * Returns 0, or -1 with what is wrong in `why`. */
int client_peer(const char *host, const char *port, struct client_settings *settings, char *why, size_t size);

#endif
