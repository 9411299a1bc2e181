/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "common/addr.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct addr make(const char *host, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_numeric(host, port, &a), 0);
	return a;
}

static void test_there_and_back(void **state)
{
	static const struct {
		const char *host, *host_text, *text;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", "127.0.0.1:12000" },
		{ "0.0.0.0", "0.0.0.0", "0.0.0.0:12000" },
		{ "::1", "::1", "[::1]:12000" },
		{ "::", "::", "[::]:12000" },
		{ "2001:DB8::0:1", "2001:db8::1", "[2001:db8::1]:12000" },
		{ "::ffff:10.9.0.2", "10.9.0.2", "10.9.0.2:12000" },
		{ "fe80::1%lo", "fe80::1%lo", "[fe80::1%lo]:12000" },
		{ "fe80::1%1", "fe80::1%lo", "[fe80::1%lo]:12000" },
		{ "fe80::1%4294967295", "fe80::1%4294967295", "[fe80::1%4294967295]:12000" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295",
		    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:12000" },
	};
	char buf[ADDR_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = make(cases[i].host, 12000);

		assert_string_equal(addr_host_text(&a, buf), cases[i].host_text);
		assert_string_equal(addr_text(&a, buf), cases[i].text);
		assert_int_equal(addr_port(&a), 12000);
		assert_int_equal(a.len, a.sa.sa_family == AF_INET ? sizeof a.in : sizeof a.in6);
	}
}

static void test_what_is_not_numeric(void **state)
{
	static const char *const cases[] = {
		"",
		"localhost",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"1.2.3.4 ",
		" 1.2.3.4",
		"127.1",
		"0x7f.0.0.1",
		"[::1]",
		"::1%",
		":",
		"::1%nosuchinterface",
		"fe80::1%0",
		"fe80::1%4294967296",
		"fe80::1%99999999999",
		"1.2.3.4%lo",
		"1:2:3:4:5:6:7:8:9",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct addr a, before;

	(void)state;
	memset(&a, 0x5a, sizeof a);
	before = a;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(addr_numeric(cases[i], 1, &a), -1);
	assert_memory_equal(&a, &before, sizeof a);
}

static void test_ports(void **state)
{
	static const char *const wrong[] = { "", "-1", "+1", " 1", "1 ", "65536", "4294967297",
		"99999999999999999999", "0x1", "1k", "http" };
	uint16_t port = 7;
	struct addr a = make("::1", 1);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(addr_port_number(wrong[i], &port), -1);
	assert_int_equal(port, 7);
	assert_int_equal(addr_port_number("0", &port), 0);
	assert_int_equal(port, 0);
	assert_int_equal(addr_port_number("65535", &port), 0);
	assert_int_equal(port, 65535);
	addr_set_port(&a, 65535);
	assert_int_equal(addr_port(&a), 65535);
	a = make("127.0.0.1", 1);
	addr_set_port(&a, 80);
	assert_int_equal(addr_port(&a), 80);
}

static void test_what_is_the_same(void **state)
{
	struct addr plain = make("10.0.0.1", 5), mapped = make("::ffff:10.0.0.1", 5),
	            other = make("10.0.0.2", 5);
	struct addr six = make("2001:db8::1", 5), same_64 = make("2001:db8::2", 5);
	struct addr lo = make("fe80::1%1", 5), scope = make("fe80::1%2", 5),
	            compatible = make("::10.0.0.1", 5);

	(void)state;
	assert_true(addr_equal(&plain, &mapped));
	assert_true(addr_equal(&mapped, &plain));
	assert_false(addr_equal(&plain, &other));
	assert_false(addr_same_host(&plain, &six));
	assert_false(addr_same_host(&plain, &compatible));
	assert_true(addr_same_host(&six, &six));
	assert_false(addr_same_host(&six, &same_64));
	assert_false(addr_same_host(&lo, &scope));
	addr_set_port(&mapped, 6);
	assert_true(addr_same_host(&plain, &mapped));
	assert_false(addr_equal(&plain, &mapped));
}

static void test_unmapped(void **state)
{
	struct addr mapped = make("::ffff:10.9.0.2", 5), plain = make("10.9.0.2", 5),
	            six = make("fd09::2", 5), before = six;

	(void)state;
	addr_unmap(&mapped);
	assert_memory_equal(&mapped, &plain, sizeof plain);
	addr_unmap(&mapped);
	addr_unmap(&six);
	assert_memory_equal(&mapped, &plain, sizeof plain);
	assert_memory_equal(&six, &before, sizeof six);
}

static void test_interfaces(void **state)
{
	static const char *const missing[] = { "fe80::1%nosuchinterface", "fe80::1%0", "::1%",
		"fd00::1%nosuch", "fe80::1%4294967295" };
	static const char *const others[] = { "fe80::1%lo", "fe80::1%1", "fe80::1", "::1",
		"1.2.3.4%nosuch", "host%nosuch", "", "%" };

	(void)state;
	for (size_t i = 0; i < COUNT(missing); i++)
		assert_true(addr_names_no_interface(missing[i]));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(addr_names_no_interface(others[i]));
}

/* What no host has for itself alone. */
static void test_no_address_of_a_host(void **state)
{
	static const struct {
		const char *host;
		bool zero, lacks;
	} cases[] = {
		{ "0.0.46.224", true, false },
		{ "0.255.255.255", true, false },
		{ "::ffff:0.0.0.1", true, false },
		{ "0.0.0.0", false, false },
		{ "1.0.0.0", false, false },
		{ "::", false, false },
		{ "::1", false, false },
		{ "fe80::1", false, true },
		{ "febf::1", false, true },
		{ "fe80::1%lo", false, false },
		{ "fec0::1", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = make(cases[i].host, 1);

		assert_int_equal(addr_is_zero_network(&a), cases[i].zero);
		assert_int_equal(addr_lacks_interface(&a), cases[i].lacks);
	}
}

static void test_kinds(void **state)
{
	static const struct {
		const char *host;
		bool loopback, unspecified, group;
	} cases[] = {
		{ "127.0.0.1", true, false, false },
		{ "127.255.255.255", true, false, false },
		{ "128.0.0.1", false, false, false },
		{ "::1", true, false, false },
		{ "::ffff:127.0.0.1", true, false, false },
		{ "::2", false, false, false },
		{ "0.0.0.0", false, true, false },
		{ "::", false, true, false },
		{ "::ffff:0.0.0.0", false, true, false },
		{ "224.0.0.1", false, false, true },
		{ "239.255.255.255", false, false, true },
		{ "223.255.255.255", false, false, false },
		{ "240.0.0.1", false, false, false },
		{ "255.255.255.255", false, false, true },
		{ "255.255.255.254", false, false, false },
		{ "ff02::1", false, false, true },
		{ "fe80::1", false, false, false },
		{ "::ffff:224.0.0.1", false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a = make(cases[i].host, 1);

		assert_int_equal(addr_is_loopback(&a), cases[i].loopback);
		assert_int_equal(addr_is_unspecified(&a), cases[i].unspecified);
		assert_int_equal(addr_is_group(&a), cases[i].group);
	}
}

/* A Unix socket's address, or none at all: recvfrom() of a stream gives it. */
static void test_other_families(void **state)
{
	struct addr none;
	char buf[ADDR_TEXT_SIZE];

	(void)state;
	memset(&none, 0, sizeof none);
	assert_string_equal(addr_text(&none, buf), "?:0");
	assert_string_equal(addr_host_text(&none, buf), "?");
	assert_false(addr_same_host(&none, &none));
	assert_false(addr_is_loopback(&none) || addr_is_group(&none) || addr_is_unspecified(&none));
	addr_set_port(&none, 5);
	assert_int_equal(addr_port(&none), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_what_is_not_numeric),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_what_is_the_same),
		cmocka_unit_test(test_unmapped),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_no_address_of_a_host),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
