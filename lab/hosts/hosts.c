/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/hosts/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "lab/hosts/netlink.h"

/* Packets that a TUN device holds for its reader; the usual 500 would lose more than the link. */
#define TUN_QUEUE 10000
#define IPV4_PREFIX 24
#define IPV6_PREFIX 64
/* The longest /etc/hosts that is taken over. */
#define NAMES_MAX 65536
#define CONGESTION "net/ipv4/tcp_congestion_control"

static const struct {
	const char *name, *ipv4, *ipv6;
} sides[HOSTS_SIDES] = {
	[HOSTS_NEAR] = { "near", LAB_NEAR_IPV4, LAB_NEAR_IPV6 },
	[HOSTS_FAR] = { "far", LAB_FAR_IPV4, LAB_FAR_IPV6 },
};

const char *const hosts_backend_names[] = { "auto", "tun", "veth" };

static int failed(struct hosts_pair *pair, enum diagnose_step step)
{
	pair->failure = (struct diagnose_failure){ .step = step, .error = errno };
	return -1;
}

/* Writes to an existing file. Returns 0, or -1 with errno. */
static int write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool done = fd >= 0 && write(fd, text, strlen(text)) >= 0;

	(void)file_close(fd);
	return done ? 0 : -1;
}

/* Writes `value` to /proc/sys/`key`. */
static int set_sysctl(const char *key, const char *value)
{
	return write_file(TEXT_FORMAT("/proc/sys/%s", key), value);
}

/* Stores the one value of `format` from the first line with it. Returns whether there is one. */
static bool __attribute__((format(scanf, 2, 3))) find_line(const char *path, const char *format,
    ...)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		va_list arguments;

		va_start(arguments, format);
		found = vsscanf(line, format, arguments) == 1;
		va_end(arguments);
	}
	if (file)
		fclose(file);
	return found;
}

/* The user and the group, alone in the new namespace, keep their numbers and names. */
static int own_user_namespace(struct hosts_pair *pair)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER) != 0)
		return failed(pair, DIAGNOSE_USER_NS);
	/* Without this gid_map is refused (user_namespaces(7)); kernels before 3.19 lack it. */
	if (write_file("/proc/self/setgroups", "deny") != 0 && errno != ENOENT)
		return failed(pair, DIAGNOSE_SETGROUPS);
	if (write_file("/proc/self/uid_map", TEXT_FORMAT("%u %u 1\n", uid, uid)) != 0)
		return failed(pair, DIAGNOSE_UID_MAP);
	if (write_file("/proc/self/gid_map", TEXT_FORMAT("%u %u 1\n", gid, gid)) != 0)
		return failed(pair, DIAGNOSE_GID_MAP);
	return 0;
}

int hosts_isolate(struct hosts_pair *pair)
{
	if (unshare(CLONE_NEWNET) != 0) {
		if (errno != EPERM)
			return failed(pair, DIAGNOSE_NET_NS);
		if (own_user_namespace(pair) != 0)
			return -1;
		if (unshare(CLONE_NEWNET) != 0)
			return failed(pair, DIAGNOSE_NET_NS);
	}
	if (unshare(CLONE_NEWNS) != 0)
		return failed(pair, DIAGNOSE_MOUNT_NS);
	if (unshare(CLONE_NEWPID) != 0)
		return failed(pair, DIAGNOSE_PID_NS);
	return 0;
}

/* Writes the machine's own names, then the lab's. */
static int write_hosts_file(const char *path)
{
	static const char ours[] = LAB_NEAR_IPV4 " near\n" LAB_NEAR_IPV6 " near\n" LAB_FAR_IPV4
	                                         " far\n" LAB_FAR_IPV6 " far\n";
	int from = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bool done = to >= 0 && write(to, ours, sizeof(ours) - 1) == (ssize_t)sizeof(ours) - 1 &&
	            (from < 0 || sendfile(to, from, NULL, NAMES_MAX) >= 0);

	(void)file_close(from);
	(void)file_close(to);
	return done ? 0 : -1;
}

/* Binds a changed copy of /etc/hosts over the real one, only for the lab's processes. The copy's
 * file system is unmounted as soon as it is bound, so nothing is left behind. */
static bool mount_hosts_file(void)
{
	static const char place[] = "/tmp", copy[] = "/tmp/hosts";
	mode_t mask;
	bool done;

	if (mount("upcase-lab", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	        "mode=0755,size=256k") != 0)
		return false;
	mask = umask(022);
	done = write_hosts_file(copy) == 0 && mount(copy, "/etc/hosts", NULL, MS_BIND, NULL) == 0;
	umask(mask);
	umount2(place, MNT_DETACH);
	return done;
}

