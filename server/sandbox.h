/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sandbox: after start-up the server gives up what it does not need any more, so that an
 * attacker who takes it over has little: no new privileges (PR_SET_NO_NEW_PRIVS), no capabilities,
 * only the system calls that serving takes, with their usual arguments (seccomp(2), by libseccomp),
 * no files (Landlock, from Linux 5.13 on) but to remove its own, no new TCP (6.7), no signals to
 * others (6.12). What the system does not have is left out and reported. */
#pragma once

/* Files that it still removes when it ends. */
#define SANDBOX_FILES 2

struct sandbox {
	/* It starts the processes that serve; each enters a sandbox of its own within this one. */
	bool watches;
	/* NULL for none. */
	const char *files[SANDBOX_FILES];
	/* A descriptor that it reads besides sockets, -1 for none. */
	int lifeline;
};

/* Enters the sandbox, with all processes started from now on. Writes what is in force, and what is
 * not and why, into `report`: "no new privileges, no capabilities, Landlock (files, TCP, signals),
 * seccomp". Never fails: the server also serves without it. */
void sandbox_enter(const struct sandbox *s, char *report, size_t size);
