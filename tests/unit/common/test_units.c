/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/units.h"
#include "tests/lib/cmocka-compat.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
/* No parser gives this, so it shows whether a refused number left its place alone. */
#define UNTOUCHED INT64_C(-77)

struct right {
	const char *text;
	int64_t value;
};

static void test_durations(void **state)
{
	static const struct right cases[] = {
		{ "500ms", 500 * NS_PER_MS },
		{ "1.5s", 1500 * NS_PER_MS },
		{ "20us", 20000 },
		{ "20\xc2\xb5s", 20000 },
		{ "20\xce\xbcs", 20000 },
		{ "10ns", 10 },
		{ "2m", 120 * NS_PER_S },
		{ "2min", 120 * NS_PER_S },
		{ "1h", 3600 * NS_PER_S },
		{ "1d", 86400 * NS_PER_S },
		{ "2", 2 * NS_PER_S },
		{ "0", 0 },
		{ "0s", 0 },
		{ "2 s", 2 * NS_PER_S },
		{ ".5s", 500 * NS_PER_MS },
		{ "0.000000001", 1 },
		{ "0.1s", 100 * NS_PER_MS },
		{ "0.3ms", 300000 },
		{ "007s", 7 * NS_PER_S },
		{ "365d", 365 * 86400 * NS_PER_S },
		{ "0.5d", 43200 * NS_PER_S },
		{ "1.5ns", 2 },
		{ "1.4ns", 1 },
		{ "0.999999999h", 3599999996400 },
		{ "8760h", 365 * 86400 * NS_PER_S },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ns = UNTOUCHED;

		assert_int_equal(units_duration(cases[i].text, &ns), 0);
		assert_int_equal(ns, cases[i].value);
	}
}

static void test_durations_that_are_none(void **state)
{
	static const char *const cases[] = {
		"",
		" ",
		"s",
		"-1s",
		"+1s",
		"1e3",
		"0x10",
		"nan",
		"inf",
		"1s ",
		" 1s",
		"1  s",
		"1 ",
		"1.s",
		".",
		".s",
		"1.5.5s",
		"1,5s",
		"1S",
		"1Ms",
		"3x",
		"1s1",
		"1m30s",
		"366d",
		"365.000000001d",
		"99999999999999999999",
		"9223372036854775807d",
		"1.0000000001s",
		"1\n",
		"1\ts",
		"\xc2\xb5s",
		"1\xc2",
		"five",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t ns = UNTOUCHED;

		assert_int_equal(units_duration(cases[i], &ns), -1);
		assert_int_equal(ns, UNTOUCHED);
	}
}

static void test_counts(void **state)
{
	static const struct right cases[] = {
		{ "1000", 1000 },
		{ "64k", 64000 },
		{ "64K", 64000 },
		{ "1M", 1000000 },
		{ "0", 0 },
		{ "1.5k", 1500 },
		{ "-5", -5 },
		{ "-1k", -1000 },
		{ "9223372036854775807", INT64_MAX },
		{ "2 M", 2000000 },
	};
	int64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(units_count(cases[i].text, INT64_MIN, INT64_MAX, &n), 0);
		assert_int_equal(n, cases[i].value);
	}
}

static void test_counts_that_are_none(void **state)
{
	static const char *const cases[] = {
		"",
		"-",
		"--5",
		"-+5",
		"1.5",
		"0.0001k",
		"9223372036854775808",
		"9223372036854775k1",
		"9999999999999999M",
		"1G",
		"1m",
		"64kB",
		"0x10",
		"1e3",
		"- 5",
		"12 34",
		"5 ",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t n = UNTOUCHED;

		assert_int_equal(units_count(cases[i], INT64_MIN, INT64_MAX, &n), -1);
		assert_int_equal(n, UNTOUCHED);
	}
}

