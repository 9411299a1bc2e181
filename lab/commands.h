/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands that run on the two hosts. */
#pragma once

#include <limits.h>

#include "lab/options.h"

struct commands {
	/* Arguments for execvp(); they point into this struct or into the options. */
	char *const *near, *const *far;
	/* The far command writes to SUPERVISOR_READY_FD when it serves. */
	bool notifies_ready;
	char client[PATH_MAX], server[PATH_MAX];
	const char *near_argv[3], *far_argv[10];
	/* The near command with the second flow among its options; NULL, or free() it. */
	char flow[100], **with_flow;
};

/* Chooses the client and the server, unless the options, which must live on, name others. */
void commands_choose(struct commands *c, const struct lab_options *options);
/* Changes PATH to find these three programs: puts the folders that it lacks first. */
void commands_set_path(const struct commands *c);
