/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/send-buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "common/grow.h"

/* The longest text of one send_buffer_print(). */
#define PRINT_MAX 1024

void send_buffer_free(struct send_buffer *b)
{
	free(b->bytes);
	*b = (struct send_buffer){ .bytes = NULL };
}

void send_buffer_add(struct send_buffer *b, const char *text, size_t n)
{
	if (b->overflowed || b->end - b->first + n > SEND_BUFFER_MAX ||
	    grow_queue(&b->bytes, &b->capacity, &b->first, &b->end, n) < 0) {
		b->overflowed = true;
		return;
	}
	memcpy(b->bytes + b->end, text, n);
	b->end += n;
}

void send_buffer_print(struct send_buffer *b, const char *format, ...)
{
	char text[PRINT_MAX];
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	send_buffer_add(b, text, n < PRINT_MAX ? (size_t)n : PRINT_MAX - 1);
}

bool send_buffer_empty(const struct send_buffer *b)
{
	return b->first == b->end;
}

int send_buffer_send(struct send_buffer *b, int fd)
{
	while (!send_buffer_empty(b)) {
		ssize_t n = send(fd, b->bytes + b->first, b->end - b->first,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		b->first += (size_t)n;
	}
	b->first = b->end = 0;
	return 0;
}
