/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lab/hosts/diagnose.h"

/* A machine on which nothing is forbidden. */
static const struct diagnose_facts plain = { .userns_clone = -1,
	.apparmor = -1,
	.max_user_namespaces = 1000,
	.max_net_namespaces = 1000,
	.congestion = "reno cubic" };

static void expect(enum diagnose_step step, int error, const struct diagnose_facts *facts,
    const char *part)
{
	const struct diagnose_failure failure = { .step = step, .error = error };
	char text[DIAGNOSE_TEXT];

	diagnose(&failure, facts, text);
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
	if (!strstr(text, strerror(error)))
		fail_msg("\"%s\" does not name the error", text);
	assert_null(strchr(text, '\n'));
	/* Whole: nothing was cut off at the end of the room. */
	assert_true(strlen(text) < DIAGNOSE_TEXT - 1);
}

/* The same call and error, told apart by what the machine says of itself. */
static void tells_reasons_apart(void **state)
{
	struct diagnose_facts facts = plain;

	(void)state;
	expect(DIAGNOSE_USER_NS, EPERM, &facts, "security module");
	facts.chrooted = true;
	expect(DIAGNOSE_USER_NS, EPERM, &facts, "chroot");
	assert_false(diagnose_blames_apparmor(&(struct diagnose_failure){ DIAGNOSE_USER_NS, EPERM },
	    &facts));
	facts.apparmor = 1;
	assert_true(diagnose_blames_apparmor(&(struct diagnose_failure){ DIAGNOSE_USER_NS, EPERM },
	    &facts));
	expect(DIAGNOSE_USER_NS, EPERM, &facts,
	    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	facts.filtered = true;
	expect(DIAGNOSE_USER_NS, EPERM, &facts, "--security-opt seccomp=unconfined");
	facts.userns_clone = 0;
	expect(DIAGNOSE_USER_NS, EPERM, &facts,
	    "sudo sysctl -w kernel.unprivileged_userns_clone=1");
	/* That setting does not concern root. */
	facts.root = true;
	expect(DIAGNOSE_USER_NS, EPERM, &facts, "--security-opt seccomp=unconfined");
}

static void tells_limits_apart(void **state)
{
	struct diagnose_facts facts = plain;

	(void)state;
	expect(DIAGNOSE_USER_NS, ENOSPC, &facts, "sudo sysctl -w user.max_user_namespaces=100000");
	facts.max_user_namespaces = 0;
	expect(DIAGNOSE_USER_NS, ENOSPC, &facts, "switched off (user.max_user_namespaces = 0)");
	expect(DIAGNOSE_NET_NS, ENOSPC, &facts, "sudo sysctl -w user.max_net_namespaces=100000");
	facts.max_net_namespaces = 0;
	expect(DIAGNOSE_NET_NS, ENOSPC, &facts, "switched off (user.max_net_namespaces = 0)");
}

/* Ubuntu lets unshare() succeed and refuses what comes after it. */
static void knows_apparmor_everywhere(void **state)
{
	static const enum diagnose_step steps[] = {
		DIAGNOSE_SETGROUPS,
		DIAGNOSE_UID_MAP,
		DIAGNOSE_GID_MAP,
		DIAGNOSE_NET_NS,
		DIAGNOSE_MOUNT_NS,
		DIAGNOSE_PID_NS,
		DIAGNOSE_TUN_CREATE,
		DIAGNOSE_VETH_CREATE,
		DIAGNOSE_PACKET_SOCKET,
		DIAGNOSE_RAISE,
		DIAGNOSE_ADDRESS,
	};
	struct diagnose_facts facts = plain;

	(void)state;
	facts.apparmor = 1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		expect(steps[i], EPERM, &facts,
		    "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
}

static void knows_the_devices(void **state)
{
	(void)state;
	expect(DIAGNOSE_TUN_OPEN, ENOENT, &plain, "open /dev/net/tun: ");
	expect(DIAGNOSE_TUN_OPEN, ENOENT, &plain, "sudo modprobe tun");
	expect(DIAGNOSE_TUN_OPEN, ENODEV, &plain, "sudo modprobe tun");
	expect(DIAGNOSE_TUN_OPEN, ENXIO, &plain, "sudo modprobe tun");
	expect(DIAGNOSE_TUN_OPEN, EACCES, &plain, "sudo chmod 666 /dev/net/tun");
	expect(DIAGNOSE_TUN_OPEN, EPERM, &plain, "--device /dev/net/tun");
	expect(DIAGNOSE_TUN_CREATE, EPERM, &plain, "CAP_NET_ADMIN");
	expect(DIAGNOSE_VETH_CREATE, EPERM, &plain, "CAP_NET_ADMIN");
	expect(DIAGNOSE_PACKET_SOCKET, EPERM, &plain, "without --cap-add");
	expect(DIAGNOSE_VETH_CREATE, EOPNOTSUPP, &plain, "sudo modprobe veth");
	expect(DIAGNOSE_PACKET_SOCKET, EAFNOSUPPORT, &plain, "sudo modprobe af_packet");
	expect(DIAGNOSE_RING, ENOMEM, &plain, "16 MB");
}

static void names_what_the_kernel_offers(void **state)
{
	(void)state;
	expect(DIAGNOSE_CONGESTION, EINVAL, &plain, "reno cubic");
	expect(DIAGNOSE_NET_NS, EINVAL, &plain, "WSL 1");
}

/* Whatever fails, and however: at least the call and the error are named. */
static void always_says_something(void **state)
{
	char text[DIAGNOSE_TEXT];

	(void)state;
	for (int step = DIAGNOSE_FORK; step <= DIAGNOSE_PROBE; step++) {
		for (int error = 1; error < 140; error++) {
			const struct diagnose_failure failure = { .step = (enum diagnose_step)step,
				.error = error };

			diagnose(&failure, &plain, text);
			assert_null(strstr(text, "(null)"));
			assert_true(strchr(text, ':') > text);
			assert_non_null(strstr(text, strerror(error)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_reasons_apart),
		cmocka_unit_test(tells_limits_apart),
		cmocka_unit_test(knows_apparmor_everywhere),
		cmocka_unit_test(knows_the_devices),
		cmocka_unit_test(names_what_the_kernel_offers),
		cmocka_unit_test(always_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
