/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that waits to be written to somebody who may be slow. Bounded. */
#ifndef UPCASE_OUTBOX_H
#define UPCASE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

/* About ten thousand events. */
#define OUTBOX_MOST (4u << 20)

/* All zero is empty. */
struct outbox {
	char *bytes;
	/* Where the unwritten part begins, where it ends, how much is allocated. */
	size_t first, end, room;
	/* More was added than fits: something is missing, the reader is lost. */
	bool overflown;
};

void outbox_free(struct outbox *o);
void outbox_add(struct outbox *o, const char *text, size_t n);
void outbox_print(struct outbox *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool outbox_empty(const struct outbox *o);

/* Writes what the socket `fd` takes without waiting. Returns 0, or -1 when the peer is gone. */
int outbox_send(struct outbox *o, int fd);

#endif
