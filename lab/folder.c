/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "text.h"

#define PREFIX "upcase-lab-"
/* What mkdtemp() fills in. */
#define RANDOM ".XXXXXX"

static const char *const files[] = { FOLDER_LINK, FOLDER_FAR };

static const char *absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] == '/' ? value : NULL;
}

/* Where folders lie: the places in the order in which they are tried; NULL at the end. */
static const char *place(int i)
{
	const char *runtime = absolute("XDG_RUNTIME_DIR"), *temporary = absolute("TMPDIR");

	if (!temporary)
		temporary = "/tmp";
	if (!runtime)
		i++;
	return i == 0 ? runtime : i == 1 ? temporary : NULL;
}

static bool is_ours(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

/* A lab listens there. */
static bool is_alive(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/" FOLDER_LINK, path);
	bool alive = fd >= 0 && n < (int)sizeof(to.sun_path)
	    && (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return alive;
}

void folder_remove(const char *path)
{
	char file[FOLDER_PATH + 16];

	if (!*path)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		(void)unlink(file);
	}
	(void)rmdir(path);
}

/* The process that a folder's name gives, or 0. */
static pid_t owner(const char *name)
{
	return strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 ? (pid_t)atol(name + sizeof(PREFIX) - 1) : 0;
}

/* The next folder of this user's in `directory`: its path, or NULL. */
static const char *next_folder(DIR *directory, const char *in, char path[FOLDER_PATH], pid_t *pid)
{
	const struct dirent *entry;

	while ((entry = readdir(directory))) {
		*pid = owner(entry->d_name);
		if (*pid > 0 && snprintf(path, FOLDER_PATH, "%s/%s", in, entry->d_name) < FOLDER_PATH && is_ours(path))
			return path;
	}
	return NULL;
}

/* A relay and its keeper killed at the same moment leave their folder to whoever comes next. */
static void remove_left_behind(const char *in)
{
	DIR *directory = opendir(in);
	char path[FOLDER_PATH];
	pid_t pid;

	if (!directory)
		return;
	while (next_folder(directory, in, path, &pid)) {
		if (!is_alive(path) && kill(pid, 0) != 0 && errno == ESRCH)
			folder_remove(path);
	}
	closedir(directory);
}

int folder_make(char path[FOLDER_PATH])
{
	const char *in;

	errno = ENAMETOOLONG;
	for (int i = 0; (in = place(i)); i++) {
		remove_left_behind(in);
		if (snprintf(path, FOLDER_PATH, "%s/" PREFIX "%ld" RANDOM, in, (long)getpid()) < FOLDER_PATH
		    && mkdtemp(path))
			return 0;
	}
	path[0] = 0;
	return -1;
}

char *folder_places(char *text, size_t size)
{
	struct text out = text_begin(text, size);
	const char *in;

	for (int i = 0; (in = place(i)); i++)
		text_put(&out, "%s%s", i ? " or " : "", in);
	return text;
}

int folder_newest(char *socket_path, size_t size)
{
	struct timespec newest = { .tv_sec = -1 };
	const char *in;
	char path[FOLDER_PATH];
	pid_t pid;

	for (int i = 0; (in = place(i)); i++) {
		DIR *directory = opendir(in);
		struct stat st;

		while (directory && next_folder(directory, in, path, &pid)) {
			if (stat(path, &st) != 0 || !is_alive(path) || st.st_mtim.tv_sec < newest.tv_sec
			    || (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec <= newest.tv_nsec))
				continue;
			newest = st.st_mtim;
			snprintf(socket_path, size, "%s/" FOLDER_LINK, path);
		}
		if (directory)
			closedir(directory);
	}
	return newest.tv_sec < 0 ? -1 : 0;
}