static void test_ranges(void **state)
{
	int64_t n = UNTOUCHED;

	(void)state;
	assert_int_equal(units_count("9", 10, 20, &n), -1);
	assert_int_equal(units_count("21", 10, 20, &n), -1);
	/* A minus sign is for ranges that have negative numbers. */
	assert_int_equal(units_count("-0", 0, 20, &n), -1);
	assert_int_equal(units_bytes("2k", 0, 2047, &n), -1);
	assert_int_equal(n, UNTOUCHED);
	assert_int_equal(units_count("10", 10, 20, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(units_count("20", 10, 20, &n), 0);
	assert_int_equal(n, 20);
	assert_int_equal(units_bytes("2k", 0, 2048, &n), 0);
	assert_int_equal(n, 2048);
}

static void test_bytes(void **state)
{
	static const struct right cases[] = {
		{ "1400", 1400 },
		{ "64k", 65536 },
		{ "64K", 65536 },
		{ "64KiB", 65536 },
		{ "64kB", 64000 },
		{ "4M", 4 << 20 },
		{ "4MiB", 4 << 20 },
		{ "4MB", 4000000 },
		{ "1G", 1 << 30 },
		{ "1GB", 1000000000 },
		{ "1.5k", 1536 },
		{ "0", 0 },
		{ "7B", 7 },
	};
	static const char *const wrong[] = { "", "k", "-1", "1.5", "1T", "1kb", "1kib",
		"9999999999G", "0.3k" };
	int64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(units_bytes(cases[i].text, 0, INT64_MAX, &n), 0);
		assert_int_equal(n, cases[i].value);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(units_bytes(wrong[i], 0, INT64_MAX, &n), -1);
}

static void test_durations_as_text(void **state)
{
	static const struct right cases[] = {
		{ "0 s", 0 },
		{ "1 ns", 1 },
		{ "999 ns", 999 },
		{ "1.00 \xc2\xb5s", 1000 },
		{ "850 \xc2\xb5s", 850000 },
		{ "40.9 ms", 40900000 },
		{ "1.20 s", 1200 * NS_PER_MS },
		{ "9.99 ms", 9994999 },
		{ "10.0 ms", 9995000 },
		{ "10.0 ms", 9999999 },
		{ "100 ms", 99950000 },
		{ "1.00 ms", 999500 },
		{ "999 \xc2\xb5s", 999499 },
		{ "1.00 s", 999500000 },
		{ "59.9 s", 59949 * NS_PER_MS },
		{ "1 min 0 s", 59950 * NS_PER_MS },
		{ "3 min 20 s", 200 * NS_PER_S },
		{ "59 min 59 s", 3599 * NS_PER_S },
		{ "1 h 0 min", 3599 * NS_PER_S + 500 * NS_PER_MS },
		{ "1 h 1 min", 3630 * NS_PER_S },
		{ "1 d 0 h", 86400 * NS_PER_S },
		{ "1 d 0 h", 86399 * NS_PER_S },
		{ "365 d 0 h", 365 * 86400 * NS_PER_S },
		{ "-40.9 ms", -40900000 },
		{ "5.05 ms", 5050000 },
		{ "106751 d 23 h", INT64_MAX - 3600 * NS_PER_S },
		{ "-106752 d 0 h", INT64_MIN },
	};
	char buf[40], tiny[4];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(units_duration_text(cases[i].value, "\xc2\xb5", buf,
		                        sizeof buf),
		    cases[i].text);
	assert_string_equal(units_duration_text(850000, "u", buf, sizeof buf), "850 us");
	assert_string_equal(units_duration_text(850000, "u", tiny, sizeof tiny), "850");
}

/* Whatever is written has three figures, and read again it is the same to three figures. */
static void test_text_of_a_duration_reads_the_same(void **state)
{
	char buf[40];

	(void)state;
	for (int64_t ns = 1; ns < 59 * NS_PER_S; ns += ns / 97 + 1) {
		int64_t again = 0;

		assert_int_equal(units_duration(units_duration_text(ns, "u", buf, sizeof buf),
		                     &again),
		    0);
		assert_uint_in_range((again > ns ? again - ns : ns - again) * 200, 0, ns);
		assert_uint_in_range(strcspn(buf, " "), 1, 4);
	}
}

/* Rounded once, so that a figure is the same beside others as alone. */
static void test_figures(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 40146000, "40.1" },
		{ 40649000, "40.6" },
		{ 9994999, "9.99" },
		{ 9995000, "10.0" },
		{ 99949999, "99.9" },
		{ 99950000, "100" },
		{ 82546, "0.08" },
		{ 0, "0.00" },
		{ 1234567890, "1235" },
	};
	char buf[40];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(units_figures(cases[i].ns, NS_PER_MS, buf, sizeof buf),
		    cases[i].text);
}

static void test_sizes_as_text(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.00 kB" },
		{ 12345, "12.3 kB" },
		{ 999499, "999 kB" },
		{ 999500, "1.00 MB" },
		{ 2472000, "2.47 MB" },
		{ 1234567890, "1.23 GB" },
		{ UINT64_MAX, "9223 PB" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(UNITS_SIZE(cases[i].bytes), cases[i].text);
}

static void test_clock_until(void **state)
{
	struct timespec ts;

	(void)state;
	assert_null(clock_until(CLOCK_NEVER, 5, &ts));
	assert_ptr_equal(clock_until(7 * NS_PER_S + 3, 2 * NS_PER_S + 1, &ts), &ts);
	assert_int_equal(ts.tv_sec, 5);
	assert_int_equal(ts.tv_nsec, 2);
	clock_until(3, 4, &ts);
	assert_int_equal(ts.tv_sec, 0);
	assert_int_equal(ts.tv_nsec, 0);
	clock_until(INT64_MIN, INT64_MAX, &ts);
	assert_int_equal(ts.tv_sec, 0);
}

/* Under UBSan: a stamp may hold any bits, of as many as the system's have. */
static void test_clock_ns(void **state)
{
	static const struct {
		int64_t sec, nsec, ns;
	} cases[] = {
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 1764390000, 999999999, INT64_C(1764390000999999999) },
		{ -1, 0, -1 },
		{ 0, -1, -1 },
		{ 0, 1000000000, -1 },
		{ 1, INT32_MAX, -1 },
		{ 1, INT64_MAX, -1 },
		{ INT32_MIN, INT32_MIN, -1 },
		{ INT64_MAX, INT64_MAX, -1 },
		{ INT64_MIN, INT64_MIN, -1 },
		{ CLOCK_MAX / NS_PER_S, 0, -1 },
		{ CLOCK_MAX / NS_PER_S - 1, 999999999, CLOCK_MAX / NS_PER_S * NS_PER_S - 1 },
		{ INT64_MAX / NS_PER_S + 1, 0, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct timespec ts = { .tv_sec = (time_t)cases[i].sec,
			.tv_nsec = (long)cases[i].nsec };

		if (ts.tv_sec == cases[i].sec && ts.tv_nsec == cases[i].nsec)
			assert_int_equal(clock_ns(&ts), cases[i].ns);
	}
	assert_true(CLOCK_MAX + CLOCK_MAX > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_durations_that_are_none),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_counts_that_are_none),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_durations_as_text),
		cmocka_unit_test(test_text_of_a_duration_reads_the_same),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_sizes_as_text),
		cmocka_unit_test(test_clock_until),
		cmocka_unit_test(test_clock_ns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
