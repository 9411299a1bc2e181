/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first row of the table whose step, error and condition hold gives the words. Rows with a
 * condition come before those without. */
#include "config.h"

#include "lab/hosts/diagnose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Any error. */
#define ANY (-1)

/* The condition of a row. */
enum condition {
	ALWAYS = 0,
	CLONE_FORBIDDEN = 1,
	NO_USER_NAMESPACES = 2,
	NO_NET_NAMESPACES = 4,
	APPARMOR_FORBIDS = 8,
	FILTERED = 16,
	CHROOTED = 32,
};

struct cause {
	enum diagnose_step step;
	int error;
	enum condition condition;
	const char *reason;
};

#define X(id, call) call,
static const char *const calls[] = { DIAGNOSE_STEP_LIST(X) };
#undef X

static unsigned known_restrictions(const struct diagnose_facts *f)
{
	return (f->userns_clone == 0 && !f->root ? CLONE_FORBIDDEN : 0) |
	       (f->max_user_namespaces == 0 ? NO_USER_NAMESPACES : 0) |
	       (f->max_net_namespaces == 0 ? NO_NET_NAMESPACES : 0) |
	       (f->apparmor > 0 ? APPARMOR_FORBIDS : 0) | (f->filtered ? FILTERED : 0) |
	       (f->chrooted ? CHROOTED : 0);
}

#define APPARMOR \
	"AppArmor gives no rights in user namespaces to programs without a profile " \
	"(kernel.apparmor_restrict_unprivileged_userns = 1); to allow it: " \
	"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
#define SECCOMP \
	"the container's system-call filter (seccomp) forbids namespaces; " \
	"to allow it, start the container with: --security-opt seccomp=unconfined"
#define NO_NETWORK_NAMESPACES \
	"this kernel has no network namespaces (CONFIG_NET_NS; WSL 1 has none); " \
	"on Windows: wsl --set-version DISTRIBUTION 2"

