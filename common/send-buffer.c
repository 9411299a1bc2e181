/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/send-buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/grow.h"

/* The longest text of one send_buffer_print(). */
#define PRINT_MAX 1024

void send_buffer_free(struct send_buffer *o)
{
	free(o->bytes);
	*o = (struct send_buffer){ .bytes = NULL };
}

void send_buffer_add(struct send_buffer *o, const char *text, size_t n)
{
	if (o->overflowed || o->end - o->first + n > SEND_BUFFER_MAX ||
	    grow_queue(&o->bytes, &o->capacity, &o->first, &o->end, n) < 0) {
		o->overflowed = true;
		return;
	}
	memcpy(o->bytes + o->end, text, n);
	o->end += n;
}

void send_buffer_print(struct send_buffer *o, const char *format, ...)
{
	char text[PRINT_MAX];
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	send_buffer_add(o, text, n < PRINT_MAX ? (size_t)n : PRINT_MAX - 1);
}

bool send_buffer_empty(const struct send_buffer *o)
{
	return o->first == o->end;
}

int send_buffer_send(struct send_buffer *o, int fd)
{
	while (!send_buffer_empty(o)) {
		ssize_t n = send(fd, o->bytes + o->first, o->end - o->first,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		o->first += (size_t)n;
	}
	o->first = o->end = 0;
	return 0;
}
