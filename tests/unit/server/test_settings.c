/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What upcased's options ask for together: which addresses, which defaults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/settings.h"
#include "common/clock.h"

/* The setter of an option. */
static int set(struct settings *s, const char *name, const char *value, char reason[OPTIONS_REASON])
{
	struct options_spec table[SETTINGS_ROWS];

	settings_table(table);
	for (const struct options_spec *o = table; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return options_set(o, s, value, reason);
	fail_msg("no option %s", name);
	return -1;
}

/* Pairs of option and value, NULL at the end: the addresses they make, or why not. */
static const char *places(const char *const *options)
{
	static char text[2000], reason[OPTIONS_REASON];
	struct settings s;
	size_t used = 0;

	settings_start(&s);
	for (; *options; options += 2)
		assert_int_equal(set(&s, options[0], options[1], reason), 0);
	if (settings_check(&s, reason) < 0)
		return reason;
	*text = '\0';
	for (int i = 0; i < s.places_count; i++) {
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", i ? " " : "",
		    ADDR_TEXT(&s.places[i].addr), s.places[i].optional ? "?" : "");
	}
	return text;
}

#define assert_places(text, ...) \
	assert_string_equal(places((const char *const[]){ __VA_ARGS__, NULL }), text)

static void test_places(void **state)
{
	(void)state;
	assert_string_equal(places((const char *const[]){ NULL }), "127.0.0.1:12000? [::1]:12000?");
	assert_places("127.0.0.1:7000? [::1]:7000?", "port", "7000");
	assert_places("127.0.0.1:12000", "ipv4", NULL);
	assert_places("[::1]:12000", "ipv6", NULL);
	assert_places("0.0.0.0:12000? [::]:12000?", "public", NULL);
	assert_places("[::]:12000", "public", NULL, "ipv6", NULL);
	assert_places("0.0.0.0:12000? [::]:12000?", "bind", "*");
	assert_places("127.0.0.1:12000? [::1]:12000?", "bind", "localhost");
	assert_places("192.0.2.1:12000 [2001:db8::1]:12000", "bind", "192.0.2.1", "bind",
	    "2001:db8::1");
	assert_places("192.0.2.1:12000 127.0.0.1:12000? [::1]:12000?", "bind", "192.0.2.1", "bind",
	    "localhost");
}

/* One socket for each address, or the second one would find it in use. */
static void test_covered_places(void **state)
{
	(void)state;
	assert_places("192.0.2.1:12000", "bind", "192.0.2.1", "bind", "192.0.2.1");
	assert_places("0.0.0.0:12000? [::]:12000?", "bind", "127.0.0.1", "bind", "*", "bind",
	    "::1");
	assert_places("[::1]:12000 0.0.0.0:12000", "bind", "192.0.2.1", "bind", "::1", "bind",
	    "0.0.0.0");
}

static void test_contradictions(void **state)
{
	(void)state;
	assert_places("--ipv4 and --ipv6 exclude each other; without them both are served", "ipv4",
	    NULL, "ipv6", NULL);
	assert_places("--public serves every address: leave --bind out", "public", NULL, "bind",
	    "::1");
	assert_places("--bind=::1: is not what --ipv4 asks for", "ipv4", NULL, "bind", "::1");
	assert_places("--bind=127.0.0.1: is not what --ipv6 asks for", "bind", "127.0.0.1", "ipv6",
	    NULL);
}

static void test_refused_values(void **state)
{
	static const char *const bad[][2] = {
		{ "port", "" },
		{ "port", "x" },
		{ "port", "65536" },
		{ "port", "-1" },
		{ "port", "80 " },
		{ "bind", "" },
		{ "bind", "host" },
		{ "bind", "1.2.3" },
		{ "bind", "224.0.0.1" },
		{ "bind", "ff02::1" },
		{ "bind", "127.0.0.1:80" },
		{ "max-clients", "0" },
		{ "max-clients", "-5" },
		{ "max-clients", "1e3" },
		{ "max-per-source", "x" },
		{ "idle-timeout", "5 parsecs" },
		{ "idle-timeout", "-1s" },
		{ "ready-fd", "-1" },
		{ "ready-fd", "one" },
		{ "lifeline-fd", "" },
		{ "port-file", "" },
	};
	char reason[OPTIONS_REASON];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct settings s;

		settings_start(&s);
		*reason = '\0';
		assert_int_equal(set(&s, bad[i][0], bad[i][1], reason), -1);
		assert_true(strlen(reason) > 5);
	}
}

static void test_too_many_places(void **state)
{
	struct settings s;
	char reason[OPTIONS_REASON], host[32];

	(void)state;
	settings_start(&s);
	for (int i = 0; i < SETTINGS_PLACES; i++) {
		snprintf(host, sizeof host, "192.0.2.%d", i + 1);
		assert_int_equal(set(&s, "bind", host, reason), 0);
	}
	assert_int_equal(set(&s, "bind", "198.51.100.1", reason), -1);
	assert_int_equal(set(&s, "bind", "localhost", reason), 0);
	assert_int_equal(settings_check(&s, reason), -1);
}

static void test_defaults(void **state)
{
	struct settings s;
	char reason[OPTIONS_REASON];

	(void)state;
	settings_start(&s);
	settings_defaults(&s, false);
	assert_int_equal(s.idle_timeout, 0);
	assert_int_equal(s.max_per_source, 0);
	settings_start(&s);
	settings_defaults(&s, true);
	assert_int_equal(s.idle_timeout, 300 * NS_PER_S);
	assert_int_equal(s.max_per_source, 64);
	settings_start(&s);
	assert_int_equal(set(&s, "idle-timeout", "0", reason), 0);
	assert_int_equal(set(&s, "max-per-source", "5", reason), 0);
	settings_defaults(&s, true);
	assert_int_equal(s.idle_timeout, 0);
	assert_int_equal(s.max_per_source, 5);
	/* How fast a source may come is limited for who serves everybody. */
	assert_int_equal(s.datagram_rate, 0);
	assert_int_equal(s.connect_rate, 0);
	settings_start(&s);
	assert_int_equal(set(&s, "public", NULL, reason), 0);
	assert_int_equal(set(&s, "connect-rate", "7", reason), 0);
	settings_defaults(&s, true);
	assert_int_equal(s.datagram_rate, 1000);
	assert_int_equal(s.connect_rate, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_covered_places),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_refused_values),
		cmocka_unit_test(test_too_many_places),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
