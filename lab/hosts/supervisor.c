/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The phases: the hosts are made; the far command starts and reports that it serves; the near
 * command runs; all is ended. A pselect() loop waits for relay, far command and children. */
#include "lab/hosts/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/fd-watch.h"
#include "common/file.h"
#include "common/standard.h"
#include "lab/hosts/runtime-dir.h"
#include "lab/hosts/signals.h"

/* The time for the far command to end after the near one; for both, after a signal. */
#define GRACE (2 * NS_PER_S)
#define GRACE_REQUESTED (600 * NS_PER_MS)
/* The time for the far command to report that it serves; to end after it has closed the descriptor;
 * to listen, for a command that cannot report; the time between two checks. */
#define READY_WAIT (10 * NS_PER_S)
#define CLOSED_WAIT (NS_PER_S / 2)
#define LISTEN_WAIT (5 * NS_PER_S)
#define LISTEN_POLL (5 * NS_PER_MS)

/* The discard service's port, which no other program has; the time for a probe's datagram, ms. */
#define PROBE_PORT 9
#define PROBE_TIMEOUT_MS 3000

enum phase { PHASE_MADE, PHASE_FAR, PHASE_NEAR, PHASE_END };

struct supervisor {
	const struct supervisor_plan *plan;
	struct hosts_pair pair;
	enum phase phase;
	/* The socket to the relay, or -1 once it is gone. */
	int relay;
	/* The descriptor on which the far command reports that it serves, or -1. */
	int ready;
	/* 0: it does not run. */
	pid_t far, near;
	/* The latest end of the phase. */
	int64_t deadline;
	/* The signals blocked before, for the commands. */
	sigset_t mask;
};

/* Room for the descriptors and the sender's credentials. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(SUPERVISOR_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static int send_message(int fd, const struct supervisor_message *message, const int *fds, int count)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message) };
	union ancillary control = { .bytes = { 0 } };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *c = &control.align;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	}
	return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* The kernel has made the sender's descriptors ours, in their order. */
static void take_fds(struct hosts_pair *pair, const int *fds, int count)
{
	for (int kind = 0; kind < HOSTS_FDS; kind++)
		for (int side = 0; side < HOSTS_SIDES; side++)
			if (pair->fds[kind][side] >= 0)
				pair->fds[kind][side] = count-- > 0 ? *fds++ : -1;
}

static void take_ancillary(struct msghdr *header, struct supervisor_message *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);
		int fds[SUPERVISOR_FDS];
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS && n <= sizeof(fds)) {
			memcpy(fds, CMSG_DATA(c), n);
			take_fds(&message->pair, fds, (int)(n / sizeof(int)));
		} else if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(who)) {
			memcpy(&who, CMSG_DATA(c), n);
			message->sender = who.pid;
		}
	}
}

