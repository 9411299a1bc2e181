/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pselect() loop: the keeper's letters, the far command's output, the link and its control socket. The
 * link exists from the moment the keeper has handed over the devices. */
#include "config.h"

#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "commands.h"
#include "control.h"
#include "device.h"
#include "folder.h"
#include "keeper.h"
#include "link.h"
#include "report.h"
#include "signals.h"
#include "standard.h"
#include "tail.h"
#include "terminal.h"

/* How long the keeper has to end once it was asked to: longer than it gives the commands. */
#define PATIENCE (4 * NS_PER_S)

struct relay {
	const struct lab_options *options;
	char folder[FOLDER_PATH];
	struct terminal terminal;
	/* The socket to the keeper, -1 once it is gone; its process and the near command's, 0 when unknown. */
	int keeper;
	pid_t keeper_pid, near;
	struct device *devices[HOST_SIDES];
	struct link *link;
	struct control *control;
	/* What the far command says, or -1. */
	int far_output;
	struct tail tail;
	/* The near command's wait status; -1: it has not ended. The far command's, likewise. */
	int near_status, far_status;
	/* The far command served; the hosts are there. */
	bool far_served;
	/* How it ended if it ended badly while the near command ran, else empty. */
	char far_failure[REPORT_STATUS];
	/* Packets of the hosts' that the link never saw. */
	unsigned long long overflow[HOST_SIDES];
	/* The file of the capture could not be written to its end. */
	bool capture_failed;
	/* 0, or the lab's exit status because something went wrong, already reported. */
	int trouble;
	/* The signal that ended the lab, or 0. */
	int ended_by;
	/* When the keeper is killed, or CLOCK_NEVER. */
	int64_t deadline;
};

static void end(struct relay *r)
{
	if (r->keeper >= 0)
		(void)letter_tell(r->keeper, KEEPER_END, 0);
	if (r->deadline == CLOCK_NEVER)
		r->deadline = clock_monotonic() + PATIENCE;
}

/* Prints one line and ends the lab. */
static void give_up(struct relay *r, const char *what, const char *why)
{
	standard_say("upcase-lab: %s%s%s", what, why ? ": " : "", why ? why : "");
	r->trouble = 1;
	end(r);
}

static int open_capture(struct relay *r, const struct keeper_letter *letter)
{
	FILE *out = fopen(r->options->pcap, "we");
	struct stamper *stampers[HOST_SIDES];

	if (!out)
		return -1;
	return link_capture(r->link, out, letter_stampers(letter, stampers) ? stampers : NULL);
}

