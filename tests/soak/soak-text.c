/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/soak/soak-text.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "tests/lib/capitals-reference.h"

#define PIECES 2048

struct piece {
	unsigned char in[TEXT_PIECE], out[TEXT_CAPITALS];
	size_t n, n_out;
};

struct soak_text {
	struct piece pieces[PIECES];
};

/* splitmix64's finish (Steele, Lea and Flood, 2014). */
uint64_t text_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t next(uint64_t *dice, uint64_t n)
{
	*dice = text_mix(*dice, 1);
	return *dice % n;
}

/* Characters from blocks that have capitals of their own, and from all. */
static const struct block {
	ucs4_t first, last;
} blocks[] = {
	{ ' ', '~' },
	{ 'a', 'z' },
	{ 0, 0x7f },
	{ 0xdf, 0x24f },
	{ 0x370, 0x3ff },
	{ 0x400, 0x52f },
	{ 0x10d0, 0x10ff },
	{ 0x1e00, 0x1fff },
	{ 0x2c00, 0x2dff },
	{ 0x3040, 0x30ff },
	{ 0x4e00, 0x9fff },
	{ 0xa640, 0xa7ff },
	{ 0xfb00, 0xfb17 },
	{ 0x10400, 0x1044f },
	{ 0x1e900, 0x1e943 },
	{ 0x1f300, 0x1f6ff },
	{ 0, 0x10ffff },
};
#define BLOCKS (sizeof blocks / sizeof *blocks)

static size_t put_character(unsigned char *out, const struct block *b, uint64_t *dice)
{
	int n;

	do
		n = u8_uctomb(out, (ucs4_t)(b->first + next(dice, b->last - b->first + 1)), 4);
	while (n < 0);
	return (size_t)n;
}

/* Which kind of text: characters of one block, of all, these with some cut or broken, or no text at
 * all. */
static void fill(struct piece *p, size_t n, uint64_t *dice)
{
	uint64_t kind = next(dice, BLOCKS + 6);
	size_t length;

	p->in[p->n++] = 'p';
	while (p->n + 5 < n) {
		const struct block *b = &blocks[kind < BLOCKS ? kind : next(dice, BLOCKS)];

		length = put_character(p->in + p->n, b, dice);
		if (kind >= BLOCKS + 2 && next(dice, 4) == 0)
			length = 1 + next(dice, length);
		if (kind >= BLOCKS + 4 && next(dice, 2) == 0)
			p->in[p->n] = (unsigned char)next(dice, 256);
		p->n += length;
	}
	p->in[p->n++] = next(dice, 2) ? '\n' : 'q';
}

struct soak_text *text_new(uint64_t seed)
{
	struct soak_text *t = calloc(1, sizeof *t);
	uint64_t dice = seed;

	for (int i = 0; t && i < PIECES; i++) {
		struct piece *p = &t->pieces[i];

		fill(p, 2 + next(&dice, next(&dice, 4) ? 100 : TEXT_PIECE - 4), &dice);
		p->n_out = reference_capitals(p->in, p->n, p->out);
	}
	return t;
}

void text_free(struct soak_text *t)
{
	free(t);
}

static const struct piece *piece(const struct soak_text *t, uint64_t key, uint64_t i)
{
	return &t->pieces[text_mix(key, i) % PIECES];
}

size_t text_rest(const struct soak_text *t, uint64_t key, const struct text_place *p)
{
	return piece(t, key, p->piece)->n - p->at;
}

void text_take(const struct soak_text *t, uint64_t key, struct text_place *p, unsigned char *out,
    size_t n)
{
	while (n > 0) {
		size_t rest = text_rest(t, key, p), some = rest < n ? rest : n;

		if (out) {
			memcpy(out, piece(t, key, p->piece)->in + p->at, some);
			out += some;
		}
		n -= some;
		p->at += some;
		if (some == rest)
			*p = (struct text_place){ .piece = p->piece + 1 };
	}
}

uint64_t text_length(const struct soak_text *t, uint64_t key, uint64_t pieces)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < pieces; i++)
		n += piece(t, key, i)->n;
	return n;
}

bool text_complete(const struct text_check *c)
{
	return c->before == c->total;
}

/* The capitals of the piece that is next, and how much of it the text has. The last one may be cut.
 */
static const unsigned char *expected(const struct soak_text *t, uint64_t key,
    const struct text_check *c, unsigned char cut[TEXT_CAPITALS], size_t *n, size_t *n_in)
{
	const struct piece *p = piece(t, key, c->place.piece);

	*n = p->n_out;
	*n_in = p->n;
	if (p->n <= c->total - c->before)
		return p->out;
	*n_in = c->total - c->before;
	*n = reference_capitals(p->in, *n_in, cut);
	return cut;
}

bool text_agrees(const struct soak_text *t, uint64_t key, struct text_check *c,
    const unsigned char *bytes, size_t n)
{
	unsigned char cut[TEXT_CAPITALS];
	const unsigned char *out;
	size_t n_out, n_in, some;

	while (n > 0) {
		if (text_complete(c))
			return false;
		out = expected(t, key, c, cut, &n_out, &n_in);
		some = n_out - c->place.at < n ? n_out - c->place.at : n;
		if (memcmp(out + c->place.at, bytes, some) != 0)
			return false;
		bytes += some;
		n -= some;
		c->place.at += some;
		if (c->place.at == n_out) {
			c->before += n_in;
			c->place = (struct text_place){ .piece = c->place.piece + 1 };
		}
	}
	return true;
}
