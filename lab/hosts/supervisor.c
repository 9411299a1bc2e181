/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A few phases, in order: the hosts are made; the far command starts and tells that it serves; the
 * near command runs; all is ended. A small pselect() loop waits for the relay, the far command and
 * children. */
#include "config.h"

#include "lab/hosts/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "lab/hosts/runtime-dir.h"
#include "lab/hosts/signals.h"
#include "common/standard.h"
#include "lab/hosts/probe.h"
#include "common/fd-watch.h"

/* How long the far command may take to end when the near one has; both together, when a signal is
 * the reason. */
#define GRACE (2 * NS_PER_S)
#define GRACE_ASKED (600 * NS_PER_MS)
/* How long the far command may take to tell that it serves; to end after it has closed the
 * descriptor; how long to wait for one that cannot tell to listen, and how often to look. */
#define READY_WAIT (10 * NS_PER_S)
#define CLOSED_WAIT (NS_PER_S / 2)
#define LISTEN_WAIT (1 * NS_PER_S)
#define LISTEN_POLL (5 * NS_PER_MS)

enum phase { PHASE_MADE, PHASE_FAR, PHASE_NEAR, PHASE_END };

struct supervisor {
	const struct supervisor_plan *plan;
	struct host_pair pair;
	enum phase phase;
	/* The socket to the relay, or -1 once it is gone. */
	int relay;
	/* Where the far command tells that it serves, or -1. */
	int ready;
	/* 0: does not run. */
	pid_t far, near;
	/* When the phase is over, whatever happens. */
	int64_t deadline;
	/* What signals were blocked before: the commands get it back. */
	sigset_t mask;
};

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	if (number == SIGTERM)
		asked_to_end = 1;
}

