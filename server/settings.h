/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings of the command line. Pure. */
#pragma once

#include "common/addr.h"
#include "common/impair-options.h"
#include "common/log.h"
#include "common/options.h"

#define SETTINGS_PORT 12000
/* The most addresses. */
#define SETTINGS_PLACES 32
#define SETTINGS_WORKERS 64
/* Use the default. */
#define SETTINGS_UNSET (-1)

/* An address to serve, with the port. */
struct settings_place {
	struct addr addr;
	/* It is "this host" or "every address" in one of two families, either enough. */
	bool optional;
};

struct settings {
	/* The first member, as impair-options.h needs it: --loss and the like. */
	struct impair_options impair;
	uint16_t port;
	/* The addresses of --bind; after settings_check() all addresses to serve. */
	struct settings_place places[SETTINGS_PLACES];
	int places_count;
	/* --bind localhost, --bind '*', --public; -4, -6. */
	bool localhost, everywhere, public, ipv4, ipv6;
	/* Descriptors, SETTINGS_UNSET for none. */
	int ready_fd, lifeline_fd;
	/* NULL: none. They point into the command line. */
	const char *port_file, *control;
	/* ns, 0 for never, SETTINGS_UNSET. */
	int64_t idle_timeout;
	/* ns to poll before sleeping, 0 for none. */
	int64_t spin;
	/* 0 for no limit (max_per_source only), SETTINGS_UNSET. */
	int64_t max_clients, max_per_source;
	/* For one source, a second; 0 for no limit, SETTINGS_UNSET. */
	int64_t datagram_rate, connect_rate;
	/* Leave Nagle's algorithm on. */
	bool nagle;
	/* Keep the rights that serving does not need. */
	bool no_sandbox;
	/* The number of processes that serve, beside one that watches them; 0: this one serves. */
	int64_t workers;
	enum log_level level;
	bool help, version;
};

/* The table of options: the program's own and the link's. */
#define SETTINGS_OWN_ROWS 32
#define SETTINGS_ROWS (SETTINGS_OWN_ROWS + IMPAIR_OPTIONS_ROWS)
void settings_table(struct options_spec table[SETTINGS_ROWS]);

/* The options part of --help. */
void settings_help(FILE *out);

void settings_start(struct settings *s);

/* Checks the options together and fills in `places`. Returns 0, or -1 with the `reason`. */
int settings_check(struct settings *s, char reason[OPTIONS_REASON]);

/* Fills in the defaults; `open` is whether other hosts can reach the server. max_clients stays. */
void settings_defaults(struct settings *s, bool open);