static void shape_mounts(struct hosts_report *report)
{
	/* Mounts of the machine still appear here; ours do not appear there. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) != 0)
		return;
	report->own_proc = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ==
	                   0;
	report->names = mount_hosts_file();
}

/* Prepares the calling process's host before its device is up: switches off what the kernel sends
 * by itself, and allows ordinary users to ping. */
static void set_host_sysctls(struct hosts_report *report)
{
	static const char *const off[] = {
		"net/ipv6/conf/all/disable_ipv6",
		"net/ipv6/conf/default/disable_ipv6",
		"net/ipv6/conf/default/accept_ra",
		"net/ipv6/conf/default/router_solicitations",
		"net/ipv6/conf/" HOSTS_DEVICE "/accept_ra",
		"net/ipv6/conf/" HOSTS_DEVICE "/router_solicitations",
	};
	const unsigned gid = getegid();
	const char *range = TEXT_FORMAT("%u %u", gid, gid);

	if (set_sysctl("net/ipv4/ping_group_range", geteuid() == 0 ? "0 2147483647" : range) != 0 &&
	    set_sysctl("net/ipv4/ping_group_range", range) != 0)
		report->sysctl_denied = true;
	for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++)
		(void)set_sysctl(off[i], "0");
}

/* The default may be limited (tcp_allowed_congestion_control) or read-only; a route takes any. */
static int choose_congestion(const char *wanted, enum hosts_side side, struct hosts_pair *pair)
{
	struct hosts_report *report = &pair->report;

	_Static_assert(HOSTS_CONGESTION_SIZE == 16, "the width below");
	if (!find_line("/proc/sys/" CONGESTION, "%15s", report->congestion))
		strcpy(report->congestion, "unknown");
	if (!*wanted || strcmp(wanted, report->congestion) == 0)
		return 0;
	if (set_sysctl(CONGESTION, wanted) != 0 &&
	    (netlink_route_congestion(HOSTS_DEVICE, sides[side].ipv4, IPV4_PREFIX, wanted) != 0 ||
	        (report->ipv6 && netlink_route_congestion(HOSTS_DEVICE, sides[side].ipv6,
	                             IPV6_PREFIX, wanted) != 0)))
		return failed(pair, DIAGNOSE_CONGESTION);
	strcpy(report->congestion, wanted);
	return 0;
}

/* Gives the calling process's host, whose device exists, its addresses. */
static int bring_up_host(const struct hosts_settings *settings, enum hosts_side side,
    struct hosts_pair *pair)
{
	struct hosts_report *report = &pair->report;
	const struct netlink_setup loopback = { .mtu = 0 };
	const struct netlink_setup shape = {
		.mtu = settings->mtu,
		.queue = report->backend == HOSTS_BACKEND_TUN ? TUN_QUEUE : 0,
		.no_arp = report->backend == HOSTS_BACKEND_VETH,
		.no_offload = report->backend == HOSTS_BACKEND_VETH,
	};

	set_host_sysctls(report);
	if (netlink_raise("lo", &loopback) != 0 || netlink_raise(HOSTS_DEVICE, &shape) != 0)
		return failed(pair, DIAGNOSE_RAISE);
	if (netlink_address(HOSTS_DEVICE, sides[side].ipv4, IPV4_PREFIX) != 0)
		return failed(pair, DIAGNOSE_ADDRESS);
	/* The hosts work without IPv6, which the machine or the MTU may not allow. */
	if (netlink_address(HOSTS_DEVICE, sides[side].ipv6, IPV6_PREFIX) != 0)
		report->ipv6 = false;
	return choose_congestion(settings->congestion, side, pair);
}

static int open_tun(struct hosts_pair *pair)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return failed(pair, DIAGNOSE_TUN_OPEN);
	if (netlink_tun(fd, HOSTS_DEVICE) == 0)
		return fd;
	failed(pair, DIAGNOSE_TUN_CREATE);
	return file_close(fd);
}

static int open_namespace(struct hosts_pair *pair)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? failed(pair, DIAGNOSE_NET_NS) : fd;
}

/* Makes a new host; the calling process is in it afterwards. */
static int make_host(const struct hosts_settings *settings, enum hosts_side side, int middle,
    struct hosts_pair *pair)
{
	const struct tpacket_req ring = device_ring_shape(settings->mtu);

