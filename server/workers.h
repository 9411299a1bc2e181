/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that serve side by side, and the watching process that started them and replaces a
 * worker that dies. Each worker counts in memory that it shares with the watching process, so that
 * no count is lost with the worker. No worker outlives the watching process. */
#pragma once

#include <signal.h>

#include "server/counters.h"

struct workers;

/* Makes the state for `count` workers, none started. Returns NULL with errno. */
struct workers *workers_new(int count);
/* Ends all workers at once, by SIGKILL; does nothing in a worker's process. NULL is allowed. */
void workers_kill(struct workers *w);
/* Frees, and ends no worker. NULL is allowed. */
void workers_free(struct workers *w);

/* When workers_supervise() is due, ns, or CLOCK_NEVER; also when a child ended. NULL is allowed. */
int64_t workers_deadline(const struct workers *w);
/* Starts the workers that are missing: at once, or after a pause that grows when one lives for less
 * than a second. Returns -1; in the process of a new worker its number, from 0 on. That process may
 * then call the four functions at the end, and workers_free(). NULL is allowed. */
int workers_supervise(struct workers *w, int64_t now);

/* Sends SIGTERM to all workers; none is replaced any more. */
void workers_finish(struct workers *w);
/* Whether any worker is left. NULL is allowed. */
bool workers_busy(const struct workers *w);

/* The counters of all workers, also of dead ones; those of a living one are from its last wait. */
void workers_sum(const struct workers *w, struct counters *sum);

/* Takes a line of an answer, which ends in a newline. */
typedef void workers_line(void *context, const char *line);
/* Gives each worker the command, of control-commands.h, and `add_line` each line of the answers
 * except the last one of each. Returns 0, or the number, from 1 on, of a worker that did not answer
 * within a second; a worker with older pending answers is not waited for. Delivers signals
 * meanwhile, and stops waiting when one has raised *end_requests. */
int workers_query(struct workers *w, const char *command, const volatile sig_atomic_t *end_requests,
    workers_line *add_line, void *context);

/* For a worker: its counters, and its end of the line to the watching process. */
struct counters *workers_counters(struct workers *w);
int workers_channel(const struct workers *w);
/* Datagrams dropped by the kernel that the workers of its number before it have counted. */
uint64_t workers_kernel_drops(const struct workers *w);
/* Call it before the worker waits: makes its counters visible to workers_sum(). */
void workers_publish(struct workers *w);
