/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/commands.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/hosts/hosts.h"
#include "lab/hosts/supervisor.h"

#ifndef BINDIR
#define BINDIR "/usr/local/bin"
#endif

static bool is_there(const char *path)
{
	return access(path, X_OK) == 0;
}

/* The running program's own folder: the real one, also behind a link. */
static const char *own_folder(char buf[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", buf, PATH_MAX - 1);

	if (n <= 0)
		return BINDIR;
	buf[n] = 0;
	return dirname(buf);
}

/* `name`'s path: what the environment's `variable` says; else beside the running program; in
 * `folder` of a build tree; where it is installed; else the bare name, for PATH. */
static void find(const char *name, const char *variable, const char *folder, char path[PATH_MAX])
{
	const char *set = getenv(variable), *own;
	char buf[PATH_MAX];

	snprintf(path, PATH_MAX, "%s", set ? set : "");
	if (*path)
		return;
	own = own_folder(buf);
	snprintf(path, PATH_MAX, "%s/%s", own, name);
	if (is_there(path))
		return;
	snprintf(path, PATH_MAX, "%s/../%s/%s", own, folder, name);
	if (is_there(path))
		return;
	snprintf(path, PATH_MAX, "%s/%s", BINDIR, name);
	if (!is_there(path))
		snprintf(path, PATH_MAX, "%s", name);
}

/* Whether the name alone would give that program. */
static bool is_found(const char *name, const char *path)
{
	const char *folders = getenv("PATH");
	char found[PATH_MAX];
	struct stat wanted, got;

	if (!folders || stat(path, &wanted) != 0)
		return false;
	for (const char *at = folders, *end; *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		snprintf(found, sizeof(found), "%.*s/%s", (int)(end - at), at, name);
		if (is_there(found))
			return stat(found, &got) == 0 && got.st_dev == wanted.st_dev &&
			       got.st_ino == wanted.st_ino;
	}
	return false;
}

/* Puts the program's folder before the others in PATH, unless it would be found already. What is
 * not called by that name, or has no folder, cannot be. */
static void make_found(const char *name, const char *program)
{
	const char *folders = getenv("PATH"), *slash;
	char path[PATH_MAX], usual[PATH_MAX], *changed;

	if (!strchr(program, '/') || !realpath(program, path) || is_found(name, path))
		return;
	/* Who has none has the system's, until there is one. */
	if (!folders && confstr(_CS_PATH, usual, sizeof(usual)) > 0)
		folders = usual;
	slash = strrchr(path, '/');
	if (strcmp(slash + 1, name) != 0)
		return;
	if (asprintf(&changed, "%.*s%s%s", (int)(slash - path), path,
	        folders && *folders ? ":" : "", folders ? folders : "") < 0)
		return;
	setenv("PATH", changed, 1);
	free(changed);
}

static bool has_ipv6(const struct lab_options *options)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && options->hosts.mtu >= HOSTS_MTU_IPV6;
}

/* Words that are never written to; execvp() wants them so. */
static char *word(const char *text)
{
	union {
		const char *constant;
		char *plain;
	} u = { .constant = text };

	return u.plain;
}

static void choose_server(struct commands *c, bool ipv6)
{
	const char *control = getenv("UPCASE_LAB_FAR");
	const char *const words[] = {
		c->server,
		"--ready-fd",
		"3",
		"--control",
		control ? control : "",
		"--bind",
		LAB_FAR_IPV4,
		"--bind",
		LAB_FAR_IPV6,
	};
	size_t count = sizeof(words) / sizeof(*words) - (ipv6 ? 0 : 2);

	_Static_assert(SUPERVISOR_READY_FD == 3, "the word above");
	for (size_t i = 0; i < count; i++)
		c->far_words[i] = word(words[i]);
	c->far_words[count] = NULL;
	c->notifies_ready = true;
}

static void choose_shell(struct commands *c, const char *command)
{
	c->far_words[0] = word("/bin/sh");
	c->far_words[1] = word("-c");
	c->far_words[2] = word(command);
	c->far_words[3] = NULL;
}

void commands_choose(struct commands *c, const struct lab_options *options)
{
	memset(c, 0, sizeof(*c));
	find("upcase", "UPCASE", "client-tui", c->client);
	find("upcased", "UPCASED", "server", c->server);
	c->near_words[0] = c->client;
	c->near_words[1] = word(LAB_FAR_IPV4);
	c->near = options->near_command ? options->near_command : c->near_words;
	if (options->far_command)
		choose_shell(c, options->far_command);
	else
		choose_server(c, has_ipv6(options));
	c->far = c->far_words;
}

void commands_set_path(const struct commands *c)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	make_found("upcased", c->server);
	make_found("upcase", c->client);
	own[n > 0 ? n : 0] = 0;
	make_found("upcase-lab", own);
}
