/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of upcase-lab. */
#pragma once

#include "common/impair-options.h"
#include "lab/hosts/hosts.h"
#include "lab/link/packet-rules.h"

struct lab_options {
	/* First, as impair-options.h needs it. `there` is near to far, `back` is far to near. */
	struct impair_options link;
	struct hosts_settings hosts;
	/* For packets by number, in their order. */
	struct packet_rule rules[PACKET_RULES_MAX];
	int rule_count;
	/* Borrowed from argv; NULL: not given. */
	const char *pcap, *far_command, *far_log;
	/* The client's second flow, its option's value: "5s,cubic". */
	const char *flow;
	/* The near command, NULL-terminated, or NULL: the client. */
	char **near_command;
	/* Print only errors. */
	bool quiet;
	bool check, help, version, presets;
};

/* Reads the command line. Returns 0, or -1 after one line on stderr. */
int lab_options_read(struct lab_options *options, int argc, char **argv);

void lab_options_help(FILE *out);
/* Prints what completes the last word of a command line, as options.h says. */
void lab_options_complete(int argc, char **argv, FILE *out);
/* Prints the presets with their values. */
void lab_options_presets(FILE *out);
