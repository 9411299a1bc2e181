/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs on the two hosts. */
#ifndef UPCASE_LAB_COMMANDS_H
#define UPCASE_LAB_COMMANDS_H

#include <limits.h>
#include <stdbool.h>

#include "lab/options.h"

struct commands {
	/* As execvp() wants them; they point into this struct, or are the options'. */
	char *const *near, *const *far;
	/* The far command tells when it serves. */
	bool notifies_ready;
	char client[PATH_MAX], server[PATH_MAX];
	char *near_words[3], *far_words[10];
};

/* The client and the server, unless the options name others. The options must live on. */
void commands_choose(struct commands *c, const struct lab_options *options);
/* Changes PATH so that upcase, upcased and upcase-lab are found there, and are these: the folders
 * of those that are not stand before the others. */
void commands_set_path(const struct commands *c);

#endif
