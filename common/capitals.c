/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text is mostly ASCII or of a script without case, so it is first taken in blocks that the
 * compiler turns into vector instructions. After a block with other characters, a stretch is read
 * one by one: runs of ASCII eight bytes at once, the rest through a table of what libunistring
 * says, which takes tens of nanoseconds for a character. */
#include "common/capitals.h"

#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#include "common/bytes.h"
#include "common/utf8.h"

/* Bytes that are tried at once. */
#define BLOCK 64
#define LARGE_BLOCK 512
/* After another block this many bytes are read one by one, so that Greek pays for few tries. */
#define STRETCH 256
/* Bytes that may be read and written at once where characters are read one by one. */
#define SLACK 8

/* Moves 'z' to the highest of a signed char's values. */
#define TO_TOP (127 - 'z')

/* The widest vectors, in bytes. Tests set less, to try what processors without them do. */
#ifndef CAPITALS_WIDEST
#define CAPITALS_WIDEST 64
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Above are ideographs and what has no case. */
#define CODE_POINTS 0x20000
/* The code points of a row of the table; rows with a character that changes: Unicode 14 has 60. */
#define ROW 64
#define ROWS 255

/* The capitals of a character, where they differ from it; else the length is 0. */
struct capital {
	unsigned char bytes[SLACK - 1];
	unsigned char length;
};

_Static_assert(sizeof(struct capital) == SLACK, "one copy takes a whole entry");

/* Where the row of each ROW code points begins in `entries`. Those without a character that changes
 * share the first row. The table is filled before main(), and constant from then on. */
static struct {
	unsigned short rows[CODE_POINTS / ROW];
	struct capital entries[(1 + ROWS) * ROW];
} table;

/* The first row for characters of four bytes. */
#define FOURS (0x10000 / ROW)

/* Whether the byte begins a character that may change. The vectors need this while the program is
 * built. Between are only scripts without case, symbols and combining marks that stay as they are:
 * U+02C0 to U+033F, U+05C0 to U+0FFF, U+3000 to U+9FFF and U+B000 to U+EFFF. The ranges are added
 * up, because gcc cannot make vectors of comparisons joined by || or |. */
#define LEADS(c) \
	(((unsigned char)((c) - 0xc2) < 9) + ((unsigned char)((c) - 0xcd) < 10) + \
	    ((unsigned char)((c) - 0xe1) < 2) + ((unsigned char)((c) - 0xea) < 1) + \
	    ((unsigned char)((c) - 0xef) < 2))

/* Puts what libunistring says of a character into its row. */
static void add_capital(ucs4_t uc)
{
	struct capital *capital = &table.entries[table.rows[uc / ROW] + uc % ROW];
	unsigned char from[4];
	const int length = u8_uctomb(from, uc, sizeof from);
	size_t n = sizeof capital->bytes;

	/* "" is no language: the own rules of Turkish and Lithuanian do not apply here. */
	if (length > 1 && LEADS(from[0]) &&
	    u8_toupper(from, (size_t)length, "", NULL, capital->bytes, &n) == capital->bytes)
		capital->length = (unsigned char)n;
}

/* Takes 0.2 ms. ASCII has no entries: its rule is below, and overlong forms of it pass. */
__attribute__((constructor)) static void fill_table(void)
{
	unsigned short filled = 0;

	for (ucs4_t uc = 0x80; uc < CODE_POINTS; uc++) {
		unsigned short *row = &table.rows[uc / ROW];

		if (!uc_is_property_changes_when_uppercased(uc))
			continue;
		if (*row == 0 && filled < ROWS)
			*row = (unsigned short)(++filled * ROW);
		if (*row)
			add_capital(uc);
	}
}

/* clang 23 takes the narrowest vectors, unless it is told. */
#ifdef __clang__
#define WIDE_VECTORS _Pragma("clang loop vectorize_width(64)")
#else
#define WIDE_VECTORS
#endif

