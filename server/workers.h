/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that serve side by side, and the one that started them, which watches: it replaces a
 * worker that dies. Each worker counts in memory that it shares with the watching process, so that
 * nothing is lost with the worker. No worker outlives the watching process. */
#ifndef UPCASED_WORKERS_H
#define UPCASED_WORKERS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/counters.h"

/* Opaque. */
struct workers;

/* For `count` workers, none started. NULL with errno. */
struct workers *workers_new(int count);
/* Ends all at once, by SIGKILL; does nothing in a worker's process. NULL is nobody. */
void workers_kill(struct workers *w);
/* Frees, and ends nobody. NULL is nothing. */
void workers_free(struct workers *w);

/* When workers_supervise() is to be called, ns, or CLOCK_NEVER; it is also to be called when a
 * child ended. NULL is allowed. */
int64_t workers_deadline(const struct workers *w);
/* Finds the workers that have ended and starts those that are missing: at once, or after a pause
 * that grows where one lives for less than a second. Returns -1; in the process of a new worker its
 * number, from 0 on. That process may then call the four functions at the end, and workers_free().
 * NULL is nothing. */
int workers_supervise(struct workers *w, int64_t now);

/* Sends all SIGTERM; nobody is replaced any more. */
void workers_finish(struct workers *w);
/* Whether there are any left. NULL is nobody. */
bool workers_busy(const struct workers *w);

/* The counters of all, the dead ones too; of each living worker as of when it last waited. */
void workers_sum(const struct workers *w, struct counters *sum);

/* Takes a line of an answer, which ends in a newline. */
typedef void workers_line(void *context, const char *line);
/* Gives each worker the command, of control-commands.h, and `add_line` each line of the answers but
 * the last one of each. Returns 0, or the number, from 1 on, of a worker that did not answer within
 * a second; one that owes older answers too is not waited for. Lets signals in meanwhile, and stops
 * waiting when one has raised *ends_asked. */
int workers_ask(struct workers *w, const char *command, const volatile sig_atomic_t *ends_asked,
    workers_line *add_line, void *context);

/* For a worker: its counters, and its end of the line to the watching process. */
struct counters *workers_counters(struct workers *w);
int workers_channel(const struct workers *w);
/* Datagrams dropped by the kernel that the workers of its number before it have counted. */
uint64_t workers_kernel_drops(const struct workers *w);
/* To be called before the worker waits: makes what it has counted visible to workers_sum(). */
void workers_publish(struct workers *w);

#endif
