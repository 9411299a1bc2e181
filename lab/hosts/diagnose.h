/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Explains why two hosts could not be made here: the call, its error, the setting that decides it
 * and the command that changes it. Pure: the machine's facts are an argument. */
#pragma once

/* Room for a whole explanation. */
#define DIAGNOSE_TEXT 512

/* The calls that can fail, in the order in which they are made: X(identifier, call). */
#define DIAGNOSE_STEP_LIST(X) \
	X(NONE, "nothing failed") \
	X(FORK, "fork") \
	X(USER_NS, "unshare(CLONE_NEWUSER)") \
	X(SETGROUPS, "write /proc/self/setgroups") \
	X(UID_MAP, "write /proc/self/uid_map") \
	X(GID_MAP, "write /proc/self/gid_map") \
	X(NET_NS, "unshare(CLONE_NEWNET)") \
	X(MOUNT_NS, "unshare(CLONE_NEWNS)") \
	X(PID_NS, "unshare(CLONE_NEWPID)") \
	X(TUN_OPEN, "open /dev/net/tun") \
	X(TUN_CREATE, "ioctl(TUNSETIFF)") \
	X(VETH_CREATE, "RTM_NEWLINK veth") \
	X(PACKET_SOCKET, "socket(AF_PACKET)") \
	X(RING, "setsockopt(PACKET_RX_RING)") \
	X(RAISE, "RTM_NEWLINK IFF_UP") \
	X(ADDRESS, "RTM_NEWADDR") \
	X(CONGESTION, "RTM_NEWROUTE RTAX_CC_ALGO") \
	X(PROBE, "a datagram from host to host")

#define X(id, call) DIAGNOSE_##id,
enum diagnose_step { DIAGNOSE_STEP_LIST(X) };
#undef X

struct diagnose_failure {
	enum diagnose_step step;
	/* The errno of the call. */
	int error;
};

/* The settings that decide whether namespaces and devices may be made; -1: this kernel has none. */
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

/* Whether AppArmor is the reason: a profile for the program is the way out. */
bool diagnose_blames_apparmor(const struct diagnose_failure *failure,
    const struct diagnose_facts *facts);

/* Writes one line without newline into `text`. Returns `text`. */
char *diagnose(const struct diagnose_failure *failure, const struct diagnose_facts *facts,
    char text[DIAGNOSE_TEXT]);