/* Writes whole blocks of ASCII, up to one that is not all ASCII, which is written too but does not
 * count. With `quiet`, writes blocks without a byte that begins a character that changes: most
 * scripts without case have only these, and the other bytes do not matter. Returns how many bytes
 * count. The inner loop has a fixed length and no branch, so gcc makes vectors of it at -O2 too. */
static ALWAYS_INLINE size_t write_blocks(const unsigned char *restrict in, size_t n,
    unsigned char *restrict out, size_t block, bool quiet)
{
	size_t at;

	for (at = 0; n - at >= block; at += block) {
		unsigned char seen = 0;

		WIDE_VECTORS
		for (size_t i = 0; i < block; i++) {
			unsigned char c = in[at + i];
			/* As signed values, 'a' to 'z' are the highest once 'z' is moved to 127:
			 * one comparison finds them. `moved` is also the source of the result,
			 * since the compilers then read the text once or twice instead of three
			 * times, and reading costs most. */
			unsigned char moved = (unsigned char)(c + TO_TOP);
			bool lower = (signed char)moved > 127 - 26;

			seen |= quiet ? (unsigned char)(LEADS(c) << 7) : c;
			out[at + i] = (unsigned char)(moved -
			                              (lower ? TO_TOP + 'a' - 'A' : TO_TOP));
		}
		if (seen >= 0x80)
			break;
	}
	return at;
}

/* A small block shows what the text is like. Then large ones follow as long as they go, because
 * checking a block costs as much as writing 64 bytes. */
static ALWAYS_INLINE size_t write_all_blocks(const unsigned char *in, size_t n, unsigned char *out)
{
	size_t at = write_blocks(in, n < BLOCK ? n : BLOCK, out, BLOCK, false);

	if (at == 0)
		return write_blocks(in, n, out, BLOCK, true);
	at += write_blocks(in + at, n - at, out + at, LARGE_BLOCK, false);
	return at + write_blocks(in + at, n - at, out + at, BLOCK, false);
}

#ifdef __x86_64__
/* Writes in vectors of 32 bytes instead of 16, which nearly all amd64 processors have. */
__attribute__((target("avx2"))) static size_t write_wide(const unsigned char *in, size_t n,
    unsigned char *out)
{
	return write_all_blocks(in, n, out);
}

#ifdef __clang__
#define WIDEST "avx512bw,avx512vl"
#else
/* Without it gcc keeps to 32 bytes. */
#define WIDEST "avx512bw,avx512vl,prefer-vector-width=512"
#endif

/* Writes in vectors of 64 bytes, for which processors without VBMI2 slow down. */
__attribute__((target(WIDEST))) static size_t write_widest(const unsigned char *in, size_t n,
    unsigned char *out)
{
	return write_all_blocks(in, n, out);
}
#endif

static size_t write_plain(const unsigned char *in, size_t n, unsigned char *out)
{
#ifdef __x86_64__
	if (CAPITALS_WIDEST >= 64 && __builtin_cpu_supports("avx512vbmi2"))
		return write_widest(in, n, out);
	if (CAPITALS_WIDEST >= 32 && __builtin_cpu_supports("avx2"))
		return write_wide(in, n, out);
#endif
	return write_all_blocks(in, n, out);
}

/* One in each byte of a word; and the highest bit of each, which ASCII does not have. */
#define EACH UINT64_C(0x0101010101010101)
#define HIGH (0x80 * EACH)

/* Puts the ASCII among eight bytes into capitals. */
static inline uint64_t ascii_capitals(uint64_t word)
{
	/* No byte of `low` is above 0x7f, so no sum carries into the next. */
	const uint64_t low = word & ~HIGH;
	const uint64_t lower = (low + (0x80 - 'a') * EACH) & ~(low + (0x7f - 'z') * EACH) & ~word &
	                       HIGH;

	return word - (lower >> 2);
}

