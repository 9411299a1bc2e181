/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the relay and the supervisor say to each other, over a SOCK_SEQPACKET pair: one message
 * each, with the devices' descriptors where there are any. */
#ifndef UPCASE_LAB_SUPERVISOR_IPC_H
#define UPCASE_LAB_SUPERVISOR_IPC_H

#include <sys/types.h>

#include "lab/hosts/hosts.h"
#include "lab/hosts/timestamp-tap.h"

/* The most descriptors in a message: for each host one that hears, one that sends, two that stamp.
 */
#define SUPERVISOR_IPC_FDS 8

enum supervisor_message_type {
	/* To the relay. */
	SUPERVISOR_STARTED,      /* the supervisor speaks, before it does anything that may last */
	SUPERVISOR_FAILED,       /* `failure`; the supervisor is gone */
	SUPERVISOR_HOSTS_READY,  /* `report`, and the devices: near, far; with veth the injectors;
	                            the time stamp taps, if any */
	SUPERVISOR_FAR_READY,    /* the far command serves, or there is none */
	SUPERVISOR_FAR_TIMEOUT,  /* it does not tell that it serves; nothing is started on the near
	                            host */
	SUPERVISOR_NEAR_STARTED, /* the near command's process speaks, before it executes it */
	SUPERVISOR_NEAR_STOPPED, /* the near command was stopped */
	SUPERVISOR_FAR_ENDED,    /* `value`: its wait status */
	SUPERVISOR_NEAR_ENDED,   /* `value`: its wait status */
	SUPERVISOR_PROBED,       /* `value`: of enum supervisor_probe */
	SUPERVISOR_ENDED,        /* `kernel_drops`; it ends now */
	/* To the supervisor. */
	SUPERVISOR_RUN,    /* run the commands, or the probe */
	SUPERVISOR_SIGNAL, /* `value`: a signal for the near command */
	SUPERVISOR_END,    /* end all */
};

/* What went through in a probe. */
enum supervisor_probe {
	SUPERVISOR_PROBE_IPV4 = 1,
	SUPERVISOR_PROBE_IPV6 = 2,
};

struct supervisor_message {
	enum supervisor_message_type type;
	int value;
	struct diagnose_failure failure;
	struct host_report report;
	/* Packets that the hosts sent and their devices had no room for. */
	unsigned long long kernel_drops[HOST_SIDES];
};

/* One message and what came along. */
struct supervisor_received {
	struct supervisor_message message;
	/* Owned by the receiver. */
	int fds[SUPERVISOR_IPC_FDS];
	int fd_count;
	/* The process that sent it, as the receiver's process namespace knows it; 0 unless the
	 * receiver's end has SO_PASSCRED. */
	pid_t sender;
};

/* The hosts' devices from a SUPERVISOR_HOSTS_READY message, for packets of `mtu` bytes. Returns 0,
 * or -1 with errno. */
int supervisor_ipc_devices(const struct supervisor_received *received, int mtu,
    struct device *devices[HOST_SIDES]);

/* The time stamp taps that came along; false when none did. Takes over their descriptors, and
 * closes those that do not work. */
bool supervisor_ipc_taps(const struct supervisor_received *received,
    struct timestamp_tap *timestamp_taps[HOST_SIDES]);

/* Returns 0, or -1 with errno (EPIPE: the peer is gone). `fds` may be NULL if `count` is 0. */
int supervisor_ipc_send(int fd, const struct supervisor_message *message, const int *fds,
    int count);
/* The same for a word and a value. */
int supervisor_ipc_notify(int fd, enum supervisor_message_type type, int value);
/* Reads one: 1; 0 if the peer is gone; -1 with errno (EAGAIN if the descriptor does not block). */
int supervisor_ipc_read(int fd, struct supervisor_received *received);

#endif
