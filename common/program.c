/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/program.h"

#include <unistd.h>

#include "common/os.h"

char *program_find(const char *variable, const char *const *places, char path[PATH_MAX])
{
	const char *given = getenv(variable);
	char self[PATH_MAX] = "";
	const char *slash = os_program_path(self, sizeof self) ? strrchr(self, '/') : NULL;

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
