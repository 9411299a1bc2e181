/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies stdin to stdout in capitals, for tests to compare:
 *     capitals_filter           as one text
 *     capitals_filter SEED      as a stream, in pieces of random lengths
 *     capitals_filter unicode   prints the version of Unicode instead */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"

/* Pieces of 1 to this many bytes. */
#define PIECE_MAX 4096

static int filter_whole(void)
{
	size_t size = 1 << 16, n = 0, got;
	char *in = malloc(size), *out;

	while (in && (got = fread(in + n, 1, size - n, stdin)) > 0) {
		n += got;
		if (n == size)
			in = realloc(in, size *= 2);
	}
	out = malloc(CAPITALS_GROWTH * n + 1);
	if (!in || !out)
		return 1;
	fwrite(out, 1, capitals_text(in, n, out), stdout);
	free(in);
	free(out);
	return 0;
}

/* Mostly short pieces, which cut most characters. */
static size_t next_size(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return 1 + (size_t)(*seed >> 40) % ((*seed >> 33) % 4 ? 7 : PIECE_MAX);
}

static int filter_stream(uint64_t seed)
{
	static char in[PIECE_MAX], out[CAPITALS_GROWTH * (PIECE_MAX + CAPITALS_PART_MAX)];
	struct capitals c = { 0 };
	size_t n;

	while ((n = fread(in, 1, next_size(&seed), stdin)) > 0)
		fwrite(out, 1, capitals_feed(&c, in, n, out), stdout);
	fwrite(out, 1, capitals_end(&c, out), stdout);
	return 0;
}

int main(int argc, char **argv)
{
	int result = 0;

	if (argc > 1 && strcmp(argv[1], "unicode") == 0)
		puts(capitals_unicode());
	else
		result = argc > 1 ? filter_stream(strtoull(argv[1], NULL, 10)) : filter_whole();
	return result || fflush(stdout) || ferror(stdin) || ferror(stdout);
}