/* Writes the ASCII at `in`, 1 to 8 bytes. Writes 8 bytes, returns how many count. */
static inline size_t write_ascii(const unsigned char *in, unsigned char *out)
{
	uint64_t word, capitals;

	memcpy(&word, in, sizeof word);
	capitals = ascii_capitals(word);
	memcpy(out, &capitals, sizeof capitals);
	word = bytes_little_endian(word & HIGH);
	return word ? (size_t)__builtin_ctzll(word) / 8 : sizeof word;
}

/* Writes a character of code point `uc`, `length` bytes: SLACK bytes. Returns how many count. */
static inline size_t write_character(const unsigned char *in, uint32_t uc, size_t length,
    unsigned char *out)
{
	const struct capital *capital = &table.entries[table.rows[uc / ROW] + uc % ROW];
	const size_t n = capital->length;

	if (n == 0) {
		memcpy(out, in, 4);
		return length;
	}
	memcpy(out, capital, SLACK);
	return n;
}

/* The four bytes at `in`, the first lowest, so that one comparison finds a character's marks. */
static inline uint32_t word_at(const unsigned char *in)
{
	uint32_t word;

	memcpy(&word, in, sizeof word);
	return bytes_big_endian ? __builtin_bswap32(word) : word;
}

/* Writes characters of four bytes, one or more, until another one comes or `stop` is reached.
 * Returns the end of what was written, and in `*from` where the next character begins. Most of them
 * are in runs of one script, or of none. */
static inline unsigned char *write_fours(const unsigned char **from, const unsigned char *stop,
    unsigned char *out)
{
	const unsigned char *in = *from;
	uint32_t word = word_at(in);

	do {
		uint32_t row = (word & 0x07) << 12 | (word >> 2 & 0xfc0) | (word >> 16 & 0x3f);

		/* Overlong forms have numbers whose capitals belong to shorter forms. */
		if (row - FOURS < CODE_POINTS / ROW - FOURS) {
			out += write_character(in, row * ROW + (word >> 24 & 0x3f), 4, out);
		} else {
			memcpy(out, in, 4);
			out += 4;
		}
		in += 4;
		word = word_at(in);
	} while (in < stop && (word & 0xc0c0c0f8) == 0x808080f0);
	*from = in;
	return out;
}

/* Writes one character that is not ASCII, or one byte that is no character; SLACK bytes can be
 * read. Sets `*length` to the bytes read and returns the bytes written, of SLACK. Overlong forms of
 * characters with capitals show in the code point. Other ill-formed sequences, such as surrogates,
 * need no check: the table has no entry for them, so they pass. */
static inline size_t write_other(const unsigned char *in, uint32_t word, unsigned char *out,
    size_t *length)
{
	uint32_t uc;

	uc = (word & 0x1f) << 6 | (word >> 8 & 0x3f);
	if ((word & 0xc0e0) == 0x80c0)
		return write_character(in, uc, *length = 2, out);
	uc = (word & 0x0f) << 12 | (word >> 8 & 0x3f) << 6 | (word >> 16 & 0x3f);
	if ((word & 0xc0c0f0) == 0x8080e0 && uc >= 0x800)
		return write_character(in, uc, *length = 3, out);
	*out = *in;
	return *length = 1;
}

/* Writes from `*from` on until `stop` is reached; SLACK bytes after it can be read, and 3 * SLACK
 * written after what the bytes before it become. Returns the end of what was written, and in
 * `*from` where the next character begins. */
static unsigned char *write_mixed(const unsigned char **from, const unsigned char *stop,
    unsigned char *out)
{
	const unsigned char *in = *from;
	uint32_t word;
	size_t length;

	while (in < stop) {
		if (*in < 0x80) {
			length = write_ascii(in, out);
			out += length;
		} else {
			word = word_at(in);
			if ((word & 0xc0c0c0f8) == 0x808080f0) {
				out = write_fours(&in, stop, out);
				continue;
			}
			out += write_other(in, word, out, &length);
		}
		in += length;
	}
	*from = in;
	return out;
}

