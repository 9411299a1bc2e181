/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The watching process has a line to each worker, which carries the commands and answers of the
 * control socket. It waits for the answers, but only for a bounded time: late ones are skipped. */
#include "server/workers.h"

#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd-watch.h"
#include "common/file.h"
#include "common/log.h"
#include "common/os.h"

/* A worker that lived for less than this is replaced after a pause, which doubles each time. */
#define SHORT_LIFE NS_PER_S
#define PAUSE_FIRST (100 * NS_PER_MS)
#define PAUSE_MAX (5 * NS_PER_S)
#define READS_MAX 100
/* The longest wait for an answer. */
#define ANSWER_TIMEOUT NS_PER_S

/* Memory that a worker shares with the watching process. */
struct workers_slot {
	/* The worker counts here; the sums are right when it is dead. */
	alignas(64) struct counters live;
	/* Copies of `live` from between two turns, where all sums are right: the copy numbered
	 * `published_count` modulo 2 is whole, the other one may be half written. */
	struct counters published[2];
	atomic_uint published_count;
};

/* The longest line of an answer, with its end. */
#define WORKERS_LINE 2048

struct worker {
	/* 0 while there is none. */
	pid_t pid;
	/* The watching process's end of the line to it, -1 for none. */
	int channel;
	/* The number of pending answers; all commands but the last were given up. */
	int unanswered_count;
	/* NULL in another worker's process, which cannot access it. */
	struct workers_slot *slot;
	/* Bytes of an unfinished line. */
	char received[WORKERS_LINE + 1];
	size_t received_bytes;
	/* ns: when it was started; when the next one is to be started if there is none. */
	int64_t since, due;
	/* How long the last pause was, 0 for none. */
	int64_t pause;
	/* Datagrams dropped by the kernel that dead workers of this number have counted: the
	 * kernel's own count of their sockets continues. */
	uint64_t kernel_drops;
};

struct workers {
	int count;
	/* The counters of the dead workers. */
	struct counters ended;
	/* No worker is replaced any more. */
	bool finishing;
	/* A worker's own number and its end of the line; -1 in the watching process. */
	int own, line;
	/* The watching process. */
	pid_t watcher;
	struct worker all[];
};

struct workers *workers_new(int count)
{
	struct workers *w = calloc(1, sizeof *w + (size_t)count * sizeof *w->all);

	if (!w)
		return NULL;
	*w = (struct workers){ .own = -1, .line = -1, .watcher = getpid() };
	for (; w->count < count; w->count++) {
		void *slot = os_shared_memory(sizeof *w->all->slot);

		if (!slot) {
			workers_free(w);
			return NULL;
		}
		w->all[w->count] = (struct worker){ .channel = -1, .slot = slot };
	}
	return w;
}

static void unmap_slot(struct worker *one)
{
	if (one->slot)
		munmap(one->slot, sizeof *one->slot);
	one->slot = NULL;
}

/* Adds the counters of a worker that has died; the next worker of its number counts from 0. */
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
	w->all[number].channel = file_close(w->all[number].channel);
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
		w->all[i].channel = file_close(w->all[i].channel);
		unmap_slot(&w->all[i]);
	}
	(void)file_close(w->line);
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

/* Sets when the next worker of the number is to be started. */
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

static void reap_workers(struct workers *w, int64_t now)
{
	for (int i = 0; i < w->count; i++) {
		pid_t pid = w->all[i].pid;
		int status;

		if (!pid || waitpid(pid, &status, WNOHANG) != pid)
			continue;
		end_worker(w, i);
		plan_restart(&w->all[i], now);
		if (!w->finishing)
			log_event(LOG_LEVEL_ERROR,
			    "worker %d (process %d) ended: %s %d; the next one comes in %.1f s",
			    i + 1, (int)pid, WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			    (double)w->all[i].pause / (double)NS_PER_S);
	}
}

/* Starts a worker. Returns true in its process, which ends with the watching one and holds nothing
 * of the other workers. */
