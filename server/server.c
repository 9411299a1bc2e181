/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/os.h"
#include "common/standard.h"
#include "server/datagram.h"
#include "server/sandbox.h"
#include "server/sources.h"

/* Descriptors kept free beside the clients': for a refused client, and for short needs. */
#define SPARE_DESCRIPTORS 4
/* How long a message on stderr waits for its reader, ms. */
#define REPORT_WAIT 500
/* Descriptors of an epoll set for the clients. */
#define EPOLL_DESCRIPTORS 1

int server_report_error(int status, const char *format, ...)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	char message[OPTIONS_REASON];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	/* Signals may be blocked, so the wait for a stalled reader is bounded. */
	if (poll(&p, 1, REPORT_WAIT) != 0)
		standard_report("%s", message);
	return status;
}

/* The number of open descriptors below FD_SETSIZE; the server is started with no others. */
static int used_descriptors(void)
{
	int found = 0;

	for (int fd = 0; fd < FD_SETSIZE; fd++)
		found += fcntl(fd, F_GETFD) >= 0;
	return found;
}

/* Raises the limit of open files to `max` if allowed. Returns what it is then, `max` at most. */
static int64_t raise_limit(int64_t max)
{
	const rlim_t wanted = (rlim_t)max;
	struct rlimit limit, higher;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FD_SETSIZE < max ? FD_SETSIZE : max;
	if (limit.rlim_cur >= wanted)
		return max;
	/* The hard limit too, where that is allowed. */
	higher = (struct rlimit){ .rlim_cur = wanted,
		.rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &higher) == 0)
		return max;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > wanted
	         ? max
	         : (int64_t)limit.rlim_cur;
}

/* Finds out how many clients there is room for beside `sockets` that are still to be opened, and
 * whether select() can watch that many. Returns 0 or the status. */
static int set_client_limit(struct server *s, int sockets)
{
	const int64_t max = s->settings.max_clients;
	int64_t used = used_descriptors() + sockets + SPARE_DESCRIPTORS, needed, capacity;

	s->uses_epoll = max != SETTINGS_UNSET && used + max > FD_SETSIZE;
	used += s->uses_epoll ? EPOLL_DESCRIPTORS : 0;
	needed = s->uses_epoll ? used + max : FD_SETSIZE;
	capacity = raise_limit(needed) - used;
	if (max == SETTINGS_UNSET && capacity < 1)
		return server_report_error(STATUS_FAILED,
		    "the limit of open files leaves no room for clients: raise it (ulimit -n "
		    "1024)");
	if (s->uses_epoll && !HAVE_EPOLL)
		return server_report_error(STATUS_USAGE,
		    "--max-clients=%" PRId64 ": is more than the %" PRId64 " that select() can "
		    "watch, and this build has no epoll",
		    max, FD_SETSIZE - (used - EPOLL_DESCRIPTORS));
	if (capacity < 1 || max > capacity)
		return server_report_error(STATUS_USAGE,
		    "--max-clients=%" PRId64 ": is more than the %" PRId64 " for whom the limit of "
		    "open files leaves room: raise it (ulimit -n %" PRId64 ")",
		    max, capacity > 0 ? capacity : 0, used + max);
	if (max == SETTINGS_UNSET)
		s->settings.max_clients = capacity;
	return 0;
}

/* Checks that the watching process can hold `sockets` of each worker and the line to it, and that
 * select() can watch them: a worker that cannot be started would leave its share of the clients
 * without an answer. Returns 0 or the status. */
static int check_worker_limit(const struct server *s, int sockets)
{
	const int64_t n = s->settings.workers, each = sockets + 1;
	int64_t used, needed, capacity, room;

	if (!n)
		return 0;
	if (!HAVE_WORKERS)
		return server_report_error(STATUS_USAGE,
		    "--workers: this build has no way for processes to share a port; leave it out");
	used = used_descriptors() + SPARE_DESCRIPTORS +
	       (s->settings.control ? CONTROL_DESCRIPTORS : 0);
	needed = used + n * each;
	capacity = raise_limit(FD_SETSIZE) - used;
	room = capacity > 0 ? capacity / each : 0;
	if (needed - used <= capacity)
		return 0;
	if (needed > FD_SETSIZE)
		return server_report_error(STATUS_USAGE,
		    "--workers=%" PRId64 ": is more than the %" PRId64
		    " for whose sockets select() has room: serve fewer addresses, or fewer of them",
		    n, room);
	return server_report_error(STATUS_USAGE,
	    "--workers=%" PRId64 ": is more than the %" PRId64
	    " for whose sockets the limit of open "
	    "files leaves room: raise it (ulimit -n %" PRId64 ")",
	    n, room, needed);
}

