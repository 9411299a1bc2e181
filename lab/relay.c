/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pselect() loop: the supervisor's messages, the far command's output, the link and its control
 * socket. The link exists from the moment the supervisor has handed over the devices. */
#include "lab/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control-socket.h"
#include "common/file.h"
#include "common/standard.h"
#include "common/text.h"
#include "lab/commands.h"
#include "lab/hosts/device.h"
#include "lab/hosts/runtime-dir.h"
#include "lab/hosts/signals.h"
#include "lab/hosts/supervisor.h"
#include "lab/hosts/terminal.h"
#include "lab/link/control.h"
#include "lab/link/link.h"
#include "lab/link/pcapng.h"
#include "lab/output.h"

/* The time for the supervisor to end: longer than it gives the commands, all within a second. */
#define TIMEOUT (750 * NS_PER_MS)
/* Room for how a command ended. */
#define STATUS_TEXT 256

struct relay {
	const struct lab_options *options;
	char runtime_dir[RUNTIME_DIR_PATH];
	struct terminal terminal;
	/* The socket to the supervisor, -1 once it is gone; its process and the near command's, 0
	 * when unknown. */
	int supervisor;
	pid_t supervisor_pid, near;
	struct device *devices[HOSTS_SIDES];
	struct link *link;
	struct control *control;
	struct output far_output;
	/* The near command's wait status; -1: it still runs. */
	int near_status;
	/* The far command served; the hosts are there. */
	bool far_served;
	/* How it ended if it failed while the near command ran, else empty. */
	char far_failure[STATUS_TEXT];
	/* The hosts' packets that did not reach the link. */
	unsigned long long kernel_drops[HOSTS_SIDES];
	/* The capture's file until the link has it, else -1; whether writing it failed. */
	int capture;
	struct capture *writer;
	bool capture_failed;
	/* 0, or the exit status of the lab after a failure, and the failure. */
	int failure_status;
	char failure[DIAGNOSE_TEXT + 40];
	/* The signal that ended the lab, or 0. */
	int ended_by;
	/* When the supervisor is killed, or CLOCK_NEVER. */
	int64_t deadline;
	/* The mask for pselect(); at other times the signals are blocked. */
	sigset_t mask;
};

static void report_hosts(const struct hosts_report *hosts, int mtu)
{
	standard_report("near %s%s, far %s%s; %s, mtu %d, congestion control %s", LAB_NEAR_IPV4,
	    hosts->ipv6 ? " " LAB_NEAR_IPV6 : "", LAB_FAR_IPV4, hosts->ipv6 ? " " LAB_FAR_IPV6 : "",
	    hosts_backend_names[hosts->backend], mtu, hosts->congestion);
	if (hosts->tun_failure.step != DIAGNOSE_NONE)
		standard_report(
		    "veth is used since /dev/net/tun cannot be: %s (more: upcase-lab --check)",
		    strerror(hosts->tun_failure.error));
	if (!hosts->ipv6)
		standard_report("warning: no IPv6 on the hosts: %s",
		    mtu < HOSTS_MTU_IPV6 ? "it needs --mtu 1280 or more"
		                         : "this machine has it switched off");
	if (hosts->sysctl_denied)
		standard_report(
		    "warning: /proc/sys cannot be written: ping may say that it is not permitted");
}

static void put_count(struct text *t, uint64_t count, const char *subject)
{
	if (count)
		text_put(t, ", %" PRIu64 " %s", count, subject);
}

static void put_counts(struct text *t, const struct link_counts *c, const char *name)
{
	text_put(t, "%s %" PRIu64 " packets", name, c->packets);
	for (int fate = IMPAIR_DELIVERED + 1; fate < IMPAIR_FATES; fate++)
		put_count(t, c->fates[fate], impair_fates[fate].text);
	put_count(t, c->duplicated, "duplicated");
	put_count(t, c->reordered, "reordered");
	put_count(t, c->corrupted, "corrupted");
	text_put(t, ", %" PRIu64 " delivered", c->delivered);
	put_count(t, c->undelivered, "refused by the receiver's device");
	put_count(t, c->in_flight, "still on the way");
}

