/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The seam to the system: what POSIX does not have. Each function stands in os-linux.c, by the
 * system's own calls, and in os-posix.c, for systems without them; configure tries which a system
 * has (HAVE_... in config.h, 1 or 0), and --enable-portable uses none. What a system does not tell
 * is "not known", never a guess: each function says how.
 *
 * Beyond POSIX the programs use only what every system has that they are for: getopt_long(),
 * getifaddrs(), flock(), TIOCGWINSZ, IPV6_V6ONLY and a TTL for each socket. */
#pragma once

#include <sys/types.h>

struct addr;

/* All descriptors are close-on-exec and, where nothing else is said, non-blocking. */

/* socket(), accept(), of which `from` may be NULL, socketpair() of AF_UNIX, pipe(): they return as
 * these do. */
int os_socket(int family, int type);
int os_accept(int listener, struct addr *from);
int os_socketpair(int ends[2]);
int os_pipe(int ends[2], bool blocking);
/* Opens what `fd` writes to anew and non-blocking, so that nobody else who has it open is affected.
 * Returns -1 with errno where the system cannot. */
int os_reopen(int fd);

/* Fills in random bytes. Returns whether the system gave them. */
bool os_random(void *bytes, size_t n);
/* Writes the path of the running program with its end, cut to `size`. Returns false where it is not
 * known. */
bool os_program_path(char *path, size_t size);
/* Writes the name of a network interface, of IF_NAMESIZE bytes. Returns it, or NULL. */
char *os_interface_name(unsigned number, char *name);
/* Gives memory that was freed back to the system, where the library would keep it. */
void os_trim_memory(void);
