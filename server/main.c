/* SPDX-License-Identifier: GPL-3.0-or-later */
/* upcased: starts, runs the loop, ends. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "capitals.h"
#include "clock.h"
#include "control.h"
#include "hash.h"
#include "limits.h"
#include "listen.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "report.h"
#include "sandbox.h"
#include "settings.h"
#include "tcp.h"
#include "totals.h"
#include "udp.h"

#define PROGRAM "upcased"
#define STATUS_FAILED 1
#define STATUS_USAGE 2
/* Descriptors kept free beside the clients: for one that is refused, and for what the system needs in passing. */
#define SPARE_DESCRIPTORS 4
/* How long a signal may wait while there is always something ready. */
#define SIGNAL_STEP (10 * NS_PER_MS)
/* Of so many looks of --spin one is at everything, the others are at datagrams alone, which costs a third. */
#define SPIN_LOOKS 8
/* How long the end waits for clients to take their last replies. */
#define FINISH_PATIENCE (5 * NS_PER_S)

/* How often SIGTERM or SIGINT came, and which one last; whether SIGUSR1 came. */
static volatile sig_atomic_t ends_asked, end_signal, totals_asked;

struct server {
	struct settings settings;
	struct listen listen;
	struct report report;
	struct loop *loop;
	struct totals totals;
	struct udp *udp;
	struct tcp *tcp;
	/* NULL: none. */
	struct control *control;
	int64_t started;
	/* When signals were last let in. */
	int64_t signals_at;
	/* The loop looks again instead of sleeping (--spin); 0 when it does not. */
	int64_t spin_until;
	unsigned looks;
	/* The end has begun, and how often it had been asked for by then; it is over at `finish_by`. */
	bool finishing;
	int ends_heeded;
	int64_t finish_by;
	/* The other end of the lifeline is gone. */
	bool abandoned;
};

static void on_signal(int number)
{
	if (number == SIGUSR1) {
		totals_asked = 1;
		return;
	}
	ends_asked++;
	end_signal = number;
}

/* One line on stderr; returns the status. */
static int complain(int status, const char *what)
{
	fprintf(stderr, PROGRAM ": %s\n", what);
	return status;
}