/* Takes the `n` sockets of a service manager. Returns 0 or the status. */
static int take_sockets(struct server *s, int n)
{
	char reason[OPTIONS_REASON];

	if (s->settings.workers)
		return server_report_error(STATUS_USAGE,
		    "--workers: cannot share the sockets of LISTEN_FDS; leave it out, or open the "
		    "port here");
	if (listen_take(&s->listen, n, reason) < 0)
		return server_report_error(STATUS_FAILED, "%s", reason);
	log_always("serves the %d sockets of LISTEN_FDS; --port, --bind and --public do not count",
	    n);
	return 0;
}

/* Opens its own sockets, or those of each worker. Returns 0 or the status. */
static int make_sockets(struct server *s)
{
	char reason[OPTIONS_REASON];
	int n = (int)s->settings.workers;

	if (n && !(s->worker_sockets = calloc((size_t)n, sizeof *s->worker_sockets)))
		return server_report_error(STATUS_FAILED, "%s", strerror(errno));
	if (listen_open(n ? s->worker_sockets : &s->listen, n ? n : 1, &s->settings, reason) < 0)
		return server_report_error(STATUS_FAILED, "%s", reason);
	/* A worker begins with fewer rights than this process has now. */
	for (int i = 0; i < n; i++)
		udp_set_buffers(&s->worker_sockets[i]);
	return 0;
}

const struct listen *server_served(const struct server *s)
{
	return s->worker_sockets ? &s->worker_sockets[0] : &s->listen;
}

int server_open_sockets(struct server *s)
{
	char reason[OPTIONS_REASON];
	int handed_over = listen_handed_over(reason),
	    own = handed_over ? 0 : 2 * s->settings.places_count, status, missing;

	if (handed_over < 0)
		return server_report_error(STATUS_FAILED, "%s", reason);
	status = set_client_limit(s,
	    own + (s->settings.control ? CONTROL_DESCRIPTORS : 0) + (s->settings.workers ? 1 : 0));
	if (status || (status = check_worker_limit(s, own)) ||
	    (status = handed_over ? take_sockets(s, handed_over) : make_sockets(s)))
		return status;
	missing = server_served(s)->missing;
	if (missing)
		log_always("this host has no IPv%d: serves IPv%d alone",
		    missing == AF_INET6 ? 6 : 4, missing == AF_INET6 ? 4 : 6);
	settings_defaults(&s->settings, listen_is_open(server_served(s)));
	return 0;
}

static void lifeline_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct server *s = context;
	struct pollfd again = { .fd = fd, .events = POLLIN };
	char ignored[512];
	ssize_t n;

	(void)ready;
	(void)now;
	/* It stays blocking, since others may share it, and is read only when it is ready. */
	if (poll(&again, 1, 0) != 1)
		return;
	n = read(fd, ignored, sizeof ignored);
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	s->abandoned = true;
	loop_remove(s->loop, fd);
}

void server_sum(struct server *s)
{
	uint64_t kernel_drops = 0;

	if (s->udp)
		udp_poll_drops(s->udp);
	if (!s->workers || s->is_worker)
		return;
	/* A sleeping worker does not read the kernel's count; any holder of the socket can. */
	for (int i = 0; s->worker_sockets && i < s->settings.workers; i++)
		LISTEN_EACH(socket, &s->worker_sockets[i], SOCK_DGRAM) {
			const int64_t drops = datagram_kernel_drops(socket->fd);

			kernel_drops += drops > 0 ? (uint64_t)drops : 0;
		}
	workers_sum(s->workers, &s->own_counters);
	if (s->own_counters.udp_kernel_drops < kernel_drops)
		s->own_counters.udp_kernel_drops = kernel_drops;
}

static int query_workers(struct server *s, const char *command, workers_line *call, void *context)
{
	return workers_query(s->workers, command, s->end_requests, call, context);
}

/* Opens the control socket, if one is wanted. A worker answers the watching process instead, the
 * only one with a control socket. Returns 0 or the status. */
