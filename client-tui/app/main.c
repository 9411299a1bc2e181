/* SPDX-License-Identifier: GPL-3.0-or-later */
/* upcase: starts, chooses the front end, ends. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/plain.h"
#include "app/settings.h"
#include "app/tui.h"
#include "common/options.h"
#include "common/program.h"
#include "common/standard.h"
#include "net/local-server.h"
#include "report/export.h"

static bool on_screen(const struct settings *settings)
{
	return !settings->plain && settings->output == RECORD_OUTPUT_TEXT && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO);
}

static int start_private(struct settings *settings, struct local_server *server, char *notice,
    size_t size)
{
	char reason[300];

	if (local_server_start(server, reason, sizeof reason) < 0) {
		standard_report("%s", reason);
		return -1;
	}
	strcpy(settings->session.host, "127.0.0.1");
	snprintf(settings->session.port, sizeof settings->session.port, "%u", server->port);
	snprintf(notice, size,
	    "no host given: a private upcased serves 127.0.0.1:%u until you leave", server->port);
	return 0;
}

/* Finds the control sockets of the link and of the far server in the environment. */
static void find_lab(struct settings *settings)
{
	const char *path = getenv("UPCASE_LAB"), *server = getenv("UPCASE_LAB_FAR");

	settings->lab = path && *path ? path : NULL;
	settings->lab_server = settings->lab && server && *server ? server : NULL;
	if (settings->lab && !*settings->session.host && access(settings->lab, F_OK) == 0)
		strcpy(settings->session.host,
		    settings->session.family == AF_INET6 ? LAB_FAR_IPV6 : LAB_FAR_IPV4);
}

/* Finds the command that starts a lab from the current folder: the environment's, which ./start
 * sets; in a built tree the tree's start; else the installed one. Where none is built it is "". */
static void find_lab_command(char *command, size_t size)
{
	static const char *const places[] = { "../../start", NULL };
	static const char *const near[] = { "./start", "../start", "../../start" };
	const char *given = getenv("UPCASE_LAB_COMMAND"), *quote;
	char path[PATH_MAX], start[PATH_MAX], other[PATH_MAX];

	snprintf(command, size, "%s", given && *given ? given : HAVE_LAB ? "upcase-lab" : "");
	if ((given && *given) || *program_find("UPCASE_LAB_COMMAND", places, path) != '/' ||
	    !realpath(path, start))
		return;
	for (size_t i = 0; i < sizeof near / sizeof *near; i++)
		if (realpath(near[i], other) && strcmp(start, other) == 0)
			strcpy(start, near[i]);
	quote = strchr(start, ' ') ? "'" : "";
	snprintf(command, size, "%s%s%s --lab", quote, start, quote);
}

static int run(struct settings *settings)
{
	struct local_server server = { .process = 0 };
	char notice[120];
	const bool private = !*settings->session.host;
	int status;

	if (private && start_private(settings, &server, notice, sizeof notice) < 0)
		return 1;
	status = on_screen(settings) ? tui_run(settings, NULL, private ? notice : NULL)
	                             : plain_run(settings, NULL, private ? notice : NULL);
	local_server_stop(&server);
	return status;
}

static int run_replay(const struct settings *settings)
{
	char reason[REPLAY_REASON];
	struct replay *replay = replay_open(settings->read, reason);
	int status;

	if (!replay) {
		status = errno == EIO ? 1 : 2;
		standard_report("--read %s", reason);
		return status;
	}
	status = on_screen(settings) ? tui_run(settings, replay, NULL)
	                             : plain_run(settings, replay, NULL);
	replay_close(replay);
	return status;
}

static int check_save(const struct settings *settings, char reason[EXPORT_REASON])
{
	struct export_request q;

	if (export_request(settings->save, &q, reason) < 0)
		return -1;
	if (q.screen && !on_screen(settings))
		return text_refuse(reason, EXPORT_REASON,
		    "'%s': without the screen there is no picture of it; choose another name",
		    EXPORT_SHORT(q.path));
	return export_check(&q, reason);
}

/* Checks that the options fit together, before anything is done. */
static int check_options(const struct settings *settings)
{
	const char *wrong = NULL;
	char reason[EXPORT_REASON];

	if (settings->step && !settings->read)
		wrong = "--step goes with --read FILE; see upcase --help";
	else if (settings->read && (settings->count || settings->report || *settings->session.host))
		wrong = "--read shows what was recorded and sends nothing: no HOST, no --count, "
		        "--duration, --bulk or --report";
	else if (settings->read && settings->flow.duration)
		wrong = "--read sends nothing: no --flow";
	else if (settings->verbose && settings->output != RECORD_OUTPUT_TEXT)
		wrong =
		    "--verbose writes lines of text, --json and --csv write records: choose one";
	else if (settings->verbose && settings->summary)
		wrong = "--summary prints nothing but the summary: not with --verbose";
	else if (settings->output == RECORD_OUTPUT_CSV && (settings->report || settings->summary))
		wrong = "CSV has no row for --report or --summary; --json has records for them";
	if (wrong)
		standard_report("%s", wrong);
	else if (settings->save && check_save(settings, reason) < 0)
		standard_report("--save %s", reason);
	else
		return 0;
	return -1;
}

int main(int argc, char **argv)
{
	struct settings settings;
	char lab_command[PATH_MAX + 10];
	sigset_t none;

	/* The parent may have blocked signals that end the program. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setlocale(LC_ALL, "");
	/* Decimals have a point on the screen as in files. */
	setlocale(LC_NUMERIC, "C");
	/* A file at its size limit fails with an error, as on a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	if (standard_open("upcase", 0))
		return 1;
	if (options_completing(argc, argv)) {
		settings_complete(argc - 1, argv + 1);
		return standard_end();
	}
	if (settings_read(&settings, argc, argv) < 0)
		return 2;
	if (settings.help) {
		settings_usage();
		return standard_end();
	}
	if (settings.version) {
		puts(PACKAGE_STRING);
		fputs(SYSTEM_LACKING, stdout);
		return standard_end();
	}
	if (check_options(&settings) < 0)
		return 2;
	find_lab_command(lab_command, sizeof lab_command);
	settings.lab_command = lab_command;
	if (settings.read)
		return run_replay(&settings);
	find_lab(&settings);
	return run(&settings);
}
