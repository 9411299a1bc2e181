/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soak/soak-server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS_MOST 64
#define PROCESSES_MOST 65
#define LOG_KEPT 65536
/* Beside the well-behaved one; eight can be connected. */
#define RUDE 4
#define RUDE_MS 50
/* The log is read for so long, and then not for so long. */
#define LOG_STEP NS_PER_S
#define ANSWER (20 * NS_PER_S)

struct soak_server {
	struct soak *soak;
	pid_t pid, watcher;
	int ready, lifeline, log;
	char folder[32];
	struct sockaddr_un control_at;
	int control;
	char totals[TOTALS_TEXT];
	int rude[RUDE];
	char said[LOG_KEPT + 1];
	size_t said_n;
	/* Processes: the one that was started, and its workers. */
	pid_t all[PROCESSES_MOST];
	int count;
	/* Which one stands still, until when; 0 for none. */
	pid_t paused;
	int64_t go_on_at;
	int64_t signal_at, totals_at;
	uint64_t signals, pauses, asked, rude_commands;
};

/* The child: the server itself. */
static void become(const struct soak_server *v, int ready, int lifeline, int log)
{
	const struct soak_options *o = &v->soak->options;
	char options[8][160];
	char *arguments[OPTIONS_MOST] = { NULL };
	int n = 0, used = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, 0);
	dup2(null, 1);
	dup2(log, 2);
	fcntl(ready, F_SETFD, 0);
	fcntl(lifeline, F_SETFD, 0);
	snprintf(options[used++], sizeof *options, "%.150s", o->server);
	snprintf(options[used++], sizeof *options, "--port=0");
	snprintf(options[used++], sizeof *options, "--ready-fd=%d", ready);
	snprintf(options[used++], sizeof *options, "--lifeline-fd=%d", lifeline);
	snprintf(options[used++], sizeof *options, "--control=%s", v->control_at.sun_path);
	snprintf(options[used++], sizeof *options, "--idle-timeout=%lldms",
	    (long long)(v->soak->idle / NS_PER_MS));
	snprintf(options[used++], sizeof *options, "--max-clients=%lld", (long long)o->max_clients);
	if (o->workers)
		snprintf(options[used++], sizeof *options, "--workers=%lld", (long long)o->workers);
	for (; n < used; n++)
		arguments[n] = options[n];
	for (char **more = o->more; *more && n < OPTIONS_MOST - 1; more++)
		arguments[n++] = *more;
	execv(o->server, arguments);
	dprintf(2, "cannot run %s: %s\n", o->server, strerror(errno));
	_exit(127);
}

static int watch_workers(struct soak_server *v)
{
	char path[80];
	FILE *file;
	int pid, n = 1;

	v->all[0] = v->pid;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)v->pid, (int)v->pid);
	file = fopen(path, "r");
	while (file && n < PROCESSES_MOST && fscanf(file, "%d", &pid) == 1)
		v->all[n++] = pid;
	if (file)
		fclose(file);
	return v->count = n;
}

static struct soak_place place(int family, const char *host, int port)
{
	struct soak_place p = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };

	p.len = family == AF_INET ? sizeof in : sizeof in6;
	inet_pton(family, host, family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr);
	memcpy(&p.addr, family == AF_INET ? (const void *)&in : &in6, p.len);
	return p;
}

/* Waits for the port. Returns 0, or -1. */
static int wait_ready(struct soak_server *v)
{
	struct soak *s = v->soak;
	char text[16] = "";
	ssize_t n = read(v->ready, text, sizeof text - 1);
	int probe, port = n > 0 ? atoi(text) : 0;

	if (port <= 0)
		return -1;
	/* To its end: then the server has one descriptor less. */
	while (read(v->ready, text, sizeof text) > 0)
		;
	close(v->ready);
	s->ipv4 = place(AF_INET, "127.0.0.1", port);
	s->ipv6 = place(AF_INET6, "::1", port);
	probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (watch_workers(v) < 1 + s->options.workers)
		poll(NULL, 0, 5);
	s->has_ipv6 = probe >= 0 &&
	              connect(probe, (const struct sockaddr *)&s->ipv6.addr, s->ipv6.len) == 0;
	if (probe >= 0)
		close(probe);
	return 0;
}

