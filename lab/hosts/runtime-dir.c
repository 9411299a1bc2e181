/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/hosts/runtime-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/control-socket.h"
#include "common/file.h"
#include "common/text.h"

#define PREFIX "upcase-lab-"
/* The part that mkdtemp() fills in. */
#define RANDOM ".XXXXXX"
#define PLACES 2
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

static const char *const files[] = { RUNTIME_DIR_LINK, RUNTIME_DIR_FAR };

/* Whether no other user can replace our folder: each folder on the way, up to the root, is ours or
 * root's, and one that others may write into has the sticky bit, which protects others' files. */
static bool is_safe(const char *real)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t n = strlen(real); n > 0; n--) {
		if (real[n] && real[n] != '/' && n > 1)
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)n, real);
		if (stat(path, &st) != 0 || !file_is_trusted(st.st_uid) ||
		    (st.st_mode & OTHERS_WRITE && !(st.st_mode & S_ISVTX)))
			return false;
	}
	return true;
}

/* Finds place `i` in the order in which they are tried, without links. Returns false for a place
 * that is not used: with the reason, or without one where the place has no name. */
static bool place(int i, char real[PATH_MAX], const char **named, const char **reason)
{
	*named = i == 0 ? getenv("XDG_RUNTIME_DIR") : getenv("TMPDIR");
	*reason = NULL;
	if (!*named || **named != '/') {
		if (i == 0)
			return false;
		*named = "/tmp";
	}
	if (!realpath(*named, real))
		*reason = strerror(errno);
	else if (!is_safe(real))
		*reason = "another user can change what lies there";
	return !*reason;
}

/* Opens a folder that is ours alone. Returns -1 if it is not. */
static int open_own(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 ||
	    (fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & OTHERS_WRITE)))
		return fd;
	return file_close(fd);
}

/* Whether a lab listens there. */
static bool is_alive(const char *path)
{
	const int fd = control_connect(TEXT_FORMAT("%s/" RUNTIME_DIR_LINK, path), false);
	const bool alive = fd >= 0 || errno == EAGAIN;

	(void)file_close(fd);
	return alive;
}

void runtime_dir_remove(const char *path)
{
	const int fd = open_own(path);

	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(fd, files[i], 0);
	close(fd);
	(void)rmdir(path);
}

/* The path of this user's next folder in `directory`, and the process in its name; or NULL. */
static const char *next_folder(DIR *directory, const char *in, char path[RUNTIME_DIR_PATH],
    pid_t *pid)
{
	const struct dirent *entry;
	int fd;

	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) != 0)
			continue;
		*pid = (pid_t)atol(entry->d_name + sizeof(PREFIX) - 1);
		if (*pid > 0 &&
		    snprintf(path, RUNTIME_DIR_PATH, "%s/%s", in, entry->d_name) <
		        RUNTIME_DIR_PATH &&
		    (fd = open_own(path)) >= 0 && close(fd) == 0)
			return path;
	}
	return NULL;
}

/* A relay and its supervisor killed together leave their folder, which the next lab removes. */
static void remove_stale(const char *in)
{
	DIR *directory = opendir(in);
	char path[RUNTIME_DIR_PATH];
	pid_t pid;

	if (!directory)
		return;
	while (next_folder(directory, in, path, &pid)) {
		if (!is_alive(path) && kill(pid, 0) != 0 && errno == ESRCH)
			runtime_dir_remove(path);
	}
	closedir(directory);
}

int runtime_dir_make(char path[RUNTIME_DIR_PATH], char *reasons, size_t size)
{
	struct text out = text_begin(reasons, size);
	const char *in, *reason;
	char real[PATH_MAX];

	for (int i = 0; i < PLACES; i++) {
		if (place(i, real, &in, &reason)) {
			remove_stale(real);
			if (snprintf(path, RUNTIME_DIR_PATH, "%s/" PREFIX "%ld" RANDOM, real,
			        (long)getpid()) >= RUNTIME_DIR_PATH)
				reason = strerror(ENAMETOOLONG);
			else if (mkdtemp(path))
				return 0;
			else
				reason = strerror(errno);
		}
		if (reason)
			text_put(&out, "%s%s: %s", *reasons ? "; " : "", in, reason);
	}
	path[0] = 0;
	return -1;
}

int runtime_dir_newest(char *socket_path, size_t size)
{
	struct timespec newest = { .tv_sec = -1 };
	const char *in, *reason;
	char path[RUNTIME_DIR_PATH], real[PATH_MAX];
	pid_t pid;

	for (int i = 0; i < PLACES; i++) {
		DIR *directory = place(i, real, &in, &reason) ? opendir(real) : NULL;
		struct stat st;

		while (directory && next_folder(directory, real, path, &pid)) {
			if (stat(path, &st) != 0 || !is_alive(path) ||
			    st.st_mtim.tv_sec < newest.tv_sec ||
			    (st.st_mtim.tv_sec == newest.tv_sec &&
			        st.st_mtim.tv_nsec <= newest.tv_nsec))
				continue;
			newest = st.st_mtim;
			snprintf(socket_path, size, "%s/" RUNTIME_DIR_LINK, path);
		}
		if (directory)
			closedir(directory);
	}
	return newest.tv_sec < 0 ? -1 : 0;
}
