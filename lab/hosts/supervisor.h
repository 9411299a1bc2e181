/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor: the first process of the lab's process namespace. It makes the two hosts, hands
 * their devices to the relay, runs the far and the near command on them and reports their ends to
 * the relay. When it ends, in whatever way, the kernel ends all processes on the hosts, and the
 * hosts. It ends when the socket to its relay is closed. */
#pragma once

#include <sys/types.h>

#include "lab/hosts/hosts.h"

/* The descriptor on which the far command reports that it serves. */
#define SUPERVISOR_READY_FD 3

struct supervisor_plan {
	struct hosts_settings hosts;
	/* The far and the near command: arguments for execvp(). */
	char *const *far_command, *const *near_command;
	/* The far command writes to SUPERVISOR_READY_FD when it serves; else listening counts. */
	bool notifies_ready;
	/* The descriptor for the far command's output. */
	int far_output;
	/* Run no command; test whether datagrams pass between the hosts. */
	bool probe;
	/* The lab's folder, which the supervisor removes if the relay dies first. "": none. */
	const char *runtime_dir;
};

/* Starts a supervisor, which becomes a child of the caller. The data that the plan points to need
 * not live on. Returns the relay's end of the socket, or -1 with errno. */
int supervisor_start(const struct supervisor_plan *plan);

/* The most descriptors in a message: all of both hosts except the namespaces. */
#define SUPERVISOR_FDS 8

enum supervisor_message_type {
	/* To the relay. */
	SUPERVISOR_STARTED, /* the supervisor's first message, before anything that takes time */
	SUPERVISOR_FAILED,  /* `pair.failure`; the supervisor is gone */
	SUPERVISOR_HOSTS_READY,  /* `pair`, without the namespaces */
	SUPERVISOR_FAR_READY,    /* the far command serves */
	SUPERVISOR_FAR_TIMEOUT,  /* the far command does not report it; nothing starts on the near
	                            host */
	SUPERVISOR_NEAR_STARTED, /* from the near command's process, before it executes it */
	SUPERVISOR_NEAR_STOPPED, /* the near command was stopped */
	SUPERVISOR_FAR_ENDED,    /* `value`: its wait status */
	SUPERVISOR_NEAR_ENDED,   /* `value`: its wait status */
	SUPERVISOR_PROBED,       /* `value`: of enum supervisor_probe */
	SUPERVISOR_ENDED,        /* `kernel_drops`; the supervisor ends now */
	/* To the supervisor. */
	SUPERVISOR_RUN,    /* run the commands, or the probe */
	SUPERVISOR_SIGNAL, /* `value`: a signal for the near command */
	SUPERVISOR_END,    /* end everything */
};

/* The protocols whose datagrams arrived in a probe. */
enum supervisor_probe {
	SUPERVISOR_PROBE_IPV4 = 1,
	SUPERVISOR_PROBE_IPV6 = 2,
};

struct supervisor_message {
	enum supervisor_message_type type;
	int value;
	struct hosts_pair pair;
	/* Packets that the hosts sent and for which their devices had no room. */
	unsigned long long kernel_drops[HOSTS_SIDES];
	/* The sender's process as the receiver numbers it; 0 unless its end has SO_PASSCRED. */
	pid_t sender;
};

/* Sends a message with a value; the message is lost if the peer is gone. */
void supervisor_notify(int fd, enum supervisor_message_type type, int value);
/* Reads a message; the caller then owns the descriptors in `pair`. Returns 1; 0 if the peer is
 * gone; -1 with errno (EAGAIN if the descriptor does not block). */
int supervisor_read(int fd, struct supervisor_message *message);