static int connect_control(const struct soak_server *v)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (const struct sockaddr *)&v->control_at, sizeof v->control_at) == 0)
		return fd;
	close(fd);
	return -1;
}

static int start(struct soak_server *v)
{
	int ready[2], lifeline[2], log[2];

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(lifeline, O_CLOEXEC) < 0 ||
	    pipe2(log, O_CLOEXEC) < 0)
		return -1;
	fcntl(log[0], F_SETFL, O_NONBLOCK);
	v->pid = fork();
	if (v->pid == 0)
		become(v, ready[1], lifeline[0], log[1]);
	close(ready[1]);
	close(lifeline[0]);
	close(log[1]);
	v->ready = ready[0];
	v->lifeline = lifeline[1];
	v->log = log[0];
	return v->pid < 0 || wait_ready(v) < 0 ? -1 : 0;
}

void soak_server_free(struct soak_server *v)
{
	if (!v)
		return;
	if (v->pid > 0) {
		kill(v->pid, SIGKILL);
		waitpid(v->pid, NULL, 0);
	}
	soak_server_spare(v);
	if (v->control >= 0)
		close(v->control);
	close(v->lifeline);
	close(v->log);
	unlink(v->control_at.sun_path);
	rmdir(v->folder);
	free(v);
}

static void read_log(struct soak_server *v)
{
	ssize_t n;

	do {
		if (v->said_n > LOG_KEPT / 2) {
			memmove(v->said, v->said + v->said_n - LOG_KEPT / 4, LOG_KEPT / 4);
			v->said_n = LOG_KEPT / 4;
		}
		n = read(v->log, v->said + v->said_n, LOG_KEPT - v->said_n);
		v->said_n += n > 0 ? (size_t)n : 0;
		v->said[v->said_n] = '\0';
	} while (n > 0);
}

void soak_server_report_log(struct soak_server *v)
{
	const char *from;

	read_log(v);
	from = v->said_n > 3000 ? strchr(v->said + v->said_n - 3000, '\n') : v->said;
	printf("soak: the server's log at its end:\n%s\n", from ? from : "");
}

/* A number in a file of /proc, KiB. */
static long kib_of(pid_t pid, const char *name)
{
	char path[64], line[200];
	long value = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name));
	if (file)
		fclose(file);
	return value;
}

static long descriptors_of(pid_t pid)
{
	char path[64];
	long n = 0;
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && readdir(folder))
		n++;
	if (folder)
		closedir(folder);
	return n ? n - 2 : 0;
}

struct soak_sample soak_server_sample(const struct soak_server *v)
{
	struct soak_sample sum = { 0 };

	for (int i = 0; i < v->count; i++) {
		sum.resident += kib_of(v->all[i], "VmRSS:");
		sum.own += kib_of(v->all[i], "RssAnon:");
		sum.descriptors += descriptors_of(v->all[i]);
	}
	return sum;
}

static const char *line_of(const char *totals, const char *line)
{
	char start[40];
	const char *at;

	snprintf(start, sizeof start, "%s: ", line);
	for (at = totals; (at = strstr(at, start)) != NULL; at++)
		if (at == totals || at[-1] == '\n')
			return at + strlen(start);
	return NULL;
}

uint64_t soak_server_number(const char *totals, const char *line, const char *word)
{
	const char *at = line_of(totals, line), *end = at ? at + strcspn(at, "\n") : NULL;
	size_t n = strlen(word);

	for (; at && at < end; at += strcspn(at, " \n"), at += *at == ' ')
		if (strncmp(at, word, n) == 0 && at[n] == ' ')
			return strtoull(at + n, NULL, 10);
	return UINT64_MAX;
}

