/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once
/* What the servers that upcased is measured beside have in common: sockets on one loopback port,
 * capitals of ASCII, datagrams in batches, and the line that says that they are ready. Each does
 * the least that serves: no limits, no counts, no time-outs, no capitals but ASCII's. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One read of a stream. */
#define PEER_READ (1 << 18)
#define PEER_BACKLOG 4096
#define PEER_UDP_BUFFER (1 << 22)
/* Datagrams of one turn, and the longest there is. */
#define PEER_BATCH 64
#define PEER_DATAGRAM (1 << 16)

static inline _Noreturn void peer_fail(const char *what, int error)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(error));
	exit(1);
}

/* In blocks of one size, which compilers turn into vector instructions at -O2 too. */
static inline void peer_capitals(char *text, size_t size)
{
	unsigned char *s = (unsigned char *)text;

	for (; size >= 64; s += 64, size -= 64)
		for (int i = 0; i < 64; i++)
			s[i] = (unsigned char)(s[i] - ((unsigned char)(s[i] - 'a') < 26 ? 32 : 0));
	for (; size > 0; s++, size--)
		*s = (unsigned char)(*s - ((unsigned char)(*s - 'a') < 26 ? 32 : 0));
}

static inline int peer_port(const char *text)
{
	const int port = text != NULL ? atoi(text) : 0;

	if (port < 1 || port > 65535) {
		fputs("peer: the port, please\n", stderr);
		exit(2);
	}
	return port;
}

/* The address served; every descriptor that the system allows may be used. */
static inline struct sockaddr_in peer_start(const char *port)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)peer_port(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline void peer_ready(void)
{
	puts("ready");
	fflush(stdout);
}

static inline void peer_udp_buffer(int fd)
{
	const int bytes = PEER_UDP_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static inline int peer_socket(const struct sockaddr_in *address, int type)
{
	const int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		peer_fail("socket", errno);
	if ((type & SOCK_STREAM) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	else
		peer_udp_buffer(fd);
	if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
		peer_fail("bind", errno);
	return fd;
}

static inline int peer_listen(const struct sockaddr_in *address)
{
	const int fd = peer_socket(address, SOCK_STREAM | SOCK_NONBLOCK);

	if (listen(fd, PEER_BACKLOG) != 0)
		peer_fail("listen", errno);
	return fd;
}

static inline void peer_no_delay(int fd)
{
	const int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* Datagrams received by one call and answered by one. */
struct peer_batch {
	struct sockaddr_in from[PEER_BATCH];
	struct iovec iov[PEER_BATCH];
	struct mmsghdr messages[PEER_BATCH];
	char text[PEER_BATCH][PEER_DATAGRAM];
};

static inline struct peer_batch *peer_batch_new(void)
{
	struct peer_batch *batch = calloc(1, sizeof *batch);

	if (batch == NULL)
		peer_fail("memory", errno);
	for (int i = 0; i < PEER_BATCH; i++) {
		batch->iov[i].iov_base = batch->text[i];
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->from[i], .msg_iov = &batch->iov[i], .msg_iovlen = 1
		};
	}
	return batch;
}

/* Answers what is there, at most a batch; whether there may be more. */
static inline bool peer_batch_serve(struct peer_batch *batch, int fd)
{
	int n, sent;

	for (int i = 0; i < PEER_BATCH; i++) {
		batch->iov[i].iov_len = PEER_DATAGRAM;
		batch->messages[i].msg_hdr.msg_namelen = sizeof batch->from[i];
	}
	n = recvmmsg(fd, batch->messages, PEER_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		batch->iov[i].iov_len = batch->messages[i].msg_len;
		peer_capitals(batch->text[i], batch->iov[i].iov_len);
	}
	for (int at = 0; at < n; at += sent > 0 ? sent : 1)
		sent = sendmmsg(fd, batch->messages + at, (unsigned)(n - at), MSG_DONTWAIT);
	return n == PEER_BATCH;
}