int supervisor_read(int fd, struct supervisor_message *message)
{
	struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
	union ancillary control;
	struct msghdr header = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	memset(message, 0, sizeof(*message));
	do {
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	/* ECONNRESET: the peer closed with messages unread. */
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return -1;
	message->sender = 0;
	take_ancillary(&header, message);
	return 1;
}

void supervisor_notify(int fd, enum supervisor_message_type type, int value)
{
	const struct supervisor_message message = { .type = type, .value = value };

	(void)send_message(fd, &message, NULL, 0);
}

/* Opens a UDP socket on that host's address, or returns -1. */
static int open_probe_socket(const struct hosts_pair *pair, enum hosts_side side,
    const char *address)
{
	struct addr here;
	int fd;

	if (addr_numeric(address, PROBE_PORT, &here) != 0 || hosts_enter(pair, side) != 0)
		return -1;
	fd = socket(here.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, &here.sa, here.len) == 0 ? fd : file_close(fd);
}

static bool datagram_arrives(int from, int to, const char *address)
{
	static const char word[] = "is anyone there";
	struct pollfd wait = { .fd = to, .events = POLLIN };
	struct addr there;
	char got[sizeof(word)];

	return addr_numeric(address, PROBE_PORT, &there) == 0 &&
	       sendto(from, word, sizeof(word), 0, &there.sa, there.len) == sizeof(word) &&
	       poll(&wait, 1, PROBE_TIMEOUT_MS) == 1 &&
	       recv(to, got, sizeof(got), 0) == sizeof(word) &&
	       memcmp(got, word, sizeof(word)) == 0;
}

static bool reach_each_other(const struct hosts_pair *pair, const char *near_address,
    const char *far_address)
{
	int near = open_probe_socket(pair, HOSTS_NEAR, near_address),
	    far = open_probe_socket(pair, HOSTS_FAR, far_address);
	bool result = near >= 0 && far >= 0 && datagram_arrives(near, far, far_address) &&
	              datagram_arrives(far, near, near_address);

	(void)file_close(near);
	(void)file_close(far);
	return result;
}

/* Sends one datagram there and one back, by IPv4 and IPv6, while the relay carries them. Moves
 * between the hosts; takes four seconds at most. Returns a set of enum supervisor_probe. */
static int probe(const struct hosts_pair *pair)
{
	return (reach_each_other(pair, LAB_NEAR_IPV4, LAB_FAR_IPV4) ? SUPERVISOR_PROBE_IPV4 : 0) |
	       (reach_each_other(pair, LAB_NEAR_IPV6, LAB_FAR_IPV6) ? SUPERVISOR_PROBE_IPV6 : 0);
}

static volatile sig_atomic_t end_requested;

static void on_signal(int number)
{
	if (number == SIGTERM)
		end_requested = 1;
}

/* Ends as a shell would where the command cannot be executed. */
static void execute(const struct supervisor *s, char *const *command)
{
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	hosts_keep_capabilities();
	execvp(command[0], command);
	const int error = errno;
	standard_report("%s: %s", command[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void exec_far(const struct supervisor *s, int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* The far command gets no terminal: typed input is for the near command. */
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(s->plan->far_output, STDOUT_FILENO);
	dup2(s->plan->far_output, STDERR_FILENO);
	if (ready == SUPERVISOR_READY_FD)
		fcntl(ready, F_SETFD, 0);
	else if (ready >= 0)
		dup2(ready, SUPERVISOR_READY_FD);
	if (hosts_enter(&s->pair, HOSTS_FAR) != 0)
		_exit(126);
	setenv("UPCASE_LAB_HOST", "far", 1);
	execute(s, s->plan->far_command);
}

static void exec_near(const struct supervisor *s)
{
	if (hosts_enter(&s->pair, HOSTS_NEAR) != 0)
		_exit(126);
	/* The relay takes the process's number from the sender of this message. */
	supervisor_notify(s->relay, SUPERVISOR_NEAR_STARTED, 0);
	setenv("UPCASE_LAB_HOST", "near", 1);
	execute(s, s->plan->near_command);
}

/* The far command leads a group of its own, from setsid() on. SIGCONT: a stopped one ends too. */
static void end_far(const struct supervisor *s)
{
	static const int signals[] = { SIGTERM, SIGCONT };

	for (size_t i = 0; s->far > 0 && i < sizeof(signals) / sizeof(*signals); i++) {
		if (kill(-s->far, signals[i]) != 0)
			kill(s->far, signals[i]);
	}
}

static void end_all(struct supervisor *s)
{
	s->phase = PHASE_END;
	s->deadline = clock_monotonic() + GRACE_REQUESTED;
	if (s->near > 0) {
		kill(s->near, SIGTERM);
		kill(s->near, SIGCONT);
	} else {
		end_far(s);
	}
}

static void near_ended(struct supervisor *s, int status)
{
	s->near = 0;
	supervisor_notify(s->relay, SUPERVISOR_NEAR_ENDED, status);
	if (s->phase != PHASE_END)
		s->deadline = clock_monotonic() + (WIFSIGNALED(status) ? GRACE_REQUESTED : GRACE);
	s->phase = PHASE_END;
	end_far(s);
}

static void start_near(struct supervisor *s)
{
	int null;

	s->phase = PHASE_NEAR;
	s->deadline = CLOCK_NEVER;
	s->near = fork();
	if (s->near == 0)
		exec_near(s);
	if (s->near < 0) {
		standard_report("fork: %s", strerror(errno));
		near_ended(s, 126 << 8);
	}
	/* Closes the command's input and output: who waits for their end must not wait for us. */
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

static void far_serves(struct supervisor *s)
{
	s->ready = file_close(s->ready);
	supervisor_notify(s->relay, SUPERVISOR_FAR_READY, 0);
	start_near(s);
}

static void far_ended(struct supervisor *s, int status)
{
	s->far = 0;
	supervisor_notify(s->relay, SUPERVISOR_FAR_ENDED, status);
	if (s->phase != PHASE_FAR)
		return;
	/* A command that only sets something up need not listen. */
	if (!s->plan->notifies_ready && status == 0)
		far_serves(s);
	else
		end_all(s);
}

static void start_far(struct supervisor *s, int64_t now)
{
	int ends[2] = { -1, -1 };

	if (s->plan->notifies_ready && pipe2(ends, O_CLOEXEC) != 0)
		ends[0] = ends[1] = -1;
	s->phase = PHASE_FAR;
	s->ready = ends[0];
	s->deadline = now + (s->plan->notifies_ready ? READY_WAIT : LISTEN_WAIT);
	if ((s->far = fork()) == 0)
		exec_far(s, ends[1]);
	(void)file_close(ends[1]);
	close(s->plan->far_output);
	if (s->far < 0)
		far_ended(s, 126 << 8);
	/* hosts_is_listening() reads this host's tables. */
	if (!s->plan->notifies_ready)
		(void)hosts_enter(&s->pair, HOSTS_FAR);
}

/* A far command that does not report readiness counts as ready once something listens, or when its
 * time is over; so does one that has closed its descriptor. */
static void check_far(struct supervisor *s, int64_t now)
{
	const bool late = now >= s->deadline;

	if ((!s->plan->notifies_ready && hosts_is_listening()) || (late && s->ready < 0)) {
		far_serves(s);
	} else if (late) {
		supervisor_notify(s->relay, SUPERVISOR_FAR_TIMEOUT, 0);
		end_all(s);
	}
}

/* Reads the far command's report, usually the port. A far command that closes the descriptor
 * without writing is about to end; if it still runs a moment later, it counts as ready. */
static void read_ready(struct supervisor *s)
{
	char text[64];
	ssize_t n = read(s->ready, text, sizeof(text));

	if (n > 0) {
		far_serves(s);
	} else if (n == 0) {
		s->ready = file_close(s->ready);
		s->deadline = clock_monotonic() + CLOSED_WAIT;
	}
}

static void collect_children(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(status)) {
			if (pid == s->near)
				supervisor_notify(s->relay, SUPERVISOR_NEAR_STOPPED, 0);
		} else if (pid == s->near) {
			near_ended(s, status);
		} else if (pid == s->far) {
			far_ended(s, status);
		}
	}
}

static void read_relay(struct supervisor *s)
{
	struct supervisor_message message;
	int n = supervisor_read(s->relay, &message);

	if (n < 0)
		return;
	if (n == 0) {
		s->relay = file_close(s->relay);
		/* The relay may have been killed before it removed the folder. */
		runtime_dir_remove(s->plan->runtime_dir);
		end_all(s);
	} else if (message.type == SUPERVISOR_RUN && s->plan->probe) {
		supervisor_notify(s->relay, SUPERVISOR_PROBED, probe(&s->pair));
		s->phase = PHASE_END;
	} else if (message.type == SUPERVISOR_RUN && s->phase == PHASE_MADE) {
		start_far(s, clock_monotonic());
	} else if (message.type == SUPERVISOR_SIGNAL && s->near > 0) {
		kill(s->near, message.value);
	} else if (message.type == SUPERVISOR_END) {
		end_all(s);
	}
}

static void dispatch(struct supervisor *s, const struct fd_watch *w)
{
	if (end_requested) {
		end_requested = 0;
		end_all(s);
	}
	collect_children(s);
	if (s->phase == PHASE_FAR)
		check_far(s, clock_monotonic());
	if (s->phase == PHASE_FAR && fd_watch_can_read(w, s->ready))
		read_ready(s);
	if (fd_watch_can_read(w, s->relay))
		read_relay(s);
}

static void loop(struct supervisor *s)
{
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		struct fd_watch w;
		struct timespec wait;
		const int64_t now = clock_monotonic();

		if (s->phase == PHASE_END && ((s->near <= 0 && s->far <= 0) || now >= s->deadline))
			return;
		fd_watch_start(&w);
		fd_watch_read(&w, s->relay);
		fd_watch_read(&w, s->ready);
		fd_watch_until(&w, s->deadline);
		if (s->phase == PHASE_FAR && !s->plan->notifies_ready)
			fd_watch_until(&w, now + LISTEN_POLL);
		if (pselect(w.count, &w.readable, NULL, NULL, clock_until(w.deadline, now, &wait),
		        &none) < 0)
			fd_watch_start(&w);
		dispatch(s, &w);
	}
}

static void catch_signals(struct supervisor *s)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t block;

	/* The first process of a process namespace gets no signal for which it has no handler. */
	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &s->mask);
}

