/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One process of upcased, whole: what its files hand each other. It serves, or, with --workers,
 * watches those that do. */
#ifndef UPCASED_SERVER_H
#define UPCASED_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/control.h"
#include "server/poller.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/busy-poll.h"
#include "server/ready.h"
#include "server/settings.h"
#include "server/tcp.h"
#include "server/counters.h"
#include "server/udp.h"
#include "server/workers.h"

#define PROGRAM "upcased"
#define STATUS_FAILED 1
#define STATUS_USAGE 2

struct server {
	struct settings settings;
	/* What this process serves. */
	struct listen listen;
	/* With --workers: the sockets of each, in the watching process. */
	struct listen *shares;
	struct ready ready;
	struct loop *loop;
	/* The clients stand in an epoll set. */
	bool many;
	struct poller *poller;
	/* Where it counts: in `own_counters`, or as a worker. The watching process has the sum
	 * there when somebody asks. */
	struct counters *counters, own_counters;
	struct udp *udp;
	struct tcp *tcp;
	/* NULL: none. */
	struct control *control;
	/* NULL without --workers. The watching process has them in place of `udp` and `tcp`; a
	 * worker has them too. */
	struct workers *workers;
	bool is_worker;
	int64_t started;
	/* When signals were last let in. */
	int64_t signals_at;
	/* Whether the loop looks again instead of sleeping: with --spin until then, without as it
	 * finds that worth it. */
	int64_t spin_until;
	struct busy_poll busy_poll;
	unsigned polls;
	/* Datagrams and bytes over TCP so far, when that was last asked. */
	uint64_t datagrams, bytes;
	/* The totals are not told again before. */
	int64_t counters_from;
	/* How often the end was asked for. */
	const volatile sig_atomic_t *ends_asked;
	/* The end has begun, and how often it had been asked for by then; it is over at
	 * `finish_by`. */
	bool finishing;
	int ends_heeded;
	int64_t finish_by;
	/* The other end of the lifeline is gone. */
	bool abandoned;
};

/* One line on stderr, as printf() has it; returns the status. */
int server_complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Opens the sockets, or those of each worker. Returns 0 or the status, as all of these do. */
int server_open_sockets(struct server *s);
/* Makes all that serves or watches. */
int server_open(struct server *s);
/* What is served; all workers' are alike. */
const struct listen *server_served(const struct server *s);
/* Brings `counters` up to date: what the kernel dropped by now, the sum of all workers. */
void server_sum(struct server *s);
/* This process was started as worker `number`: it lets go of what is the watching one's and makes
 * what serves. */
int server_become_worker(struct server *s, int number);
/* Gives up what this process does not need for serving, and logs it. */
void server_give_up_rights(const struct server *s);
/* Closes the sockets of the workers in the watching process. */
void server_close_shares(struct server *s);
/* Ends and closes all but the totals, and the workers, whose memory they may lie in. */
void server_close(struct server *s);

#endif
