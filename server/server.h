/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One process of upcased: its parts, and how they are opened and closed. It serves, or, with
 * --workers, watches the processes that serve. */
#pragma once

#include "server/busy-poll.h"
#include "server/control.h"
#include "server/counters.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/ready.h"
#include "server/settings.h"
#include "server/tcp.h"
#include "server/udp.h"
#include "server/workers.h"

#define PROGRAM "upcased"
#define STATUS_FAILED 1
#define STATUS_USAGE 2

struct server {
	struct settings settings;
	/* The sockets that this process serves. */
	struct listen listen;
	/* With --workers: the sockets of each, in the watching process. */
	struct listen *worker_sockets;
	struct ready ready;
	struct loop *loop;
	/* The clients are in an epoll set. */
	bool uses_epoll;
	/* `own_counters`, or a worker's shared ones. In the watching process the last sum. */
	struct counters *counters, own_counters;
	struct udp *udp;
	struct tcp *tcp;
	/* NULL: none. */
	struct control *control;
	/* NULL without --workers. The watching process has no `udp` and `tcp`; a worker has all. */
	struct workers *workers;
	bool is_worker;
	int64_t started;
	/* When signals were last delivered. */
	int64_t signals_at;
	/* Until when the loop polls with --spin; without it `busy_poll` decides. */
	int64_t spin_until;
	struct busy_poll busy_poll;
	unsigned polls;
	/* Datagrams and TCP bytes at the last turn in which any came. */
	uint64_t datagrams, bytes;
	/* The totals are not logged again before this time. */
	int64_t counters_from;
	/* How many signals asked for the end. */
	const volatile sig_atomic_t *end_requests;
	/* The end has begun, after `end_requests_handled` signals; it is over at `finish_by`. */
	bool finishing;
	int end_requests_handled;
	int64_t finish_by;
	/* The other end of the lifeline is closed. */
	bool abandoned;
};

/* Writes one line to stderr, as printf() does; returns the status. */
int server_report_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Opens the sockets, or those of each worker. Returns 0 or the status, as server_open(). */
int server_open_sockets(struct server *s);
/* Makes everything but the sockets. */
int server_open(struct server *s);
/* The served sockets; all workers have the same addresses. */
const struct listen *server_served(const struct server *s);
/* Updates `counters`: the kernel's drops, the sum of all workers. */
void server_sum(struct server *s);
/* Makes this process, which was forked, worker `number`: closes what belongs to the watching
 * process and opens what serves. Returns 0 or the status. */
int server_become_worker(struct server *s, int number);
/* Gives up the rights that this process does not need for serving, and logs it. */
void server_drop_privileges(const struct server *s);
/* Closes the sockets of the workers in the watching process. */
void server_close_worker_sockets(struct server *s);
/* Ends and closes all but the counters, and the workers, whose memory may hold them. */
void server_close(struct server *s);