/* The child's last step: only returns if it cannot be done, and then ends as a shell would. */
static void execute(const struct supervisor *k, char *const *command)
{
	static const int defaults[] = { SIGCHLD, SIGTERM };

	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		signal(defaults[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &k->mask, NULL);
	hosts_keep_rights();
	execvp(command[0], command);
	const int error = errno;
	standard_say("upcase-lab: %s: %s", command[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void become_far(const struct supervisor *k, int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* No terminal: what is typed there is for the near command. */
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(k->plan->far_output, STDOUT_FILENO);
	dup2(k->plan->far_output, STDERR_FILENO);
	if (ready == SUPERVISOR_READY_FD)
		fcntl(ready, F_SETFD, 0);
	else if (ready >= 0)
		dup2(ready, SUPERVISOR_READY_FD);
	if (hosts_enter(&k->pair, HOST_FAR) != 0)
		_exit(126);
	setenv("UPCASE_LAB_HOST", "far", 1);
	execute(k, k->plan->far_command);
}

static void become_near(const struct supervisor *k)
{
	if (hosts_enter(&k->pair, HOST_NEAR) != 0)
		_exit(126);
	/* From this the relay learns the process's number. */
	(void)supervisor_ipc_notify(k->relay, SUPERVISOR_NEAR_STARTED, 0);
	setenv("UPCASE_LAB_HOST", "near", 1);
	execute(k, k->plan->near_command);
}

/* It leads a group of its own, but for the moment before it has made one. One that is stopped ends
 * too. */
static void end_far(const struct supervisor *k)
{
	static const int signals[] = { SIGTERM, SIGCONT };

	for (size_t i = 0; k->far > 0 && i < sizeof(signals) / sizeof(*signals); i++) {
		if (kill(-k->far, signals[i]) != 0)
			kill(k->far, signals[i]);
	}
}

static void end_all(struct supervisor *k)
{
	k->phase = PHASE_END;
	k->deadline = clock_monotonic() + GRACE_ASKED;
	if (k->near > 0) {
		kill(k->near, SIGTERM);
		kill(k->near, SIGCONT);
	} else {
		end_far(k);
	}
}

static void near_ended(struct supervisor *k, int status)
{
	k->near = 0;
	(void)supervisor_ipc_notify(k->relay, SUPERVISOR_NEAR_ENDED, status);
	if (k->phase != PHASE_END)
		k->deadline = clock_monotonic() + (WIFSIGNALED(status) ? GRACE_ASKED : GRACE);
	k->phase = PHASE_END;
	end_far(k);
}

static void start_near(struct supervisor *k)
{
	int null;

	k->phase = PHASE_NEAR;
	k->deadline = CLOCK_NEVER;
	k->near = fork();
	if (k->near == 0)
		become_near(k);
	if (k->near < 0) {
		standard_say("upcase-lab: fork: %s", strerror(errno));
		near_ended(k, 126 << 8);
	}
	/* Who waits for the end of the command's input or output must not wait for the supervisor.
	 */
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

static void far_serves(struct supervisor *k)
{
	if (k->ready >= 0)
		close(k->ready);
	k->ready = -1;
	(void)supervisor_ipc_notify(k->relay, SUPERVISOR_FAR_READY, 0);
	start_near(k);
}

static void far_ended(struct supervisor *k, int status)
{
	k->far = 0;
	(void)supervisor_ipc_notify(k->relay, SUPERVISOR_FAR_ENDED, status);
	if (k->phase != PHASE_FAR)
		return;
	/* A command that set something up, or none at all: nobody listens, as was wanted. */
	if (!k->plan->notifies_ready && status == 0)
		far_serves(k);
	else
		end_all(k);
}

static void start_far(struct supervisor *k, int64_t now)
{
	int ends[2] = { -1, -1 };

	if (!k->plan->far_command) {
		(void)supervisor_ipc_notify(k->relay, SUPERVISOR_FAR_READY, 0);
		start_near(k);
		return;
	}
	if (k->plan->notifies_ready && pipe2(ends, O_CLOEXEC) != 0)
		ends[0] = ends[1] = -1;
	k->phase = PHASE_FAR;
	k->ready = ends[0];
	k->deadline = now + (k->plan->notifies_ready ? READY_WAIT : LISTEN_WAIT);
	if ((k->far = fork()) == 0)
		become_far(k, ends[1]);
	if (ends[1] >= 0)
		close(ends[1]);
	close(k->plan->far_output);
	if (k->far < 0)
		far_ended(k, 126 << 8);
	/* Looked at from there: whether something listens. */
	if (!k->plan->notifies_ready)
		(void)hosts_enter(&k->pair, HOST_FAR);
}

/* Whether the far command's readiness is decided by looking, or by time. */
static void check_far(struct supervisor *k, int64_t now)
{
	bool closed = k->plan->notifies_ready && k->ready < 0;

	if (!k->plan->notifies_ready && hosts_is_listening()) {
		far_serves(k);
	} else if ((!k->plan->notifies_ready || closed) && now >= k->deadline) {
		far_serves(k);
	} else if (now >= k->deadline) {
		(void)supervisor_ipc_notify(k->relay, SUPERVISOR_FAR_TIMEOUT, 0);
		end_all(k);
	}
}

/* The port's number, usually. A far command that closes the descriptor without a word is about to
 * end, or, if it is still there a moment later, as ready as it will be. */
static void read_ready(struct supervisor *k)
{
	char type[64];
	ssize_t n = read(k->ready, type, sizeof(type));

	if (n > 0) {
		far_serves(k);
	} else if (n == 0) {
		close(k->ready);
		k->ready = -1;
		k->deadline = clock_monotonic() + CLOSED_WAIT;
	}
}

static void collect_children(struct supervisor *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(status)) {
			if (pid == k->near)
				(void)supervisor_ipc_notify(k->relay, SUPERVISOR_NEAR_STOPPED, 0);
		} else if (pid == k->near) {
			near_ended(k, status);
		} else if (pid == k->far) {
			far_ended(k, status);
		}
	}
}

static void relay_gone(struct supervisor *k)
{
	close(k->relay);
	k->relay = -1;
	/* The relay may have been killed before it could do this. */
	runtime_dir_remove(k->plan->runtime_dir);
	end_all(k);
}

static void read_relay(struct supervisor *k)
{
	struct supervisor_received received;
	int n = supervisor_ipc_read(k->relay, &received);

	if (n < 0)
		return;
	if (n == 0) {
		relay_gone(k);
	} else if (received.message.type == SUPERVISOR_RUN && k->phase == PHASE_MADE &&
	           k->plan->probe) {
		(void)supervisor_ipc_notify(k->relay, SUPERVISOR_PROBED, probe_run(&k->pair));
		k->phase = PHASE_END;
	} else if (received.message.type == SUPERVISOR_RUN && k->phase == PHASE_MADE) {
		start_far(k, clock_monotonic());
	} else if (received.message.type == SUPERVISOR_SIGNAL && k->near > 0) {
		kill(k->near, received.message.value);
	} else if (received.message.type == SUPERVISOR_END) {
		end_all(k);
	}
}

static bool is_over(const struct supervisor *k, int64_t now)
{
	return k->phase == PHASE_END && ((k->near <= 0 && k->far <= 0) || now >= k->deadline);
}

static void dispatch(struct supervisor *k, const struct fd_watch *w)
{
	if (asked_to_end) {
		asked_to_end = 0;
		end_all(k);
	}
	collect_children(k);
	if (k->phase == PHASE_FAR)
		check_far(k, clock_monotonic());
	if (k->phase == PHASE_FAR && fd_watch_can_read(w, k->ready))
		read_ready(k);
	if (fd_watch_can_read(w, k->relay))
		read_relay(k);
}

static void loop(struct supervisor *k)
{
	sigset_t none;

	sigemptyset(&none);
	while (!is_over(k, clock_monotonic())) {
		struct fd_watch w;
		struct timespec wait;
		int64_t now = clock_monotonic();

		fd_watch_start(&w);
		fd_watch_read(&w, k->relay);
		fd_watch_read(&w, k->ready);
		fd_watch_until(&w, k->deadline);
		if (k->phase == PHASE_FAR && !k->plan->notifies_ready)
			fd_watch_until(&w, now + LISTEN_POLL);
		if (pselect(w.count, &w.readable, NULL, NULL, clock_until(w.deadline, now, &wait),
		        &none) < 0)
			fd_watch_start(&w);
		dispatch(k, &w);
	}
}

static void catch_signals(struct supervisor *k)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t block;

	/* All others the kernel keeps from a process namespace's first process. */
	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &k->mask);
}

static int hand_over(struct host_pair *pair, const struct supervisor_message *message, int relay)
{
	const int *const kinds[] = { pair->device, pair->injector, pair->timestamp_tap,
		pair->outer_timestamp_tap };
	int fds[SUPERVISOR_IPC_FDS], count = 0, result;

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++) {
		for (int side = 0; side < HOST_SIDES; side++) {
			if (kinds[kind][side] >= 0)
				fds[count++] = kinds[kind][side];
		}
	}
	result = supervisor_ipc_send(relay, message, fds, count);

	while (count-- > 0)
		close(fds[count]);
	return result;
}

