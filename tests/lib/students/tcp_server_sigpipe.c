// SPDX-License-Identifier: GPL-3.0-or-later
/* A client that has gone ends the server for all: SIGPIPE at the second send(). Seen in
 * servers in C with threads or select(). */
#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *argument)
{
	int fd = (int)(long)argument;
	char text[1024];
	ssize_t got;

	while ((got = recv(fd, text, sizeof(text), 0)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			text[i] = (char)toupper((unsigned char)text[i]);
		send(fd, text, (size_t)got, 0);
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	here.sin_port = htons((unsigned short)atoi(argv[argc - 1]));
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(fd, 100) != 0) {
		perror("bind");
		return 1;
	}
	for (;;) {
		pthread_t thread;
		int client = accept(fd, NULL, NULL);

		if (client >= 0 && pthread_create(&thread, NULL, serve, (void *)(long)client) == 0)
			pthread_detach(thread);
	}
}
