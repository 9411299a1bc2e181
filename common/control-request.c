/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/control-request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/file.h"

/* More than any line of an answer; a longer line comes in pieces. */
#define ANSWER_LINE 4096

static int send_command(int fd, const char *command)
{
	char line[CONTROL_LINE_MAX + 2];
	const size_t n = (size_t)snprintf(line, sizeof line, "%s\n", command);

	if (n >= sizeof line) {
		errno = EMSGSIZE;
		return -1;
	}
	return send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* Reads until "ok" or "error"; with `follow`, after an "ok", until the server is gone. Returns 0
 * after "ok", 1 after "error", else -1. */
static int read_answer(FILE *in, const struct control_request *request, char reason[CONTROL_REASON])
{
	char line[ANSWER_LINE + 1];
	int result = -1;

	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "error ", 6) == 0) {
			snprintf(reason, CONTROL_REASON, "%.*s", CONTROL_REASON - 1, line + 6);
			return 1;
		}
		if (strcmp(line, "ok") == 0)
			result = 0;
		if ((result == 0 && !request->follow) || request->line(request->context, line))
			return result;
	}
	errno = feof(in) ? ECONNRESET : errno;
	return result;
}

int control_request_send(const struct control_request *request, char reason[CONTROL_REASON])
{
	const int fd = control_connect(request->path, 0);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	int result = -1;

	if (!in)
		return file_close(fd);
	/* A refused client can still read the reason, though it can no longer write. */
	if (send_command(fd, request->command) == 0 || errno == EPIPE)
		result = read_answer(in, request, reason);
	const int error = errno;
	fclose(in);
	errno = error;
	return result;
}
