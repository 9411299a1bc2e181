/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/xdg.h"

#include <stdio.h>
#include <stdlib.h>

/* A relative path in an XDG variable is invalid and counts as unset (the specification's own rule).
 */
static char *in_folder(const char *variable, const char *below_home, const char *file)
{
	const char *folder = getenv(variable), *home = getenv("HOME");
	char *path = NULL;

	if (folder && *folder == '/') {
		if (asprintf(&path, "%s/upcase/%s", folder, file) < 0)
			return NULL;
	} else if (home && *home) {
		if (asprintf(&path, "%s/%s/upcase/%s", home, below_home, file) < 0)
			return NULL;
	}
	return path;
}

char *xdg_configuration(void)
{
	return in_folder("XDG_CONFIG_HOME", ".config", "config");
}

char *xdg_history(void)
{
	return in_folder("XDG_STATE_HOME", ".local/state", "history");
}
