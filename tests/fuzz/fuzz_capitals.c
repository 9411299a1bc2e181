/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capitals of any bytes: as libunistring has them, the same in whatever pieces they come, never
 * longer than promised, and nothing waits that could not become a character. The first byte says
 * how to cut. */
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/capitals-reference.h"

/* In pieces of 0 to `most` bytes; returns how many bytes came. */
static size_t feed(const uint8_t *data, size_t size, unsigned cut, uint8_t *out)
{
	struct capitals c = { 0 };
	size_t at = 0, written = 0, got;

	for (unsigned seed = cut; at < size; seed = seed * 1103515245 + 12345) {
		size_t most = 1 + cut % 16, n = (seed >> 16) % (most + 1);

		if (n > size - at)
			n = size - at;
		got = capitals_feed(&c, data + at, n, out + written);
		at += n;
		fuzz_check(got <= CAPITALS_GROWTH * (n + CAPITALS_PART_MAX));
		fuzz_check(c.part_length <= CAPITALS_PART_MAX);
		fuzz_check(c.part_length == 0 || reference_begins(c.part, c.part_length));
		written += got;
	}
	got = capitals_end(&c, out + written);
	fuzz_check(got <= CAPITALS_PART_MAX && c.part_length == 0);
	return written + got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned cut = size ? *data : 0;
	size_t room, whole, fed, wanted;
	uint8_t *ours, *theirs;

	if (size)
		data++, size--;
	room = CAPITALS_GROWTH * (size + CAPITALS_PART_MAX);
	ours = malloc(room);
	theirs = malloc(room);
	if (!ours || !theirs)
		abort();
	wanted = reference_capitals(data, size, theirs);
	whole = capitals_text(data, size, ours);
	fuzz_check(whole == wanted && whole <= CAPITALS_GROWTH * size);
	fuzz_check(memcmp(ours, theirs, whole) == 0);
	fed = feed(data, size, cut, ours);
	fuzz_check(fed == wanted && memcmp(ours, theirs, fed) == 0);
	/* Capitals of capitals are the same again. */
	if (wanted <= size) {
		whole = capitals_text(theirs, wanted, ours);
		fuzz_check(whole == wanted && memcmp(ours, theirs, whole) == 0);
	}
	free(ours);
	free(theirs);
	return 0;
}
