/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/grow.h"
#include "common/send-buffer.h"

/* The longest text of one outbox_print(). */
#define PRINT_MOST 1024

void outbox_free(struct outbox *o)
{
	free(o->bytes);
	*o = (struct outbox) { .bytes = NULL };
}

void outbox_add(struct outbox *o, const char *text, size_t n)
{
	if (o->overflown || o->end - o->first + n > OUTBOX_MOST || grow_queue(&o->bytes, &o->room, &o->first, &o->end, n) < 0) {
		o->overflown = true;
		return;
	}
	memcpy(o->bytes + o->end, text, n);
	o->end += n;
}

void outbox_print(struct outbox *o, const char *format, ...)
{
	char text[PRINT_MOST];
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	outbox_add(o, text, n < PRINT_MOST ? (size_t) n : PRINT_MOST - 1);
}

bool outbox_empty(const struct outbox *o)
{
	return o->first == o->end;
}

int outbox_send(struct outbox *o, int fd)
{
	while (!outbox_empty(o)) {
		ssize_t n = send(fd, o->bytes + o->first, o->end - o->first, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		o->first += (size_t) n;
	}
	o->first = o->end = 0;
	return 0;
}
