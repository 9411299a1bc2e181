/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trace/lab-socket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/control-socket.h"
#include "common/send-buffer.h"
#include "common/text.h"

/* Bytes of one read, and reads of one dispatch. */
#define READ_SIZE 16384
#define DISPATCH_READS 16
/* The longest line and the longest answer; the rest of a longer one is dropped. */
#define LINE_SIZE 2048
#define ANSWER_MAX 32768

struct lab_socket {
	int fd;
	struct lab_socket_hooks hooks;
	/* Answers to come; the place of the first, and how many there are. */
	struct lab_socket_answer answers[LAB_SOCKET_COMMANDS];
	size_t first, count;
	struct send_buffer out;
	char line[LINE_SIZE];
	size_t line_used;
	char answer[ANSWER_MAX];
	size_t answer_used;
};

struct lab_socket *lab_socket_open(const char *path, const struct lab_socket_hooks *hooks)
{
	struct lab_socket *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->hooks = *hooks;
	s->fd = control_connect(path, false);
	if (s->fd >= 0 && s->fd < FD_SETSIZE)
		return s;
	lab_socket_close(s);
	return NULL;
}

void lab_socket_close(struct lab_socket *s)
{
	const int error = errno;

	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	send_buffer_free(&s->out);
	free(s);
	errno = error;
}

bool lab_socket_is_gone(const struct lab_socket *s)
{
	return s->fd < 0;
}

static void disconnect(struct lab_socket *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	s->count = 0;
	send_buffer_free(&s->out);
	s->hooks.gone(s->hooks.context);
}

/* --- sending --- */

static void send_out(struct lab_socket *s)
{
	if (s->fd >= 0 && (send_buffer_send(&s->out, s->fd) < 0 || s->out.overflowed))
		disconnect(s);
}

int lab_socket_command(struct lab_socket *s, int purpose, int64_t note, const char *command)
{
	const size_t n = strlen(command);

	if (s->fd < 0 || s->count == LAB_SOCKET_COMMANDS || n > LAB_SOCKET_COMMAND_MAX ||
	    strpbrk(command, "\r\n"))
		return -1;
	s->answers[(s->first + s->count++) % LAB_SOCKET_COMMANDS] = (struct lab_socket_answer){
		.purpose = purpose, .note = note
	};
	send_buffer_add(&s->out, command, n);
	send_buffer_add(&s->out, "\n", 1);
	send_out(s);
	return s->fd < 0 ? -1 : 0;
}

/* --- receiving --- */

static void end_answer(struct lab_socket *s, bool ok, const char *text)
{
	struct lab_socket_answer answer = s->answers[s->first];

	s->answer_used = 0;
	if (s->count == 0)
		return;
	s->first = (s->first + 1) % LAB_SOCKET_COMMANDS;
	s->count--;
	answer.ok = ok;
	answer.text = text;
	s->hooks.answer(s->hooks.context, &answer);
}

static void add_to_answer(struct lab_socket *s, const char *line)
{
	const size_t n = strlen(line);

	if (s->answer_used + n + 2 > sizeof s->answer)
		return;
	memcpy(s->answer + s->answer_used, line, n);
	s->answer[s->answer_used + n] = '\n';
	s->answer_used += n + 1;
}

static void take_line(struct lab_socket *s, const char *line)
{
	if (text_begins(line, "event ") || text_begins(line, "undelivered ") ||
	    text_begins(line, "changed ")) {
		if (s->hooks.line)
			s->hooks.line(s->hooks.context, line);
	} else if (strcmp(line, "ok") == 0 || text_begins(line, "ok ")) {
		s->answer[s->answer_used] = '\0';
		end_answer(s, true, s->answer);
	} else if (text_begins(line, "error")) {
		end_answer(s, false, text_begins(line, "error ") ? line + strlen("error ") : line);
	} else {
		add_to_answer(s, line);
	}
}

static void take_bytes(struct lab_socket *s, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && s->fd >= 0; i++) {
		if (bytes[i] != '\n') {
			if (s->line_used < sizeof s->line - 1)
				s->line[s->line_used++] = bytes[i];
			continue;
		}
		s->line[s->line_used] = '\0';
		s->line_used = 0;
		take_line(s, s->line);
	}
}

/* Returns false when there is nothing to read now. */
static bool read_some(struct lab_socket *s)
{
	char bytes[READ_SIZE];
	const ssize_t n = recv(s->fd, bytes, sizeof bytes, 0);

	if (n > 0) {
		take_bytes(s, bytes, (size_t)n);
		return s->fd >= 0 && (size_t)n == sizeof bytes;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		disconnect(s);
	return false;
}

static void read_all(struct lab_socket *s)
{
	for (int i = 0; i < DISPATCH_READS && s->fd >= 0; i++)
		if (!read_some(s))
			return;
}

void lab_socket_settle(struct lab_socket *s, int64_t max)
{
	/* Polls in short steps instead of reading the clock. */
	for (int64_t left = max / NS_PER_MS; left > 0 && s->fd >= 0 && s->count > 0; left -= 10) {
		struct pollfd p = { .fd = s->fd,
			.events = (short)(POLLIN | (send_buffer_empty(&s->out) ? 0 : POLLOUT)) };

		const int ready = poll(&p, 1, 10);

		/* A signal interrupted poll(): the program is about to end. */
		if (ready < 0)
			return;
		/* Bytes without an answer also count as a step, so this loop ends. */
		if (ready > 0) {
			send_out(s);
			read_all(s);
		}
	}
}

void lab_socket_watch(const struct lab_socket *s, struct fd_watch *w)
{
	fd_watch_read(w, s->fd);
	if (!send_buffer_empty(&s->out))
		fd_watch_write(w, s->fd);
}

void lab_socket_dispatch(struct lab_socket *s, const struct fd_watch *w)
{
	if (fd_watch_can_write(w, s->fd))
		send_out(s);
	if (fd_watch_can_read(w, s->fd))
		read_all(s);
}
