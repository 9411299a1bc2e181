/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "terminal/inputrc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <readline/tilde.h>

#include "common/file.h"
#include "common/text.h"

#define FILE_MAX (256u << 10)
/* Files read, each as often as it is included. */
#define FILES_MAX 100

struct scan {
	int files;
	char *why;
	size_t size;
};

/* The file that a line includes, or NULL. What $if leaves out counts as well. */
static const char *included(char *line)
{
	line += strspn(line, " \t");
	if (*line != '$')
		return NULL;
	line += 1 + strspn(line + 1, " \t");
	if (strncasecmp(line, "include", 7) != 0 || (line[7] != ' ' && line[7] != '\t'))
		return NULL;
	line[strcspn(line, "\r")] = '\0';
	return line + 7 + strspn(line + 7, " \t");
}

static int check_file(struct scan *c, const char *name)
{
	const char *reason;
	size_t length = 0;
	char *path = tilde_expand(name);
	const int fd = file_read(path, FILE_MAX, &reason);
	char *text = fd < 0 ? NULL : file_text(fd, FILE_MAX, &length, &reason);
	int result = 0;

	if (!text && (errno == ENOTSUP || errno == EFBIG))
		result = text_refuse(c->why, c->size,
		    "inputrc: %.100s: %s; the keys are the usual ones", path, reason);
	else if (text && ++c->files > FILES_MAX)
		result = text_refuse(c->why, c->size,
		    "inputrc: %.100s: more than %d times $include, or itself; the keys are the "
		    "usual ones",
		    path, FILES_MAX);
	for (char *line = text, *end; result == 0 && line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line));
		end = end ? end : text + length;
		*end = '\0';
		if ((name = included(line)) != NULL)
			result = check_file(c, name);
	}
	free(text);
	free(path);
	return result;
}

bool inputrc_check(char *why, size_t size)
{
	struct scan c = { .why = why, .size = size };
	const char *given = getenv("INPUTRC");

	if (given && *given)
		return check_file(&c, given) == 0;
	return check_file(&c, "~/.inputrc") == 0 && check_file(&c, "/etc/inputrc") == 0;
}

void inputrc_none(void)
{
	setenv("INPUTRC", "/dev/null", 1);
}
