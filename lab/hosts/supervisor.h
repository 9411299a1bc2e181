/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor: the first process of the lab's process namespace. It makes the two hosts, hands
 * their devices to the relay, runs the far and the near command on them and tells the relay what
 * becomes of them. When it ends, however it ends, the kernel ends whatever still runs on the hosts,
 * and the hosts with it. It ends when its relay does: the socket between them is its lifeline. */
#ifndef UPCASE_LAB_SUPERVISOR_H
#define UPCASE_LAB_SUPERVISOR_H

#include <stdbool.h>

#include "lab/hosts/hosts.h"
#include "lab/hosts/supervisor-ipc.h"

/* The descriptor on which the far command tells that it serves. */
#define SUPERVISOR_READY_FD 3

struct supervisor_plan {
	struct host_settings hosts;
	/* The far and the near command, as execvp() wants them. The far one may be NULL: nothing
	 * runs there. */
	char *const *far_command, *const *near_command;
	/* The far command writes to SUPERVISOR_READY_FD when it serves; else it counts as ready
	 * once it listens. */
	bool notifies_ready;
	/* Where the far command's output goes. */
	int far_output;
	/* Run nothing; try whether datagrams pass between the hosts. */
	bool probe;
	/* The lab's folder, removed with the files in it if the relay dies before it could. "":
	 * none. */
	const char *runtime_dir;
};

/* Starts a supervisor, which becomes a child of the caller. What the plan points at need not live
 * on. Returns the relay's end of the socket, or -1 with errno. */
int supervisor_start(const struct supervisor_plan *plan);

#endif
