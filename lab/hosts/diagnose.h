/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Explains why two hosts could not be made here: the call, its error, the setting that decides it
 * and the command that changes it. Pure: the machine's facts are an argument. */
#ifndef UPCASE_LAB_DIAGNOSE_H
#define UPCASE_LAB_DIAGNOSE_H

#include <stdbool.h>

/* Room for a whole explanation. */
#define DIAGNOSE_TEXT 512

/* The calls that can fail, in the order in which they are made. */
enum diagnose_step {
	DIAGNOSE_NONE,
	DIAGNOSE_FORK,
	DIAGNOSE_USER_NS,
	DIAGNOSE_SETGROUPS,
	DIAGNOSE_UID_MAP,
	DIAGNOSE_GID_MAP,
	DIAGNOSE_NET_NS,
	DIAGNOSE_MOUNT_NS,
	DIAGNOSE_PID_NS,
	DIAGNOSE_TUN_OPEN,
	DIAGNOSE_TUN_CREATE,
	DIAGNOSE_VETH_CREATE,
	DIAGNOSE_PACKET_SOCKET,
	DIAGNOSE_RING,
	DIAGNOSE_RAISE,
	DIAGNOSE_ADDRESS,
	DIAGNOSE_CONGESTION,
	DIAGNOSE_PROBE,
};

struct diagnose_failure {
	enum diagnose_step step;
	/* The errno of the call. */
	int error;
};

/* The settings that decide whether namespaces and devices may be made; -1 where this kernel has no
 * such setting. */
struct diagnose_facts {
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
	/* The congestion controls of the kernel, separated by spaces. */
	char congestion[64];
};

/* Writes one line without newline into `text`. Returns `text`. */
char *diagnose(const struct diagnose_failure *failure, const struct diagnose_facts *facts,
    char text[DIAGNOSE_TEXT]);

#endif