static int open_control(struct server *s)
{
	const struct control_sources sources = { .counters = s->counters,
		.link = &s->settings.impair,
		.each = tcp_each,
		.tcp = s->tcp,
		.sum = server_sum,
		.query = s->workers && !s->is_worker ? query_workers : NULL,
		.server = s };
	char reason[OPTIONS_REASON];

	if (s->is_worker) {
		s->control = control_answer(s->loop, workers_channel(s->workers), &sources);
		return s->control ? 0 : server_report_error(STATUS_FAILED, "%s", strerror(ENOMEM));
	}
	if (!s->settings.control)
		return 0;
	s->control = control_open(s->loop, s->settings.control, &sources, reason);
	if (s->control)
		return 0;
	return server_report_error(errno == EEXIST ? STATUS_USAGE : STATUS_FAILED, "%s", reason);
}

/* Makes the parts that serve the sockets. Returns 0 or the status. */
static int open_services(struct server *s)
{
	struct siphash_key key;

	if (!os_random(&key, sizeof key))
		return server_report_error(STATUS_FAILED, "the system gives no random numbers");
	s->udp = udp_new(s->loop, &s->listen, s->counters, &key, &s->settings);
	if (s->udp)
		s->tcp = tcp_new(s->loop, &s->listen, s->counters, &key, &s->settings);
	return s->tcp ? 0 : server_report_error(STATUS_FAILED, "%s", strerror(ENOMEM));
}

/* Returns 0 or the status. */
static int open_loop(struct server *s)
{
	s->loop = loop_new(s->uses_epoll && (s->is_worker || !s->workers));
	return s->loop ? 0 : server_report_error(STATUS_FAILED, "%s", strerror(errno));
}

int server_open(struct server *s)
{
	int status, n = (int)s->settings.workers;
	char line[IMPAIR_OPTIONS_LINE];
	uint32_t chance;

	s->counters = &s->own_counters;
	busy_poll_start(&s->busy_poll);
	if (!os_random(&chance, sizeof chance))
		return server_report_error(STATUS_FAILED, "the system gives no random numbers");
	impair_options_seed(&s->settings.impair, chance);
	if (n && !(s->workers = workers_new(n)))
		return server_report_error(STATUS_FAILED, "%s", strerror(errno));
	if ((status = open_loop(s)) || (!n && (status = open_services(s))))
		return status;
	if (s->settings.lifeline_fd != SETTINGS_UNSET)
		loop_add(s->loop, s->settings.lifeline_fd, LOOP_READ, lifeline_ready, s);
	/* Without this line a lossy server would be mistaken for a broken one. */
	if (!impair_options_perfect(&s->settings.impair))
		log_always("impairs UDP, %s", impair_options_line(&s->settings.impair, line));
	return open_control(s);
}

void server_close_worker_sockets(struct server *s)
{
	for (int i = 0; s->worker_sockets && i < s->settings.workers; i++)
		listen_close(&s->worker_sockets[i]);
	free(s->worker_sockets);
	s->worker_sockets = NULL;
}

void server_drop_privileges(const struct server *s)
{
	/* Only the watching process removes its files and reads the lifeline. */
	const struct sandbox sandbox = { .watches = s->workers && !s->is_worker,
		.files = { s->is_worker ? NULL : s->settings.control,
		    s->is_worker ? NULL : s->settings.port_file },
		.lifeline = s->is_worker ? -1 : s->settings.lifeline_fd };
	char report[300];

	if (s->settings.no_sandbox)
		return;
	sandbox_enter(&sandbox, report, sizeof report);
	log_always("sandbox%s: %s", sandbox.watches ? " of the watching process" : "", report);
}

int server_become_worker(struct server *s, int number)
{
	int status;

	s->is_worker = true;
	s->listen = s->worker_sockets[number];
	s->worker_sockets[number].count = 0;
	server_close_worker_sockets(s);
	control_leave(s->control);
	s->control = NULL;
	loop_free(s->loop);
	s->loop = NULL;
	(void)file_close(s->settings.lifeline_fd);
	s->ready = (struct ready){ 0 };
	s->counters = workers_counters(s->workers);
	/* The links of two workers must not lose the same datagrams. */
	s->settings.impair.seed += (uint64_t)number;
	if ((status = open_loop(s)) || (status = open_services(s)) || (status = open_control(s)))
		return status;
	udp_inherit(s->udp, workers_kernel_drops(s->workers));
	server_drop_privileges(s);
	return 0;
}

void server_close(struct server *s)
{
	ready_end(&s->ready);
	workers_kill(s->workers);
	control_close(s->control);
	if (s->tcp)
		tcp_free(s->tcp);
	if (s->udp)
		udp_free(s->udp);
	s->udp = NULL;
	listen_close(&s->listen);
	server_close_worker_sockets(s);
	loop_free(s->loop);
}