/* Sends the devices to the relay, which alone has them afterwards. */
static int send_devices(struct hosts_pair *pair, int relay)
{
	struct supervisor_message message = { .type = SUPERVISOR_HOSTS_READY, .pair = *pair };
	int fds[SUPERVISOR_FDS], count = 0, result;

	for (int side = 0; side < HOSTS_SIDES; side++)
		message.pair.fds[HOSTS_NS][side] = -1;
	for (int kind = HOSTS_TAP; kind < HOSTS_FDS; kind++)
		for (int side = 0; side < HOSTS_SIDES; side++)
			if (pair->fds[kind][side] >= 0)
				fds[count++] = pair->fds[kind][side];
	result = send_message(relay, &message, fds, count);
	while (count-- > 0)
		close(fds[count]);
	return result;
}

static void send_end(struct supervisor *s)
{
	struct supervisor_message message = { .type = SUPERVISOR_ENDED };

	if (s->relay < 0)
		return;
	for (int side = 0; side < HOSTS_SIDES; side++)
		message.kernel_drops[side] = hosts_kernel_drops(&s->pair, (enum hosts_side)side);
	/* A relay that is gone has not removed the folder. */
	if (send_message(s->relay, &message, NULL, 0) != 0)
		runtime_dir_remove(s->plan->runtime_dir);
}

