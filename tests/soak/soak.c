/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The soak: a real server, and for as long as is asked every kind of client of it at once,
 * well-behaved ones, of which every byte is checked, and rude ones.
 *
 *     soak [--seconds N] [--seed N] [--load SHARE] [--patience N] [--max-clients N] [--workers N]
 * [--memory-free] UPCASED [MORE OPTIONS FOR IT]
 *
 * What must hold: every well-behaved client is served to its last byte; each datagram that was sent
 * was answered, or is in a count of what was dropped, the server's or the system's; connections and
 * their ends add up; memory is flat, descriptors are what they were at the start when all clients
 * are gone; SIGTERM ends it with status 0. Status 1 if not. The seed repeats what clients do, not
 * when the system lets them. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/soak/soak-server.h"
#include "tests/soak/soak-tcp.h"
#include "tests/soak/soak-udp.h"

#define EVENTS 512
#define FAULTS_TOLD 20
#define SAMPLES_MOST 100000
/* How long the end may take. */
#define LAST (40 * NS_PER_S)
/* Memory in the last third of the time may be this much above what it was in the second: what is
 * pending for slow readers comes and goes. A leak of each connection or datagram would be a
 * multiple. */
#define FLAT_KIB 1024
#define FLAT_SHARE 0.1
/* A short soak is over before every kind of client has been there. */
#define WARM (60 * NS_PER_S)
#define FLAT_KIB_COLD 4096
/* The server that select() alone serves takes a few less. */
#define CLIENTS_DEFAULT 1000
/* Between bursts that come while the server stands still, so that its receive buffer does not hold
 * them. */
#define BURSTS (2 * NS_PER_S)
#define BURST 4000
#define PAUSE (30 * NS_PER_MS)
/* Between the times when it stands still for longer than clients may be idle: they are not idle for
 * that. */
#define STOPS (40 * NS_PER_S)
/* Datagrams that one packet of the system's can be. */
#define JOINED_MOST 64

struct samples {
	struct soak_sample all[SAMPLES_MOST];
	int count;
	int64_t next, step;
	long most_descriptors, most_own;
};

/* All parts of one soak. */
struct soak_run {
	struct soak soak;
	struct soak_server *server;
	struct soak_tcp *tcp;
	struct soak_udp *udp;
	struct samples samples;
	struct soak_sample start;
	/* The system's own drops before, which are nobody's fault. */
	uint64_t backlog_drops, listen_drops;
	int64_t burst_at, stop_at, told_at;
};

void soak_fault(struct soak *s, const char *format, ...)
{
	va_list arguments;

	if (s->faults++ >= FAULTS_TOLD)
		return;
	printf("soak: FAULT after %.3f s: ", (double)(clock_monotonic() - s->started) / 1e9);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

uint64_t soak_random(struct soak *s, uint64_t n)
{
	s->dice = text_mix(s->dice, 0);
	return s->dice % n;
}

unsigned soak_share(const struct soak *s, unsigned full)
{
	unsigned n = (unsigned)(full * s->options.load);

	return n || !full ? n : 1;
}

struct sockaddr_in soak_source(struct soak *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)soak_random(s, 0xfffff0));
	return a;
}

unsigned soak_allowed(const struct soak *s, struct soak_rate *r)
{
	if (r->then)
		r->saved += (double)(s->now - r->then) / 1e9 * r->per_second;
	r->then = s->now;
	if (r->saved > r->most)
		r->saved = r->most;
	return (unsigned)r->saved;
}

void soak_spend(struct soak_rate *r, unsigned n)
{
	r->saved -= n;
}

/* Packets that the system dropped on the way over loopback, of all processes. */
static uint64_t backlog_drops(void)
{
	FILE *file = fopen("/proc/net/softnet_stat", "r");
	unsigned processed, dropped;
	uint64_t sum = 0;

	while (file && fscanf(file, "%x %x%*[^\n]", &processed, &dropped) == 2)
		sum += dropped;
	if (file)
		fclose(file);
	return sum;
}

/* Connections that no backlog had room for: ListenOverflows, of all processes. */
static uint64_t listen_drops(void)
{
	FILE *file = fopen("/proc/net/netstat", "r");
	char names[8192], values[8192], *name, *value, *rest_of_names = names,
	                                               *rest_of_values = values;
	uint64_t found = 0;

	if (!file || !fgets(names, sizeof names, file) || !fgets(values, sizeof values, file))
		*names = *values = '\0';
	if (file)
		fclose(file);
	while ((name = strsep(&rest_of_names, " \n")) && (value = strsep(&rest_of_values, " \n")))
		if (strcmp(name, "ListenOverflows") == 0)
			found = strtoull(value, NULL, 10);
	return found;
}

