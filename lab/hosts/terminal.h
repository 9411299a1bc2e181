/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's terminal while the near command has it. The lab stays in the command's process group,
 * as env(1) or nice(1) would, so that pipelines and ^C work as usual; a shell on the near host
 * takes a group of its own. */
#pragma once

#include <sys/types.h>
#include <termios.h>

struct terminal {
	/* The controlling terminal, or -1. */
	int fd;
	/* Its modes when the lab started. */
	struct termios modes;
	bool has_modes;
};

void terminal_open(struct terminal *t);
/* The caller calls it when the near command, process `near` or 0, is stopped. It stops this process
 * and the rest of its group until a shell continues them, then gives the command the terminal if
 * the lab had it. Returns whether the caller must continue the command: the shell has done so
 * already unless the command has a group of its own. */
bool terminal_stop(const struct terminal *t, pid_t near);
/* At the end: gives the terminal back and, if the command was killed, restores its modes. */
void terminal_close(struct terminal *t, bool killed);
