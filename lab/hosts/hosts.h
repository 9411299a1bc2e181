/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two hosts on one machine: network namespaces with a device, addresses and nothing else. This is
 * the only file that makes namespaces. Its functions run in a process forked for it: it leaves the
 * machine's namespaces for good, and what it made lasts as long as its processes do. */
#ifndef UPCASE_LAB_HOSTS_H
#define UPCASE_LAB_HOSTS_H

#include <stdbool.h>

#include "lab/hosts/device.h"
#include "lab/hosts/diagnose.h"
#include "common/lab-addresses.h"

/* The device's name on both hosts. */
#define HOST_DEVICE "wire"
/* Bounds of the hosts' own MTU: IPv4's least (RFC 791), what a TUN device takes at most. */
#define HOST_MTU_MIN 68
#define HOST_MTU_MAX 65521
/* IPv6 wants at least this much (RFC 8200, 5). */
#define HOST_MTU_IPV6 1280
/* Room for a congestion control's name. */
#define HOST_CONGESTION_SIZE 16

enum host_side { HOST_NEAR, HOST_FAR, HOST_SIDES };

enum host_backend { HOST_BACKEND_AUTO, HOST_BACKEND_TUN, HOST_BACKEND_VETH };

struct host_settings {
	enum host_backend backend;
	/* Bytes, HOST_MTU_MIN to HOST_MTU_MAX. */
	int mtu;
	/* TCP's congestion control on both hosts, or "" for the machine's own. */
	char congestion[HOST_CONGESTION_SIZE];
	/* Make time stamp taps too. */
	bool timestamped;
};

/* What was made. */
struct host_report {
	/* The back end in use, never HOST_BACKEND_AUTO. */
	enum host_backend backend;
	/* Why HOST_BACKEND_AUTO passed TUN over; DIAGNOSE_NONE if it did not. */
	struct diagnose_failure passed_over;
	/* The hosts have IPv6 addresses. */
	bool ipv6;
	/* /proc/sys could not be written: ping as an ordinary user may ask for rights. */
	bool sysctl_denied;
	/* ps and the like see the lab's own processes only. */
	bool own_proc;
	/* "near" and "far" are known as names. */
	bool names;
	/* The congestion control in use. */
	char congestion[HOST_CONGESTION_SIZE];
};

struct host_pair {
	/* By enum host_side: the network namespaces; what hears what the host sends, and what sends
	 * to it (-1 with TUN, where one descriptor does both). */
	int ns[HOST_SIDES], device[HOST_SIDES], injector[HOST_SIDES];
	/* What tells when the host sent and received, and with veth another at the outer end: all,
	 * or, where they were not wanted or are not to be had, none: -1. */
	int timestamp_tap[HOST_SIDES], outer_timestamp_tap[HOST_SIDES];
	struct host_report report;
};

/* Leaves the machine's namespaces: as root simply, else by way of a user namespace in which the
 * user keeps its own ids. Children of this process live in a process namespace of their own. 0, or
 * -1. */
int hosts_isolate(struct diagnose_failure *failure);

/* Makes both hosts. To be called by the first process of the process namespace. 0, or -1. */
int hosts_build(const struct host_settings *settings, struct host_pair *pair,
    struct diagnose_failure *failure);

/* The device of a host that was made with this MTU, named after the host; takes over its
 * descriptors. NULL with errno. */
struct device *hosts_device(const struct host_pair *pair, enum host_side side, int mtu);

/* The calling process moves to that host. 0, or -1 with errno. */
int hosts_enter(const struct host_pair *pair, enum host_side side);

/* Lets what the calling process executes keep the rights over its host that root has: raw sockets,
 * ports below 1024, the device. Without effect for root. */
void hosts_keep_rights(void);

/* Something listens on the host in which the calling process is: TCP, or a bound UDP socket. */
bool hosts_is_listening(void);

/* How many packets the host's device dropped because nobody took them in time. The calling process
 * moves there. */
unsigned long long hosts_kernel_drops(const struct host_pair *pair, enum host_side side);

/* What this machine says of itself. */
void hosts_facts(struct diagnose_facts *facts);

const char *hosts_backend_name(enum host_backend backend);

#endif
