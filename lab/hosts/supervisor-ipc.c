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
	char bytes[CMSG_SPACE(LETTER_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int letter_send(int fd, const struct keeper_message *message, const int *fds, int count)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message) };
	union ancillary room = { .bytes = { 0 } };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		struct cmsghdr *c = &room.align;

		header.msg_control = &room;
		header.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)count * sizeof(int));
	}
	return sendmsg(fd, &header, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void take_ancillary(struct msghdr *header, struct keeper_letter *letter)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS && n <= sizeof(letter->fds)) {
			memcpy(letter->fds, CMSG_DATA(c), n);
			letter->fd_count = (int)(n / sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(who)) {
			memcpy(&who, CMSG_DATA(c), n);
			letter->sender = who.pid;
		}
	}
}

int letter_read(int fd, struct keeper_letter *letter)
{
	struct iovec part = { .iov_base = &letter->message, .iov_len = sizeof(letter->message) };
	union ancillary room;
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof(room),
	};
	ssize_t n;

	memset(letter, 0, sizeof(*letter));
	do {
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	/* A lifeline that was cut with something unread in it. */
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n < 0)
		return -1;
	take_ancillary(&header, letter);
	return 1;
}

int letter_tell(int fd, enum keeper_word word, int value)
{
	const struct keeper_message message = { .word = word, .value = value };

	return letter_send(fd, &message, NULL, 0);
}

int letter_devices(const struct keeper_letter *letter, int mtu, struct device *devices[HOST_SIDES])
{
	struct host_pair pair = { .report = letter->message.report };

	for (int side = 0; side < HOST_SIDES; side++) {
		pair.device[side] = letter->fds[side];
		pair.injector[side] = letter->fds[HOST_SIDES + side];
		if (!(devices[side] = host_device(&pair, (enum host_side)side, mtu)))
			return -1;
	}
	return 0;
}

bool letter_stampers(const struct keeper_letter *letter, struct stamper *stampers[HOST_SIDES])
{
	const bool veth = letter->message.report.backend == HOST_BACKEND_VETH;
	const int kinds = veth ? 2 : 1, *fds = letter->fds + kinds * HOST_SIDES;
	bool all = true;

	if (letter->fd_count < 2 * kinds * HOST_SIDES)
		return false;
	for (int side = 0; side < HOST_SIDES; side++) {
		const int outer = veth ? fds[HOST_SIDES + side] : -1;
		if (!(stampers[side] = stamper_new(fds[side], outer))) {
			close(fds[side]);
			if (veth)
				close(outer);
		}
		all = all && stampers[side];
	}
	for (int side = 0; side < HOST_SIDES && !all; side++)
		stamper_free(stampers[side]);
	return all;
}