uint64_t soak_server_sum(const char *totals, const char *line)
{
	const char *at = line_of(totals, line), *end = at ? at + strcspn(at, "\n") : NULL;
	uint64_t sum = 0;

	for (; at && at < end; at += strcspn(at, " \n"), at += *at == ' ')
		if (*at >= '0' && *at <= '9')
			sum += strtoull(at, NULL, 10);
	return sum;
}

static void check_balance(struct soak *s, const char *t)
{
	const uint64_t datagrams = soak_server_number(t, "udp", "datagrams"),
	               replies = soak_server_number(t, "udp", "replies");
	const uint64_t dropped = soak_server_sum(t, "udp dropped"),
	               clients = soak_server_number(t, "tcp", "clients");
	const uint64_t now = soak_server_number(t, "tcp", "now"),
	               ended = soak_server_sum(t, "tcp ended");

	if (datagrams != replies + dropped || clients != now + ended)
		soak_fault(s, "the totals do not add up:\n%s", t);
}

/* Reads an answer up to its "ok". Returns whether it came. */
static bool read_answer(struct soak_server *v)
{
	struct pollfd p = { v->control, POLLIN, 0 };
	const int64_t end = clock_monotonic() + (int64_t)(ANSWER * v->soak->options.patience);
	size_t n = 0;
	ssize_t some;

	while (clock_monotonic() < end && n < sizeof v->totals - 1) {
		poll(&p, 1, 100);
		some = recv(v->control, v->totals + n, sizeof v->totals - 1 - n, MSG_DONTWAIT);
		if (some == 0)
			return false;
		n += some > 0 ? (size_t)some : 0;
		v->totals[n] = '\0';
		if (n >= 3 && strcmp(v->totals + n - 3, "ok\n") == 0)
			return true;
	}
	return false;
}

static void go_on(struct soak_server *v)
{
	if (v->paused)
		kill(v->paused, SIGCONT);
	v->paused = 0;
}

/* The well-behaved one among those who ask. Returns whether it got its answer. */
static bool request(struct soak_server *v, const char *command)
{
	if (v->control < 0)
		v->control = connect_control(v);
	if (v->control >= 0 && send(v->control, command, strlen(command), MSG_NOSIGNAL) > 0 &&
	    read_answer(v))
		return true;
	soak_fault(v->soak, "no answer over the control socket: %s", strerror(errno));
	return false;
}

const char *soak_server_totals(struct soak_server *v)
{
	go_on(v);
	if (!request(v, "totals\n"))
		return NULL;
	v->asked++;
	check_balance(v->soak, v->totals);
	return v->totals;
}

static const char *const commands[] = {
	"connections\n",
	"connections\nconnections\nconnections\nconnections\n",
	"totals",
	"link\n\n\n\n",
	"help\ntotals\r\nlin",
	"connection 127.0.0.1:1\n",
	"connection\n",
	"\xff\xfe\x01\n",
	"totals connections help\n",
};
#define COMMANDS (sizeof commands / sizeof *commands)

