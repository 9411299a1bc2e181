/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <locale.h>

#include "checker/judge.h"
#include "checker/lab-link.h"
#include "checker/report.h"
#include "checker/steps.h"
#include "common/standard.h"

/* Does what the options ask for; `words` is the command line in its first order. */
static int act(struct check_options *options, char **words)
{
	if (options->help)
		check_options_help(stdout);
	else if (options->version)
		puts("upcase-check " PACKAGE_VERSION);
	else if (options->list || options->show)
		report_list(options, stdout);
	else if (options->lab && !lab_link_is_inside("near"))
		return lab_link_execute(words);
	else
		return judge_run(options);
	return 0;
}

int main(int argc, char **argv)
{
	struct check_options options;
	char **words;
	int status = 2;

	setlocale(LC_CTYPE, "");
	if (standard_open("upcase-check", O_CLOEXEC))
		return 1;
	if (lab_link_is_inside("far"))
		return lab_link_hold();
	if (options_completing(argc, argv)) {
		check_options_complete(argc - 1, argv + 1, stdout);
		return standard_end();
	}
	/* Reading the options changes their order. */
	words = calloc((size_t)argc + 1, sizeof *words);
	if (!words)
		return 1;
	memcpy(words, argv, (size_t)argc * sizeof *words);
	if (check_options_read(&options, steps_known, argc, argv) == 0)
		status = act(&options, words);
	free(options.text);
	free(words);
	return standard_end() ? 1 : status;
}