static const struct cause causes[] = {
	{ DIAGNOSE_USER_NS, EPERM, CLONE_FORBIDDEN,
	    "user namespaces are for root only (kernel.unprivileged_userns_clone = 0); to allow "
	    "them: "
	    "sudo sysctl -w kernel.unprivileged_userns_clone=1" },
	{ DIAGNOSE_USER_NS, EPERM, FILTERED, SECCOMP },
	{ DIAGNOSE_USER_NS, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_USER_NS, EPERM, CHROOTED,
	    "user namespaces cannot be made inside a chroot; run it outside of the chroot, or as "
	    "root" },
	{ DIAGNOSE_USER_NS, EPERM, ALWAYS,
	    "this system forbids user namespaces (chroot, SELinux or another security module); "
	    "as root it may work: sudo upcase-lab" },
	{ DIAGNOSE_USER_NS, EACCES, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_USER_NS, EACCES, ALWAYS,
	    "a security module forbids user namespaces (SELinux: user_namespace create); as root "
	    "it may work: "
	    "sudo upcase-lab" },
	{ DIAGNOSE_USER_NS, ENOSPC, NO_USER_NAMESPACES,
	    "user namespaces are switched off (user.max_user_namespaces = 0); to allow them: "
	    "sudo sysctl -w user.max_user_namespaces=10000" },
	{ DIAGNOSE_USER_NS, ENOSPC, ALWAYS,
	    "there are as many user namespaces as user.max_user_namespaces allows, or they are "
	    "nested 32 deep; "
	    "to allow more: sudo sysctl -w user.max_user_namespaces=100000" },
	{ DIAGNOSE_USER_NS, EINVAL, ALWAYS,
	    "this kernel has no user namespaces (CONFIG_USER_NS); as root it may work: sudo "
	    "upcase-lab" },
	{ DIAGNOSE_USER_NS, ENOSYS, FILTERED, SECCOMP },
	{ DIAGNOSE_SETGROUPS, ANY, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_UID_MAP, ANY, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_GID_MAP, ANY, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_UID_MAP, EPERM, ALWAYS,
	    "a security module (AppArmor, SELinux) gives no rights in user namespaces; "
	    "as root it may work: sudo upcase-lab" },
	{ DIAGNOSE_UID_MAP, EROFS, ALWAYS,
	    "/proc is mounted read-only; to mend it: sudo mount -o remount,rw /proc" },
	{ DIAGNOSE_UID_MAP, ENOENT, ALWAYS,
	    "/proc is not mounted; to mount it: sudo mount -t proc proc /proc" },
	{ DIAGNOSE_SETGROUPS, ENOENT, ALWAYS,
	    "/proc is not mounted; to mount it: sudo mount -t proc proc /proc" },
	{ DIAGNOSE_NET_NS, EINVAL, ALWAYS, NO_NETWORK_NAMESPACES },
	{ DIAGNOSE_NET_NS, ENOSPC, NO_NET_NAMESPACES,
	    "network namespaces are switched off (user.max_net_namespaces = 0); to allow them: "
	    "sudo sysctl -w user.max_net_namespaces=10000" },
	{ DIAGNOSE_NET_NS, ENOSPC, ALWAYS,
	    "there are as many network namespaces as user.max_net_namespaces allows; to allow "
	    "more: "
	    "sudo sysctl -w user.max_net_namespaces=100000" },
	{ DIAGNOSE_NET_NS, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_NET_NS, EPERM, FILTERED, SECCOMP },
	{ DIAGNOSE_MOUNT_NS, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_PID_NS, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_TUN_OPEN, ENOENT, ALWAYS,
	    "there is no such device here; to make it: sudo modprobe tun (a container: --device "
	    "/dev/net/tun)" },
	{ DIAGNOSE_TUN_OPEN, ENODEV, ALWAYS,
	    "the kernel's tun module is not loaded; to load it: sudo modprobe tun" },
	{ DIAGNOSE_TUN_OPEN, ENXIO, ALWAYS,
	    "the kernel's tun module is not loaded; to load it: sudo modprobe tun" },
	{ DIAGNOSE_TUN_OPEN, EACCES, ALWAYS,
	    "the device's mode keeps you out; to let everybody use it: sudo chmod 666 "
	    "/dev/net/tun" },
	{ DIAGNOSE_TUN_OPEN, EPERM, ALWAYS,
	    "the container's device rules keep the device out; start the container with: --device "
	    "/dev/net/tun" },
	{ DIAGNOSE_TUN_CREATE, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_TUN_CREATE, EPERM, ALWAYS,
	    "the right CAP_NET_ADMIN is missing in the new network namespace; as root it may work: "
	    "sudo upcase-lab" },
	{ DIAGNOSE_VETH_CREATE, EOPNOTSUPP, ALWAYS,
	    "the kernel's veth module is not loaded; to load it: sudo modprobe veth" },
	{ DIAGNOSE_VETH_CREATE, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_PACKET_SOCKET, EAFNOSUPPORT, ALWAYS,
	    "the kernel's af_packet module is not loaded; to load it: sudo modprobe af_packet" },
	{ DIAGNOSE_PACKET_SOCKET, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_PACKET_SOCKET, EPERM, FILTERED, SECCOMP },
	{ DIAGNOSE_RING, ENOMEM, ALWAYS,
	    "it takes 16 MB of memory; end other programs, or raise the container's limit" },
	{ DIAGNOSE_RAISE, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_RAISE, EINVAL, ALWAYS,
	    "the device does not take this MTU; choose one from 68 to 65521: --mtu=1500" },
	{ DIAGNOSE_ADDRESS, EPERM, APPARMOR_FORBIDS, APPARMOR },
	{ DIAGNOSE_PROBE, ANY, ALWAYS,
	    "it was not delivered; a firewall rule for new namespaces may drop it" },
};

static const char *find(const struct diagnose_failure *failure, const struct diagnose_facts *facts)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		const struct cause *c = &causes[i];

		if (c->step == failure->step && (c->error == ANY || c->error == failure->error) &&
		    (!c->condition || c->condition & known_restrictions(facts)))
			return c->reason;
	}
	return NULL;
}

char *diagnose(const struct diagnose_failure *failure, const struct diagnose_facts *facts,
    char text[DIAGNOSE_TEXT])
{
	const char *reason = find(failure, facts);

	/* The words name what the machine offers. */
	if (failure->step == DIAGNOSE_CONGESTION)
		snprintf(text, DIAGNOSE_TEXT,
		    "%s: %s: this kernel has the congestion controls %s; to load another: "
		    "sudo modprobe tcp_NAME",
		    calls[failure->step], strerror(failure->error), facts->congestion);
	else
		snprintf(text, DIAGNOSE_TEXT, "%s: %s%s%s", calls[failure->step],
		    strerror(failure->error), reason ? ": " : "", reason ? reason : "");
	return text;
}
