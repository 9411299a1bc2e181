/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program on trial: what all parts of the judge know of it and of the case that runs. Pure. */
#pragma once

#include <signal.h>

#include "checker/lab-link.h"
#include "checker/options.h"
#include "checker/program.h"
#include "common/text.h"

/* Peers of a case: fifty clients and a few. */
#define TRIAL_PEERS 64
/* Room for each text of an outcome, with its zero. */
#define TRIAL_TEXT 400

enum trial_result { TRIAL_PASSED, TRIAL_FAILED, TRIAL_SKIPPED, TRIAL_RESULTS };

/* What became of a case. */
struct trial_outcome {
	enum trial_result result;
	/* Why it failed or was skipped, or "". A remark on one that passed, or "". */
	char reason[TRIAL_TEXT], note[TRIAL_TEXT];
	/* What was sent and what came, of which the newest is kept; the end of what the program
	 * printed while the case ran. */
	char sent[TRIAL_TEXT], came[TRIAL_TEXT], printed[TRIAL_TEXT];
	/* In ns. */
	int64_t took;
};

struct peer;

struct trial {
	struct check_options *options;
	struct program program;
	/* NULL: no lab. */
	struct lab_link *link;
	/* Of the case; of a client's case the first two listen. */
	struct peer *peers[TRIAL_PEERS];
	int peer_count;
	/* The one whose turn it is, or NULL. */
	struct peer *peer;
	/* How often the step has been repeated; how often a port was chosen; what keeps other
	 * judges from it, a descriptor, or -1. */
	int round, ports, claim;
	/* Where the server is, the program or the judge. */
	struct addr address;
	/* The transports that the program uses, CASE_UDP and CASE_TCP; must use; the case's. */
	unsigned transports, demanded, transport;
	/* Of these, those over which the server has left the last line without a reply. */
	unsigned unanswered;
	/* The client sends more than one line. */
	bool lines;
	/* Why the server could not be started at first, or "". */
	char unusable[TRIAL_TEXT];
	/* The command could not be executed, or its port is taken. */
	bool not_started;
	/* The end of input has been typed. */
	bool input_ended;
	/* A signal asks to end. The latest end of the case, and of all, ns of the monotonic clock.
	 */
	const volatile sig_atomic_t *stop;
	int64_t deadline, end;
	struct trial_outcome outcome;
};

/* How long to wait for something, ns: longer over a lossy link, where TCP repeats segments, and a
 * shorter time for a server that is silent. */
int64_t trial_patience(const struct trial *t, unsigned transport);
/* The case fails, unless it has failed before, for this reason. Returns false. */
bool trial_fail(struct trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The program has ended: the case fails. Returns false. */
bool trial_fail_ended(struct trial *t);
/* Adds to what was sent, or to what came: the bytes, between quotes, or a remark; of that peer, 0
 * for none or the only one. */
void trial_log(struct trial *t, bool sent, int peer, const void *bytes, size_t n);
void trial_remark(struct trial *t, bool sent, int peer, const char *words);
