/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the programs find each other. */
#pragma once

#include <limits.h>

/* The path of another program of ours: the value of the environment's `variable`; else the first of
 * `places` (NULL ends them), absolute or relative to the running program's folder, that has the
 * program, also when started by a link; else places[0], the bare name, for PATH. Returns `path`. */
char *program_find(const char *variable, const char *const *places, char path[PATH_MAX]);

/* The addresses of the lab's two hosts: upcase-lab gives them, and upcase, run in the lab, has its
 * server at the far one. Nothing of the real machine is needed or touched. */
#define LAB_NEAR_IPV4 "10.9.0.1"
#define LAB_NEAR_IPV6 "fd09::1"
#define LAB_FAR_IPV4 "10.9.0.2"
#define LAB_FAR_IPV6 "fd09::2"
