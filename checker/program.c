/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checker/cases.h"
#include "common/bytes.h"
#include "common/file.h"
#include "common/os.h"
#include "common/text.h"

/* The steps in which a program ends after SIGTERM, and in which what it has started dies. */
#define END_STEP (5 * NS_PER_MS)
#define END_STEPS 200
#define KILL_STEPS 400
/* Bytes of one read. */
#define READ_SIZE 16384

/* The word with the host and the port in it, from malloc(), or NULL. */
static char *replace(const char *word, const struct addr *address)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	while (out && *word) {
		const bool host = text_begins(word, "{host}"), port = text_begins(word, "{port}");

		if (host)
			fputs(ADDR_HOST_TEXT(address), out);
		else if (port)
			fprintf(out, "%d", addr_port(address));
		else
			fputc(*word, out);
		word += host || port ? strlen("{port}") : 1;
	}
	return out && fclose(out) == 0 ? text : NULL;
}

/* The child, in a session of its own. The terminal is not the session's, so that its hangup ends
 * nobody. Reports why the command cannot be executed. */
static _Noreturn void execute(const struct program *p, pid_t parent, char **command,
    const struct addr *address, int terminal, int failed)
{
	sigset_t none;

	for (char **word = command; *word; word++)
		*word = replace(*word, address);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	os_end_with_parent(parent);
	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(terminal, fd);
	if (*command && (p->network < 0 || setns(p->network, CLONE_NEWNET) == 0)) {
		/* The right to change hosts is the judge's; who has none loses none. */
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SYS_ADMIN, 0, 0);
		execvp(command[0], command);
	}
	(void)!write(failed, &errno, sizeof errno);
	_exit(127);
}

/* Makes the terminal, and the process at its other end. Returns 0 or the errno of what failed. */
static int open_and_fork(struct program *p, char **command, const struct addr *address)
{
	/* No echo, and newlines as they are; control-D at the beginning of a line is the end. */
	const struct termios mode = { .c_iflag = ICRNL,
		.c_cflag = CS8 | CREAD | B38400,
		.c_lflag = ICANON | ISIG,
		.c_cc = { [VEOF] = 4, [VINTR] = 3 } };
	const struct winsize size = { .ws_row = 24, .ws_col = 80 };
	const pid_t parent = getpid();
	int failed[2] = { -1, -1 }, terminal, error = 0;

	if (openpty(&p->fd, &terminal, NULL, &mode, &size) < 0)
		return errno;
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	fcntl(p->fd, F_SETFD, FD_CLOEXEC);
	fcntl(terminal, F_SETFD, FD_CLOEXEC);
	if (os_pipe(failed, true) < 0 || (p->process = fork()) < 0)
		error = errno;
	else if (p->process == 0)
		execute(p, parent, command, address, terminal, failed[1]);
	close(terminal);
	(void)file_close(failed[1]);
	while (error == 0 && read(failed[0], &error, sizeof error) < 0 && errno == EINTR)
		;
	(void)file_close(failed[0]);
	return error;
}

