// SPDX-License-Identifier: GPL-3.0-or-later
/* Right: C with select(), both transports on one port, ASCII only. A client whose reply
 * waits is not read. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	char data[4096];
	ssize_t length, sent;
	int open;
} clients[FD_SETSIZE];

static void capitals(char *text, ssize_t length)
{
	for (ssize_t i = 0; i < length; i++)
		text[i] = (char)toupper((unsigned char)text[i]);
}

static int bound(int type, int port)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)port) };
	int fd = socket(AF_INET, type, 0), on = 1;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0) {
		perror("bind");
		exit(1);
	}
	return fd;
}

static void answer_datagram(int fd)
{
	static char text[65536];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t got = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&peer, &size);

	capitals(text, got);
	if (got >= 0)
		sendto(fd, text, (size_t)got, 0, (struct sockaddr *)&peer, size);
}

static void serve(int fd)
{
	ssize_t did = clients[fd].sent < clients[fd].length
	                ? send(fd, clients[fd].data + clients[fd].sent,
	                      (size_t)(clients[fd].length - clients[fd].sent),
	                      MSG_DONTWAIT | MSG_NOSIGNAL)
	                : recv(fd, clients[fd].data, sizeof(clients[fd].data), 0);

	if (did <= 0) {
		clients[fd].open = 0;
		close(fd);
	} else if (clients[fd].sent < clients[fd].length) {
		clients[fd].sent += did;
	} else {
		capitals(clients[fd].data, did);
		clients[fd].length = did;
		clients[fd].sent = 0;
	}
}

static void start(int fd)
{
	if (fd < 0 || fd >= FD_SETSIZE)
		return;
	clients[fd].length = clients[fd].sent = 0;
	clients[fd].open = 1;
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 12000;
	int udp = bound(SOCK_DGRAM, port), tcp = bound(SOCK_STREAM, port);

	listen(tcp, 100);
	for (;;) {
		fd_set in, out;

		FD_ZERO(&in);
		FD_ZERO(&out);
		FD_SET(udp, &in);
		FD_SET(tcp, &in);
		for (int fd = 0; fd < FD_SETSIZE; fd++)
			if (clients[fd].open)
				FD_SET(fd, clients[fd].sent < clients[fd].length ? &out : &in);
		select(FD_SETSIZE, &in, &out, NULL, NULL);
		for (int fd = 0; fd < FD_SETSIZE; fd++)
			if (clients[fd].open && (FD_ISSET(fd, &in) || FD_ISSET(fd, &out)))
				serve(fd);
		if (FD_ISSET(udp, &in))
			answer_datagram(udp);
		if (FD_ISSET(tcp, &in))
			start(accept(tcp, NULL, NULL));
	}
}
