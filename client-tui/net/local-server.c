/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/local-server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/text.h"

/* How long a start may take, ms: far more than any machine needs. */
#define START_TIMEOUT 10000
/* How long it may take to end, ms: it only closes its sockets, unless somebody stopped it. */
#define END_TIMEOUT 200

/* Where the server may stand, seen from the folder of this program: installed beside it, in the
 * build tree, in an installation that keeps servers apart. */
static const char *const places[] = { "upcased", "../server/upcased", "../sbin/upcased" };

static bool own_folder(char *folder, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", folder, size - 1);
	char *slash;

	if (n <= 0)
		return false;
	folder[n] = '\0';
	slash = strrchr(folder, '/');
	if (!slash)
		return false;
	slash[1] = '\0';
	return true;
}

/* The server's path; the bare name is looked up in PATH. UPCASED names another one. */
static void find_server(char *path, size_t size)
{
	const char *given = getenv("UPCASED");
	char folder[PATH_MAX];

	if (given && *given) {
		snprintf(path, size, "%s", given);
		return;
	}
	for (size_t i = 0; i < sizeof places / sizeof *places && own_folder(folder, sizeof folder);
	    i++)
		if (snprintf(path, size, "%s%s", folder, places[i]) < (int)size &&
		    access(path, X_OK) == 0)
			return;
	snprintf(path, size, "upcased");
}

struct start_pipes {
	int life[2], ready[2], log[2];
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static int open_pipes(struct start_pipes *p)
{
	*p = (struct start_pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(p->life, O_CLOEXEC) == 0 && pipe2(p->ready, O_CLOEXEC) == 0 &&
	    pipe2(p->log, O_CLOEXEC) == 0)
		return 0;
	close_pair(p->life);
	close_pair(p->ready);
	close_pair(p->log);
	return -1;
}

/* The child: becomes the server, in a session of its own so that the terminal's ^C and ^Z do not
 * reach it. */
static _Noreturn void child_main(const struct start_pipes *p, const char *path)
{
	char ready[12], life[12];
	const int null = open("/dev/null", O_RDWR);
	sigset_t none;

	setsid();
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(p->log[1], STDERR_FILENO) < 0)
		_exit(127);
	fcntl(p->ready[1], F_SETFD, 0);
	fcntl(p->life[0], F_SETFD, 0);
	snprintf(ready, sizeof ready, "%d", p->ready[1]);
	snprintf(life, sizeof life, "%d", p->life[0]);
	execlp(path, "upcased", "--port=0", "--bind=127.0.0.1", "--ready-fd", ready,
	    "--lifeline-fd", life, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s", path, strerror(errno));
	_exit(127);
}

/* Reads until `size` - 1 bytes, the end, or the end of patience. Returns how many. */
static size_t read_text(int fd, char *text, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && !memchr(text, '\n', used)) {
		int ready = poll(&wait, 1, START_TIMEOUT);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			break;
		n = read(fd, text + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	return used;
}

static int wait_ready(struct local_server *server, struct start_pipes *p, const char *path,
    char *why, size_t size)
{
	char port[16], log[200];

	if (read_text(p->ready[0], port, sizeof port) > 0) {
		port[strcspn(port, "\n")] = '\0';
		if (addr_port_number(port, &server->port) == 0 && server->port != 0)
			return 0;
	}
	read_text(p->log[0], log, sizeof log);
	log[strcspn(log, "\n")] = '\0';
	return text_refuse(why, size,
	    "the private server did not start: %s; is upcased installed? (UPCASED=PATH names it)",
	    *log ? log : path);
}

int local_server_start(struct local_server *server, char *why, size_t size)
{
	struct start_pipes p;
	char path[PATH_MAX];
	int result;

	*server = (struct local_server){ .lifeline = -1 };
	find_server(path, sizeof path);
	if (open_pipes(&p) < 0 || (server->process = fork()) < 0) {
		snprintf(why, size, "the private server did not start: %s", strerror(errno));
		server->process = 0;
		return -1;
	}
	if (server->process == 0)
		child_main(&p, path);
	server->lifeline = p.life[1];
	p.life[1] = -1;
	close(p.ready[1]);
	close(p.log[1]);
	p.ready[1] = p.log[1] = -1;
	result = wait_ready(server, &p, path, why, size);
	close_pair(p.life);
	close_pair(p.ready);
	/* From here on the server's log goes nowhere: the screen is the user's. */
	close_pair(p.log);
	if (result < 0)
		local_server_stop(server);
	return result;
}

/* Waits for its end, at most so long, ms; < 0: for ever. */
static bool wait_end(pid_t process, int patience)
{
	for (; patience != 0; patience--) {
		const pid_t ended = waitpid(process, NULL, patience < 0 ? 0 : WNOHANG);

		if (ended == process || (ended < 0 && errno != EINTR))
			return true;
		if (patience > 0)
			poll(NULL, 0, 1);
	}
	return false;
}

void local_server_stop(struct local_server *server)
{
	if (server->process <= 0)
		return;
	close(server->lifeline);
	kill(server->process, SIGTERM);
	if (!wait_end(server->process, END_TIMEOUT)) {
		kill(server->process, SIGKILL);
		wait_end(server->process, -1);
	}
	server->process = 0;
}