static void sample(struct soak_run *w)
{
	struct samples *a = &w->samples;
	struct soak_sample now;

	if (w->soak.now < a->next || a->count == SAMPLES_MOST)
		return;
	a->next = w->soak.now + a->step;
	now = soak_server_sample(w->server);
	a->all[a->count++] = now;
	a->most_descriptors = now.descriptors > a->most_descriptors ? now.descriptors
	                                                            : a->most_descriptors;
	a->most_own = now.own > a->most_own ? now.own : a->most_own;
}

static void report_progress(struct soak_run *w)
{
	const struct samples *a = &w->samples;

	if (w->soak.now < w->told_at || a->count == 0)
		return;
	w->told_at = w->soak.now + 60 * NS_PER_S;
	printf("soak: %4.0f s: memory %ld KiB (own %ld), %ld descriptors, %u connections\n",
	    (double)(w->soak.now - w->soak.started) / 1e9, a->all[a->count - 1].resident,
	    a->all[a->count - 1].own, a->all[a->count - 1].descriptors, soak_tcp_now(w->tcp));
	fflush(stdout);
}

static void turn(struct soak_run *w)
{
	struct soak *s = &w->soak;

	soak_server_turn(w->server);
	if (!s->draining && s->now >= w->burst_at) {
		w->burst_at = s->now + BURSTS;
		soak_server_pause(w->server, PAUSE);
		soak_udp_burst(w->udp, BURST);
	}
	if (!s->draining && s->now >= w->stop_at) {
		w->stop_at = s->now + STOPS;
		soak_server_pause(w->server, s->idle + NS_PER_S / 2);
	}
	soak_tcp_turn(w->tcp);
	soak_udp_turn(w->udp);
	if (!s->draining)
		sample(w);
	report_progress(w);
}

/* One wait, and a turn when it is time. */
static void step(struct soak_run *w, int64_t *next)
{
	struct soak *s = &w->soak;
	struct epoll_event events[EVENTS];
	int64_t then = s->now;
	int n = epoll_wait(s->epoll, events, EVENTS,
	    *next > then ? (int)((*next - then) / NS_PER_MS) + 1 : 0);

	s->now = clock_monotonic();
	if (s->now - then > s->idle / 2)
		s->stalled = s->now;
	for (int i = 0; i < n; i++) {
		struct soak_waits *waits = events[i].data.ptr;

		waits->ready(s, waits, events[i].events);
	}
	if (s->now >= *next) {
		turn(w);
		*next = s->now + SOAK_TICK;
	}
}

static void soak(struct soak_run *w)
{
	struct soak *s = &w->soak;
	const int64_t end = s->started + s->options.duration;
	int64_t next = 0, last;

	while (s->now < end && s->faults < FAULTS_TOLD)
		step(w, &next);
	s->draining = true;
	last = s->now + (int64_t)(LAST * s->options.patience);
	while (soak_tcp_drain(w->tcp) > 0 && s->now < last)
		step(w, &next);
	if (soak_tcp_now(w->tcp) > 0)
		soak_fault(s, "%u well-behaved clients are still not served", soak_tcp_now(w->tcp));
}

/* What does not add up of datagrams, NULL if all does. */
static const char *udp_mismatch(struct soak_run *w, const char *t)
{
	const struct soak_udp_counts *c = soak_udp_counts(w->udp);
	const uint64_t datagrams = soak_server_number(t, "udp", "datagrams"),
	               replies = soak_server_number(t, "udp", "replies");
	const uint64_t overflowed = soak_server_number(t, "udp system", "overflowed");
	const uint64_t lost = backlog_drops() - w->backlog_drops;

	/* Where the server is not told what had no room, that is not compared. */
	if (c->sent < datagrams + overflowed ||
	    (HAVE_ARRIVALS && c->sent > datagrams + overflowed + lost))
		return "datagrams sent are not those that the server received and those that had "
		       "no room";
	if (replies < c->received + c->dropped ||
	    replies > c->received + c->dropped + c->abandoned + JOINED_MOST * lost)
		return "replies of the server are not those that came and those that had no room "
		       "here";
	if (soak_server_number(t, "udp dropped", "too-long") > c->too_long ||
	    soak_server_number(t, "udp dropped", "low-port") > c->low_port)
		return "datagrams were dropped that should be answered";
	for (const char *const *word = (const char *const[]){ "bad-source", "group", "own-address",
	         "rate", "unsendable", "unsent", NULL };
	    *word; word++)
		if (soak_server_number(t, "udp dropped", *word) != 0)
			return *word;
	return NULL;
}