static int open_link(struct relay *r, const struct keeper_letter *letter)
{
	const struct lab_options *o = r->options;
	char path[FOLDER_PATH + 8];
	int listener;

	r->link = link_new(&o->link.there, &o->link.back, o->link.seed, r->devices[HOST_NEAR], r->devices[HOST_FAR]);
	if (!r->link)
		return -1;
	/* The keeper and what it runs are processes by now, and keep their places. */
	(void)link_take_precedence();
	if (o->pcap && open_capture(r, letter) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" FOLDER_LINK, r->folder);
	if ((listener = control_listen(path)) < 0)
		return -1;
	r->control = control_new(listener, r->link);
	return r->control ? 0 : -1;
}

static void hosts_made(struct relay *r, const struct keeper_letter *letter)
{
	r->keeper_pid = letter->sender;
	if (letter_devices(letter, r->options->hosts.mtu, r->devices) != 0) {
		give_up(r, "the devices", strerror(errno));
	} else if (open_link(r, letter) != 0) {
		give_up(r, r->options->pcap && !r->control ? r->options->pcap : "the link", strerror(errno));
	} else {
		if (!r->options->quiet)
			report_start(stderr, r->options, &letter->message.report);
		(void)letter_tell(r->keeper, KEEPER_GO, 0);
	}
}

static void hosts_failed(struct relay *r, const struct explain_failure *failure)
{
	struct explain_facts facts;
	char text[EXPLAIN_TEXT];

	host_facts(&facts);
	explain(failure, &facts, text);
	if (failure->step == EXPLAIN_CONGESTION)
		standard_say("upcase-lab: --cc=%s: %s", r->options->hosts.congestion, text);
	else
		standard_say("upcase-lab: %s", text);
	r->trouble = 1;
	end(r);
}

static void read_far_output(struct relay *r)
{
	char buf[TAIL_SIZE];
	ssize_t n;

	while ((n = read(r->far_output, buf, sizeof(buf))) > 0)
		tail_add(&r->tail, buf, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(r->far_output);
	r->far_output = -1;
}

static void far_ended(struct relay *r, int status)
{
	char text[REPORT_STATUS];

	r->far_status = status;
	if (status == 0 && (r->far_served || r->options->far_command))
		return;
	if (r->far_output >= 0)
		read_far_output(r);
	if (r->far_served) {
		/* Not at once: the screen is the near command's. */
		if (r->near_status < 0 && !r->ended_by && !r->trouble)
			report_status(status, &r->tail, r->far_failure);
		return;
	}
	give_up(r, "the far command ended before it served", report_status(status, &r->tail, text));
}

static void near_stopped(struct relay *r)
{
	if (terminal_stop(&r->terminal, r->near))
		(void)letter_tell(r->keeper, KEEPER_SIGNAL, SIGCONT);
}

static void keeper_gone(struct relay *r)
{
	close(r->keeper);
	r->keeper = -1;
	if (r->near_status < 0 && !r->trouble && !r->ended_by)
		give_up(r, "the process that keeps the hosts was killed", NULL);
}

static void hear_keeper(struct relay *r)
{
	struct keeper_letter letter;
	int n = letter_read(r->keeper, &letter);

	if (n == 0)
		keeper_gone(r);
	if (n <= 0)
		return;
	switch (letter.message.word) {
	case KEEPER_FAILED:
		hosts_failed(r, &letter.message.failure);
		break;
	case KEEPER_MADE:
		hosts_made(r, &letter);
		break;
	case KEEPER_FAR_READY:
		r->far_served = true;
		break;
	case KEEPER_FAR_SLOW:
		give_up(r, "the far command does not say that it serves", NULL);
		break;
	case KEEPER_NEAR:
		r->near = letter.sender;
		break;
	case KEEPER_STOPPED:
		near_stopped(r);
		break;
	case KEEPER_FAR_ENDED:
		far_ended(r, letter.message.value);
		break;
	case KEEPER_NEAR_ENDED:
		r->near_status = letter.message.value;
		r->near = 0;
		break;
	case KEEPER_BYE:
		memcpy(r->overflow, letter.message.overflow, sizeof(r->overflow));
		break;
	default:
		break;
	}
}

static void obey_signals(struct relay *r)
{
	bool typed;
	int number;

	while ((number = signals_take(&typed))) {
		if ((number == SIGINT || number == SIGQUIT) && r->near) {
			/* What is typed the command has got already. */
			if (!typed)
				(void)letter_tell(r->keeper, KEEPER_SIGNAL, number);
		} else if (r->ended_by && r->keeper_pid) {
			kill(r->keeper_pid, SIGKILL);
		} else {
			r->ended_by = number;
			end(r);
		}
	}
}

static void turn(struct relay *r, const struct watch *w)
{
	int64_t now = clock_monotonic();

	if (r->control)
		control_turn(r->control, w, now);
	if (r->link)
		link_turn(r->link, w);
	if (r->keeper >= 0 && watch_can_read(w, r->keeper))
		hear_keeper(r);
	if (watch_can_read(w, r->far_output))
		read_far_output(r);
	if (now >= r->deadline && r->keeper_pid) {
		kill(r->keeper_pid, SIGKILL);
		r->deadline = CLOCK_NEVER;
	}
}

static void watch_all(const struct relay *r, struct watch *w)
{
	watch_start(w);
	watch_read(w, r->keeper);
	watch_read(w, r->far_output);
	watch_until(w, r->deadline);
	if (r->link)
		link_watch(r->link, w);
	if (r->control)
		control_watch(r->control, w);
}

static void loop(struct relay *r, const sigset_t *mask)
{
	while (r->keeper >= 0) {
		struct watch w;
		struct timespec wait;

		obey_signals(r);
		watch_all(r, &w);
		if (pselect(w.count, &w.readable, &w.writable, NULL,
		    clock_until(w.deadline, clock_monotonic(), &wait), mask) < 0)
			continue;
		turn(r, &w);
	}
}

/* The far command's output: a file, stderr, or a pipe of which the end is remembered. Returns what the far command
 * writes to, or -1 with errno. */
static int open_far_output(struct relay *r)
{
	const char *file = r->options->far_log;
	int ends[2];

	if (file && strcmp(file, "-") == 0)
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (file)
		return open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	r->far_output = ends[0];
	return ends[1];
}

static int start(struct relay *r, const struct commands *commands)
{
	struct keeper_plan plan = {
		.hosts = r->options->hosts,
		.far_command = commands->far,
		.near_command = commands->near,
		.far_tells = commands->far_tells,
		.folder = r->folder,
	};

	plan.hosts.stamped = r->options->pcap != NULL;
	if ((plan.far_output = open_far_output(r)) < 0) {
		standard_say("upcase-lab: %s: %s", r->options->far_log ? r->options->far_log : "pipe",
		    strerror(errno));
		return -1;
	}
	r->keeper = keeper_start(&plan);
	close(plan.far_output);
	if (r->keeper < 0)
		standard_say("upcase-lab: fork: %s", strerror(errno));
	return r->keeper < 0 ? -1 : 0;
}

/* Sockets of the link and of the far server: whatever runs on the hosts finds them. */
static void set_environment(const char *folder)
{
	char path[FOLDER_PATH + 8];

	snprintf(path, sizeof(path), "%s/" FOLDER_LINK, folder);
	setenv("UPCASE_LAB", path, 1);
	snprintf(path, sizeof(path), "%s/" FOLDER_FAR, folder);
	setenv("UPCASE_LAB_FAR", path, 1);
}

static void finish(struct relay *r)
{
	/* The rest is in no hurry; under a sanitizer it takes a second. */
	link_leave_precedence();
	if (r->link && !r->trouble) {
		if (!r->options->quiet)
			report_end(stderr, r->link);
		for (int side = 0; side < HOST_SIDES; side++)
			report_overflow(stderr, (enum host_side)side, r->overflow[side] + device_overflow(r->devices[side]));
	}
	if (r->far_failure[0])
		standard_say("upcase-lab: warning: the far command ended before the near one: %s", r->far_failure);
	r->capture_failed = r->link && link_capture_failed(r->link);
	if (r->capture_failed)
		standard_say("upcase-lab: %s: the capture is not complete", r->options->pcap);
	control_free(r->control);
	link_free(r->link);
	for (int side = 0; side < HOST_SIDES; side++)
		device_free(r->devices[side]);
	if (r->far_output >= 0)
		close(r->far_output);
	/* The keeper: it has closed its socket, so it has ended or is about to. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	folder_remove(r->folder);
	terminal_close(&r->terminal, r->near_status < 0 || WIFSIGNALED(r->near_status));
}

static int exit_status(const struct relay *r)
{
	if (r->ended_by)
		signals_die(r->ended_by);
	if (r->trouble)
		return r->trouble;
	if (WIFSIGNALED(r->near_status))
		return 128 + WTERMSIG(r->near_status);
	return r->near_status ? WEXITSTATUS(r->near_status) : r->capture_failed;
}

int relay_run(const struct lab_options *options)
{
	struct relay r = {
		.options = options, .keeper = -1, .far_output = -1, .near_status = -1, .far_status = -1,
		.deadline = CLOCK_NEVER,
	};
	struct commands commands;
	sigset_t mask;

	if (folder_make(r.folder) != 0) {
		const char *why = strerror(errno);
		char places[512];

		standard_say("upcase-lab: no folder for its sockets in %s: %s; for example: TMPDIR=/tmp upcase-lab",
		    folder_places(places, sizeof(places)), why);
		return 1;
	}
	set_environment(r.folder);
	commands_choose(&commands, options);
	commands_set_path(&commands);
	terminal_open(&r.terminal);
	signals_catch();
	if (start(&r, &commands) == 0) {
		signals_block(&mask);
		loop(&r, &mask);
	} else {
		r.trouble = 1;
	}
	finish(&r);
	return exit_status(&r);
}
