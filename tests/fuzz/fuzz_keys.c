/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key reader: however the bytes are split, the keys are the same; no text is longer than what
 * was fed; nothing is left in it once all time is over; and no byte of an answer of the terminal is
 * a key, whatever it says. The first byte says how to split, and what kind of answer is made of the
 * others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/keys.h"
#include "terminal/palette.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Long after everything that keys wait for. */
#define LATER INT64_C(3600000000000)

/* Keys written down as bytes: which, number, cell, length, bytes. */
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
		if (e.key == KEY_CLICK && (e.row < 0 || e.column < 0))
			abort();
		put(r, &e.key, sizeof e.key);
		put(r, &e.number, sizeof e.number);
		put(r, &e.row, sizeof e.row);
		put(r, &e.column, sizeof e.column);
		put(r, &e.length, sizeof e.length);
		put(r, e.bytes, e.length);
		r->text += e.length;
	}
	struct keys_answers answers = keys_take_answers(k);
	palette_background_of(answers.background);
}

/* Returns with nothing left to come. */
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
	/* What comes next is a key of its own. */
	if (keys_deadline(k) != INT64_MAX)
		abort();
	keys_free(k);
}

/* Answers: what they begin with and end with; what is between has bytes from `least` to `most`
 * only. */
static const struct {
	const char *begin, *end;
	unsigned char least, most;
} answers[] = {
	{ "\033[?", "c", '0', ';' },
	{ "\033[?", "$y", '0', ';' },
	{ "\033[2;2", "R", '0', ';' },
	{ "\033[>", "u", '0', ';' },
	{ "\033[8;", "t", '0', ';' },
	{ "\033[<0;1;1", "m", '0', '9' },
	{ "\033]1", "\a", ' ', '~' },
	{ "\033]", "\033\\", ' ', 0xff },
	{ "\033P1", "\033\\", ' ', '~' },
	{ "\033_G", "\033\\", ' ', 0xff },
	{ "\033^", "\a", ' ', '~' },
	{ "\033X", "\xc2\x9c", ' ', '~' },
	{ "\xc2\x9b?", "n", '0', ';' },
	{ "\xc2\x9d"
	  "1",
	    "\xc2\x9c", ' ', '~' },
	{ "\xc2\x90>|", "\xc2\x9c", ' ', '~' },
};

/* An answer between two letters: they are all that is left of it. */
static void check_answer(const uint8_t *data, size_t size, size_t step, size_t which)
{
	struct record r = { 0 }, letters = { 0 };
	/* No longer than sequences may be, or strings. */
	size_t most = answers[which].most == ';' || answers[which].most == '9' ? 40 : 4096,
	       n = size < most ? size : most;
	uint8_t *bytes = malloc(n + 16);
	if (bytes == NULL)
		abort();
	size_t used = (size_t)sprintf((char *)bytes, "a%s", answers[which].begin);
	for (size_t i = 0; i < n; i++)
		bytes[used++] = (uint8_t)(answers[which].least +
		                          data[i] %
		                              (answers[which].most - answers[which].least + 1));
	used += (size_t)sprintf((char *)bytes + used, "%sb", answers[which].end);
	/* Chance can make an end. */
	const uint8_t *end = memmem(bytes + 3, used - 3, "\xc2\x9c", 2);
	if (end == NULL || end == bytes + used - 3) {
		run(bytes, used, step, &r);
		run((const uint8_t *)"ab", 2, 0, &letters);
		if (r.length != letters.length || memcmp(r.bytes, letters.bytes, r.length) != 0)
			abort();
	}
	free(bytes);
	free(r.bytes);
	free(letters.bytes);
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
	check_answer(data + 1, size - 1, data[0] / 16,
	    data[0] % (sizeof answers / sizeof *answers));
	return 0;
}
