/* SPDX-License-Identifier: GPL-3.0-or-later */
/* upcased: starts, runs the loop, ends. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/options.h"
#include "common/standard.h"
#include "server/server.h"

/* How long a signal may wait while there is always something ready. */
#define SIGNAL_STEP (50 * NS_PER_MS)
/* One poll in POLLS checks all descriptors; the others the last active one, at a third of the
 * cost. */
#define POLLS 8
/* The most bytes that a TCP client sends in one piece if it waits for the reply before the next. */
#define MESSAGE 2048
/* The time at the end for clients to take their last replies, and for the workers to end: with
 * everything else less than a second. */
#define FINISH_TIMEOUT (500 * NS_PER_MS)
#define WORKERS_TIMEOUT (750 * NS_PER_MS)
/* The least time between two totals, of 9 lines, so that the log keeps its limit. */
#define COUNTERS_PAUSE (500 * NS_PER_MS)

/* How often SIGTERM, SIGINT or SIGHUP came; the last one of them; whether SIGUSR1 came. */
static volatile sig_atomic_t end_requests, end_signal, counters_requested;

static void on_signal(int number)
{
	/* SIGCHLD only wakes the loop, which finds out which worker ended. */
	if (number == SIGCHLD)
		return;
	if (number == SIGUSR1) {
		counters_requested = 1;
		return;
	}
	end_requests++;
	end_signal = number;
}

