/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <locale.h>

#include "common/options.h"
#include "common/standard.h"
#include "lab/ctl.h"
#include "lab/options.h"
#include "lab/relay.h"
#include "lab/self-check.h"

int main(int argc, char **argv)
{
	struct lab_options options;
	int status = 0;
	bool completing;

	setlocale(LC_CTYPE, "");
	/* Descriptors 0 to 2 belong to the command: a socket of ours must never be one of them. */
	if (standard_open("upcase-lab", O_CLOEXEC))
		return 1;
	completing = options_completing(argc, argv);
	argc -= completing;
	argv += completing;
	if (argc > 1 + completing && strcmp(argv[1], "ctl") == 0)
		return (completing ? ctl_complete : ctl_run)(argc - 1, argv + 1);
	if (completing) {
		lab_options_complete(argc, argv, stdout);
		return standard_end();
	}
	if (lab_options_read(&options, argc, argv) != 0)
		return 2;
	if (options.help)
		lab_options_help(stdout);
	else if (options.version)
		puts("upcase-lab " PACKAGE_VERSION);
	else if (options.presets)
		lab_options_presets(stdout);
	else if (options.check)
		status = self_check_run(stdout);
	else
		return relay_run(&options);
	return standard_end() ? 1 : status;
}
