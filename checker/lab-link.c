/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/lab-link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/control-socket.h"
#include "common/file.h"
#include "common/os.h"
#include "common/program.h"
#include "common/standard.h"
#include "common/text.h"

/* Both hosts have a file in memory as this descriptor, into which the far host's command, this
 * program too, writes its process number. The variable has the program's path. */
#define NOTE_FD 9
#define INSIDE "UPCASE_CHECK_LAB"
#define FAR_COMMAND "--far=exec \"$" INSIDE "\""

struct lab_link {
	/* Its control socket. */
	const char *path;
	/* The network namespaces of the hosts. */
	int near, far;
	const char *const *drops;
	int drop_count;
	uint64_t lost;
	/* The reason of a refusal. */
	char refused[CONTROL_REASON];
};

int lab_link_execute(char **argv)
{
	static const char *const places[] = { "upcase-lab", "../lab/upcase-lab", NULL };
	char own[PATH_MAX], lab[PATH_MAX];
	size_t n = 0;
	const char **words;

	while (argv[n])
		n++;
	words = calloc(n + 5, sizeof *words);
	if (!words || !os_program_path(own, sizeof own) ||
	    dup2(memfd_create("far", MFD_CLOEXEC), NOTE_FD) < 0) {
		standard_report("--lab: %s", strerror(errno));
		return 1;
	}
	words[0] = program_find("UPCASE_LAB_COMMAND", places, lab);
	words[1] = "--quiet";
	words[2] = FAR_COMMAND;
	words[3] = "--";
	memcpy(words + 4, argv, n * sizeof *words);
	words[4] = own;
	setenv(INSIDE, own, 1);
	execvp(lab, (char **)(uintptr_t)words);
	standard_report("--lab: %s: %s", lab, strerror(errno));
	free(words);
	return 1;
}

bool lab_link_is_inside(const char *host)
{
	const char *here = getenv("UPCASE_LAB_HOST");

	return getenv(INSIDE) && here && strcmp(here, host) == 0;
}

int lab_link_hold(void)
{
	struct addr any = { .in = { .sin_family = AF_INET }, .len = sizeof any.in };

	dprintf(NOTE_FD, "%d", (int)getpid());
	/* The lab counts a host as ready where something is bound. */
	(void)bind(os_socket(AF_INET, SOCK_DGRAM), &any.sa, any.len);
	pause();
	return 0;
}

/* --- the link --- */

/* A line of an answer, "there lost-random 2" to `counts`. The receiver drops what is corrupted. */
static bool add_lost(void *context, char *line)
{
	struct lab_link *l = context;
	uint64_t n;

	if (sscanf(line, "%*s lost-%*s %" SCNu64, &n) == 1 ||
	    sscanf(line, "%*s corrupted %" SCNu64, &n) == 1)
		l->lost += n;
	return false;
}

/* Gives the link an order. Returns 0, or -1 with l->refused. */
static int order(struct lab_link *l, const char *words)
{
	const struct control_request request = {
		.path = l->path, .command = words, .line = add_lost, .context = l
	};
	const int result = control_request_send(&request, l->refused);

	if (result < 0)
		snprintf(l->refused, sizeof l->refused, "the lab does not answer");
	return result == 0 ? 0 : -1;
}

uint64_t lab_link_lost(struct lab_link *l)
{
	l->lost = 0;
	(void)order(l, "counts");
	return l->lost;
}

int lab_link_begin(struct lab_link *l)
{
	int result = order(l, "drop none");

	for (int i = 0; i < l->drop_count && result == 0; i++)
		result = order(l, TEXT_FORMAT("drop %s", l->drops[i]));
	return result;
}

/* The network namespace of the far host, by its command; or -1. */
static int open_far(void)
{
	char text[20] = "";

	if (pread(NOTE_FD, text, sizeof text - 1, 0) <= 0)
		return -1;
	return open(TEXT_FORMAT("/proc/%d/ns/net", atoi(text)), O_RDONLY | O_CLOEXEC);
}

struct lab_link *lab_link_open(const char *settings, const char *const *drops, int drop_count)
{
	const char *word = text_begins_word(settings, "preset") ? "" : "set ";
	struct lab_link *l = calloc(1, sizeof *l);

	if (!l || !(l->path = getenv("UPCASE_LAB")) || (l->far = open_far()) < 0 ||
	    (l->near = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0) {
		standard_report("--lab: %s", strerror(errno));
		free(l);
		return NULL;
	}
	close(NOTE_FD);
	l->drops = drops;
	l->drop_count = drop_count;
	if ((!*settings || order(l, TEXT_FORMAT("%s%s", word, settings)) == 0) &&
	    lab_link_begin(l) == 0 && order(l, "drop none") == 0)
		return l;
	standard_report("--lab or --drop: %s", l->refused);
	lab_link_close(l);
	return NULL;
}

void lab_link_close(struct lab_link *l)
{
	if (!l)
		return;
	close(l->near);
	close(l->far);
	free(l);
}

int lab_link_far(const struct lab_link *l)
{
	return l->far;
}

int lab_link_far_socket(const struct lab_link *l, int family, int type)
{
	const int fd = setns(l->far, CLONE_NEWNET) == 0 ? os_socket(family, type) : -1;

	return setns(l->near, CLONE_NEWNET) == 0 ? fd : file_close(fd);
}
