/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What upcased is measured against beside its peers: how little datagrams can cost. They are all
 * that it serves.
 *
 *   peer-limit joined PORT   one select() loop with the best the system has: runs of datagrams come
 *                            joined (UDP_GRO) and leave joined (UDP_SEGMENT), as they came
 *   peer-limit busy PORT     one datagram at a time, and never asleep: the shortest round trip, at
 * the price of a processor */
#include <sys/select.h>

#include "bench/peer.h"

/* Pieces of one turn, each a run of datagrams of one peer. */
#define RUNS 32

struct runs {
	struct sockaddr_in from[RUNS];
	struct iovec iov[RUNS];
	struct mmsghdr messages[RUNS];
	/* What came with a run, the length of its datagrams; its reply takes the same as
	 * UDP_SEGMENT. */
	char control[RUNS][CMSG_SPACE(sizeof(int))];
	char text[RUNS][PEER_DATAGRAM];
};

static void prepare(struct runs *runs)
{
	for (int i = 0; i < RUNS; i++) {
		runs->iov[i] = (struct iovec){ .iov_base = runs->text[i],
			.iov_len = PEER_DATAGRAM };
		runs->messages[i].msg_hdr = (struct msghdr){ .msg_name = &runs->from[i],
			.msg_namelen = sizeof runs->from[i],
			.msg_iov = &runs->iov[i],
			.msg_iovlen = 1,
			.msg_control = runs->control[i],
			.msg_controllen = sizeof runs->control[i] };
	}
}

/* What came as a run leaves as one. */
static void answer_as_run(struct msghdr *message, size_t length)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int size = 0;
	uint16_t segment;

	if (c != NULL && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
		memcpy(&size, CMSG_DATA(c), sizeof size);
	if (c == NULL || size <= 0 || (size_t)size >= length) {
		message->msg_control = NULL;
		message->msg_controllen = 0;
		return;
	}
	segment = (uint16_t)size;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof segment);
	memcpy(CMSG_DATA(c), &segment, sizeof segment);
	message->msg_controllen = CMSG_SPACE(sizeof segment);
}

static void serve_runs(struct runs *runs, int fd)
{
	int n, sent;

	prepare(runs);
	n = recvmmsg(fd, runs->messages, RUNS, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		runs->iov[i].iov_len = runs->messages[i].msg_len;
		peer_capitals(runs->text[i], runs->iov[i].iov_len);
		answer_as_run(&runs->messages[i].msg_hdr, runs->iov[i].iov_len);
	}
	for (int at = 0; at < n; at += sent > 0 ? sent : 1)
		sent = sendmmsg(fd, runs->messages + at, (unsigned)(n - at), 0);
}

static _Noreturn void joined(int fd)
{
	static struct runs runs;
	const int one = 1;
	fd_set ready;

	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) != 0)
		peer_fail("UDP_GRO", errno);
	FD_ZERO(&ready);
	for (;;) {
		FD_SET(fd, &ready);
		if (select(fd + 1, &ready, NULL, NULL, NULL) > 0)
			serve_runs(&runs, fd);
	}
}

static _Noreturn void busy(int fd)
{
	static char text[PEER_DATAGRAM];

	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof from;
		const ssize_t n = recvfrom(fd, text, sizeof text, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &size);

		if (n < 0)
			continue;
		peer_capitals(text, (size_t)n);
		(void)sendto(fd, text, (size_t)n, 0, (const struct sockaddr *)&from, size);
	}
}

int main(int argc, char **argv)
{
	const struct sockaddr_in address = peer_start(argc > 2 ? argv[2] : NULL);
	const int fd = peer_socket(&address, SOCK_DGRAM);

	peer_ready();
	if (strcmp(argv[1], "busy") == 0)
		busy(fd);
	joined(fd);
}
