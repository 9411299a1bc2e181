/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes what came for a format of printf(3). */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET }, client;
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	static char in[65536], out[65536];

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	here.sin_port = htons(atoi(argv[argc - 1]));
	if (bind(server, (struct sockaddr *)&here, sizeof here) < 0) {
		perror("bind");
		return 1;
	}
	for (;;) {
		socklen_t length = sizeof client;
		ssize_t n = recvfrom(server, in, sizeof in - 1, 0, (struct sockaddr *)&client,
		    &length);

		in[n] = '\0';
		for (ssize_t i = 0; i < n; i++)
			in[i] = toupper((unsigned char)in[i]);
		snprintf(out, sizeof out, in);
		sendto(server, out, n, 0, (struct sockaddr *)&client, length);
	}
}
