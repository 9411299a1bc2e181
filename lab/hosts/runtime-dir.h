/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of a running lab: it has the lab's sockets, readable only by its user. It is in
 * $XDG_RUNTIME_DIR, or else in $TMPDIR or, without one, /tmp, but only where no user but this one
 * and root can replace it. Its name is upcase-lab-PID.XXXXXX. */
#pragma once

/* Room for its path; a socket's must fit into sockaddr_un. */
#define RUNTIME_DIR_PATH 80

/* The files in it: the link's control socket, and the far server's. */
#define RUNTIME_DIR_LINK "link"
#define RUNTIME_DIR_FAR "far"

/* Makes a folder, and removes those that killed labs have left. Returns 0; or -1 and the fault of
 * each place in `reasons`: "/run/user/1000: No space left on device; /tmp: Permission denied". */
int runtime_dir_make(char path[RUNTIME_DIR_PATH], char *reasons, size_t size);
/* Removes the folder and the files in it. Does nothing for "". */
void runtime_dir_remove(const char *path);
/* Finds the control socket of this user's newest running lab. Returns 0, or -1 if there is none. */
int runtime_dir_newest(char *socket_path, size_t size);