static bool start(struct workers *w, int number, int64_t now)
{
	struct worker *one = &w->all[number];
	int line[2] = { -1, -1 };

	one->since = now;
	if (os_socketpair(line) < 0 || (one->pid = fork()) < 0) {
		one->pid = 0;
		plan_restart(one, now);
		log_event(LOG_LEVEL_ERROR, "worker %d cannot be started: %s; again in %.1f s",
		    number + 1, strerror(errno), (double)one->pause / (double)NS_PER_S);
		(void)file_close(line[0]);
		(void)file_close(line[1]);
		return false;
	}
	if (one->pid > 0) {
		one->channel = line[0];
		close(line[1]);
		return false;
	}
	close(line[0]);
	w->own = number;
	w->line = line[1];
	for (int i = 0; i < w->count; i++) {
		w->all[i].channel = file_close(w->all[i].channel);
		if (i != number)
			unmap_slot(&w->all[i]);
	}
	os_end_with_parent(w->watcher);
	return true;
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

/* Reads the whole copy. It stays whole until the worker has written the other one and begins to
 * write this one again. The tries are bounded: an attacker may control the worker. */
static void read_slot(struct workers_slot *slot, struct counters *c)
{
	unsigned published_count = atomic_load(&slot->published_count), before;
	int tries = 0;

	do {
		before = published_count;
		*c = slot->published[published_count % 2];
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

/* Takes a received line with its end. Gives it to `add_line` if it belongs to the last command. */
static void take_line(struct worker *one, workers_line *add_line, void *context)
{
	const char *line = one->received;

	one->received[one->received_bytes] = '\0';
	one->received_bytes = 0;
	/* The last line of an answer. */
	if (strcmp(line, "ok\n") == 0 || strncmp(line, "error", 5) == 0)
		one->unanswered_count -= one->unanswered_count > 0;
	else if (one->unanswered_count == 1)
		add_line(context, line);
}

/* Receives what has come. A worker that has died has no pending answers. */
static void receive(struct worker *one, workers_line *add_line, void *context)
{
	char bytes[WORKERS_LINE];
	const ssize_t n = recv(one->channel, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		one->unanswered_count = 0;
	for (ssize_t i = 0; i < n; i++) {
		/* The server writes no longer line; the rest of one is dropped. */
		if (one->received_bytes < WORKERS_LINE - 1 || bytes[i] == '\n')
			one->received[one->received_bytes++] = bytes[i];
		if (bytes[i] == '\n')
			take_line(one, add_line, context);
	}
}

/* Receives from the workers with pending answers; waits `timeout` ns at most for the first of them.
 * Their lines are few enough for select(), which server_open_sockets() has checked. */
static void receive_all(struct workers *w, int64_t timeout, workers_line *add_line, void *context)
{
	const struct timespec max = { timeout / NS_PER_S, timeout % NS_PER_S };
	struct fd_watch channels;
	sigset_t none;

	sigemptyset(&none);
	fd_watch_start(&channels);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count)
			fd_watch_read(&channels, w->all[i].channel);
	if (pselect(channels.count, &channels.readable, NULL, NULL, &max, &none) <= 0)
		return;
	for (int i = 0; i < w->count; i++)
		if (fd_watch_can_read(&channels, w->all[i].channel))
			receive(&w->all[i], add_line, context);
}

/* Whether the last answer is the only pending one of a worker. */
static bool has_last_answer_pending(const struct workers *w)
{
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count == 1)
			return true;
	return false;
}

int workers_query(struct workers *w, const char *command, const volatile sig_atomic_t *end_requests,
    workers_line *add_line, void *context)
{
	const int64_t deadline = clock_monotonic() + ANSWER_TIMEOUT;
	int64_t left = ANSWER_TIMEOUT;
	int unanswered = 0;

	for (int i = 0; i < w->count; i++) {
		struct worker *one = &w->all[i];

		/* A line is full when its other end has read none of many commands. */
		if (one->channel >= 0 &&
		    send(one->channel, command, strlen(command), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			one->unanswered_count++;
	}
	do
		receive_all(w, has_last_answer_pending(w) && !*end_requests ? left : 0, add_line,
		    context);
	while (has_last_answer_pending(w) && !*end_requests &&
	       (left = deadline - clock_monotonic()) > 0);
	for (int i = 0; i < w->count; i++)
		if (w->all[i].unanswered_count)
			unanswered = i + 1;
	return unanswered;
}
