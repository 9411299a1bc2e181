/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "trace/lab-socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/send-buffer.h"

/* One read, and the reads of one turn. */
#define READ_SIZE 16384
#define TURN_READS 16
/* The longest line and the longest answer that are understood; of what is longer the rest is dropped. */
#define LINE_MOST 2048
#define ANSWER_MOST 32768

struct lab {
	int fd;
	struct lab_hooks hooks;
	struct waiting {
		int purpose;
		int64_t note;
	} orders[LAB_ORDERS];
	/* The oldest without an answer, and how many there are. */
	size_t first, count;
	struct outbox out;
	char line[LINE_MOST];
	size_t line_used;
	char answer[ANSWER_MOST];
	size_t answer_used;
};

struct lab *lab_open(const char *path, const struct lab_hooks *hooks)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct lab *lab;

	if (strlen(path) >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(to.sun_path, path);
	lab = calloc(1, sizeof *lab);
	if (!lab)
		return NULL;
	lab->hooks = *hooks;
	lab->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (lab->fd >= 0 && lab->fd < FD_SETSIZE && connect(lab->fd, (struct sockaddr *)&to, sizeof to) == 0)
		return lab;
	lab_close(lab);
	return NULL;
}

void lab_close(struct lab *lab)
{
	const int error = errno;

	if (!lab)
		return;
	if (lab->fd >= 0)
		close(lab->fd);
	outbox_free(&lab->out);
	free(lab);
	errno = error;
}

bool lab_is_gone(const struct lab *lab)
{
	return lab->fd < 0;
}

static void lose(struct lab *lab)
{
	if (lab->fd < 0)
		return;
	close(lab->fd);
	lab->fd = -1;
	lab->count = 0;
	outbox_free(&lab->out);
	lab->hooks.gone(lab->hooks.context);
}

/* --- out --- */

static void send_out(struct lab *lab)
{
	if (lab->fd >= 0 && (outbox_send(&lab->out, lab->fd) < 0 || lab->out.overflown))
		lose(lab);
}

int lab_order(struct lab *lab, int purpose, int64_t note, const char *order)
{
	const size_t n = strlen(order);

	if (lab->fd < 0 || lab->count == LAB_ORDERS || n > LAB_ORDER_MOST || strpbrk(order, "\r\n"))
		return -1;
	lab->orders[(lab->first + lab->count++) % LAB_ORDERS] = (struct waiting){.purpose = purpose, .note = note};
	outbox_add(&lab->out, order, n);
	outbox_add(&lab->out, "\n", 1);
	send_out(lab);
	return lab->fd < 0 ? -1 : 0;
}

/* --- in --- */

static void end_answer(struct lab *lab, bool ok, const char *text)
{
	const struct waiting order = lab->orders[lab->first];

	lab->answer_used = 0;
	if (lab->count == 0)
		return;
	lab->first = (lab->first + 1) % LAB_ORDERS;
	lab->count--;
	lab->hooks.answer(lab->hooks.context,
	    &(struct lab_answer){.purpose = order.purpose, .note = order.note, .ok = ok, .text = text});
}

static void add_to_answer(struct lab *lab, const char *line)
{
	const size_t n = strlen(line);

	if (lab->answer_used + n + 2 > sizeof lab->answer)
		return;
	memcpy(lab->answer + lab->answer_used, line, n);
	lab->answer[lab->answer_used + n] = '\n';
	lab->answer_used += n + 1;
}

static bool begins(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

static void take_line(struct lab *lab, const char *line)
{
	if (begins(line, "event ") || begins(line, "undelivered ") || begins(line, "changed ")) {
		if (lab->hooks.line)
			lab->hooks.line(lab->hooks.context, line);
	} else if (strcmp(line, "ok") == 0 || begins(line, "ok ")) {
		lab->answer[lab->answer_used] = '\0';
		end_answer(lab, true, lab->answer);
	} else if (begins(line, "error")) {
		end_answer(lab, false, begins(line, "error ") ? line + strlen("error ") : line);
	} else {
		add_to_answer(lab, line);
	}
}

static void take_bytes(struct lab *lab, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && lab->fd >= 0; i++) {
		if (bytes[i] != '\n') {
			if (lab->line_used < sizeof lab->line - 1)
				lab->line[lab->line_used++] = bytes[i];
			continue;
		}
		lab->line[lab->line_used] = '\0';
		lab->line_used = 0;
		take_line(lab, lab->line);
	}
}

/* Returns false when there is no more, for now. */
static bool read_some(struct lab *lab)
{
	char bytes[READ_SIZE];
	const ssize_t n = recv(lab->fd, bytes, sizeof bytes, 0);

	if (n > 0) {
		take_bytes(lab, bytes, (size_t)n);
		return lab->fd >= 0 && (size_t)n == sizeof bytes;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		lose(lab);
	return false;
}

static void read_turn(struct lab *lab)
{
	for (int i = 0; i < TURN_READS && lab->fd >= 0; i++)
		if (!read_some(lab))
			return;
}

void lab_settle(struct lab *lab, int64_t most)
{
	/* Polled in short steps: the time is the caller's, not ours to read. */
	for (int64_t left = most / NS_PER_MS; left > 0 && lab->fd >= 0 && lab->count > 0; left -= 10) {
		struct pollfd p = {.fd = lab->fd, .events = (short)(POLLIN | (outbox_empty(&lab->out) ? 0 : POLLOUT))};

		const int ready = poll(&p, 1, 10);

		/* By a signal: whoever is to end does not wait. */
		if (ready < 0)
			return;
		/* What comes without an answer among it costs a step too, so that this ends. */
		if (ready > 0) {
			send_out(lab);
			read_turn(lab);
		}
	}
}

void lab_watch(const struct lab *lab, struct watch *w)
{
	watch_read(w, lab->fd);
	if (!outbox_empty(&lab->out))
		watch_write(w, lab->fd);
}

void lab_turn(struct lab *lab, const struct watch *w)
{
	if (watch_can_write(w, lab->fd))
		send_out(lab);
	if (watch_can_read(w, lab->fd))
		read_turn(lab);
}
