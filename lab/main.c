/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "ctl.h"
#include "options.h"
#include "relay.h"

/* Descriptors 0 to 2 are the command's: a socket of ours must never stand there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	struct lab_options options;

	fill_standard_descriptors();
	if (argc > 1 && strcmp(argv[1], "ctl") == 0) {
		/* Its messages begin with the program's name. */
		argv[1] = argv[0];
		return ctl_run(argc - 1, argv + 1);
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
		return check_run(stdout);
	else
		return relay_run(&options);
	return fflush(stdout) != 0;
}