static void __attribute__((noreturn)) fail(const struct hosts_pair *pair, int relay)
{
	const struct supervisor_message message = { .type = SUPERVISOR_FAILED, .pair = *pair };

	(void)send_message(relay, &message, NULL, 0);
	_exit(1);
}

/* The first process of the namespace. */
static void supervise(const struct supervisor_plan *plan, int relay)
{
	struct supervisor s = { .plan = plan,
		.relay = relay,
		.ready = -1,
		.phase = PHASE_MADE,
		.deadline = CLOCK_NEVER };

	prctl(PR_SET_NAME, "upcase-lab-keep");
	/* The children must start without the relay's handlers. */
	signals_release();
	catch_signals(&s);
	supervisor_notify(relay, SUPERVISOR_STARTED, 0);
	if (hosts_build(&plan->hosts, &s.pair) != 0)
		fail(&s.pair, relay);
	if (send_devices(&s.pair, relay) == 0)
		loop(&s);
	send_end(&s);
	_exit(0);
}

/* Leaves the namespaces and forks the supervisor, the relay's child when this process ends. */
static void leave_namespaces(const struct supervisor_plan *plan, int relay)
{
	struct hosts_pair pair = { .fds = { { 0 } } };
	pid_t pid;

	/* A program that may be executed but not read does not own its files in /proc. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (hosts_isolate(&pair) != 0)
		fail(&pair, relay);
	pid = fork();
	if (pid == 0)
		supervise(plan, relay);
	if (pid > 0)
		_exit(0);
	pair.failure = (struct diagnose_failure){ .step = DIAGNOSE_FORK, .error = errno };
	fail(&pair, relay);
}

int supervisor_start(const struct supervisor_plan *plan)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	(void)setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if ((pid = fork()) == 0) {
		close(ends[0]);
		leave_namespaces(plan, ends[1]);
	}
	close(ends[1]);
	if (pid > 0) {
		(void)waitpid(pid, NULL, 0);
		return ends[0];
	}
	return file_close(ends[0]);
}