/* A descriptor that is missing here would be given to a socket, and what is printed would go to a client. */
static void open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* The signals that the server acts on come only while pselect() waits, with `*mask`. */
static void catch_signals(sigset_t *mask)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
	struct sigaction act = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN}, old;
	sigset_t blocked;

	sigemptyset(&blocked);
	sigfillset(&act.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
		/* Started by nohup. */
		if (caught[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&blocked, caught[i]);
		sigaction(caught[i], &act, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
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
	printf("\nSIGTERM or SIGINT ends it, SIGUSR1 prints its totals. The manual: man 8 upcased\n");
}

/* A descriptor that the command line names must have come from whoever started this. */
static int check_descriptor(const char *option, int fd, int most)
{
	char why[OPTIONS_WHY];

	if (fd == SETTINGS_UNSET || (fd < most && fcntl(fd, F_GETFD) >= 0))
		return 0;
	snprintf(why, sizeof why, "--%s=%d: is not an open descriptor%s", option, fd, fd < most ? "" : " that can be watched");
	return complain(-1, why);
}

/* Returns 0 to go on, else the status plus one. */
static int read_settings(struct settings *s, int argc, char **argv)
{
	char why[OPTIONS_WHY];
	int operand;

	settings_start(s);
	operand = options_command_line(settings_table, s, argc, argv);
	if (operand < 0)
		return STATUS_USAGE + 1;
	if (s->help) {
		show_help();
		return 1;
	}
	if (s->version) {
		printf(PROGRAM " " PACKAGE_VERSION " (Unicode %s)\n", capitals_unicode());
		return 1;
	}
	if (operand < argc) {
		snprintf(why, sizeof why, "%.60s: is one word too many; for example " PROGRAM " --port=12000", argv[operand]);
		return complain(STATUS_USAGE, why) + 1;
	}
	if (settings_check(s, why) < 0)
		return complain(STATUS_USAGE, why) + 1;
	if (check_descriptor("ready-fd", s->ready_fd, INT32_MAX) < 0 ||
	    check_descriptor("lifeline-fd", s->lifeline_fd, FD_SETSIZE) < 0)
		return STATUS_USAGE + 1;
	return 0;
}

/* How many clients there is room for beside `sockets` that are still to be opened. Returns 0 or the status. */
static int settle_clients(struct settings *s, int sockets)
{
	int room = limits_free_descriptors() - sockets - SPARE_DESCRIPTORS;
	char why[OPTIONS_WHY];

	if (room < 1)
		return complain(STATUS_FAILED, "the limit of open files leaves no room for clients: raise it (ulimit -n 1024)");
	if (s->max_clients > room) {
		snprintf(why, sizeof why, "--max-clients=%lld: is more than the %d for whom select() and ulimit -n leave room here",
		    (long long)s->max_clients, room);
		return complain(STATUS_USAGE, why);
	}
	if (s->max_clients == SETTINGS_UNSET)
		s->max_clients = room;
	return 0;
}

/* Gets the sockets. Returns 0 or the status. */
static int open_sockets(struct server *s)
{
	char why[OPTIONS_WHY];
	int handed_over = listen_handed_over(why), status;

	if (handed_over < 0)
		return complain(STATUS_FAILED, why);
	status = settle_clients(&s->settings, (handed_over ? 0 : 2 * s->settings.places_count) +
	    (s->settings.control ? CONTROL_DESCRIPTORS : 0));
	if (status)
		return status;
	if ((handed_over ? listen_take(&s->listen, handed_over, why) : listen_open(&s->listen, &s->settings, why)) < 0)
		return complain(STATUS_FAILED, why);
	if (handed_over)
		log_always("serves the %d sockets of LISTEN_FDS; --port, --bind and --public do not count", handed_over);
	if (s->listen.missing)
		log_always("this host has no IPv%d: serves IPv%d alone", s->listen.missing == AF_INET6 ? 6 : 4,
		    s->listen.missing == AF_INET6 ? 4 : 6);
	settings_defaults(&s->settings, listen_is_open(&s->listen));
	return 0;
}

static void lifeline_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct server *s = context;
	char ignored[512];
	ssize_t n = read(fd, ignored, sizeof ignored);

	(void)ready;
	(void)now;
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	s->abandoned = true;
	loop_remove(s->loop, fd);
}

/* A lossy server that nobody knows of would be taken for a broken one. */
static void tell_impairment(const struct impair_options *o)
{
	char line[IMPAIR_OPTIONS_LINE];

	if (!impair_options_perfect(o))
		log_always("impairs UDP, %s", impair_options_line(o, line));
}

static void each_connection(void *tcp, int64_t now, orders_tell *tell, void *context)
{
	tcp_each(tcp, now, tell, context);
}

static int open_control(struct server *s)
{
	const struct orders orders = {&s->totals, &s->settings.impair, each_connection, s->tcp};
	char why[OPTIONS_WHY];

	if (!s->settings.control)
		return 0;
	s->control = control_open(s->loop, s->settings.control, &orders, why);
	return s->control ? 0 : complain(STATUS_FAILED, why);
}

/* Makes what serves the sockets. Returns 0 or the status. */
static int open_services(struct server *s)
{
	const struct settings *set = &s->settings;
	const struct tcp_limits limits = {set->max_clients, set->max_per_source, set->idle_timeout, set->connect_rate};
	bool perfect = impair_options_perfect(&set->impair);
	struct hash_key key;
	uint32_t chance;

	if (getrandom(&key, sizeof key, 0) != sizeof key || getrandom(&chance, sizeof chance, 0) != sizeof chance)
		return complain(STATUS_FAILED, "the system gives no random numbers");
	impair_options_seed(&s->settings.impair, chance);
	s->loop = loop_new();
	s->udp = s->loop ? udp_new(s->loop, &s->listen, &s->totals, &key, perfect ? NULL : &set->impair,
	    set->datagram_rate) : NULL;
	s->tcp = s->udp ? tcp_new(s->loop, &s->listen, &s->totals, &key, &limits) : NULL;
	if (!s->tcp)
		return complain(STATUS_FAILED, strerror(ENOMEM));
	if (set->lifeline_fd != SETTINGS_UNSET)
		loop_add(s->loop, set->lifeline_fd, LOOP_READ, lifeline_ready, s);
	tell_impairment(&set->impair);
	return open_control(s);
}

/* Says that it is ready: to the person first, so that whoever waits for the port finds everything said. But where both
 * read the same, the port is the first line. Returns 0 or the status. */
static int announce(struct server *s)
{
	char why[OPTIONS_WHY], text[40 * LISTEN_SOCKETS];
	uint16_t port = listen_port(&s->listen);
	int fd = s->settings.ready_fd, failed;

	failed = report_prepare(&s->report, s->settings.port_file, port, why) < 0 ||
	    (fd == STDOUT_FILENO && report_port(fd, port, why) < 0);
	if (failed)
		return complain(STATUS_FAILED, why);
	printf("The server is ready to receive\n%s\n", listen_text(&s->listen, text, sizeof text));
	fflush(stdout);
	failed = report_file(&s->report, why) < 0 || (fd != STDOUT_FILENO && report_port(fd, port, why) < 0);
	return failed ? complain(STATUS_FAILED, why) : 0;
}

static void give_up_rights(const struct settings *set)
{
	const char *const files[SANDBOX_FILES] = {set->control, set->port_file};
	char report[300];

	if (set->no_sandbox)
		return;
	sandbox_enter(files, report, sizeof report);
	log_always("sandbox: %s", report);
}

static int start(struct server *s)
{
	int status;

	log_open(PROGRAM, s->settings.level);
	if ((status = open_sockets(s)) || (status = open_services(s)) || (status = announce(s)))
		return status;
	give_up_rights(&s->settings);
	s->started = clock_monotonic();
	return 0;
}

static void show_totals(const struct server *s, const char *when)
{
	char line[TOTALS_LINE];

	if (s->udp)
		udp_look(s->udp);
	log_always("totals %s, after %.3f s:", when, (double)(clock_monotonic() - s->started) / (double)NS_PER_S);
	for (int i = 0; totals_line(&s->totals, i, line); i++)
		log_always("%s", line);
}

static const char *why_end(void)
{
	if (!ends_asked)
		return "the lifeline was let go";
	return end_signal == SIGTERM ? "SIGTERM" : end_signal == SIGINT ? "SIGINT" : "SIGHUP";
}

static void begin_end(struct server *s, int64_t now)
{
	s->finishing = true;
	s->ends_heeded = ends_asked;
	s->finish_by = now + FINISH_PATIENCE;
	log_always("ends: %s", why_end());
	udp_finish(s->udp, now);
	tcp_finish(s->tcp, now);
}

static bool is_over(const struct server *s, int64_t now)
{
	return s->finishing &&
	    (ends_asked > s->ends_heeded || now >= s->finish_by || !(udp_busy(s->udp) || tcp_busy(s->tcp)));
}

static int64_t next_deadline(const struct server *s)
{
	const int64_t all[] = {
		tcp_deadline(s->tcp), udp_deadline(s->udp), control_deadline(s->control),
		s->finishing ? s->finish_by : CLOCK_NEVER,
	};
	int64_t first = CLOCK_NEVER;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		first = all[i] < first ? all[i] : first;
	return first;
}

/* Where a descriptor is ready Linux's pselect() returns without letting a waiting signal in, so that under load none
 * ever came. */
static void let_signals_in(struct server *s, const sigset_t *mask, int64_t now)
{
	sigset_t blocked;

	if (now - s->signals_at < SIGNAL_STEP)
		return;
	s->signals_at = now;
	sigprocmask(SIG_SETMASK, mask, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* For --spin, as long as something was ready lately: a peer that sends again at once is answered without the time that
 * waking up takes. Returns whether the turn is over with that. */
static bool look_again(struct server *s, int64_t now)
{
	if (now >= s->spin_until || s->finishing || ++s->looks % SPIN_LOOKS == 0)
		return false;
	if (udp_serve_again(s->udp, now))
		s->spin_until = now + s->settings.spin;
	return true;
}

/* Returns what loop_wait() does. */
static int wait_for_clients(struct server *s, int64_t now, const sigset_t *mask)
{
	return loop_wait(s->loop, now < s->spin_until ? now : next_deadline(s), now, mask);
}

/* The loop. Returns 0 or the status. */
static int run(struct server *s, const sigset_t *mask)
{
	int64_t now = clock_monotonic();

	for (;;) {
		let_signals_in(s, mask, now);
		if (totals_asked) {
			totals_asked = 0;
			show_totals(s, "so far");
		}
		if ((ends_asked || s->abandoned) && !s->finishing)
			begin_end(s, now);
		if (is_over(s, now))
			return 0;
		if (look_again(s, now)) {
			now = clock_monotonic();
			continue;
		}
		if (wait_for_clients(s, now, mask) < 0) {
			log_always("cannot wait for clients: %s", strerror(errno));
			return STATUS_FAILED;
		}
		now = clock_monotonic();
		if (s->settings.spin && loop_found(s->loop))
			s->spin_until = now + s->settings.spin;
		udp_timers(s->udp, now);
		tcp_timers(s->tcp, now);
		control_timers(s->control, now);
		loop_dispatch(s->loop, now);
	}
}

static void stop(struct server *s)
{
	report_end(&s->report);
	control_close(s->control);
	if (s->tcp)
		tcp_free(s->tcp);
	if (s->udp)
		udp_free(s->udp);
	s->udp = NULL;
	listen_close(&s->listen);
	loop_free(s->loop);
}

int main(int argc, char **argv)
{
	struct server s = {0};
	sigset_t mask;
	int status;

	open_standard();
	if ((status = read_settings(&s.settings, argc, argv)))
		return status - 1;
	catch_signals(&mask);
	status = start(&s);
	if (!status)
		status = run(&s, &mask);
	stop(&s);
	if (s.started)
		show_totals(&s, "at the end");
	log_flush();
	return status;
}
