/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder of a running lab: its sockets lie there, readable by its user only. It lies in
 * $XDG_RUNTIME_DIR, or else in $TMPDIR or, without one, /tmp, but only where no user but this one and root can put something
 * else in its place. It is called upcase-lab-PID.XXXXXX. */
#ifndef UPCASE_LAB_FOLDER_H
#define UPCASE_LAB_FOLDER_H

#include <stddef.h>

/* Room for its path; a socket's must fit into sockaddr_un. */
#define FOLDER_PATH 80

/* The files in it: the link's control socket, and the far server's. */
#define FOLDER_LINK "link"
#define FOLDER_FAR "far"

/* Makes one, and removes those that labs killed before this one left. Returns 0; or -1 and what is wrong with each place in
 * `reasons`: "/run/user/1000: No space left on device; /tmp: Permission denied". */
int folder_make(char path[FOLDER_PATH], char *reasons, size_t size);
/* Removes it and the files in it. "" is nothing. */
void folder_remove(const char *path);
/* The control socket of this user's newest lab that is still there: 0, or -1 if there is none. */
int folder_newest(char *socket_path, size_t size);

#endif
