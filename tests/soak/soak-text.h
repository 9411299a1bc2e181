/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text without end, and its capitals, from a number: neither needs to be kept by who sends it and
 * who checks it. */
#pragma once

/* The longest piece, and its capitals. */
#define TEXT_PIECE 1500
#define TEXT_CAPITALS (3 * TEXT_PIECE)

/* Opaque. Pieces of text of every kind, also of bytes that are none, with their capitals. None
 * begins within a character and each ends with a whole one, so that what is made of pieces has the
 * capitals of the pieces. */
struct soak_text;

struct soak_text *text_new(uint64_t seed);
void text_free(struct soak_text *t);

/* A place in the text of a key. */
struct text_place {
	/* The piece, and bytes of it before the place. */
	uint64_t piece;
	size_t at;
};

/* The text's next `n` bytes into `out`, NULL to go by them. */
void text_take(const struct soak_text *t, uint64_t key, struct text_place *p, unsigned char *out,
    size_t n);
/* How many bytes the first `pieces` ones are. */
uint64_t text_length(const struct soak_text *t, uint64_t key, uint64_t pieces);
/* What is left of the piece. */
size_t text_rest(const struct soak_text *t, uint64_t key, const struct text_place *p);

/* The check of capitals as they come. */
struct text_check {
	struct text_place place;
	/* How long the text is, and how much of it the pieces before are. */
	uint64_t total, before;
};

/* Whether `n` bytes are what comes next; nothing comes behind the capitals of `total` bytes. */
bool text_agrees(const struct soak_text *t, uint64_t key, struct text_check *c,
    const unsigned char *bytes, size_t n);
/* Whether everything has come. */
bool text_complete(const struct text_check *c);

/* A number from two, each bit of which depends on all of theirs. */
uint64_t text_mix(uint64_t a, uint64_t b);
