/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first row whose steps, error and condition hold gives the words; conditions come first. */
#include "lab/hosts/diagnose.h"

#include <errno.h>

/* Any error. */
#define ANY (-1)

#define AT(step) (1u << DIAGNOSE_##step)

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
	/* A set of steps: AT(). */
	unsigned steps;
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

#define SECCOMP \
	"the container's system-call filter (seccomp) forbids namespaces; " \
	"to allow it, start the container with: --security-opt seccomp=unconfined"

static const char apparmor[] =
    "AppArmor gives no rights in user namespaces to programs without a profile "
    "(kernel.apparmor_restrict_unprivileged_userns = 1); for a profile of this one: "
    "upcase-lab --check; to allow all: "
    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";

static const struct cause causes[] = {
	{ AT(USER_NS), EPERM, CLONE_FORBIDDEN,
	    "user namespaces are for root only (kernel.unprivileged_userns_clone = 0); "
	    "to allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1" },
	{ AT(USER_NS), EPERM, FILTERED, SECCOMP },
	{ AT(USER_NS), EPERM, APPARMOR_FORBIDS, apparmor },
	{ AT(USER_NS), EPERM, CHROOTED,
	    "user namespaces cannot be made inside a chroot; "
	    "run it outside of the chroot, or as root" },
	{ AT(USER_NS), EPERM, ALWAYS,
	    "this system forbids user namespaces (chroot, SELinux or another security module); "
	    "as root it may work: sudo upcase-lab" },
	{ AT(USER_NS), EACCES, APPARMOR_FORBIDS, apparmor },
	{ AT(USER_NS), EACCES, ALWAYS,
	    "a security module forbids user namespaces (SELinux: user_namespace create); "
	    "as root it may work: sudo upcase-lab" },
	{ AT(USER_NS), ENOSPC, NO_USER_NAMESPACES,
	    "user namespaces are switched off (user.max_user_namespaces = 0); "
	    "to allow them: sudo sysctl -w user.max_user_namespaces=10000" },
	{ AT(USER_NS), ENOSPC, ALWAYS,
	    "there are as many user namespaces as user.max_user_namespaces allows, or they are "
	    "nested 32 deep; to allow more: sudo sysctl -w user.max_user_namespaces=100000" },
	{ AT(SETGROUPS) | AT(UID_MAP) | AT(GID_MAP), ANY, APPARMOR_FORBIDS, apparmor },
	{ AT(NET_NS) | AT(MOUNT_NS) | AT(PID_NS) | AT(TUN_CREATE) | AT(VETH_CREATE) |
	        AT(PACKET_SOCKET) | AT(RAISE) | AT(ADDRESS),
	    EPERM, APPARMOR_FORBIDS, apparmor },
	{ AT(USER_NS), EINVAL, ALWAYS,
	    "this kernel has no user namespaces (CONFIG_USER_NS); "
	    "as root it may work: sudo upcase-lab" },
	{ AT(USER_NS), ENOSYS, FILTERED, SECCOMP },
	{ AT(UID_MAP), EPERM, ALWAYS,
	    "a security module (AppArmor, SELinux) gives no rights in user namespaces; "
	    "as root it may work: sudo upcase-lab" },
	{ AT(UID_MAP), EROFS, ALWAYS,
	    "/proc is mounted read-only; to mend it: sudo mount -o remount,rw /proc" },
	{ AT(SETGROUPS) | AT(UID_MAP), ENOENT, ALWAYS,
	    "/proc is not mounted; to mount it: sudo mount -t proc proc /proc" },
	{ AT(NET_NS), EINVAL, ALWAYS,
	    "this kernel has no network namespaces (CONFIG_NET_NS; WSL 1 has none); "
	    "on Windows: wsl --set-version DISTRIBUTION 2" },
	{ AT(NET_NS), ENOSPC, NO_NET_NAMESPACES,
	    "network namespaces are switched off (user.max_net_namespaces = 0); "
	    "to allow them: sudo sysctl -w user.max_net_namespaces=10000" },
	{ AT(NET_NS), ENOSPC, ALWAYS,
	    "there are as many network namespaces as user.max_net_namespaces allows; "
	    "to allow more: sudo sysctl -w user.max_net_namespaces=100000" },
	{ AT(TUN_OPEN), ENOENT, ALWAYS,
	    "there is no such device here; "
	    "to make it: sudo modprobe tun (a container: --device /dev/net/tun)" },
	{ AT(TUN_OPEN), ENODEV, ALWAYS,
	    "the kernel's tun module is not loaded; to load it: sudo modprobe tun" },
	{ AT(TUN_OPEN), ENXIO, ALWAYS,
	    "the kernel's tun module is not loaded; to load it: sudo modprobe tun" },
	{ AT(TUN_OPEN), EACCES, ALWAYS,
	    "the device's mode keeps you out; "
	    "to let everybody use it: sudo chmod 666 /dev/net/tun" },
	{ AT(TUN_OPEN), EPERM, ALWAYS,
	    "the container's device rules keep the device out; "
	    "start the container with: --device /dev/net/tun" },
	{ AT(TUN_CREATE) | AT(VETH_CREATE) | AT(PACKET_SOCKET), EPERM, ALWAYS,
	    "the right CAP_NET_ADMIN or CAP_NET_RAW is missing in the new network namespace; "
	    "as root it may work: sudo upcase-lab (a container: without --cap-add)" },
	{ AT(VETH_CREATE), EOPNOTSUPP, ALWAYS,
	    "the kernel's veth module is not loaded; to load it: sudo modprobe veth" },
	{ AT(PACKET_SOCKET), EAFNOSUPPORT, ALWAYS,
	    "the kernel's af_packet module is not loaded; to load it: sudo modprobe af_packet" },
	{ AT(NET_NS), EPERM, FILTERED, SECCOMP },
	{ AT(RING), ENOMEM, ALWAYS,
	    "it takes 16 MB of memory; end other programs, or raise the container's limit" },
	{ AT(RAISE), EINVAL, ALWAYS,
	    "the device does not take this MTU; choose one from 68 to 65521: --mtu=1500" },
	{ AT(PROBE), ANY, ALWAYS,
	    "it was not delivered; a firewall rule for new namespaces may drop it" },
};

static const char *find(const struct diagnose_failure *failure, const struct diagnose_facts *facts)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		const struct cause *c = &causes[i];

		if (c->steps & 1u << failure->step &&
		    (c->error == ANY || c->error == failure->error) &&
		    (!c->condition || c->condition & known_restrictions(facts)))
			return c->reason;
	}
	return NULL;
}

bool diagnose_blames_apparmor(const struct diagnose_failure *failure,
    const struct diagnose_facts *facts)
{
	return find(failure, facts) == apparmor;
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