/* Writes the last bytes, SLACK at most, which no slack follows. */
static size_t write_tail(const unsigned char *in, size_t n, unsigned char *out)
{
	/* The zeros stay as they are, one for one, and are cut off again. */
	unsigned char padded[3 * SLACK] = { 0 }, result[CAPITALS_GROWTH * SLACK + 2 * SLACK];
	const unsigned char *at = padded;
	size_t written;

	memcpy(padded, in, n);
	written = (size_t)(write_mixed(&at, padded + n, result) - result) -
	          (size_t)(at - (padded + n));
	memcpy(out, result, written);
	return written;
}

size_t capitals_text(const void *in, size_t n, void *out)
{
	const unsigned char *from = in, *end = from + n, *stop;
	unsigned char *to = out;
	size_t plain;

	if (n == 0)
		return 0;
	while (end - from > SLACK) {
		plain = write_plain(from, (size_t)(end - from), to);
		from += plain;
		to += plain;
		stop = end - from > STRETCH + SLACK ? from + STRETCH : end - SLACK;
		to = write_mixed(&from, stop, to);
	}
	return (size_t)(to - (unsigned char *)out) + write_tail(from, (size_t)(end - from), to);
}

size_t capitals_ascii(const void *in, const void *caps, size_t n)
{
	const unsigned char *text = in, *with = caps;
	uint64_t word, wanted;
	size_t at;

	for (at = 0; n - at >= sizeof word; at += sizeof word) {
		memcpy(&word, text + at, sizeof word);
		memcpy(&wanted, with + at, sizeof wanted);
		if ((word & HIGH) != 0 || ascii_capitals(word) != wanted)
			break;
	}
	while (at < n && text[at] < 0x80 &&
	       (text[at] >= 'a' && text[at] <= 'z' ? text[at] - ('a' - 'A') : text[at]) == with[at])
		at++;
	return at;
}

/* Writes all but the beginning of a character at the end, which goes to `c`. */
static size_t write_whole(struct capitals *c, const unsigned char *in, size_t n, unsigned char *out)
{
	size_t rest = utf8_cut_off(in, n);

	memcpy(c->part, in + n - rest, rest);
	c->part_length = (unsigned char)rest;
	return capitals_text(in, n - rest, out);
}

size_t capitals_feed(struct capitals *c, const void *in, size_t n, void *out)
{
	const unsigned char *from = in;
	unsigned char *to = out, join[CAPITALS_PART_MAX + 1];
	size_t written = 0, used = 0, part_length;

	while (c->part_length && used < n) {
		part_length = c->part_length;
		memcpy(join, c->part, part_length);
		join[part_length] = from[used++];
		written += write_whole(c, join, part_length + 1, to + written);
	}
	if (used < n)
		written += write_whole(c, from + used, n - used, to + written);
	return written;
}

size_t capitals_end(struct capitals *c, void *out)
{
	size_t n = c->part_length;

	memcpy(out, c->part, n);
	*c = (struct capitals){ 0 };
	return n;
}

/* libunistring does not tell the version of its data; the characters that it knows do. */
const char *capitals_unicode(void)
{
	static const struct {
		ucs4_t first;
		const char *version;
	} known[] = {
		{ 0x16ea0, "17.0" },
		{ 0x1c89, "16.0" },
		{ 0x2ffc, "15.1" },
		{ 0x1e030, "15.0" },
		{ 0x1df00, "14.0" },
		{ 0x10e80, "13.0" },
		{ 0x10fe0, "12.0" },
		{ 0x10d00, "11.0" },
		{ 0x11d00, "10.0" },
		{ 0x1e900, "9.0" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!uc_is_general_category(known[i].first, UC_UNASSIGNED))
			return known[i].version;
	return "8.0 or older";
}