	if (unshare(CLONE_NEWNET) != 0)
		return failed(pair, DIAGNOSE_NET_NS);
	if ((pair->fds[HOSTS_NS][side] = open_namespace(pair)) < 0)
		return -1;
	if (pair->report.backend == HOSTS_BACKEND_TUN) {
		if ((pair->fds[HOSTS_TAP][side] = open_tun(pair)) < 0)
			return -1;
	} else if (netlink_veth(HOSTS_DEVICE, device_host_mac, sides[side].name, middle,
	               settings->mtu) != 0) {
		return failed(pair, DIAGNOSE_VETH_CREATE);
	}
	if (bring_up_host(settings, side, pair) != 0)
		return -1;
	/* Without a tap a capture has the link's times, with a note. */
	if (settings->timestamped)
		pair->fds[HOSTS_STAMPS][side] = netlink_timestamp_tap(HOSTS_DEVICE);
	if (pair->report.backend == HOSTS_BACKEND_VETH &&
	    (pair->fds[HOSTS_TAP][side] = netlink_packet_socket(HOSTS_DEVICE, &ring)) < 0)
		return failed(pair, errno == ENOMEM ? DIAGNOSE_RING : DIAGNOSE_PACKET_SOCKET);
	return 0;
}

/* Opens the outer ends of both pairs, in the middle namespace. */
static int open_outer_ends(const struct hosts_settings *settings, struct hosts_pair *pair)
{
	const struct netlink_setup shape = {
		.mtu = settings->mtu, .no_arp = true, .no_offload = true
	};

	(void)set_sysctl("net/ipv6/conf/all/disable_ipv6", "1");
	for (int side = 0; side < HOSTS_SIDES; side++) {
		if (netlink_raise(sides[side].name, &shape) != 0)
			return failed(pair, DIAGNOSE_RAISE);
		pair->fds[HOSTS_INJECTOR][side] = netlink_packet_socket(sides[side].name, NULL);
		if (pair->fds[HOSTS_INJECTOR][side] < 0)
			return failed(pair, DIAGNOSE_PACKET_SOCKET);
		if (settings->timestamped)
			pair->fds[HOSTS_OUTER_STAMPS][side] = netlink_timestamp_tap(sides[side]
			        .name);
	}
	for (int side = 0; side < HOSTS_SIDES; side++)
		netlink_wait_carrier(sides[side].name);
	return 0;
}

static int wait_for_hosts(struct hosts_pair *pair)
{
	for (int side = 0; side < HOSTS_SIDES; side++) {
		if (setns(pair->fds[HOSTS_NS][side], CLONE_NEWNET) != 0)
			return failed(pair, DIAGNOSE_NET_NS);
		netlink_wait_carrier(HOSTS_DEVICE);
		if (pair->report.ipv6)
			netlink_wait_address(sides[side].ipv6);
	}
	return 0;
}

static bool all_timestamped(const struct hosts_pair *pair)
{
	const int last = pair->report.backend == HOSTS_BACKEND_VETH ? HOSTS_OUTER_STAMPS
	                                                            : HOSTS_STAMPS;
	bool all = true;

	for (int kind = HOSTS_STAMPS; kind <= last; kind++)
		all = all && pair->fds[kind][HOSTS_NEAR] >= 0 && pair->fds[kind][HOSTS_FAR] >= 0;
	return all;
}

static int make_pair(const struct hosts_settings *settings, enum hosts_backend backend, int middle,
    struct hosts_pair *pair)
{
	int result = 0;

	pair->report.backend = backend;
	pair->report.ipv6 = settings->mtu >= HOSTS_MTU_IPV6;
	memset(pair->fds, -1, sizeof pair->fds);
	for (int side = 0; side < HOSTS_SIDES && result == 0; side++)
		result = make_host(settings, side, middle, pair);
	if (setns(middle, CLONE_NEWNET) != 0 && result == 0)
		result = failed(pair, DIAGNOSE_NET_NS);
	if (result == 0 && backend == HOSTS_BACKEND_VETH)
		result = open_outer_ends(settings, pair);
	if (result == 0)
		result = wait_for_hosts(pair);
	if (setns(middle, CLONE_NEWNET) != 0 && result == 0)
		result = failed(pair, DIAGNOSE_NET_NS);
	const bool timestamped = all_timestamped(pair);
	for (int kind = 0; kind < HOSTS_FDS; kind++) {
		if (result == 0 && (kind < HOSTS_STAMPS || timestamped))
			continue;
		for (int side = 0; side < HOSTS_SIDES; side++)
			pair->fds[kind][side] = file_close(pair->fds[kind][side]);
	}
	return result;
}

