/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/hosts/supervisor-ipc.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the descriptors and the sender's credentials. */
union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(SUPERVISOR_IPC_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int supervisor_ipc_send(int fd, const struct supervisor_message *message, const int *fds, int count)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message) };
	union ancillary control = { .bytes = { 0 } };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *c = &control.align;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	}
	return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void take_ancillary(struct msghdr *header, struct supervisor_received *received)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS && n <= sizeof(received->fds)) {
			memcpy(received->fds, CMSG_DATA(c), n);
			received->fd_count = (int)(n / sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(who)) {
			memcpy(&who, CMSG_DATA(c), n);
			received->sender = who.pid;
		}
	}
}

int supervisor_ipc_read(int fd, struct supervisor_received *received)
{
	struct iovec part = { .iov_base = &received->message,
		.iov_len = sizeof(received->message) };
	union ancillary control;
	struct msghdr header = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	memset(received, 0, sizeof(*received));
	do {
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	/* A lifeline that was cut with something unread in it. */
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return -1;
	take_ancillary(&header, received);
	return 1;
}

int supervisor_ipc_notify(int fd, enum supervisor_message_type type, int value)
{
	const struct supervisor_message message = { .type = type, .value = value };

	return supervisor_ipc_send(fd, &message, NULL, 0);
}

int supervisor_ipc_devices(const struct supervisor_received *received, int mtu,
    struct device *devices[HOST_SIDES])
{
	struct host_pair pair = { .report = received->message.report };

	for (int side = 0; side < HOST_SIDES; side++) {
		pair.device[side] = received->fds[side];
		pair.injector[side] = received->fds[HOST_SIDES + side];
		if (!(devices[side] = hosts_device(&pair, (enum host_side)side, mtu)))
			return -1;
	}
	return 0;
}

bool supervisor_ipc_taps(const struct supervisor_received *received,
    struct timestamp_tap *timestamp_taps[HOST_SIDES])
{
	const bool veth = received->message.report.backend == HOST_BACKEND_VETH;
	const int kinds = veth ? 2 : 1, *fds = received->fds + kinds * HOST_SIDES;
	bool all = true;

	if (received->fd_count < 2 * kinds * HOST_SIDES)
		return false;
	for (int side = 0; side < HOST_SIDES; side++) {
		const int outer = veth ? fds[HOST_SIDES + side] : -1;
		if (!(timestamp_taps[side] = timestamp_tap_new(fds[side], outer))) {
			close(fds[side]);
			if (veth)
				close(outer);
		}
		all = all && timestamp_taps[side];
	}
	for (int side = 0; side < HOST_SIDES && !all; side++)
		timestamp_tap_free(timestamp_taps[side]);
	return all;
}