static void send_end(struct supervisor *k)
{
	struct supervisor_message message = { .type = SUPERVISOR_ENDED };

	if (k->relay < 0)
		return;
	for (int side = 0; side < HOST_SIDES; side++)
		message.kernel_drops[side] = hosts_kernel_drops(&k->pair, (enum host_side)side);
	/* A relay that is gone has not removed it. */
	if (supervisor_ipc_send(k->relay, &message, NULL, 0) != 0)
		runtime_dir_remove(k->plan->runtime_dir);
}

/* The first process of the namespace. */
static void supervise(const struct supervisor_plan *plan, int relay)
{
	struct supervisor k = { .plan = plan,
		.relay = relay,
		.ready = -1,
		.phase = PHASE_MADE,
		.deadline = CLOCK_NEVER };
	struct supervisor_message message = { .type = SUPERVISOR_HOSTS_READY };

	prctl(PR_SET_NAME, "upcase-lab-keep");
	/* The first process of a namespace is safe from what has no handler; its children are to
	 * start without any. */
	signals_release();
	catch_signals(&k);
	(void)supervisor_ipc_notify(relay, SUPERVISOR_STARTED, 0);
	if (hosts_build(&plan->hosts, &k.pair, &message.failure) != 0) {
		message.type = SUPERVISOR_FAILED;
		(void)supervisor_ipc_send(relay, &message, NULL, 0);
		_exit(1);
	}
	message.report = k.pair.report;
	if (hand_over(&k.pair, &message, relay) == 0)
		loop(&k);
	send_end(&k);
	_exit(0);
}

/* Leaves the namespaces, has the supervisor as its child, and is gone: the supervisor falls to the
 * relay. */
static void step_out(const struct supervisor_plan *plan, int relay)
{
	struct supervisor_message message = { .type = SUPERVISOR_FAILED };
	pid_t pid;

	/* A program that may only be executed, not read, does not own its files in /proc. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (hosts_isolate(&message.failure) == 0) {
		pid = fork();
		if (pid == 0)
			supervise(plan, relay);
		if (pid > 0)
			_exit(0);
		message.failure = (struct diagnose_failure){ .step = DIAGNOSE_FORK,
			.error = errno };
	}
	(void)supervisor_ipc_send(relay, &message, NULL, 0);
	_exit(1);
}

int supervisor_start(const struct supervisor_plan *plan)
{
	const int on = 1;
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	(void)setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if ((pid = fork()) == 0) {
		close(ends[0]);
		step_out(plan, ends[1]);
	}
	close(ends[1]);
	if (pid > 0) {
		(void)waitpid(pid, NULL, 0);
		return ends[0];
	}
	close(ends[0]);
	return -1;
}
