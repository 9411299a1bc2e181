/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a reply differs from the right one, in words: the fault that a student most likely made.
 * Pure. */
#pragma once

/* Bytes from malloc(), as grow_list() has them. */
struct bytes {
	unsigned char *at;
	size_t n, capacity;
};

/* One line and its reply, as one end of a conversation has them. */
struct exchange {
	/* What was sent since the last reply; the reply that is wanted, and the one before it, each
	 * NULL for none; what has come and is not yet taken. */
	struct bytes sent, wanted, before, came;
	/* TCP: the stream has ended behind what came. */
	bool ended;
};

/* Whether both are there, and the same. */
bool difference_none(const struct bytes *a, const struct bytes *b);
/* Writes why what came is not what was wanted. Returns `buf`. */
char *difference_text(const struct exchange *x, char *buf, size_t size);
