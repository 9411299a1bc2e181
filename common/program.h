/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the programs find each other. */
#pragma once

#include <limits.h>

/* The path of another program of ours: the value of the environment's `variable`; else the first of
 * `places` (NULL ends them), absolute or relative to the running program's folder, that has the
 * program, also when started by a link; else places[0], the bare name, for PATH. Returns `path`. */
char *program_find(const char *variable, const char *const *places, char path[PATH_MAX]);