/* Blocks the signals that the server handles: they come only in pselect(), with `*mask`. */
static void catch_signals(sigset_t *mask)
{
	static const int caught[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGCHLD };
	struct sigaction act = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN }, old;
	sigset_t blocked;

	sigemptyset(&blocked);
	sigfillset(&act.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
		/* nohup started the server. */
		if (caught[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&blocked, caught[i]);
		sigaction(caught[i], &act, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	/* A log or a file that may not grow does not end the server. */
	sigaction(SIGXFSZ, &ignore, NULL);
	sigprocmask(SIG_BLOCK, &blocked, mask);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		sigdelset(mask, caught[i]);
}

static void show_help(void)
{
	printf("Usage: " PROGRAM " [OPTION]...\n"
	       "Sends back in capitals what it is sent, over UDP and TCP on one port. It serves\n"
	       "this host alone unless --public or --bind says otherwise.\n\n");
	settings_help(stdout);
	printf(
	    "\nSIGTERM or SIGINT ends it, SIGUSR1 prints its totals. The manual: man 8 upcased\n");
}

/* Checks a descriptor that the command line names: it must be open, below `max`, and for more than
 * `useless` alone (O_RDONLY or O_WRONLY). */
static int check_descriptor(const char *option, int fd, int useless, int max)
{
	const bool is_open = fd < max && fcntl(fd, F_GETFD) >= 0;

	if (fd == SETTINGS_UNSET || (is_open && (fcntl(fd, F_GETFL) & O_ACCMODE) != useless))
		return 0;
	return server_report_error(-1, "--%s=%d: is %s%s", option, fd,
	    !is_open              ? "not an open descriptor"
	    : useless == O_RDONLY ? "open for reading only"
	                          : "open for writing only",
	    fd < max ? "" : " that can be watched");
}

/* Returns -1 to continue, else the status. */
static int read_settings(struct settings *s, int argc, char **argv)
{
	struct options_spec table[SETTINGS_ROWS];
	char reason[OPTIONS_REASON], all[] = "--";
	int operand;

	settings_start(s);
	settings_table(table);
	if (options_completing(argc, argv)) {
		/* There are no operands: any other word is to be an option. */
		if (options_complete(table, true, argc - 1, argv + 1, stdout) >= 0)
			options_complete(table, true, 2, (char *[]){ all, all, NULL }, stdout);
		return standard_end();
	}
	operand = options_command_line(table, s, argc, argv);
	if (operand < 0)
		return STATUS_USAGE;
	if (s->help) {
		show_help();
		return standard_end();
	}
	if (s->version) {
		printf(PROGRAM " " PACKAGE_VERSION " (Unicode %s)\n", capitals_unicode());
		fputs(SYSTEM_LACKING, stdout);
		return standard_end();
	}
	if (operand < argc)
		return server_report_error(STATUS_USAGE,
		    "%.60s: is one word too many; for example " PROGRAM " --port=12000",
		    argv[operand]);
	if (settings_check(s, reason) < 0 || ready_check(s->port_file, reason) < 0)
		return server_report_error(STATUS_USAGE, "%s", reason);
	if (check_descriptor("ready-fd", s->ready_fd, O_RDONLY, INT32_MAX) < 0 ||
	    check_descriptor("lifeline-fd", s->lifeline_fd, O_WRONLY, FD_SETSIZE) < 0)
		return STATUS_USAGE;
	return -1;
}

/* Reports that the server is ready: on standard output first, then in the port file and on the
 * ready descriptor, whose readers thus find everything reported. But if that descriptor is standard
 * output, the port is the first line. Returns 0 or the status. */
static int announce(struct server *s)
{
	char reason[OPTIONS_REASON], text[40 * LISTEN_SOCKETS];
	uint16_t port = addr_port(&server_served(s)->sockets[0].addr);
	int fd = s->settings.ready_fd;
	bool stuck;

	if (ready_prepare(&s->ready, s->settings.port_file, port, reason) < 0 ||
	    (fd == STDOUT_FILENO && ready_port(fd, port, reason) < 0))
		return server_report_error(STATUS_FAILED, "%s", reason);
	/* This must come before the sandbox. */
	standard_nonblocking(STDOUT_FILENO);
	standard_nonblocking(fd);
	stuck = standard_would_block(STDOUT_FILENO, POLLOUT);
	if (!stuck) {
		fputs("The server is ready to receive\n", stdout);
		standard_put(stdout, listen_text(server_served(s), text, sizeof text));
		putchar('\n');
	}
	/* The server serves nevertheless. */
	if (stuck || fflush(stdout) != 0)
		log_always("standard output: %s", strerror(stuck ? EAGAIN : errno));
	if (ready_file(&s->ready, reason) < 0)
		return server_report_error(STATUS_FAILED, "%s", reason);
	/* The last file is made. A worker gives up more when it starts. */
	server_drop_privileges(s);
	return fd != STDOUT_FILENO && ready_port(fd, port, reason) < 0
	         ? server_report_error(STATUS_FAILED, "%s", reason)
	         : 0;
}

/* Logs the totals. A worker logs none. */
static void show_counters(struct server *s, const char *when)
{
	char line[COUNTERS_LINE];

	if (s->is_worker)
		return;
	server_sum(s);
	log_always("totals %s, after %.3f s:", when,
	    (double)(clock_monotonic() - s->started) / (double)NS_PER_S);
	for (int i = 0; counters_line(s->counters, i, line); i++)
		log_always("%s", line);
}

static const char *end_reason(void)
{
	if (!end_requests)
		return "the lifeline was let go";
	return end_signal == SIGTERM ? "SIGTERM" : end_signal == SIGINT ? "SIGINT" : "SIGHUP";
}

static void begin_end(struct server *s, int64_t now)
{
	s->finishing = true;
	s->end_requests_handled = end_requests;
	s->finish_by = now + (s->udp ? FINISH_TIMEOUT : WORKERS_TIMEOUT);
	if (!s->is_worker)
		log_always("ends: %s", end_reason());
	if (!s->udp) {
		/* The workers close their sockets too. */
		server_close_worker_sockets(s);
		workers_finish(s->workers);
		return;
	}
	udp_finish(s->udp, now);
	tcp_finish(s->tcp, now);
}

/* Whether the server is to end now. A second signal ends it at once, but not a worker, which gets
 * the first one twice: from the watching process, and from a terminal or a service manager. */
static bool is_over(const struct server *s, int64_t now)
{
	const bool busy = s->udp ? udp_busy(s->udp) || tcp_busy(s->tcp) : workers_busy(s->workers);

	return s->finishing && ((end_requests > s->end_requests_handled && !s->is_worker) ||
	                           now >= s->finish_by || !busy);
}

static int64_t next_deadline(const struct server *s)
{
	const int64_t all[] = {
		s->tcp ? tcp_deadline(s->tcp) : CLOCK_NEVER,
		s->udp ? udp_deadline(s->udp) : CLOCK_NEVER,
		workers_deadline(s->workers),
		control_deadline(s->control),
		s->finishing ? s->finish_by : CLOCK_NEVER,
		counters_requested ? s->counters_from : CLOCK_NEVER,
	};
	int64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		first = all[i] < first ? all[i] : first;
	return first;
}

/* Delivers waiting signals now and then: while a descriptor is ready, Linux's pselect() returns
 * without delivering any, so that under load none would ever come. */
static void deliver_signals(struct server *s, const sigset_t *mask, int64_t now)
{
	sigset_t blocked;

	if (now - s->signals_at < SIGNAL_STEP)
		return;
	s->signals_at = now;
	sigprocmask(SIG_SETMASK, mask, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* Whether to poll again rather than sleep: a peer that sends again at once is answered without the
 * time to wake up. With --spin for that time, else as long as polling costs nothing. */
static bool is_polling(struct server *s, int64_t now)
{
	return !s->finishing &&
	       (s->settings.spin ? now < s->spin_until : busy_poll_active(&s->busy_poll, now));
}

/* Notes, for busy polling, that the messages of the turn that began at `now` have been answered;
 * they came from `fd` alone or, with -1, from several descriptors. */
static void note_busy_poll(struct server *s, int fd, int64_t now)
{
	const struct counters *c = s->counters;
	const uint64_t datagrams = c->udp_datagrams - s->datagrams,
	               bytes = c->tcp_bytes_in - s->bytes;

	if (!s->udp || (!datagrams && !bytes))
		return;
	s->datagrams = c->udp_datagrams;
	s->bytes = c->tcp_bytes_in;
	s->spin_until = now + s->settings.spin;
	busy_poll_note(&s->busy_poll, datagrams + (bytes > 0) == 1 && bytes <= MESSAGE ? fd : -1,
	    now, clock_monotonic());
}

/* Polls the last active descriptor alone. Returns whether that was the whole turn. */
static bool poll_again(struct server *s, int64_t now)
{
	if (!is_polling(s, now) || ++s->polls % POLLS == 0)
		return false;
	loop_call_reader(s->loop, s->busy_poll.fd, now);
	note_busy_poll(s, s->busy_poll.fd, now);
	return true;
}

/* Does the work that is due. Returns 0 or the status. */
static int run_timers(struct server *s, int64_t now)
{
	int number = workers_supervise(s->workers, now), status;

	if (number >= 0 && (status = server_become_worker(s, number)))
		return status;
	if (s->udp) {
		udp_timers(s->udp, now);
		tcp_timers(s->tcp, now);
	}
	control_timers(s->control, now);
	if (s->is_worker)
		workers_publish(s->workers);
	return 0;
}

/* The loop. Returns 0 or the status. */
static int run(struct server *s, const sigset_t *mask)
{
	int64_t now = clock_monotonic();
	int status, found;

	for (;;) {
		/* First: a signal delivered after the check of what it reports would be lost. */
		deliver_signals(s, mask, now);
		/* This comes before ended workers are found: a terminal signals them too. */
		if ((end_requests || s->abandoned) && !s->finishing)
			begin_end(s, now);
		if ((status = run_timers(s, now)))
			return status;
		if (counters_requested && now >= s->counters_from) {
			counters_requested = 0;
			s->counters_from = now + COUNTERS_PAUSE;
			show_counters(s, "so far");
		}
		if (is_over(s, now))
			return 0;
		if (poll_again(s, now)) {
			now = clock_monotonic();
			continue;
		}
		found = loop_wait(s->loop, is_polling(s, now) ? now : next_deadline(s), now, mask);
		if (found < 0) {
			log_always("cannot wait for clients: %s", strerror(errno));
			return STATUS_FAILED;
		}
		now = clock_monotonic();
		if (found)
			s->spin_until = now + s->settings.spin;
		note_busy_poll(s, loop_dispatch(s->loop, now), now);
	}
}

int main(int argc, char **argv)
{
	struct server s = { .end_requests = &end_requests };
	sigset_t mask;
	int status;

	setlocale(LC_CTYPE, "");
	if (standard_open(PROGRAM, 0))
		return STATUS_FAILED;
	if ((status = read_settings(&s.settings, argc, argv)) >= 0)
		return status;
	catch_signals(&mask);
	log_open(s.settings.level);
	if (!(status = server_open_sockets(&s)) && !(status = server_open(&s)) &&
	    !(status = announce(&s))) {
		s.started = clock_monotonic();
		status = run(&s, &mask);
	}
	server_close(&s);
	if (s.started)
		show_counters(&s, "at the end");
	workers_free(s.workers);
	log_flush();
	return status;
}
