/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/report.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

static void put_hosts(FILE *out, const struct hosts_report *hosts, int mtu)
{
	fprintf(out, "upcase-lab: near %s%s, far %s%s; %s, mtu %d, congestion control %s\n",
	    LAB_NEAR_IPV4, hosts->ipv6 ? " " LAB_NEAR_IPV6 : "", LAB_FAR_IPV4,
	    hosts->ipv6 ? " " LAB_FAR_IPV6 : "", hosts_backend_name(hosts->backend), mtu,
	    hosts->congestion);
	if (hosts->passed_over.step != DIAGNOSE_NONE)
		fprintf(out,
		    "upcase-lab: veth is used since /dev/net/tun cannot be: %s (more: upcase-lab "
		    "--check)\n",
		    strerror(hosts->passed_over.error));
	if (!hosts->ipv6)
		fprintf(out, "upcase-lab: warning: no IPv6 on the hosts: %s\n",
		    mtu < HOSTS_MTU_IPV6 ? "it needs --mtu 1280 or more"
		                         : "this machine has it switched off");
	if (hosts->sysctl_denied)
		fputs(
		    "upcase-lab: warning: /proc/sys cannot be written: ping may say that it is not "
		    "permitted\n",
		    out);
}

void report_start(FILE *out, const struct lab_options *options, const struct hosts_report *hosts)
{
	char line[IMPAIR_OPTIONS_LINE];

	put_hosts(out, hosts, options->hosts.mtu);
	fprintf(out, "upcase-lab: link, %s\n", impair_options_line(&options->link, line));
	fflush(out);
}

static void put_counts(FILE *out, const struct link_counts *c, const char *name)
{
	fprintf(out, "%s %" PRIu64 " packets", name, c->packets);
	for (int fate = 0; fate < IMPAIR_FATES; fate++) {
		if (fate != IMPAIR_DELIVERED && c->fates[fate])
			fprintf(out, ", %" PRIu64 " %s", c->fates[fate],
			    impair_fate_text((enum impair_fate)fate));
	}
	if (c->duplicated)
		fprintf(out, ", %" PRIu64 " duplicated", c->duplicated);
	if (c->reordered)
		fprintf(out, ", %" PRIu64 " reordered", c->reordered);
	if (c->corrupted)
		fprintf(out, ", %" PRIu64 " corrupted", c->corrupted);
	fprintf(out, ", %" PRIu64 " delivered", c->delivered);
	if (c->undelivered)
		fprintf(out, ", %" PRIu64 " refused by the receiver's device", c->undelivered);
	if (c->in_flight)
		fprintf(out, ", %" PRIu64 " still on the way", c->in_flight);
}

void report_end(FILE *out, const struct link *link)
{
	fputs("upcase-lab: link, ", out);
	put_counts(out, link_counts(link, LINK_THERE), "there:");
	fputs("; ", out);
	put_counts(out, link_counts(link, LINK_BACK), "back:");
	fputs("\n", out);
}

void report_kernel_drops(FILE *out, enum hosts_side side, unsigned long long packets)
{
	if (packets)
		fprintf(out,
		    "upcase-lab: warning: the %s host sent faster than the link can read: %llu "
		    "packets were lost "
		    "before it, not by it\n",
		    side == HOSTS_NEAR ? "near" : "far", packets);
}

char *report_status(int status, const struct output_tail *output_tail, char text[REPORT_STATUS])
{
	char line[160];

	if (WIFSIGNALED(status)) {
		snprintf(text, REPORT_STATUS, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
		return text;
	}
	output_tail_last_line(output_tail, line, sizeof(line));
	snprintf(text, REPORT_STATUS, "exit status %d%s%s", WEXITSTATUS(status), *line ? ": " : "",
	    line);
	return text;
}