int hosts_build(const struct hosts_settings *settings, struct hosts_pair *pair)
{
	const bool veth = settings->backend == HOSTS_BACKEND_VETH;
	int middle, result;

	memset(pair, 0, sizeof(*pair));
	shape_mounts(&pair->report);
	if ((middle = open_namespace(pair)) < 0)
		return -1;
	result = make_pair(settings, veth ? HOSTS_BACKEND_VETH : HOSTS_BACKEND_TUN, middle, pair);
	/* Failures that are not TUN's would come again. */
	if (result != 0 && settings->backend == HOSTS_BACKEND_AUTO &&
	    (pair->failure.step == DIAGNOSE_TUN_OPEN ||
	        pair->failure.step == DIAGNOSE_TUN_CREATE)) {
		pair->report.tun_failure = pair->failure;
		result = make_pair(settings, HOSTS_BACKEND_VETH, middle, pair);
	}
	close(middle);
	return result;
}

int hosts_devices(const struct hosts_pair *pair, int mtu, struct device *devices[HOSTS_SIDES])
{
	for (int side = 0; side < HOSTS_SIDES; side++) {
		devices[side] = device_new(pair->fds[HOSTS_TAP][side],
		    pair->fds[HOSTS_INJECTOR][side], mtu);
		if (!devices[side])
			return -1;
	}
	return 0;
}

bool hosts_timestamp_taps(const struct hosts_pair *pair, struct timestamp_tap *taps[HOSTS_SIDES])
{
	if (pair->fds[HOSTS_STAMPS][HOSTS_NEAR] < 0)
		return false;
	for (int side = 0; side < HOSTS_SIDES; side++)
		taps[side] = timestamp_tap_new(pair->fds[HOSTS_STAMPS][side],
		    pair->fds[HOSTS_OUTER_STAMPS][side]);
	if (taps[HOSTS_NEAR] && taps[HOSTS_FAR])
		return true;
	for (int side = 0; side < HOSTS_SIDES; side++)
		timestamp_tap_free(taps[side]);
	return false;
}

int hosts_enter(const struct hosts_pair *pair, enum hosts_side side)
{
	return setns(pair->fds[HOSTS_NS][side], CLONE_NEWNET);
}

void hosts_keep_capabilities(void)
{
	static const int rights[] = { CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE,
		CAP_SYS_ADMIN };
	/* Only upcase-check, which goes from host to host, has a use for the last. */
	const size_t count = sizeof(rights) / sizeof(*rights) - !getenv("UPCASE_CHECK_LAB");
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (geteuid() == 0 || syscall(SYS_capget, &header, data) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		data[0].inheritable |= (1u << rights[i]) & data[0].permitted;
	if (syscall(SYS_capset, &header, data) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0);
}

/* In the kernel's tables the state 0A is of TCP that listens, 07 of UDP bound and not connected. */
bool hosts_is_listening(void)
{
	char next[2];

	return find_line("/proc/self/net/tcp", "%*s %*s %*s 0A %1s", next) ||
	       find_line("/proc/self/net/tcp6", "%*s %*s %*s 0A %1s", next) ||
	       find_line("/proc/self/net/udp", "%*s %*s %*s 07 %1s", next) ||
	       find_line("/proc/self/net/udp6", "%*s %*s %*s 07 %1s", next);
}

/* A device's row: name, eight numbers about receiving, then sent bytes, packets, errors, drops. */
unsigned long long hosts_kernel_drops(const struct hosts_pair *pair, enum hosts_side side)
{
	unsigned long long drops = 0;

	if (hosts_enter(pair, side) == 0)
		(void)find_line("/proc/self/net/dev",
		    " " HOSTS_DEVICE ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", &drops);
	return drops;
}

/* A number of /proc/sys, -1 where there is none. */
static long read_number(const char *path)
{
	long number = -1;

	(void)find_line(path, "%ld", &number);
	return number;
}

/* The root folder of process 1 differs only inside a chroot; who may not read it finds none. */
static bool in_chroot(void)
{
	struct stat ours, first;

	return stat("/", &ours) == 0 && stat("/proc/1/root/.", &first) == 0 &&
	       !file_is_same(&ours, &first);
}

void hosts_facts(struct diagnose_facts *facts)
{
	int seccomp = 0;

	memset(facts, 0, sizeof(*facts));
	facts->userns_clone = read_number("/proc/sys/kernel/unprivileged_userns_clone");
	facts->apparmor = read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
	facts->max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces");
	facts->max_net_namespaces = read_number("/proc/sys/user/max_net_namespaces");
	facts->filtered = find_line("/proc/self/status", "Seccomp: %d", &seccomp) && seccomp == 2;
	facts->root = geteuid() == 0;
	facts->chrooted = in_chroot();
	_Static_assert(sizeof facts->congestion == 64, "the width below");
	(void)find_line("/proc/sys/net/ipv4/tcp_available_congestion_control", "%63[^\n]",
	    facts->congestion);
}
