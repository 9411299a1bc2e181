/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lab/options.h"

#define MS INT64_C(1000000)

/* Words of a command line, by blanks, as upcase-lab gets them. What is read of them points into
 * them: they live until the next are read. */
static int read_words(struct lab_options *o, const char *text)
{
	static char room[300], *argv[32];
	char *save = NULL;
	int argc = 0;

	strcpy(room, text);
	for (char *word = strtok_r(room, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return lab_options_read(o, argc, argv);
}

static void must_read(struct lab_options *o, const char *text)
{
	assert_int_equal(read_words(o, text), 0);
}

/* Its message is not to be mistaken for a failure of the test. */
static void must_refuse(const char *text)
{
	struct lab_options o;
	int keep = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC), result;

	dup2(null, STDERR_FILENO);
	result = read_words(&o, text);
	dup2(keep, STDERR_FILENO);
	close(null);
	close(keep);
	if (result != -1)
		fail_msg("%s was taken", text);
}

static void nothing_is_a_perfect_link(void **state)
{
	struct lab_options o;

	(void)state;
	must_read(&o, "upcase-lab");
	assert_true(o.link.there.loss == 0 && o.link.back.loss == 0);
	assert_int_equal(o.hosts.mtu, 1500);
	assert_int_equal(o.hosts.backend, HOSTS_BACKEND_AUTO);
	assert_string_equal(o.hosts.congestion, "");
	assert_null(o.near_command);
	assert_true(o.link.seed < 1000000);
}

static void link_options_go_each_way(void **state)
{
	struct lab_options o;

	(void)state;
	must_read(&o,
	    "upcase-lab --loss 20% --loss-back=5% --delay 20ms --delay-there 30ms --link-mtu 1400");
	assert_true(o.link.there.loss == 0.2 && o.link.back.loss == 0.05);
	assert_int_equal(o.link.there.delay, 30 * MS);
	assert_int_equal(o.link.back.delay, 20 * MS);
	assert_int_equal(o.link.there.mtu, 1400);
	assert_int_equal(o.link.back.mtu, 1400);
	assert_int_equal(o.hosts.mtu, 1500);
	assert_false(o.link.there.no_icmp || o.link.back.no_icmp);
	must_read(&o, "upcase-lab --link-mtu 1300 --no-icmp");
	assert_true(o.link.there.no_icmp && o.link.back.no_icmp);
	must_read(&o, "upcase-lab --no-icmp-back");
	assert_true(!o.link.there.no_icmp && o.link.back.no_icmp);
	must_read(&o, "upcase-lab --link-mtu-back 1000");
	assert_int_equal(o.link.there.mtu, 0);
	assert_int_equal(o.link.back.mtu, 1000);
}

/* The last word counts, as everywhere. */
static void presets_and_options_in_their_order(void **state)
{
	struct lab_options o, plain;

	(void)state;
	must_read(&plain, "upcase-lab --preset classroom");
	assert_true(plain.link.there.loss > 0 && plain.link.there.delay > 0);
	must_read(&o, "upcase-lab --preset classroom --loss 1%");
	assert_true(o.link.there.loss == 0.01);
	assert_int_equal(o.link.there.delay, plain.link.there.delay);
	must_read(&o, "upcase-lab --loss 1% --preset classroom");
	assert_true(o.link.there.loss == plain.link.there.loss);
}

static void the_hosts_own(void **state)
{
	struct lab_options o;

	(void)state;
	must_read(&o,
	    "upcase-lab --backend veth --mtu 9000 --cc cubic --seed 42 --pcap f --far-log - --far "
	    "true -q");
	assert_int_equal(o.hosts.backend, HOSTS_BACKEND_VETH);
	assert_int_equal(o.hosts.mtu, 9000);
	assert_int_equal(o.link.there.mtu, 0);
	assert_string_equal(o.hosts.congestion, "cubic");
	assert_true(o.link.seed == 42 && o.quiet);
	assert_string_equal(o.pcap, "f");
	assert_string_equal(o.far_log, "-");
	assert_string_equal(o.far_command, "true");
}

static void the_commands_options_are_its_own(void **state)
{
	struct lab_options o;

	(void)state;
	unsetenv("POSIXLY_CORRECT");
	must_read(&o, "upcase-lab --loss 1% ping -c 3 --loss 50% far");
	assert_true(o.link.there.loss == 0.01);
	assert_string_equal(o.near_command[0], "ping");
	assert_string_equal(o.near_command[3], "--loss");
	must_read(&o, "upcase-lab -- --loss");
	assert_string_equal(o.near_command[0], "--loss");
	assert_null(o.near_command[1]);
	/* The command does not get to see how that is done. */
	assert_null(getenv("POSIXLY_CORRECT"));
}

static void refuses(void **state)
{
	static const char *const wrong[] = {
		"--backend foo",
		"--mtu 67",
		"--mtu 65522",
		"--mtu x",
		"--loss 101%",
		"--loss-there x",
		"--seed -1",
		"--seed 1.5",
		"--cc a-name-that-is-far-too-long",
		"--preset nosuch",
		"--nosuch",
		"--loss",
		"--delay 5",
		"--burst 3 --loss 99%",
		"--link-mtu 67",
		"--no-icmp=none",
	};
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		strcpy(text, "upcase-lab ");
		strcat(text, wrong[i]);
		must_refuse(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_a_perfect_link),
		cmocka_unit_test(link_options_go_each_way),
		cmocka_unit_test(presets_and_options_in_their_order),
		cmocka_unit_test(the_hosts_own),
		cmocka_unit_test(the_commands_options_are_its_own),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
