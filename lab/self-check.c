/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/self-check.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/os.h"
#include "lab/hosts/supervisor.h"
#include "lab/link/link.h"

#define MTU 1500
/* How long one back end may take. */
#define TIMEOUT (30 * NS_PER_S)
#define UNMASK " (a container: --security-opt systempaths=unconfined)"

struct self_check {
	int supervisor;
	pid_t supervisor_pid;
	struct device *devices[HOSTS_SIDES];
	struct link *link;
	/* The last failure and the last report from the supervisor. */
	struct diagnose_failure failure;
	struct hosts_report report;
	/* A set of enum supervisor_probe, or -1 while it is unknown. */
	int passed;
};

static void read_supervisor(struct self_check *c)
{
	struct supervisor_message message;
	int n = supervisor_read(c->supervisor, &message);

	if (n <= 0 || message.type == SUPERVISOR_PROBED) {
		c->passed = n > 0 ? message.value : 0;
	} else if (message.type == SUPERVISOR_FAILED) {
		c->failure = message.pair.failure;
		c->passed = 0;
	} else if (message.type == SUPERVISOR_STARTED) {
		c->supervisor_pid = message.sender;
	} else if (message.type == SUPERVISOR_HOSTS_READY) {
		const struct impair_settings perfect = impair_perfect();

		c->report = message.pair.report;
		if (hosts_devices(&message.pair, MTU, c->devices) == 0)
			c->link = link_new(&perfect, &perfect, 0, c->devices[HOSTS_NEAR],
			    c->devices[HOSTS_FAR]);
		if (c->link) {
			supervisor_notify(c->supervisor, SUPERVISOR_RUN, 0);
		} else {
			c->failure = (struct diagnose_failure){ DIAGNOSE_RING, errno };
			c->passed = 0;
		}
	}
}

/* Carries the packets of both hosts until the result is known. */
static void relay(struct self_check *c)
{
	const int64_t end = clock_monotonic() + TIMEOUT;
	struct timespec wait;
	struct fd_watch w;

	while (c->passed < 0 && clock_monotonic() < end) {
		fd_watch_start(&w);
		fd_watch_until(&w, end);
		fd_watch_read(&w, c->supervisor);
		if (c->link)
			link_watch(c->link, &w);
		if (pselect(w.count, &w.readable, NULL, NULL,
		        clock_until(w.deadline, clock_monotonic(), &wait), NULL) < 0)
			continue;
		if (c->link)
			link_dispatch(c->link, &w);
		if (fd_watch_can_read(&w, c->supervisor))
			read_supervisor(c);
	}
}

static void check_backend(struct self_check *c, enum hosts_backend backend)
{
	const struct supervisor_plan plan = { .hosts = { .backend = backend, .mtu = MTU },
		.probe = true,
		.far_output = -1,
		.runtime_dir = "" };

	*c = (struct self_check){ .supervisor = supervisor_start(&plan), .passed = -1 };
	if (c->supervisor < 0) {
		c->failure = (struct diagnose_failure){ DIAGNOSE_FORK, errno };
		c->passed = 0;
		return;
	}
	relay(c);
	close(c->supervisor);
	if (c->supervisor_pid)
		kill(c->supervisor_pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	link_free(c->link);
	for (int side = 0; side < HOSTS_SIDES; side++)
		device_free(c->devices[side]);
	if (c->passed <= 0 && c->failure.step == DIAGNOSE_NONE)
		c->failure = (struct diagnose_failure){ DIAGNOSE_PROBE, ETIMEDOUT };
}

static void put_environment(FILE *out, const struct hosts_report *report,
    const struct diagnose_facts *facts)
{
	fprintf(out, "congestion control: %s (offered: %s)\n", report->congestion,
	    facts->congestion);
	if (!report->own_proc)
		fputs("warning: /proc cannot be mounted: ps on the hosts shows the whole machine's "
		      "processes" UNMASK "\n",
		    out);
	if (!report->names)
		fputs(
		    "warning: /etc/hosts cannot be covered: use addresses instead of \"near\" and "
		    "\"far\"\n",
		    out);
	if (report->sysctl_denied)
		fputs("warning: /proc/sys cannot be written: ping may say that it is not "
		      "permitted" UNMASK "\n",
		    out);
}

/* Writes `path` as the profile's language has it between quotes. */
static void put_quoted(FILE *out, const char *path)
{
	for (; *path; path++)
		fprintf(out, strchr("\"\\*?[]{}", *path) ? "\\%c" : "%c", *path);
}

/* Writes the commands that install a profile of this program; its file has its name, with dots. */
static void put_profile(FILE *out)
{
	static const char profile[] =
#include "lab/apparmor-profile.h"
	    ;
	static const char packaged[] = "/usr/bin/upcase-lab";
	const char *at = strstr(profile, packaged);
	char path[PATH_MAX], name[PATH_MAX];

	if (!os_program_path(path, sizeof(path)))
		return;
	strcpy(name, path + 1);
	for (char *c = name; *c; c++)
		*c = isalnum((unsigned char)*c) || *c == '-' ? *c : '.';
	fprintf(out,
	    "\nFor a profile of this program alone (AppArmor 4.0 or later):\n\n"
	    "sudo tee /etc/apparmor.d/%s <<'END'\n%.*s",
	    name, (int)(at - profile), profile);
	put_quoted(out, path);
	fprintf(out, "%sEND\nsudo apparmor_parser -r /etc/apparmor.d/%s\n",
	    at + sizeof(packaged) - 1, name);
}

int self_check_run(FILE *out)
{
	static const enum hosts_backend backends[] = { HOSTS_BACKEND_TUN, HOSTS_BACKEND_VETH };
	struct diagnose_facts facts;
	struct hosts_report works = { .backend = HOSTS_BACKEND_AUTO };
	struct self_check c;
	char text[DIAGNOSE_TEXT];
	bool blamed = false;

	hosts_facts(&facts);
	for (size_t i = 0; i < sizeof(backends) / sizeof(*backends); i++) {
		check_backend(&c, backends[i]);
		if (c.passed > 0) {
			works = c.report;
			fprintf(out, "%-5s works%s%s\n", hosts_backend_names[works.backend],
			    c.passed & SUPERVISOR_PROBE_IPV4 ? "" : ", but not for IPv4",
			    c.passed & SUPERVISOR_PROBE_IPV6 ? "" : ", but not for IPv6");
		} else {
			fprintf(out, "%-5s does not work: %s\n", hosts_backend_names[backends[i]],
			    diagnose(&c.failure, &facts, text));
			blamed = blamed || diagnose_blames_apparmor(&c.failure, &facts);
		}
	}
	if (blamed)
		put_profile(out);
	if (works.backend == HOSTS_BACKEND_AUTO)
		return 1;
	put_environment(out, &works, &facts);
	return 0;
}
