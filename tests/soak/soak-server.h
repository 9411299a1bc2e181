/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server that is soaked: started and ended, asked for its totals, looked at from outside, and
 * what is done to it beside its clients: signals, rude clients of the control socket, a log that is
 * not read. */
#pragma once

#include "tests/soak/soak.h"

/* Totals as they were told. */
#define TOTALS_TEXT 4096

struct soak_sample {
	/* KiB of memory: resident, and of that its own; how many descriptors. */
	long resident, own, descriptors;
};

struct soak_server;

/* Starts it and waits until it is ready; its places in `s`. NULL when that fails, which has been
 * said. */
struct soak_server *soak_server_new(struct soak *s);
/* Kills it if it is still there. */
void soak_server_free(struct soak_server *v);

/* Signals, rudeness, the log, totals that must add up. Once a tick. */
void soak_server_turn(struct soak_server *v);
/* Ends what is rude to it, so that all its descriptors can be free again. */
void soak_server_spare(struct soak_server *v);
/* It and its workers together. */
struct soak_sample soak_server_sample(const struct soak_server *v);

/* Asks for the totals and waits for them. Returns the text, NULL when none came; a fault then. */
const char *soak_server_totals(struct soak_server *v);
/* A number of totals: soak_server_number(text, "udp dropped", "rate"). */
uint64_t soak_server_number(const char *totals, const char *line, const char *word);
/* The sum of all numbers of a line. */
uint64_t soak_server_sum(const char *totals, const char *line);
/* Has it, or one of its workers, stand still for so many ns; turns let it go on. */
void soak_server_pause(struct soak_server *v, int64_t time);

/* SIGTERM: returns its status, or -1 with what happened said. The totals at its end are in
 * `totals`. */
int soak_server_end(struct soak_server *v, char totals[TOTALS_TEXT]);
/* What it said last. */
void soak_server_report_log(struct soak_server *v);
/* What was done to it. */
void soak_server_report(const struct soak_server *v);
