/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why two hosts could not be made here, in words: the call, its error, the one setting that decides
 * it and the one command that mends it. Pure: what the machine says of itself is an argument. */
#ifndef UPCASE_LAB_EXPLAIN_H
#define UPCASE_LAB_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a whole explanation. */
#define EXPLAIN_TEXT 512

/* The calls that can fail, in the order in which they are made. */
enum explain_step {
	EXPLAIN_NONE,
	EXPLAIN_FORK,
	EXPLAIN_USER_NS,
	EXPLAIN_SETGROUPS,
	EXPLAIN_UID_MAP,
	EXPLAIN_GID_MAP,
	EXPLAIN_NET_NS,
	EXPLAIN_MOUNT_NS,
	EXPLAIN_PID_NS,
	EXPLAIN_TUN_OPEN,
	EXPLAIN_TUN_CREATE,
	EXPLAIN_VETH_CREATE,
	EXPLAIN_PACKET_SOCKET,
	EXPLAIN_RING,
	EXPLAIN_RAISE,
	EXPLAIN_ADDRESS,
	EXPLAIN_CONGESTION,
	EXPLAIN_TRIAL,
};

struct explain_failure {
	enum explain_step step;
	/* The errno of the call. */
	int error;
};

/* What decides whether namespaces and devices may be made; -1 where this kernel has no such setting. */
struct explain_facts {
	/* kernel.unprivileged_userns_clone (Debian's and Arch's kernels). */
	long userns_clone;
	/* kernel.apparmor_restrict_unprivileged_userns (Ubuntu). */
	long apparmor;
	/* user.max_user_namespaces and user.max_net_namespaces. */
	long max_user_namespaces, max_net_namespaces;
	/* A system-call filter is in force: a container's, usually. */
	bool filtered;
	/* The process runs as root. */
	bool root;
	/* The process's root folder is not the machine's (chroot), as far as can be seen. */
	bool chrooted;
	/* The congestion controls that the kernel has, by spaces. */
	char congestion[64];
};

/* One line without newline into `text`. Returns `text`. */
char *explain(const struct explain_failure *failure, const struct explain_facts *facts, char text[EXPLAIN_TEXT]);

#endif
