/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/program.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

char *program_find(const char *variable, const char *const *places, char path[PATH_MAX])
{
	const char *given = getenv(variable);
	char self[PATH_MAX] = "";
	const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	for (size_t i = 0; places[i] && !(given && *given); i++) {
		const bool absolute = *places[i] == '/';

		if ((absolute || slash) &&
		    snprintf(path, PATH_MAX, "%.*s%s", absolute ? 0 : (int)(slash + 1 - self), self,
		        places[i]) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return path;
	}
	snprintf(path, PATH_MAX, "%s", given && *given ? given : places[0]);
	return path;
}
