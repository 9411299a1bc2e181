/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process that a test starts beside the program it tests: a server that prints its port first. */
#pragma once

#include <sys/types.h>

/* Starts a program (looked up in PATH) and reads the first line it prints, which ends in a port
 * number. Returns the port; fails the test when there is none. */
int child_start(const char *const argv[]);
/* A Python program of the tests: python3 $srcdir/tests/NAME ARGUMENT. */
int child_python(const char *name, const char *argument);
/* upcased on a free port. */
int child_upcased(void);
/* Ends the one started last, and waits for its end: its port is closed then. */
void child_stop_last(void);
/* A cmocka teardown part: ends all that were started. */
void child_stop_all(void);
pid_t child_pid_last(void);

/* Ends a test that cannot be tried on this machine, and says why; ./check tells the reasons
 * (tests/lib/tap.py has the same in Python). */
void not_here(const char *reason);
/* The options by which unshare(1) gives a command namespaces of its own, such as "-n": an ordinary
 * user has them in a user namespace. Where that is not allowed the test ends. */
const char *own_namespace(const char *options);
