/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key reader: however the bytes are split, the keys are the same; no text is longer than what was fed; nothing is left
 * in it once all time is over. The first byte says how to split. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../client-tui/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Long after everything that keys wait for. */
#define LATER INT64_C(3600000000000)

/* Keys written down as bytes: which, number, length, bytes. */
struct record {
	unsigned char *bytes;
	size_t length, room, text;
};

static void put(struct record *r, const void *bytes, size_t n)
{
	if (r->length + n > r->room) {
		r->room = 2 * (r->length + n);
		r->bytes = realloc(r->bytes, r->room);
		if (r->bytes == NULL)
			abort();
	}
	if (n > 0)
		memcpy(r->bytes + r->length, bytes, n);
	r->length += n;
}

static void drain(struct keys *k, int64_t now, struct record *r)
{
	struct key_event e;
	while (keys_next(k, now, &e)) {
		if (e.key == KEY_TEXT_BYTES && e.length == 0)
			abort();
		if (e.key == KEY_FUNCTION && (e.number < 1 || e.number > 12))
			abort();
		put(r, &e.key, sizeof e.key);
		put(r, &e.number, sizeof e.number);
		put(r, &e.length, sizeof e.length);
		put(r, e.bytes, e.length);
		r->text += e.length;
	}
}

static void run(const uint8_t *data, size_t size, size_t step, struct record *r)
{
	struct keys *k = keys_new();
	if (k == NULL)
		abort();
	for (size_t i = 0; i < size;) {
		size_t n = 1 + (step * (i + 7)) % (step + 1);
		if (n > size - i || step == 0)
			n = size - i;
		if (keys_feed(k, data + i, n, 0) != 0)
			abort();
		i += n;
		drain(k, 0, r);
	}
	drain(k, LATER, r);
	/* All but an endless paste is over now; what comes next is a key of its own. */
	if (keys_deadline(k) != INT64_MAX)
		abort();
	keys_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct record whole = { 0 }, split = { 0 };
	run(data + 1, size - 1, 0, &whole);
	run(data + 1, size - 1, 1 + data[0] % 32, &split);
	if (whole.length != split.length ||
	    (whole.length > 0 && memcmp(whole.bytes, split.bytes, whole.length) != 0))
		abort();
	if (whole.text > size)
		abort();
	free(whole.bytes);
	free(split.bytes);
	return 0;
}
