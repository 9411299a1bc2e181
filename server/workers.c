/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "server/workers-core.h"

/* Who lives for less is not replaced at once, but after a pause: at first so long, then twice as
 * long each time. */
#define SHORT_LIFE NS_PER_S
#define PAUSE_FIRST (100 * NS_PER_MS)
#define PAUSE_MAX (5 * NS_PER_S)
#define READS_MAX 100

struct workers *workers_new(int count)
{
	struct workers *w = calloc(1, sizeof *w);
	struct worker *all = calloc((size_t)count, sizeof *all);

	if (!w || !all) {
		free(all);
		free(w);
		return NULL;
	}
	*w = (struct workers){ .all = all, .own = -1, .line = -1, .watcher = getpid() };
	for (; w->count < count; w->count++) {
		void *slot = mmap(NULL, sizeof *all->slot, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (slot == MAP_FAILED) {
			workers_free(w);
			return NULL;
		}
		all[w->count] = (struct worker){ .channel = -1, .slot = slot };
	}
	return w;
}

static void close_channel(struct worker *one)
{
	if (one->channel >= 0)
		close(one->channel);
	one->channel = -1;
}

static void let_go(struct worker *one)
{
	if (one->slot)
		munmap(one->slot, sizeof *one->slot);
	one->slot = NULL;
}

/* One has died; the next one counts from the beginning. */
static void end_worker(struct workers *w, int number)
{
	struct workers_slot *slot = w->all[number].slot;

	counters_end_worker(&slot->live);
	counters_add(&w->ended, &slot->live);
	w->all[number].kernel_drops += slot->live.udp_kernel_drops;
	memset(slot, 0, sizeof *slot);
	w->all[number].pid = 0;
	w->all[number].unanswered_count = 0;
	w->all[number].received_bytes = 0;
	close_channel(&w->all[number]);
}

void workers_kill(struct workers *w)
{
	if (!w || w->own >= 0)
		return;
	for (int i = 0; i < w->count; i++) {
		pid_t pid = w->all[i].pid;

		if (!pid)
			continue;
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		end_worker(w, i);
	}
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	for (int i = 0; i < w->count; i++) {
		close_channel(&w->all[i]);
		let_go(&w->all[i]);
	}
	if (w->line >= 0)
		close(w->line);
	free(w->all);
	free(w);
}

int64_t workers_deadline(const struct workers *w)
{
	int64_t first = CLOCK_NEVER;

	if (!w || w->own >= 0 || w->finishing)
		return first;
	for (int i = 0; i < w->count; i++)
		if (!w->all[i].pid && w->all[i].due < first)
			first = w->all[i].due;
	return first;
}

/* When the next one of its number is to be started. */
static void plan_restart(struct worker *one, int64_t now)
{
	if (now - one->since >= SHORT_LIFE)
		one->pause = 0;
	else
		one->pause = !one->pause                ? PAUSE_FIRST
		           : one->pause < PAUSE_MAX / 2 ? 2 * one->pause
		                                        : PAUSE_MAX;
	one->due = now + one->pause;
}

static void log_death(const struct workers *w, int number, pid_t pid, int status)
{
	bool killed = WIFSIGNALED(status);

	if (!w->finishing)
		log_event(LOG_LEVEL_ERROR,
		    "worker %d (process %d) ended: %s %d; the next one comes in %.1f s", number + 1,
		    (int)pid, killed ? "signal" : "status",
		    killed ? WTERMSIG(status) : WEXITSTATUS(status),
		    (double)w->all[number].pause / (double)NS_PER_S);
}

static void reap_workers(struct workers *w, int64_t now)
{
	for (int i = 0; i < w->count; i++) {
		pid_t pid = w->all[i].pid;
		int status;

		if (!pid || waitpid(pid, &status, WNOHANG) != pid)
			continue;
		end_worker(w, i);
		plan_restart(&w->all[i], now);
		log_death(w, i, pid, status);
	}
}

/* The process is a new worker's: it ends with the watching one, and holds nothing that is the
 * others'. */
static void begin_work(struct workers *w, int number, int line)
{
	w->own = number;
	w->line = line;
	for (int i = 0; i < w->count; i++) {
		close_channel(&w->all[i]);
		if (i != number)
			let_go(&w->all[i]);
	}
#ifdef HAVE_SYS_PRCTL_H
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	/* It may have died before that. */
	if (getppid() != w->watcher)
		kill(getpid(), SIGKILL);
}

/* Returns true in the new process. */
static bool start(struct workers *w, int number, int64_t now)
{
	struct worker *one = &w->all[number];
	int line[2] = { -1, -1 };
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, line) == 0)
		pid = fork();
	if (pid == 0) {
		close(line[0]);
		begin_work(w, number, line[1]);
		return true;
	}
	one->since = now;
	if (pid < 0) {
		plan_restart(one, now);
		log_event(LOG_LEVEL_ERROR, "worker %d cannot be started: %s; again in %.1f s",
		    number + 1, strerror(errno), (double)one->pause / (double)NS_PER_S);
		if (line[0] >= 0)
			close(line[0]);
	} else {
		one->pid = pid;
		one->channel = line[0];
	}
	if (line[1] >= 0)
		close(line[1]);
	return false;
}

int workers_supervise(struct workers *w, int64_t now)
{
	if (!w || w->own >= 0)
		return -1;
	reap_workers(w, now);
	for (int i = 0; i < w->count && !w->finishing; i++)
		if (!w->all[i].pid && w->all[i].due <= now && start(w, i, now))
			return i;
	return -1;
}

void workers_finish(struct workers *w)
{
	w->finishing = true;
	for (int i = 0; i < w->count; i++)
		if (w->all[i].pid)
			kill(w->all[i].pid, SIGTERM);
}

bool workers_busy(const struct workers *w)
{
	for (int i = 0; w && i < w->count; i++)
		if (w->all[i].pid)
			return true;
	return false;
}

/* What is whole stays so until the worker has made the other copy and then begun to make this one
 * anew. For one that does nothing else, since somebody has taken it over, nobody waits. */
static void read_slot(struct workers_slot *slot, struct counters *t)
{
	unsigned published_count = atomic_load(&slot->published_count), before;
	int tries = 0;

	do {
		before = published_count;
		*t = slot->published[published_count % 2];
		atomic_thread_fence(memory_order_acquire);
		published_count = atomic_load(&slot->published_count);
	} while (published_count != before && ++tries < READS_MAX);
}

void workers_sum(const struct workers *w, struct counters *sum)
{
	struct counters one;

	*sum = w->ended;
	for (int i = 0; i < w->count; i++) {
		read_slot(w->all[i].slot, &one);
		counters_add(sum, &one);
	}
}

struct counters *workers_counters(struct workers *w)
{
	return &w->all[w->own].slot->live;
}

int workers_channel(const struct workers *w)
{
	return w->line;
}

uint64_t workers_kernel_drops(const struct workers *w)
{
	return w->all[w->own].kernel_drops;
}

void workers_publish(struct workers *w)
{
	struct workers_slot *slot = w->all[w->own].slot;
	unsigned next = atomic_load_explicit(&slot->published_count, memory_order_relaxed) + 1;

	slot->published[next % 2] = slot->live;
	atomic_store_explicit(&slot->published_count, next, memory_order_release);
}
