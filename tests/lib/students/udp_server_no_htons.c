// SPDX-License-Identifier: GPL-3.0-or-later
/* Forgets htons(): it listens at a port whose two bytes are swapped. Seen in every course
 * with C. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET }, peer;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char text[65536];

	here.sin_port = (unsigned short)atoi(argv[argc - 1]);
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0) {
		perror("bind");
		return 1;
	}
	for (;;) {
		socklen_t size = sizeof(peer);
		ssize_t got = recvfrom(fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&peer,
		    &size);

		for (ssize_t i = 0; i < got; i++)
			text[i] = (char)toupper((unsigned char)text[i]);
		if (got >= 0)
			sendto(fd, text, (size_t)got, 0, (struct sockaddr *)&peer, size);
	}
}
