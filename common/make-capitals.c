/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prints capitals-table.h: the capitals of each character by libunistring. It runs while the
 * program is built, on the machine that builds, so it does not read config.h, which describes the
 * machine that the program is for.
 *
 * The table has two stages. A code point is cut into its last six bits and the block before them:
 * capital_blocks[block] names a row of capital_indices, where the last six bits find the index of
 * an entry; 0 is no change. Blocks whose rows are equal share one. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

#define CODE_POINTS 0x110000
#define ROW 64
#define ROWS_MAX 256
#define ENTRIES_MAX 4096
/* The longest capitals, in bytes: the growth that capitals.h promises, from two bytes on. */
#define BYTES_MAX 6

struct table {
	/* Entry 0 is not used. */
	uint8_t bytes[ENTRIES_MAX][BYTES_MAX];
	size_t lengths[ENTRIES_MAX];
	/* The first byte of the character that has these capitals. */
	uint8_t leads[ENTRIES_MAX];
	unsigned entries;
	unsigned rows[ROWS_MAX][ROW];
	unsigned row_count;
	unsigned blocks[CODE_POINTS / ROW];
	/* One more than the last block that has a change. */
	unsigned block_count;
};

static int report_error(const char *message)
{
	fprintf(stderr, "make-capitals: %s\n", message);
	return -1;
}

/* The index of the capitals of `uc`, a new entry if they differ from it; -1 if they do not fit. */
static int entry_of(struct table *t, ucs4_t uc)
{
	uint8_t from[BYTES_MAX], to[64];
	size_t n = sizeof to;
	int length = u8_uctomb(from, uc, sizeof from);

	if (length < 0)
		return 0;
	/* "" is no language: Turkish and Lithuanian have rules of their own, which do not apply
	 * here. */
	if (u8_toupper(from, (size_t)length, "", NULL, to, &n) != to)
		return report_error("libunistring failed");
	if (n == (size_t)length && memcmp(from, to, n) == 0)
		return 0;
	/* ASCII is not in the table: capitals.c has its rule. */
	if (length == 1)
		return n == 1 && uc >= 'a' && uc <= 'z' && to[0] == uc - ('a' - 'A')
		         ? 0
		         : report_error("ASCII has changed");
	if (n > BYTES_MAX || n > 3 * (size_t)length || t->entries == ENTRIES_MAX)
		return report_error("a character grows more than capitals.h says");
	memcpy(t->bytes[t->entries], to, n);
	t->lengths[t->entries] = n;
	t->leads[t->entries] = from[0];
	return (int)t->entries++;
}

/* The number of an equal row, perhaps a new one; -1 if there are too many. */
static int row_of(struct table *t, const unsigned row[ROW])
{
	unsigned i;

	for (i = 0; i < t->row_count; i++)
		if (memcmp(t->rows[i], row, sizeof t->rows[i]) == 0)
			return (int)i;
	if (i == ROWS_MAX)
		return report_error("too many rows");
	memcpy(t->rows[i], row, sizeof t->rows[i]);
	return (int)t->row_count++;
}

static int fill(struct table *t)
{
	unsigned row[ROW];

	t->entries = 1;
	for (unsigned block = 0; block < CODE_POINTS / ROW; block++) {
		int number;

		for (unsigned i = 0; i < ROW; i++) {
			int entry = entry_of(t, block * ROW + i);

			if (entry < 0)
				return -1;
			row[i] = (unsigned)entry;
		}
		number = row_of(t, row);
		if (number < 0)
			return -1;
		t->blocks[block] = (unsigned)number;
		/* The first block is ASCII's, whose row has no change. */
		if (number > 0)
			t->block_count = block + 1;
	}
	return 0;
}

/* libunistring does not give the version of its data, but the characters that it knows show the
 * version. */
static const char *unicode_version(void)
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

/* Prints which bytes begin a character that changes, as ranges: other bytes pass, in any place. The
 * ranges are added up, because gcc cannot make vectors of comparisons joined by || or |. */
static void print_leads(const struct table *t)
{
	int leads[257] = { 0 };
	const char *plus = "";

	for (unsigned i = 1; i < t->entries; i++)
		leads[t->leads[i]] = 1;
	printf("\n#define CAPITAL_LEADS(c) (");
	for (unsigned first = 0, last; first < 256; first = last + 1) {
		for (last = first; leads[last]; last++)
			;
		if (last > first)
			printf("%s((unsigned char)((c) - 0x%02x) < %u)", plus, first, last - first);
		if (last > first)
			plus = " + \\\n\t";
	}
	printf(")\n");
}

static void print_numbers(const unsigned *numbers, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		printf("%s%u,", i % 16 == 0 ? "\n\t" : " ", numbers[i]);
}

static void print_entries(const struct table *t)
{
	printf(
	    "\nstatic const struct capital {\n\tunsigned char bytes[7];\n\tunsigned char length;\n"
	    "} capital_entries[] = {\n");
	for (unsigned i = 0; i < t->entries; i++) {
		printf("\t{{0x%02x", t->bytes[i][0]);
		for (size_t k = 1; k < t->lengths[i]; k++)
			printf(", 0x%02x", t->bytes[i][k]);
		printf("}, %u},\n", (unsigned)t->lengths[i]);
	}
	printf("};\n");
}

static void print_table(const struct table *t)
{
	printf(
	    "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
	    "/* Capitals, in two stages. Made by make-capitals.c, which says how to read it. */\n");
	printf("\n#define CAPITALS_UNICODE \"%s\"\n", unicode_version());
	print_leads(t);
	printf("\nstatic const unsigned char capital_blocks[%u] = {", t->block_count);
	print_numbers(t->blocks, t->block_count);
	printf("\n};\n\nstatic const unsigned short capital_indices[%u][%u] = {", t->row_count,
	    ROW);
	for (unsigned i = 0; i < t->row_count; i++) {
		printf("\n\t{");
		print_numbers(t->rows[i], ROW);
		printf("\n\t},");
	}
	printf("\n};\n");
	print_entries(t);
}

int main(void)
{
	struct table *t = calloc(1, sizeof *t);
	int result = t ? fill(t) : report_error("out of memory");

	if (result == 0)
		print_table(t);
	free(t);
	if (result == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		result = report_error("the table cannot be written");
	return result < 0 ? 1 : 0;
}
