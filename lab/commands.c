/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/commands.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/os.h"
#include "common/program.h"
#include "lab/hosts/hosts.h"
#include "lab/hosts/supervisor.h"

#ifndef BINDIR
#define BINDIR "/usr/local/bin"
#endif

/* The places of the programs: beside this one, in the build tree, where all is installed. */
static const char *const clients[] = { "upcase", "../client-tui/upcase", BINDIR "/upcase", NULL };
static const char *const servers[] = { "upcased", "../server/upcased", BINDIR "/upcased", NULL };

/* Whether the program of this name in PATH is the one at `path`. */
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
		if (stat(found, &got) == 0 && S_ISREG(got.st_mode) && access(found, X_OK) == 0)
			return file_is_same(&got, &wanted);
	}
	return false;
}

/* Puts the program's folder before the others in PATH, unless PATH has it already. A program of
 * another name, or without a folder, is left out. */
static void add_to_path(const char *name, const char *program)
{
	const char *folders = getenv("PATH"), *slash;
	char path[PATH_MAX], usual[PATH_MAX], *changed;

	if (!strchr(program, '/') || !realpath(program, path) || is_found(name, path))
		return;
	/* Without PATH, the system's default counts. */
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
	const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)file_close(fd);
	return fd >= 0 && options->hosts.mtu >= HOSTS_MTU_IPV6;
}

/* The type that execvp() takes; it does not write to the words. */
static char *const *as_arguments(const char *const *words)
{
	return (char *const *)(uintptr_t)words;
}

static void choose_server(struct commands *c, bool ipv6)
{
	const char *control = getenv("UPCASE_LAB_FAR");
	const char *const words[] = { c->server, "--ready-fd", "3", "--control",
		control ? control : "", "--bind", LAB_FAR_IPV4, ipv6 ? "--bind" : NULL,
		LAB_FAR_IPV6, NULL };

	_Static_assert(SUPERVISOR_READY_FD == 3, "the word above");
	_Static_assert(sizeof words <= sizeof c->far_argv, "room for all");
	memcpy(c->far_argv, words, sizeof words);
	c->notifies_ready = true;
}

/* Puts the second flow behind the name of the near command. */
static void add_flow(struct commands *c, const char *flow)
{
	size_t count = 0;

	while (c->near[count])
		count++;
	c->with_flow = calloc(count + 2, sizeof *c->with_flow);
	if (!c->with_flow)
		return;
	snprintf(c->flow, sizeof c->flow, "--flow=%s", flow);
	c->with_flow[0] = c->near[0];
	c->with_flow[1] = c->flow;
	memcpy(c->with_flow + 2, c->near + 1, (count - 1) * sizeof *c->with_flow);
	c->near = c->with_flow;
}

void commands_choose(struct commands *c, const struct lab_options *options)
{
	memset(c, 0, sizeof(*c));
	program_find("UPCASE", clients, c->client);
	program_find("UPCASED", servers, c->server);
	c->near_argv[0] = c->client;
	c->near_argv[1] = LAB_FAR_IPV4;
	c->near = options->near_command ? options->near_command : as_arguments(c->near_argv);
	if (options->flow)
		add_flow(c, options->flow);
	if (options->far_command)
		memcpy(c->far_argv, (const char *[]){ "/bin/sh", "-c", options->far_command, NULL },
		    4 * sizeof *c->far_argv);
	else
		choose_server(c, has_ipv6(options));
	c->far = as_arguments(c->far_argv);
}

void commands_set_path(const struct commands *c)
{
	char own[PATH_MAX];

	add_to_path("upcased", c->server);
	add_to_path("upcase", c->client);
	if (os_program_path(own, sizeof(own)))
		add_to_path("upcase-lab", own);
}
