/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a reply differs from the right one, in words: the fault that a student most likely made.
 * Pure. */
#pragma once

struct difference {
	const unsigned char *want, *got, *sent;
	size_t wanted, came, sent_length;
	/* The reply that this client got before, NULL for none. */
	const unsigned char *before;
	size_t before_length;
	/* The stream has ended behind what came. */
	bool ended;
};

/* Writes the reason. Returns `buf`. */
char *difference_text(const struct difference *d, char *buf, size_t size);
