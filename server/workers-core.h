/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the workers share. */
#ifndef UPCASED_WORKERS_CORE_H
#define UPCASED_WORKERS_CORE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "server/workers.h"

/* Memory that one worker shares with who watches. */
struct workers_slot {
	/* Where it counts: right when it is dead. */
	alignas(64) struct counters live;
	/* Copies of it from between its turns, where everything adds up: the one numbered
	 * `published_count` modulo 2 is whole, the other one may be in the making. */
	struct counters published[2];
	atomic_uint published_count;
};

/* The longest line of an answer, with its end. */
#define WORKERS_LINE 2048

struct worker {
	/* 0: there is none now. */
	pid_t pid;
	/* Our end of the line over which it is asked, -1 for none. */
	int channel;
	/* Answers that have not come yet, of questions that were given up but for the last one. */
	int unanswered_count;
	/* Where it counts; in a worker's process NULL for the others, which it cannot reach. */
	struct workers_slot *slot;
	/* What came of them and is no whole line yet. */
	char received[WORKERS_LINE];
	size_t received_bytes;
	/* ns: when it was started, and when the next one is due if there is none now. */
	int64_t since, due;
	/* How long the last pause was, 0 for none. */
	int64_t pause;
	/* What those of this number who are dead had told of what the system dropped: its own count
	 * at their sockets goes on. */
	uint64_t kernel_drops;
};

struct workers {
	int count;
	struct worker *all;
	/* What those who are dead had counted. */
	struct counters ended;
	/* Nobody is replaced. */
	bool finishing;
	/* In a worker's process: its number and its end of the line. -1 in the watching one. */
	int own, line;
	/* The watching process. */
	pid_t watcher;
};

#endif
