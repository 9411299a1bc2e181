/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What capitals cost: for several kinds of text, in a buffer of 64 KiB, the cost of a byte and the
 * speed of capitals_text() and of capitals_feed() in pieces of 1460 bytes (a TCP segment), beside
 * memcpy() and libunistring's u8_toupper(). Time is the processor's, so that what else runs counts
 * little. A run is as many rounds as take some milliseconds. The runs take turns, so that a machine
 * that changes its speed changes it for all. Each figure is the median of 21 runs, with the least
 * and the most. Arguments, if any, are the names of the kinds to measure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>

#include "common/capitals.h"
#include "common/clock.h"

#define SIZE 65536
#define SEGMENT 1460
#define RUNS 21
#define RUN_NS (5 * NS_PER_MS)

struct buffers {
	unsigned char in[SIZE];
	/* So that what is read and what is written do not share the last 12 bits of their
	 * addresses. */
	unsigned char between[2112];
	unsigned char out[CAPITALS_GROWTH * (SIZE + CAPITALS_PART_MAX)];
};

struct kind {
	const char *name;
	/* What the buffer is filled with, again and again. */
	const char *sample;
	/* u8_toupper() takes it. */
	bool valid;
};

/* What is measured, in turns; UNISTRING last, since it does not take everything. */
enum { TEXT, FEED, COPY, UNISTRING, WAYS };

struct spread {
	double median, least, most;
};

static void run_memcpy(struct buffers *b)
{
	memcpy(b->out, b->in, SIZE);
}

static void run_text(struct buffers *b)
{
	capitals_text(b->in, SIZE, b->out);
}

static void run_feed(struct buffers *b)
{
	struct capitals c = { 0 };
	unsigned char *out = b->out;

	for (size_t at = 0; at < SIZE; at += SEGMENT)
		out += capitals_feed(&c, b->in + at, SIZE - at < SEGMENT ? SIZE - at : SEGMENT,
		    out);
	capitals_end(&c, out);
}

static void run_unistring(struct buffers *b)
{
	size_t n = sizeof b->out;
	uint8_t *result = u8_toupper(b->in, SIZE, "", NULL, b->out, &n);

	if (result != b->out)
		free(result);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int64_t processor_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The compiler must not find out that nobody reads the result. */
static int64_t time_rounds(void (*run)(struct buffers *b), struct buffers *b, int64_t rounds)
{
	int64_t start = processor_time();

	for (int64_t i = 0; i < rounds; i++) {
		run(b);
		__asm__ volatile("" : : "r"(b) : "memory");
	}
	return processor_time() - start;
}

/* How many rounds take long enough to be measured. */
static int64_t rounds_of(void (*run)(struct buffers *b), struct buffers *b)
{
	int64_t rounds = 1;

	while (time_rounds(run, b, rounds) < RUN_NS / 2)
		rounds *= 2;
	return rounds;
}

static struct spread spread_of(const double values[RUNS])
{
	double sorted[RUNS];

	memcpy(sorted, values, sizeof sorted);
	qsort(sorted, RUNS, sizeof *sorted, compare);
	return (struct spread){ sorted[RUNS / 2], sorted[0], sorted[RUNS - 1] };
}

/* GB/s of each of the ways, in turns. */
static void measure(struct buffers *b, int ways, double speeds[WAYS][RUNS])
{
	static void (*const runs[WAYS])(struct buffers *b) = { [TEXT] = run_text,
		[FEED] = run_feed,
		[COPY] = run_memcpy,
		[UNISTRING] = run_unistring };
	int64_t rounds[WAYS];

	for (int way = 0; way < ways; way++)
		rounds[way] = rounds_of(runs[way], b);
	for (int i = 0; i < RUNS; i++)
		for (int way = 0; way < ways; way++)
			speeds[way][i] = (double)SIZE * (double)rounds[way] /
			                 (double)time_rounds(runs[way], b, rounds[way]);
}

/* Whole copies of the sample, and blanks after the last that fits. */
static void fill(unsigned char in[SIZE], const char *sample)
{
	size_t n = strlen(sample), at = 0;

	for (; at + n <= SIZE; at += n)
		memcpy(in + at, sample, n);
	memset(in + at, ' ', SIZE - at);
}

static void print_speeds(const double speeds[RUNS])
{
	struct spread s = spread_of(speeds);

	printf("  %6.2f (%5.2f-%5.2f)", s.median, s.least, s.most);
}

/* How many times as fast one way is as another, run by run. */
static void print_ratio(double speeds[WAYS][RUNS], int way, int other)
{
	double ratios[RUNS];
	struct spread s;

	for (int i = 0; i < RUNS; i++)
		ratios[i] = speeds[way][i] / speeds[other][i];
	s = spread_of(ratios);
	printf("  %6.2f (%5.2f-%6.2f)", s.median, s.least, s.most);
}

static void measure_kind(const struct kind *k, struct buffers *b)
{
	double speeds[WAYS][RUNS];

	fill(b->in, k->sample);
	measure(b, k->valid ? WAYS : UNISTRING, speeds);
	printf("%-10s  %7.4f", k->name, 1 / spread_of(speeds[TEXT]).median);
	print_speeds(speeds[TEXT]);
	print_speeds(speeds[FEED]);
	print_ratio(speeds, TEXT, COPY);
	if (k->valid)
		print_ratio(speeds, TEXT, UNISTRING);
	printf("\n");
	fflush(stdout);
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	static const struct kind kinds[] = {
		{ "ASCII", "The quick brown fox jumps over the lazy dog; 0123456789.\n", true },
		{ "Latin", "Die größten Füße müssen über Straßen laufen, süß und töricht.\n",
		    true },
		{ "Greek", "Καλημέρα σε όλους τους ανθρώπους του δικτύου.\n", true },
		{ "Cyrillic", "Съешь же ещё этих мягких французских булок, да выпей чаю.\n", true },
		{ "CJK", "早上好，网络。每一行文字都要回来，不然就是丢了。\n", true },
		{ "Hindi", "सुप्रभात नेटवर्क, हर पंक्ति लौट कर आती है।\n", true },
		{ "Deseret", "𐐘𐐳𐐼 𐑋𐐫𐑉𐑌𐐨𐑍 𐐻𐐭 𐐷𐐭 𐐫𐑊\n", true },
		{ "ligatures", "eﬃcient ﬁne ŉ ǰ ΐ ΰ ᾳ ﬀ ﬂ ß\n", true },
		{ "invalid", "\xff\xfe\x80 abc \xc3\x28 \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80\n",
		    false },
	};
	struct buffers *b = calloc(1, sizeof *b);

	if (!b)
		return 1;
	printf("ns a byte, GB/s of input: median (least-most) of %d runs, %d bytes; Unicode %s\n",
	    RUNS, SIZE, capitals_unicode());
	printf("%-10s  %7s  %20s  %20s  %21s  %21s\n", "text", "ns/byte", "whole", "in segments",
	    "times memcpy", "times u8_toupper");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is_wanted(kinds[i].name, argc, argv))
			measure_kind(&kinds[i], b);
	free(b);
	return 0;
}
