/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After start-up the server gives up what it does not need any more, so that whoever takes it over by a fault in it has little: no new
 * privileges (PR_SET_NO_NEW_PRIVS), no capabilities, only the system calls that serving takes (seccomp(2), by libseccomp), no files
 * (Landlock, from Linux 5.13 on) but for removing its own. What the system has not got is left out and said. */
#ifndef UPCASED_SANDBOX_H
#define UPCASED_SANDBOX_H

#include <stddef.h>

enum sandbox_role {
	SANDBOX_SERVES,
	/* Starts the processes that serve, each of which enters a sandbox of its own then, within this one. */
	SANDBOX_WATCHES,
};

/* Files that it still removes when it ends; NULL for none. */
#define SANDBOX_FILES 2

/* For this process and those that it starts from now on. Writes what is in force, and what is not and why, into `report`: "no new
 * privileges, no capabilities, seccomp, Landlock". Fails in nothing: without it the server serves as well. */
void sandbox_enter(enum sandbox_role role, const char *const files[SANDBOX_FILES], char *report, size_t size);

#endif
