/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two hosts on one machine: network namespaces with a device, addresses and nothing else. Only this
 * file makes namespaces. Its functions run in a process forked for it: it leaves the machine's
 * namespaces for good, and the hosts last as long as its processes do. */
#pragma once

#include "common/program.h"
#include "lab/hosts/device.h"
#include "lab/hosts/diagnose.h"
#include "lab/hosts/timestamp-tap.h"

/* The device's name on both hosts. */
#define HOSTS_DEVICE "wire"
/* Bounds of the hosts' own MTU: IPv4's least (RFC 791), a TUN device's greatest. */
#define HOSTS_MTU_MIN 68
#define HOSTS_MTU_MAX 65521
/* The least MTU for IPv6 (RFC 8200, 5). */
#define HOSTS_MTU_IPV6 1280
/* Room for a congestion control's name. */
#define HOSTS_CONGESTION_SIZE 16

enum hosts_side { HOSTS_NEAR, HOSTS_FAR, HOSTS_SIDES };

enum hosts_backend { HOSTS_BACKEND_AUTO, HOSTS_BACKEND_TUN, HOSTS_BACKEND_VETH };
extern const char *const hosts_backend_names[];

struct hosts_settings {
	enum hosts_backend backend;
	/* Bytes, HOSTS_MTU_MIN to HOSTS_MTU_MAX. */
	int mtu;
	/* TCP's congestion control on both hosts, or "" for the machine's own. */
	char congestion[HOSTS_CONGESTION_SIZE];
	/* Make time stamp taps too. */
	bool timestamped;
};

/* The hosts that were made. */
struct hosts_report {
	/* The back end in use, never HOSTS_BACKEND_AUTO. */
	enum hosts_backend backend;
	/* Why HOSTS_BACKEND_AUTO did not use TUN; DIAGNOSE_NONE if it did. */
	struct diagnose_failure tun_failure;
	/* The hosts have IPv6 addresses. */
	bool ipv6;
	/* /proc/sys could not be written: ping may fail for an ordinary user. */
	bool sysctl_denied;
	/* ps and the like see only the lab's own processes. */
	bool own_proc;
	/* "near" and "far" are known as names. */
	bool names;
	/* The congestion control in use. */
	char congestion[HOSTS_CONGESTION_SIZE];
};

/* The descriptors of a host: */
enum hosts_fd {
	/* its network namespace; */
	HOSTS_NS,
	/* the descriptor that reads what it sends; with TUN it writes to the host too; */
	HOSTS_TAP,
	/* with veth, the descriptor that sends to it; */
	HOSTS_INJECTOR,
	/* the time stamp tap, and with veth another at the outer end: both, or, where they are not
	   used or cannot be made, none. */
	HOSTS_STAMPS,
	HOSTS_OUTER_STAMPS,
	HOSTS_FDS,
};

struct hosts_pair {
	/* -1: there is none. */
	int fds[HOSTS_FDS][HOSTS_SIDES];
	struct hosts_report report;
	/* The call that failed, if one did. */
	struct diagnose_failure failure;
};

/* Leaves the machine's namespaces: as root directly, else by a user namespace in which the user
 * keeps its own ids. Children of this process live in a process namespace of their own. Returns 0,
 * or -1 with pair->failure. */
int hosts_isolate(struct hosts_pair *pair);

/* Makes both hosts. The first process of the process namespace calls it. Returns 0, or -1 with
 * pair->failure. */
int hosts_build(const struct hosts_settings *settings, struct hosts_pair *pair);

/* Makes the hosts' devices; takes over their descriptors. Returns 0, or -1 with errno. */
int hosts_devices(const struct hosts_pair *pair, int mtu, struct device *devices[HOSTS_SIDES]);

/* Makes the hosts' time stamp taps; takes over their descriptors. Returns whether there are any. */
bool hosts_timestamp_taps(const struct hosts_pair *pair, struct timestamp_tap *taps[HOSTS_SIDES]);

/* Moves the calling process to that host. Returns 0, or -1 with errno. */
int hosts_enter(const struct hosts_pair *pair, enum hosts_side side);

/* Keeps root's rights over the host for what the calling process executes: raw sockets, ports below
 * 1024, the device. Without effect for root. */
void hosts_keep_capabilities(void);

/* Whether something listens on the calling process's host: TCP, or a bound UDP socket. */
bool hosts_is_listening(void);

/* The packets that the host's device dropped since nobody read them in time. Moves to that host. */
unsigned long long hosts_kernel_drops(const struct hosts_pair *pair, enum hosts_side side);

/* Reads the facts of this machine. */
void hosts_facts(struct diagnose_facts *facts);