/* The same of connections. */
static const char *tcp_mismatch(struct soak_run *w, const char *t)
{
	const struct soak_tcp_counts *c = soak_tcp_counts(w->tcp);
	const uint64_t clients = soak_server_number(t, "tcp", "clients"),
	               refused = soak_server_sum(t, "tcp refused");
	const uint64_t dropped = listen_drops() - w->listen_drops;

	if (soak_server_number(t, "tcp", "now") != 0)
		return "clients are gone and connections are there";
	if (clients + refused > c->connected || clients + refused + dropped < c->connected)
		return "connections are not those that were served and those that were refused";
	if (refused != soak_server_number(t, "tcp refused", "full"))
		return "clients were refused though the server was not full";
	if (c->refused > refused || c->served > clients)
		return "clients were not served that the server says to have served";
	if (c->idle > soak_server_number(t, "tcp ended", "idle"))
		return "clients were ended that were not idle";
	if (c->half_closed > soak_server_number(t, "tcp ended", "closed"))
		return "clients that closed did not end as closed";
	if (soak_server_number(t, "tcp ended", "stopped") ||
	    soak_server_number(t, "tcp ended", "cut"))
		return "the server has ended connections by itself";
	if (soak_server_number(t, "tcp", "bytes-in") > c->bytes_sent ||
	    soak_server_number(t, "tcp", "bytes-out") < c->bytes_checked)
		return "bytes do not add up";
	return NULL;
}

/* Waits until everything has been dealt with and all adds up. */
static void check_totals(struct soak_run *w)
{
	struct soak *s = &w->soak;
	const int64_t end = clock_monotonic() + (int64_t)(LAST / 2 * s->options.patience);
	const char *t, *mismatch, *other;

	do {
		t = soak_server_totals(w->server);
		if (!t)
			return;
		mismatch = udp_mismatch(w, t);
		other = tcp_mismatch(w, t);
		if (mismatch || other)
			usleep(5000);
	} while ((mismatch || other) && clock_monotonic() < end);
	if (mismatch)
		soak_fault(s, "udp: %s", mismatch);
	if (other)
		soak_fault(s, "tcp: %s", other);
	printf("soak: the server's totals:\n%s", t);
	printf("soak: dropped by the system besides: %" PRIu64 " packets, %" PRIu64
	       " connections\n",
	    backlog_drops() - w->backlog_drops, listen_drops() - w->listen_drops);
}

static void check_descriptors(struct soak_run *w)
{
	const int64_t end = clock_monotonic() + (int64_t)(LAST / 4 * w->soak.options.patience);
	struct soak_sample now;

	soak_server_spare(w->server);
	do {
		now = soak_server_sample(w->server);
		if (now.descriptors != w->start.descriptors)
			usleep(5000);
	} while (now.descriptors != w->start.descriptors && clock_monotonic() < end);
	printf("soak: descriptors: %ld at the start, %ld at most, %ld at the end\n",
	    w->start.descriptors, w->samples.most_descriptors, now.descriptors);
	if (now.descriptors != w->start.descriptors)
		soak_fault(&w->soak, "descriptors are not what they were");
	printf("soak: memory of its own, KiB: %ld at the start, %ld at most, %ld at the end\n",
	    w->start.own, w->samples.most_own, now.own);
}

