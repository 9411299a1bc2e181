// SPDX-License-Identifier: GPL-3.0-or-later
/* A long reply ends it: the buffer has 256 bytes. Seen with every char reply[256]. */
#include <arpa/inet.h>
#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads one byte, within three seconds. Returns 1 if there is one. */
static ssize_t next(int fd, char *byte)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 3000) == 1 ? recv(fd, byte, 1, 0) : -1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in there = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char *line = NULL, byte, reply[256];
	size_t size = 0, got;
	ssize_t length;

	there.sin_port = htons((unsigned short)atoi(argv[argc - 1]));
	if (inet_pton(AF_INET, argv[1], &there.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0) {
		perror(argv[1]);
		return 1;
	}
	while ((length = getline(&line, &size, stdin)) > 0) {
		if (line[length - 1] == '\n')
			length--;
		line[length] = '\n';
		if (send(fd, line, (size_t)length + 1, MSG_NOSIGNAL) != length + 1)
			return 1;
		got = 0;
		do {
			if (next(fd, &byte) != 1) {
				fprintf(stderr, "no reply\n");
				return 1;
			}
			/* What the sanitizers and the fortified library do. */
			if (got == sizeof(reply))
				abort();
			reply[got++] = byte == '\n' || !iscntrl((unsigned char)byte) ? byte : '?';
		} while (byte != '\n');
		fwrite(reply, 1, got, stdout);
		fflush(stdout);
	}
	free(line);
	return 0;
}
