/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that serve side by side, and the one that started them, which only watches: who dies is
 * replaced, and what each counts lies in memory that the two share, so that nothing of it dies with
 * the process. None outlives the one that watches. */
#ifndef UPCASED_WORKERS_H
#define UPCASED_WORKERS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/counters.h"

/* Opaque. */
struct workers;

/* For `count` of them, none started. NULL with errno. */
struct workers *workers_new(int count);
/* Ends all that are left at once, by SIGKILL; in a worker's process it does nothing. NULL is
 * nobody. */
void workers_kill(struct workers *w);
/* Only lets go. NULL is nothing. */
void workers_free(struct workers *w);

/* When workers_supervise() wants to be called, ns, or CLOCK_NEVER; it also wants to be called when
 * a child ended. NULL is allowed. */
int64_t workers_deadline(const struct workers *w);
/* Sees who has ended, and starts who is missing: at once, or after a pause that grows where one
 * lives for less than a second. Returns -1; in the process of a new worker its number, from 0 on.
 * From then on that process may call the four functions at the end, and workers_free(). NULL is
 * nothing. */
int workers_supervise(struct workers *w, int64_t now);

/* Asks all to end as SIGTERM does; nobody is replaced any more. */
void workers_finish(struct workers *w);
/* Whether there are any left. NULL is nobody. */
bool workers_busy(const struct workers *w);

/* What all have counted together, the dead too: for each that lives what it had counted when it
 * last waited. */
void workers_sum(const struct workers *w, struct counters *sum);

/* Adds the text `line`, which ends in a newline. */
typedef void workers_line(void *context, const char *line);
/* Gives each the command `command`, of control-commands.h, and tells each line of the answers but
 * the last one of each. Returns 0, or the number, from 1 on, of one that did not answer within a
 * second; for one that owes older answers too nobody waits. Lets signals in meanwhile, and waits no
 * more when one has raised *ends_asked. */
int workers_ask(struct workers *w, const char *command, const volatile sig_atomic_t *ends_asked,
    workers_line *add_line, void *context);

/* For a worker: where it counts, and its end of the line over which it is asked. */
struct counters *workers_counters(struct workers *w);
int workers_channel(const struct workers *w);
/* What was told by those who had its number, of what the system dropped at its sockets. */
uint64_t workers_kernel_drops(const struct workers *w);
/* To be called before it waits: what it has counted by now is what workers_sum() tells. */
void workers_publish(struct workers *w);

#endif