static int by_size(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

/* The median of a third of the samples: 0, 1 or 2. */
static long median_own(const struct samples *a, int third)
{
	long values[SAMPLES_MOST / 3 + 2];
	int first = a->count * third / 3, n = 0;

	for (int i = first; i < a->count * (third + 1) / 3; i++)
		values[n++] = a->all[i].own;
	qsort(values, (size_t)n, sizeof *values, by_size);
	return n ? values[n / 2] : 0;
}

static void check_memory(struct soak_run *w)
{
	const long second = median_own(&w->samples, 1), last = median_own(&w->samples, 2);
	const int most = w->soak.options.duration < WARM ? FLAT_KIB_COLD : FLAT_KIB;

	printf(
	    "soak: memory of its own, KiB, medians of the thirds of the time: %ld, %ld, %ld (%d samples)\n",
	    median_own(&w->samples, 0), second, last, w->samples.count);
	if (!w->soak.options.memory_free && (double)last > (double)second * (1 + FLAT_SHARE) + most)
		soak_fault(&w->soak, "memory grows");
}

static void check_end(struct soak_run *w)
{
	static char totals[TOTALS_TEXT];
	int status = soak_server_end(w->server, totals);

	if (status != 0)
		soak_fault(&w->soak, "status %d at the end", status);
	if (soak_server_number(totals, "udp", "datagrams") == UINT64_MAX ||
	    udp_mismatch(w, totals) || tcp_mismatch(w, totals))
		soak_fault(&w->soak, "the totals at the end do not add up:\n%s", totals);
}

static double seconds_of(int who)
{
	struct rusage u;

	if (getrusage(who, &u) < 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void check_all(struct soak_run *w)
{
	check_totals(w);
	check_descriptors(w);
	check_memory(w);
	check_end(w);
	soak_tcp_report(w->tcp);
	soak_udp_report(w->udp);
	soak_server_report(w->server);
	printf("soak: processor time: %.1f s of the server, %.1f s of its clients, in %.1f s\n",
	    seconds_of(RUSAGE_CHILDREN), seconds_of(RUSAGE_SELF),
	    (double)(clock_monotonic() - w->soak.started) / 1e9);
}

static _Noreturn void usage(void)
{
	fprintf(stderr,
	    "usage: soak [--seconds N] [--seed N] [--load SHARE] [--patience N] [--max-clients N] [--workers N] "
	    "[--memory-free] UPCASED [OPTION ...]\n");
	exit(2);
}

static const struct option option_list[] = {
	{ "seconds", required_argument, NULL, 't' },
	{ "seed", required_argument, NULL, 's' },
	{ "load", required_argument, NULL, 'l' },
	{ "patience", required_argument, NULL, 'p' },
	{ "max-clients", required_argument, NULL, 'm' },
	{ "workers", required_argument, NULL, 'w' },
	{ "memory-free", no_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

static void read_options(struct soak_options *o, int argc, char **argv)
{
	int c;

	*o = (struct soak_options){
		.duration = 10 * NS_PER_S, .load = 1, .patience = 1, .max_clients = CLIENTS_DEFAULT
	};
	if (getrandom(&o->seed, 4, 0) != 4)
		exit(1);
	while ((c = getopt_long(argc, argv, "+", option_list, NULL)) != -1)
		switch (c) {
		case 't':
			o->duration = (int64_t)(atof(optarg) * 1e9);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'l':
			o->load = atof(optarg);
			break;
		case 'p':
			o->patience = atof(optarg);
			break;
		case 'm':
			o->max_clients = atoll(optarg);
			break;
		case 'w':
			o->workers = atoll(optarg);
			break;
		case 'f':
			o->memory_free = true;
			break;
		default:
			usage();
		}
	if (optind >= argc || o->duration <= 0 || o->load <= 0 || o->patience <= 0 ||
	    o->max_clients < 1)
		usage();
	o->server = argv[optind];
	o->more = argv + optind + 1;
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Returns 0, or -1 with the fault said. */
static int open_all(struct soak_run *w)
{
	struct soak *s = &w->soak;

	raise_limit();
	signal(SIGPIPE, SIG_IGN);
	s->dice = s->options.seed;
	s->text = text_new(s->options.seed);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	/* Longer than any well-behaved client pauses. */
	s->idle = (int64_t)((s->options.duration > 30 * NS_PER_S ? 5 : 2) * NS_PER_S *
	                    s->options.patience);
	s->started = s->now = clock_monotonic();
	w->server = soak_server_new(s);
	if (!w->server)
		return -1;
	w->start = soak_server_sample(w->server);
	w->backlog_drops = backlog_drops();
	w->listen_drops = listen_drops();
	s->started = s->now = clock_monotonic();
	w->tcp = soak_tcp_new(s);
	w->udp = soak_udp_new(s);
	w->samples.step = s->options.duration / 60 < NS_PER_S ? s->options.duration / 60 : NS_PER_S;
	w->burst_at = s->now + BURSTS / 4;
	w->stop_at = s->now + STOPS / 2;
	return 0;
}

int main(int argc, char **argv)
{
	static struct soak_run w;
	int faults;

	read_options(&w.soak.options, argc, argv);
	printf("soak: seed %" PRIu64 ", %.0f s, load %g, at most %" PRId64 " clients, %" PRId64
	       " workers\n",
	    w.soak.options.seed, (double)w.soak.options.duration / 1e9, w.soak.options.load,
	    w.soak.options.max_clients, w.soak.options.workers);
	fflush(stdout);
	if (open_all(&w) < 0)
		return 1;
	soak(&w);
	check_all(&w);
	faults = w.soak.faults;
	if (faults)
		soak_server_report_log(w.server);
	soak_tcp_free(w.tcp);
	soak_udp_free(w.udp);
	soak_server_free(w.server);
	text_free(w.soak.text);
	close(w.soak.epoll);
	printf("soak: seed %" PRIu64 ": %d faults\n", w.soak.options.seed, faults);
	return faults ? 1 : 0;
}
