/* SPDX-License-Identifier: GPL-3.0-or-later */
/* upcase: starts, chooses the front end, ends. */
#include "config.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plain.h"
#include "private.h"
#include "settings.h"
#include "tui.h"

static bool on_a_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Descriptors 0 to 2 closed by the caller would be given to sockets. What stands in for the output cannot be written,
 * so that replies that go nowhere are told. */
static int check_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			return -1;
	}
	return 0;
}

static int start_private(struct client_settings *settings, struct private_server *server, char *notice, size_t size)
{
	char why[300];

	if (private_start(server, why, sizeof why) < 0) {
		fprintf(stderr, "upcase: %s\n", why);
		return -1;
	}
	strcpy(settings->host, "127.0.0.1");
	snprintf(settings->port, sizeof settings->port, "%u", server->port);
	snprintf(notice, size, "no host given: a private upcased serves 127.0.0.1:%u until you leave", server->port);
	return 0;
}

/* upcase-lab tells its command where the link can be asked and changed. */
static const char *lab_socket(void)
{
	const char *path = getenv("UPCASE_LAB");

	return path && *path ? path : NULL;
}

static int run(struct client_settings *settings)
{
	struct private_server server = {.process = 0};
	char notice[120];
	const bool private = !*settings->host;
	int status;

	if (private && start_private(settings, &server, notice, sizeof notice) < 0)
		return 1;
	if (settings->plain || settings->output != CLIENT_TEXT || !on_a_terminal())
		status = plain_run(settings, private ? notice : NULL);
	else
		status = tui_run(settings, private ? notice : NULL);
	private_stop(&server);
	return status;
}

int main(int argc, char **argv)
{
	struct client_settings settings;

	setlocale(LC_ALL, "");
	if (check_descriptors() < 0)
		return 1;
	if (client_settings_read(&settings, argc, argv) < 0)
		return 2;
	if (settings.help) {
		client_help();
		return 0;
	}
	if (settings.version) {
		puts(PACKAGE_STRING);
		return 0;
	}
	settings.lab = lab_socket();
	return run(&settings);
}
