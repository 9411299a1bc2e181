/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/local-server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/file.h"
#include "common/os.h"
#include "common/program.h"
#include "common/text.h"

#define START_TIMEOUT 10000 /* the time for a start, ms: far more than any machine needs */

/* The places of the server: beside this program, or in the build tree. */
static const char *const places[] = { "upcased", "../server/upcased", NULL };

/* The pipes of a start: the server's lifeline, the port that it reports, its log. */
enum { LIFE, READY, LOG, PIPES };

static void close_pipes(int pipes[PIPES][2])
{
	for (int i = 0; i < 2 * PIPES; i++)
		file_close(pipes[i / 2][i % 2]);
}

static int open_pipes(int pipes[PIPES][2])
{
	int result = 0;

	for (int i = 0; i < PIPES; i++)
		if (result < 0 || (result = os_pipe(pipes[i], true)) < 0)
			pipes[i][0] = pipes[i][1] = -1;
	return result;
}

/* The child: becomes the server, in a session of its own so that the terminal's ^C and ^Z do not
 * reach it. */
static _Noreturn void child_main(int pipes[PIPES][2], const char *path)
{
	const int null = open("/dev/null", O_RDWR);
	sigset_t none;

	setsid();
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(pipes[LOG][1], STDERR_FILENO) < 0)
		_exit(127);
	fcntl(pipes[READY][1], F_SETFD, 0);
	fcntl(pipes[LIFE][0], F_SETFD, 0);
	execlp(path, "upcased", "--port=0", "--bind=127.0.0.1", "--ready-fd",
	    TEXT_FORMAT("%d", pipes[READY][1]), "--lifeline-fd", TEXT_FORMAT("%d", pipes[LIFE][0]),
	    (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s", path, strerror(errno));
	_exit(127);
}

/* Reads up to an end of line, `size` - 1 bytes or START_TIMEOUT. Returns how many bytes. */
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

static int wait_ready(struct local_server *server, int pipes[PIPES][2], const char *path,
    char *reason, size_t size)
{
	char port[16], log[200];

	if (read_text(pipes[READY][0], port, sizeof port) > 0) {
		port[strcspn(port, "\n")] = '\0';
		if (addr_port_number(port, &server->port) == 0 && server->port != 0)
			return 0;
	}
	read_text(pipes[LOG][0], log, sizeof log);
	log[strcspn(log, "\n")] = '\0';
	return text_refuse(reason, size,
	    "the private server did not start: %s; is upcased installed? (UPCASED=PATH names it)",
	    *log ? log : path);
}

int local_server_start(struct local_server *server, char *reason, size_t size)
{
	int pipes[PIPES][2];
	char path[PATH_MAX];
	int result;

	*server = (struct local_server){ .lifeline = -1 };
	program_find("UPCASED", places, path);
	if (open_pipes(pipes) < 0 || (server->process = fork()) < 0) {
		text_refuse(reason, size, "the private server did not start: %s", strerror(errno));
		close_pipes(pipes);
		server->process = 0;
		return -1;
	}
	if (server->process == 0)
		child_main(pipes, path);
	server->lifeline = pipes[LIFE][1];
	pipes[LIFE][1] = -1;
	pipes[READY][1] = file_close(pipes[READY][1]);
	pipes[LOG][1] = file_close(pipes[LOG][1]);
	result = wait_ready(server, pipes, path, reason, size);
	/* The server's log is discarded from here on: the screen is the user's. */
	close_pipes(pipes);
	if (result < 0)
		local_server_stop(server);
	return result;
}

void local_server_stop(struct local_server *server)
{
	if (server->process <= 0)
		return;
	close(server->lifeline);
	/* It has nothing to save; and somebody may have stopped it. */
	kill(server->process, SIGKILL);
	while (waitpid(server->process, NULL, 0) < 0 && errno == EINTR)
		;
	server->process = 0;
}
