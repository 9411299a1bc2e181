/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file in memory that something writes and closes, and what is in it. */
#pragma once

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The descriptor to give away; `kept` is the same file for sink_bytes() and close(). */
static inline int sink_open(int *kept)
{
	*kept = memfd_create("sink", MFD_CLOEXEC);
	return dup(*kept);
}

/* All bytes that are in the file now; for free(). */
static inline char *sink_bytes(int kept, size_t *n)
{
	struct stat st = { .st_size = 0 };
	char *bytes;

	(void)fstat(kept, &st);
	bytes = malloc((size_t)st.st_size + 1);
	*n = bytes && pread(kept, bytes, (size_t)st.st_size, 0) == st.st_size ? (size_t)st.st_size
	                                                                      : 0;
	return bytes;
}
