/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILDREN_MAX 16

/* Teardowns get no argument of ours, so what was started is kept here. */
static pid_t children[CHILDREN_MAX];
static size_t children_count;

/* The number at the end of the first line that has one there ("The server is ready to receive
 * 12000"). */
static int read_port(int fd)
{
	FILE *in = fdopen(fd, "r");
	char line[256];
	int port = 0;

	assert_non_null(in);
	while (port == 0 && fgets(line, sizeof line, in)) {
		const char *last;

		line[strcspn(line, "\n")] = '\0';
		last = strrchr(line, ' ');
		port = atoi(last ? last + 1 : line);
	}
	/* Left open: the child may print on. */
	return port;
}

int child_start(const char *const argv[])
{
	int ends[2], port;
	pid_t child;

	assert_true(children_count < CHILDREN_MAX);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(ends[1]);
	children[children_count++] = child;
	port = read_port(ends[0]);
	if (port <= 0)
		fail_msg("%s did not print a port", argv[0]);
	return port;
}

int child_python(const char *name, const char *argument)
{
	const char *folder = getenv("abs_top_srcdir"), *python = getenv("PYTHON");
	char path[4096];

	snprintf(path, sizeof path, "%s/tests/lib/%s", folder ? folder : ".", name);
	return child_start((const char *const[]){
	    python ? python : "python3", path, argument, NULL });
}

void not_here(const char *reason)
{
	printf("# not to be had here: %s\n", reason);
	fflush(stdout);
	skip();
}

const char *own_namespace(const char *options)
{
	static char all[8], command[40];

	snprintf(all, sizeof all, "%s%s", options, geteuid() == 0 ? "" : "r");
	snprintf(command, sizeof command, "unshare %s true 2>/dev/null", all);
	if (system(command) != 0)
		not_here("a namespace of its own: unshare(1) may not make one");
	return all;
}

int child_upcased(void)
{
	const char *program = getenv("UPCASED");
	const char *const argv[] = { program ? program : "server/upcased", "--port=0",
		"--bind=127.0.0.1", "--ready-fd=1", NULL };

	return child_start(argv);
}

pid_t child_pid_last(void)
{
	assert_true(children_count > 0);
	return children[children_count - 1];
}

void child_stop_last(void)
{
	pid_t child = child_pid_last();

	children_count--;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

void child_stop_all(void)
{
	while (children_count > 0)
		child_stop_last();
}