/* "exit status 2: the last line it wrote", "signal 9 (Killed)". Returns `text`. */
static char *report_status(int status, const struct output_tail *tail, char text[STATUS_TEXT])
{
	char line[160];

	if (WIFSIGNALED(status)) {
		snprintf(text, STATUS_TEXT, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
		return text;
	}
	output_tail_last_line(tail, line, sizeof(line));
	snprintf(text, STATUS_TEXT, "exit status %d%s%s", WEXITSTATUS(status), *line ? ": " : "",
	    line);
	return text;
}

static void end(struct relay *r)
{
	if (r->supervisor >= 0)
		supervisor_notify(r->supervisor, SUPERVISOR_END, 0);
	if (r->deadline == CLOCK_NEVER)
		r->deadline = clock_monotonic() + TIMEOUT;
}

/* Ends the lab; its last line gives the reason. */
__attribute__((format(printf, 2, 3))) static void give_up(struct relay *r, const char *reason, ...)
{
	va_list arguments;

	r->failure_status = 1;
	va_start(arguments, reason);
	vsnprintf(r->failure, sizeof r->failure, reason, arguments);
	va_end(arguments);
	end(r);
}

static int start_capture(struct relay *r, const struct supervisor_message *message)
{
	struct timestamp_tap *timestamp_taps[HOSTS_SIDES];
	const int fd = r->capture;

	/* EINVAL: a FIFO has no length. */
	if (ftruncate(fd, 0) != 0 && errno != EINVAL)
		return -1;
	r->capture = -1;
	r->writer = link_capture(r->link, fd,
	    hosts_timestamp_taps(&message->pair, timestamp_taps) ? timestamp_taps : NULL);
	return r->writer ? 0 : -1;
}

/* Adds the rules of the command line. Cannot fail: there are not too many. */
static void add_rules(struct relay *r)
{
	char reason[PACKET_RULE_REASON];

	for (int i = 0; i < r->options->rule_count; i++)
		(void)packet_rules_add(link_rules(r->link), &r->options->rules[i], reason);
}

static int open_link(struct relay *r, const struct supervisor_message *message)
{
	const struct lab_options *o = r->options;
	struct stat made;
	int listener;

	r->link = link_new(&o->link.there, &o->link.back, o->link.seed, r->devices[HOSTS_NEAR],
	    r->devices[HOSTS_FAR]);
	if (!r->link)
		return -1;
	add_rules(r);
	/* The supervisor and its commands are forked already and keep their own priority. */
	(void)link_set_priority(true);
	if (o->pcap && start_capture(r, message) != 0)
		return -1;
	listener = control_listen(TEXT_FORMAT("%s/" RUNTIME_DIR_LINK, r->runtime_dir), &made);
	if (listener < 0)
		return -1;
	r->control = control_new(listener, r->link);
	return r->control ? 0 : -1;
}

/* Standard error may block: then a signal ends this process, the supervisor removes the files. */
static void report_start(const struct relay *r, const struct hosts_report *report)
{
	char line[IMPAIR_OPTIONS_LINE];
	sigset_t mask;

	if (r->options->quiet || r->ended_by)
		return;
	signals_release();
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
	report_hosts(report, r->options->hosts.mtu);
	standard_report("link, %s", impair_options_line(&r->options->link, line));
	signals_catch();
	signals_block(&mask);
}

static void hosts_made(struct relay *r, const struct supervisor_message *message)
{
	if (hosts_devices(&message->pair, r->options->hosts.mtu, r->devices) != 0) {
		give_up(r, "the devices: %s", strerror(errno));
	} else if (open_link(r, message) != 0) {
		give_up(r, "%s: %s", r->capture >= 0 ? r->options->pcap : "the link",
		    strerror(errno));
	} else {
		report_start(r, &message->pair.report);
		supervisor_notify(r->supervisor, SUPERVISOR_RUN, 0);
	}
}

static void hosts_failed(struct relay *r, const struct diagnose_failure *failure)
{
	struct diagnose_facts facts;
	char text[DIAGNOSE_TEXT];

	hosts_facts(&facts);
	diagnose(failure, &facts, text);
	if (failure->step == DIAGNOSE_CONGESTION)
		give_up(r, "--cc=%s: %s", r->options->hosts.congestion, text);
	else
		give_up(r, "%s", text);
}

static void far_ended(struct relay *r, int status)
{
	char text[STATUS_TEXT];

	if (status == 0 && (r->far_served || r->options->far_command))
		return;
	if (r->far_output.fd >= 0)
		output_read(&r->far_output);
	if (r->far_served) {
		/* The line is written at the end: now the screen belongs to the near command. */
		if (r->near_status < 0 && !r->ended_by && !r->failure_status)
			report_status(status, &r->far_output.tail, r->far_failure);
		return;
	}
	give_up(r, "the far command ended before it served: %s",
	    report_status(status, &r->far_output.tail, text));
}

static void read_supervisor(struct relay *r)
{
	struct supervisor_message message;
	int n = supervisor_read(r->supervisor, &message);

	if (n == 0) {
		r->supervisor = file_close(r->supervisor);
		r->near = 0;
		if (r->near_status < 0 && !r->failure_status && !r->ended_by)
			give_up(r, "the process that keeps the hosts was killed");
	}
	if (n <= 0)
		return;
	switch (message.type) {
	case SUPERVISOR_STARTED:
		r->supervisor_pid = message.sender;
		break;
	case SUPERVISOR_FAILED:
		hosts_failed(r, &message.pair.failure);
		break;
	case SUPERVISOR_HOSTS_READY:
		hosts_made(r, &message);
		break;
	case SUPERVISOR_FAR_READY:
		r->far_served = true;
		break;
	case SUPERVISOR_FAR_TIMEOUT:
		give_up(r, "the far command does not say that it serves");
		break;
	case SUPERVISOR_NEAR_STARTED:
		r->near = message.sender;
		break;
	case SUPERVISOR_NEAR_STOPPED:
		if (terminal_stop(&r->terminal, r->near))
			supervisor_notify(r->supervisor, SUPERVISOR_SIGNAL, SIGCONT);
		break;
	case SUPERVISOR_FAR_ENDED:
		far_ended(r, message.value);
		break;
	case SUPERVISOR_NEAR_ENDED:
		r->near_status = message.value;
		r->near = 0;
		break;
	case SUPERVISOR_ENDED:
		memcpy(r->kernel_drops, message.kernel_drops, sizeof(r->kernel_drops));
		break;
	default:
		break;
	}
}

static void handle_signals(struct relay *r)
{
	bool typed;
	int number;

	while ((number = signals_take(&typed))) {
		if ((number == SIGINT || number == SIGQUIT) && r->near) {
			/* The terminal has also sent a typed signal to the command. */
			if (!typed)
				supervisor_notify(r->supervisor, SUPERVISOR_SIGNAL, number);
		} else if (r->ended_by && r->supervisor_pid) {
			kill(r->supervisor_pid, SIGKILL);
		} else {
			r->ended_by = number;
			end(r);
		}
	}
}

static void dispatch(struct relay *r, const struct fd_watch *w)
{
	int64_t now = clock_monotonic();

	if (r->control)
		control_dispatch(r->control, w, now);
	if (r->link)
		link_dispatch(r->link, w);
	if (r->supervisor >= 0 && fd_watch_can_read(w, r->supervisor))
		read_supervisor(r);
	output_dispatch(&r->far_output, w);
	if (now >= r->deadline && r->supervisor_pid) {
		kill(r->supervisor_pid, SIGKILL);
		r->deadline = CLOCK_NEVER;
	}
}

static void watch_all(const struct relay *r, struct fd_watch *w)
{
	fd_watch_start(w);
	fd_watch_read(w, r->supervisor);
	output_watch(&r->far_output, w);
	fd_watch_until(w, r->deadline);
	if (r->link)
		link_watch(r->link, w);
	if (r->control)
		control_watch(r->control, w);
}

static void loop(struct relay *r)
{
	while (r->supervisor >= 0) {
		struct fd_watch w;
		struct timespec wait;

		handle_signals(r);
		watch_all(r, &w);
		if (pselect(w.count, &w.readable, &w.writable, NULL,
		        clock_until(w.deadline, clock_monotonic(), &wait), &r->mask) < 0)
			continue;
		dispatch(r, &w);
	}
}

/* Returns 0, or an exit status. */
static int open_capture(struct relay *r)
{
	const char *path = r->options->pcap, *reason;

	if (!path || (r->capture = output_open(path, pcapng_is_capture, &reason)) >= 0)
		return 0;
	standard_report("--pcap=%s: %s; name a new file, a capture of yours to replace, or a FIFO",
	    path, reason);
	return 2;
}

/* Leaves r->supervisor at -1, with errno, where that fails. */
static void start(struct relay *r, const struct commands *commands)
{
	struct supervisor_plan plan = {
		.hosts = r->options->hosts,
		.far_command = commands->far,
		.near_command = commands->near,
		.notifies_ready = commands->notifies_ready,
		.far_output = r->far_output.end,
		.runtime_dir = r->runtime_dir,
	};

	plan.hosts.timestamped = r->options->pcap != NULL;
	r->supervisor = supervisor_start(&plan);
	close(plan.far_output);
}

static void report_end(struct relay *r)
{
	char counts[2000];
	struct text t = text_begin(counts, sizeof counts);
	const uint64_t dropped = r->writer ? capture_dropped(r->writer) : 0;

	if (r->failure_status)
		standard_report("%s", r->failure);
	if (r->link && !r->failure_status) {
		put_counts(&t, link_counts(r->link, LINK_GOING), "there:");
		text_put(&t, "; ");
		put_counts(&t, link_counts(r->link, LINK_COMING), "back:");
		if (!r->options->quiet)
			standard_report("link, %s", counts);
		for (int side = 0; side < HOSTS_SIDES; side++) {
			const unsigned long long packets = r->kernel_drops[side] +
			                                   device_kernel_drops(r->devices[side]);

			if (packets)
				standard_report(
				    "warning: the %s host sent faster than the link can read: "
				    "%llu packets were lost before it, not by it",
				    side == HOSTS_NEAR ? "near" : "far", packets);
		}
	}
	if (r->far_failure[0])
		standard_report("warning: the far command ended before the near one: %s",
		    r->far_failure);
	if (r->capture_failed)
		standard_report("%s: the capture is not complete", r->options->pcap);
	if (dropped)
		standard_report(
		    "warning: %s: %llu packets are missing in the capture: its reader was too "
		    "slow, or not there",
		    r->options->pcap, (unsigned long long)dropped);
}

static void finish(struct relay *r)
{
	/* The rest needs no priority; under a sanitizer it takes a second. */
	(void)link_set_priority(false);
	r->capture_failed = r->writer && capture_finish(r->writer) != 0;
	control_free(r->control);
	/* The supervisor has closed its socket, so it has ended or is about to. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	runtime_dir_remove(r->runtime_dir);
	if (r->far_output.fd >= 0)
		output_read(&r->far_output);
	terminal_close(&r->terminal, r->near_status < 0 || WIFSIGNALED(r->near_status));
	/* Standard error may block: all is removed, and a signal ends the process at once. */
	signals_release();
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
	if (r->ended_by)
		signals_end_process_soon(r->ended_by);
	report_end(r);
	link_free(r->link);
	for (int side = 0; side < HOSTS_SIDES; side++)
		device_free(r->devices[side]);
	send_buffer_free(&r->far_output.shown);
}

static int exit_status(const struct relay *r)
{
	if (r->ended_by)
		signals_end_process(r->ended_by);
	if (r->failure_status)
		return r->failure_status;
	if (WIFSIGNALED(r->near_status))
		return 128 + WTERMSIG(r->near_status);
	return r->near_status ? WEXITSTATUS(r->near_status) : r->capture_failed;
}

int relay_run(const struct lab_options *options)
{
	struct relay r = { .options = options,
		.supervisor = -1,
		.capture = -1,
		.near_status = -1,
		.deadline = CLOCK_NEVER };
	struct commands commands;
	char reasons[512];
	int status;

	if ((status = open_capture(&r)) != 0 ||
	    (status = output_open_far(&r.far_output, options->far_log)) != 0)
		return status;
	/* Before there is a folder that a signal would leave behind. */
	signals_catch();
	if (runtime_dir_make(r.runtime_dir, reasons, sizeof(reasons)) != 0) {
		standard_report("no folder for its sockets: %s; name one of your own: "
		                "TMPDIR=FOLDER upcase-lab",
		    reasons);
		return 1;
	}
	/* The sockets of the link and of the far server, for the commands on the hosts. */
	setenv("UPCASE_LAB", TEXT_FORMAT("%s/" RUNTIME_DIR_LINK, r.runtime_dir), 1);
	setenv("UPCASE_LAB_FAR", TEXT_FORMAT("%s/" RUNTIME_DIR_FAR, r.runtime_dir), 1);
	commands_choose(&commands, options);
	commands_set_path(&commands);
	terminal_open(&r.terminal);
	start(&r, &commands);
	free(commands.with_flow);
	/* This comes after the start: the supervisor needs the mask that the lab was given. */
	signals_block(&r.mask);
	if (r.supervisor < 0)
		give_up(&r, "fork: %s", strerror(errno));
	loop(&r);
	finish(&r);
	return exit_status(&r);
}