/* One that asks and does not read, or asks for nonsense, or goes in the middle of it. */
static void be_rude(struct soak_server *v, int *fd)
{
	struct soak *s = v->soak;
	const char *command = commands[soak_random(s, COMMANDS)];
	char ignored[2000];

	if (*fd < 0) {
		*fd = connect_control(v);
	} else if (soak_random(s, 8) == 0) {
		close(*fd);
		*fd = -1;
	} else if (soak_random(s, 3) == 0) {
		while (soak_random(s, 20) && recv(*fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0)
			;
	} else if (send(*fd, command, strlen(command), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
		v->rude_commands++;
	}
}

void soak_server_pause(struct soak_server *v, int64_t time)
{
	if (v->paused)
		return;
	v->paused = v->all[soak_random(v->soak, (uint64_t)v->count)];
	kill(v->paused, SIGSTOP);
	v->pauses++;
	v->go_on_at = v->soak->now + time;
}

/* Its first process asks for the totals by the log; whether they come can only be seen when the log
 * is read. */
static void signal_it(struct soak_server *v)
{
	struct soak *s = v->soak;

	if (s->now < v->signal_at)
		return;
	v->signal_at = s->now + NS_PER_S / 4 + (int64_t)soak_random(s, 2 * NS_PER_S);
	kill(v->pid, SIGUSR1);
	v->signals++;
}

void soak_server_turn(struct soak_server *v)
{
	struct soak *s = v->soak;

	if (v->paused && s->now >= v->go_on_at)
		go_on(v);
	if ((s->now - s->started) / LOG_STEP % 2 == 0 || s->draining)
		read_log(v);
	if (s->draining)
		return;
	signal_it(v);
	for (int i = 0; i < RUDE; i++)
		if (soak_random(s, RUDE_MS * NS_PER_MS / SOAK_TICK) == 0)
			be_rude(v, &v->rude[i]);
	if (s->now >= v->totals_at && !v->paused) {
		v->totals_at = s->now + NS_PER_S / 2;
		soak_server_totals(v);
	}
}

void soak_server_spare(struct soak_server *v)
{
	go_on(v);
	for (int i = 0; i < RUDE; i++) {
		if (v->rude[i] >= 0)
			close(v->rude[i]);
		v->rude[i] = -1;
	}
}

/* The last totals of the log, without what stands before each line. */
static void last_totals(const struct soak_server *v, char totals[TOTALS_TEXT])
{
	const char *at = NULL, *found = v->said, *text, *end;
	size_t n = 0;

	while ((found = strstr(found, " upcased: totals at the end")) != NULL)
		at = found++;
	for (; at && *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		text = strstr(at, " upcased: ");
		if (text && text < end && n + (size_t)(end - text) < TOTALS_TEXT - 1)
			n += (size_t)snprintf(totals + n, TOTALS_TEXT - n, "%.*s\n",
			    (int)(end - text - 10), text + 10);
	}
	totals[n] = '\0';
}

int soak_server_end(struct soak_server *v, char totals[TOTALS_TEXT])
{
	int64_t end = clock_monotonic() + (int64_t)(ANSWER * v->soak->options.patience);
	struct pollfd p = { v->log, POLLIN, 0 };
	int status;
	pid_t pid;

	kill(v->pid, SIGTERM);
	do {
		poll(&p, 1, 10);
		read_log(v);
		pid = waitpid(v->pid, &status, WNOHANG);
	} while (pid == 0 && clock_monotonic() < end);
	if (pid != v->pid) {
		soak_fault(v->soak, "SIGTERM did not end the server");
		return -1;
	}
	v->pid = 0;
	read_log(v);
	last_totals(v, totals);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	soak_fault(v->soak, "the server died: signal %d", WTERMSIG(status));
	return -1;
}

struct soak_server *soak_server_new(struct soak *s)
{
	struct soak_server *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->soak = s;
	v->control = -1;
	for (int i = 0; i < RUDE; i++)
		v->rude[i] = -1;
	v->control_at.sun_family = AF_UNIX;
	strcpy(v->folder, "/tmp/upcase-soak-XXXXXX");
	if (!mkdtemp(v->folder))
		abort();
	snprintf(v->control_at.sun_path, sizeof v->control_at.sun_path, "%s/control", v->folder);
	/* Each of its processes has answered then, and has the descriptors that it serves with. */
	if (start(v) < 0 || !request(v, "connections\n")) {
		soak_fault(s, "the server does not start");
		soak_server_report_log(v);
		soak_server_free(v);
		return NULL;
	}
	return v;
}

void soak_server_report(const struct soak_server *v)
{
	printf(
	    "soak: %llu times SIGUSR1, %llu pauses by SIGSTOP, %llu times asked for totals, %llu rude orders\n",
	    (unsigned long long)v->signals, (unsigned long long)v->pauses,
	    (unsigned long long)v->asked, (unsigned long long)v->rude_commands);
}
