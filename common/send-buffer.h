/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that waits to be sent to a peer that may be slow. Bounded. */
#pragma once

/* About ten thousand events. */
#define SEND_BUFFER_MAX (4u << 20)

/* All zero is empty. */
struct send_buffer {
	char *bytes;
	/* Where the unwritten part begins, where it ends, how much is allocated. */
	size_t first, end, capacity;
	/* More was added than fits: text is missing, and the peer is to be dropped. */
	bool overflowed;
};

void send_buffer_free(struct send_buffer *b);
void send_buffer_add(struct send_buffer *b, const char *text, size_t n);
void send_buffer_print(struct send_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool send_buffer_empty(const struct send_buffer *b);

/* Writes what the socket `fd` takes without waiting. Returns 0, or -1 when the peer is gone. */
int send_buffer_send(struct send_buffer *b, int fd);
