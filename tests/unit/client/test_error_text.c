/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "ledger/error-text.h"
#include "tests/lib/cmocka-compat.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void check_words(int error)
{
	for (int stream = 0; stream < 2; stream++) {
		const char *sentence = error_sentence(error, stream);

		assert_uint_in_range(strlen(sentence), 6, 149);
		for (const char *c = sentence; *c; c++)
			assert_uint_in_range(*c, ' ', '~');
	}
	/* A narrow wire has 15 columns, with a cross; "name not found" is the only one that is cut
	 * short. */
	assert_uint_in_range(strlen(error_word(error)), 4,
	    error == error_from_eai(EAI_NONAME) ? 14 : 13);
}

static void check_name(int error)
{
	char name[ERROR_NAME];

	assert_int_equal(error_number(error_name(error, name)), error);
}

static void every_errno(void **state)
{
	(void)state;
	for (int error = 0; error < 140; error++) {
		check_words(error);
		check_name(error);
	}
	assert_string_equal(error_word(ECONNREFUSED), "refused");
	assert_string_equal(error_word(0), "failed");
	assert_non_null(strstr(error_sentence(ECONNREFUSED, true), "is the server running"));
	assert_string_not_equal(error_sentence(ENOPROTOOPT, true),
	    error_sentence(ENOPROTOOPT, false));
}

static void every_icmp_message(void **state)
{
	char name[ERROR_NAME];

	(void)state;
	for (int type = 0; type < 256; type++) {
		for (int code = 0; code < 256; code++) {
			check_words(ERROR_ICMP4(type, code));
			check_words(ERROR_ICMP6(type, code));
			check_name(ERROR_ICMP4(type, code));
			check_name(ERROR_ICMP6(type, code));
		}
	}
	assert_string_equal(error_name(ERROR_ICMP4(3, 13), name), "ICMP 3/13");
	assert_string_equal(error_name(ERROR_ICMP6(1, 1), name), "ICMPv6 1/1");
	/* The same number means another thing in the other version of IP. */
	assert_string_equal(error_word(ERROR_ICMP4(3, 4)), error_word(ERROR_ICMP6(2, 0)));
	assert_string_not_equal(error_word(ERROR_ICMP4(3, 1)), error_word(ERROR_ICMP6(3, 1)));
}

/* A far firewall is not this machine's. */
static void prohibitions(void **state)
{
	static const int far[] = { ERROR_ICMP4(3, 9), ERROR_ICMP4(3, 10), ERROR_ICMP4(3, 13),
		ERROR_ICMP6(1, 1), ERROR_ICMP6(1, 5), ERROR_ICMP6(1, 6) };

	(void)state;
	for (size_t i = 0; i < COUNT(far); i++) {
		assert_non_null(strstr(error_sentence(far[i], false), "on the way"));
		assert_null(strstr(error_sentence(far[i], false), "on this machine"));
		assert_string_equal(error_word(far[i]), "prohibited");
	}
	assert_non_null(strstr(error_sentence(EPERM, false), "on this machine"));
}

static void looking_up(void **state)
{
	static const struct {
		int eai;
		const char *name, *words;
	} cases[] = {
		{ EAI_NONAME, "EAI_NONAME", "check the spelling" },
		{ EAI_AGAIN, "EAI_AGAIN", "no name server" },
		{ EAI_FAIL, "EAI_FAIL", "the name server" },
		{ EAI_OVERFLOW, "EAI_OVERFLOW", "too long" },
		{ EAI_SYSTEM, "EAI_SYSTEM", "without an answer" },
		/* None that the client can get has another sentence than that. */
		{ EAI_BADFLAGS, "EAI_SYSTEM", "without an answer" },
		{ EAI_SERVICE, "EAI_SYSTEM", "without an answer" },
#if HAVE_EAI_NODATA
		{ EAI_NODATA, "EAI_NODATA", "no address" },
#endif
	};
	char name[ERROR_NAME];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const int error = error_from_eai(cases[i].eai);

		check_words(error);
		assert_string_equal(error_name(error, name), cases[i].name);
		assert_non_null(strstr(error_sentence(error, false), cases[i].words));
		assert_null(strstr(error_sentence(error, false), "is it on"));
	}
}

static void our_own(void **state)
{
	(void)state;
	for (int error = ERROR_NO_IPV4; error <= ERROR_ZERO_NETWORK; error++) {
		check_words(error);
		check_name(error);
		assert_string_not_equal(error_word(error), "failed");
	}
	assert_non_null(strstr(error_sentence(ERROR_NO_INTERFACE, false), "%eth0"));
}

static void what_is_no_name(void **state)
{
	static const char *const wrong[] = { "", "E", "errno", "errno ", "errno x", "errno -1",
		"errno 4096", "errno 1 ", "ICMP", "ICMP ", "ICMP 3", "ICMP 3/", "ICMP 3/256",
		"ICMP 256/0", "ICMP 3/1x", "ICMP  3/1", "ICMP /1", "ICMPv6", "ICMPv6 1",
		"ICMPv61/1", "ICMPv6 -1/1", "ICMPv4 1/1", "econnrefused",
		"ICMP 99999999999999999999/1" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(error_number(wrong[i]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_errno),
		cmocka_unit_test(every_icmp_message),
		cmocka_unit_test(prohibitions),
		cmocka_unit_test(looking_up),
		cmocka_unit_test(our_own),
		cmocka_unit_test(what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