int program_start(struct program *p, char **command, const struct addr *address)
{
	int error;

	/* The parent of what the program leaves behind, so that program_end() finds it. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	*p = (struct program){ .network = p->network, .fd = -1 };
	error = open_and_fork(p, command, address);
	if (error && p->process > 0)
		waitpid(p->process, NULL, 0);
	if (error) {
		p->process = 0;
		p->fd = file_close(p->fd);
	}
	errno = error;
	return error ? -1 : 0;
}

void program_watch(const struct program *p, struct fd_watch *w)
{
	if (!p->closed)
		fd_watch_read(w, p->fd);
}

void program_dispatch(struct program *p, const struct fd_watch *w)
{
	ssize_t n;

	if (!fd_watch_can_read(w, p->fd))
		return;
	if (p->used > sizeof p->output - READ_SIZE) {
		const size_t half = p->used / 2;

		memmove(p->output, p->output + half, p->used - half);
		p->used -= half;
		p->seen -= half < p->seen ? half : p->seen;
		p->begin -= half < p->begin ? half : p->begin;
	}
	n = read(p->fd, p->output + p->used, READ_SIZE);
	if (n > 0)
		p->used += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->closed = true;
}

bool program_has_ended(struct program *p)
{
	if (p->process > 0 && !p->ended && waitpid(p->process, &p->status, WNOHANG) == p->process)
		p->ended = true;
	return p->ended;
}

char *program_end_text(const struct program *p, char buf[80])
{
	if (WIFSIGNALED(p->status))
		snprintf(buf, 80, "was ended by signal %d (%s)", WTERMSIG(p->status),
		    strsignal(WTERMSIG(p->status)));
	else
		snprintf(buf, 80, "ended with status %d", WEXITSTATUS(p->status));
	return buf;
}

void program_type(struct program *p, const void *bytes, size_t n)
{
	if (p->fd >= 0)
		(void)!write(p->fd, bytes, n);
}

bool program_printed(const struct program *p, const void *bytes, size_t n)
{
	return bytes_find(p->output + p->seen, p->used - p->seen, bytes, n);
}

/* Whether a table of the kernel has a socket with that port in that state. */
static bool is_in_table(const char *table, unsigned wanted, uint16_t port)
{
	FILE *in = fopen(table, "re");
	unsigned number, state;
	char line[256];
	bool found = false;

	while (in && !found && fgets(line, sizeof line, in))
		found = sscanf(line, "%*d: %*[0-9A-F]:%X %*s %X", &number, &state) == 2 &&
		        number == port && state == wanted;
	if (in)
		fclose(in);
	return found;
}

/* The states 0A and 07: TCP listens; UDP is bound and not connected. */
unsigned program_serves(const struct program *p, uint16_t port)
{
	const char *folder = p->process > 0 && !p->ended
	                       ? TEXT_FORMAT("/proc/%d/net", (int)p->process)
	                       : "/proc/self/net";
	unsigned serves = 0;

	for (int six = 0; six <= 1; six++) {
		if (is_in_table(TEXT_FORMAT("%s/tcp%s", folder, six ? "6" : ""), 0x0a, port))
			serves |= CASE_TCP;
		if (is_in_table(TEXT_FORMAT("%s/udp%s", folder, six ? "6" : ""), 0x07, port))
			serves |= CASE_UDP;
	}
	return serves;
}

/* --- ending --- */

/* Sends a signal to all that descend from a process, as the kernel lists its children. Returns how
 * many there are. */
static int signal_descendants(pid_t parent, int number)
{
	FILE *in = fopen(TEXT_FORMAT("/proc/%d/task/%d/children", (int)parent, (int)parent), "re");
	int count = 0, child;

	while (in && fscanf(in, "%d", &child) == 1) {
		kill(child, number);
		count += 1 + signal_descendants(child, number);
	}
	if (in)
		fclose(in);
	return count;
}

static void sleep_step(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = END_STEP }, NULL);
}

void program_end(struct program *p)
{
	if (p->process <= 0)
		return;
	/* Its group; SIGCONT: a stopped one ends too. */
	kill(-p->process, SIGTERM);
	kill(-p->process, SIGCONT);
	for (int i = 0; i < END_STEPS && !program_has_ended(p); i++)
		sleep_step();
	kill(-p->process, SIGKILL);
	/* Stopped first, so that none starts another while the others die. */
	for (int i = 0; i < KILL_STEPS && signal_descendants(getpid(), SIGSTOP) > 0; i++) {
		signal_descendants(getpid(), SIGKILL);
		while (program_has_ended(p) && waitpid(-1, NULL, WNOHANG) > 0)
			;
		sleep_step();
	}
	p->process = 0;
	p->fd = file_close(p->fd);
}
