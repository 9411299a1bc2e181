/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/options-text.h"
#include "common/options.h"
#include "common/standard.h"

/* The longest line of a configuration file, and with it the longest value. */
#define LINE_MAX_BYTES 4096

/* What some editors put before everything else: U+FEFF in UTF-8. */
#define MARK "\xef\xbb\xbf"
#define MARK_BYTES 3

/* The largest file. */
#define FILE_MAX_BYTES (1u << 20)

/* A line in its parts; all of them point into it. */
struct option_parts {
	const char *name;
	size_t name_length;
	/* NULL if the line is a name only. */
	const char *value;
	size_t value_length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Name, blanks, perhaps "=", blanks, value; `n` counts no blanks at the end. */
static struct option_parts split(const char *line, size_t n)
{
	struct option_parts p = { .name = line };
	const char *end = line + n, *s = line;

	while (s < end && !is_blank(*s) && *s != '=')
		s++;
	p.name_length = (size_t)(s - line);
	if (s == end)
		return p;
	while (s < end && is_blank(*s))
		s++;
	if (s < end && *s == '=')
		s++;
	while (s < end && is_blank(*s))
		s++;
	p.value = s;
	p.value_length = (size_t)(end - s);
	return p;
}

static int refuse_name(const struct options_spec *table, const struct option_parts *p,
    char why[OPTIONS_WHY])
{
	char shown[OPTIONS_SHOWN];
	const struct options_spec *near = NULL;
	const char *name = p->name;
	size_t n = p->name_length;

	options_shown(name, n, shown);
	if (n == 0)
		return text_refuse(why, OPTIONS_WHY, "there is no option's name before the \"=\"");
	if (*name == '-') {
		while (n > 0 && *name == '-')
			name++, n--;
		near = options_find(table, name, n);
		if (near)
			return text_refuse(why, OPTIONS_WHY,
			    "%s: options stand without dashes here: %s", shown, near->name);
	}
	near = options_nearest(table, name, n);
	if (near)
		return text_refuse(why, OPTIONS_WHY,
		    "%s: there is no such option; did you mean %s?", shown, near->name);
	return text_refuse(why, OPTIONS_WHY, "%s: there is no such option", shown);
}

/* Why a setter refused, in full: the line and what would be right. */
static int refuse_value(const struct options_spec *o, const struct option_parts *p,
    const char *reason, char why[OPTIONS_WHY])
{
	char shown[OPTIONS_SHOWN];

	if (!o->argument)
		return text_refuse(why, OPTIONS_WHY, "%s: %s", o->name, reason);
	options_shown(p->value, p->value_length, shown);
	if (!o->example)
		return text_refuse(why, OPTIONS_WHY, "%s: '%s' %s", o->name, shown, reason);
	return text_refuse(why, OPTIONS_WHY, "%s: '%s' %s; for example %s = %s", o->name, shown,
	    reason, o->name, o->example);
}

static int apply(const struct options_spec *o, void *settings, const struct option_parts *p,
    char why[OPTIONS_WHY])
{
	char value[LINE_MAX_BYTES + 1], reason[OPTIONS_WHY] = "is not right";

	if (o->command_line_only)
		return text_refuse(why, OPTIONS_WHY, "%s: works on the command line only", o->name);
	if (!o->argument && p->value)
		return text_refuse(why, OPTIONS_WHY,
		    "%s: takes no value; write it alone, or leave the line out", o->name);
	if (o->argument && !p->value)
		return text_refuse(why, OPTIONS_WHY, "%s: needs %s %s; for example %s = %s",
		    o->name, options_article(o->argument), o->argument, o->name,
		    o->example ? o->example : o->argument);
	if (p->value) {
		memcpy(value, p->value, p->value_length);
		value[p->value_length] = '\0';
	}
	if (o->set(settings, p->value ? value : NULL, reason) == 0)
		return 0;
	return refuse_value(o, p, reason, why);
}

int options_line(const struct options_spec *table, void *settings, const char *line, size_t n,
    char why[OPTIONS_WHY])
{
	const struct options_spec *o;
	struct option_parts p;

	if (n > LINE_MAX_BYTES)
		return text_refuse(why, OPTIONS_WHY, "the line is longer than %d bytes",
		    LINE_MAX_BYTES);
	if (memchr(line, '\0', n))
		return text_refuse(why, OPTIONS_WHY,
		    "the line has a NUL byte in it: is this a text file?");
	if (n > 0 && line[n - 1] == '\r')
		n--;
	while (n > 0 && is_blank(line[n - 1]))
		n--;
	while (n > 0 && is_blank(*line))
		line++, n--;
	if (n == 0 || *line == '#')
		return 0;
	p = split(line, n);
	o = options_find(table, p.name, p.name_length);
	return o ? apply(o, settings, &p, why) : refuse_name(table, &p, why);
}

static int read_lines(const struct options_spec *table, void *settings, const char *text,
    size_t length, const char *program, const char *path)
{
	const char *line = text, *const end = text + length;
	char why[OPTIONS_WHY];

	if (length >= MARK_BYTES && memcmp(line, MARK, MARK_BYTES) == 0)
		line += MARK_BYTES;
	for (unsigned long number = 1; line < end; number++) {
		const char *feed = memchr(line, '\n', (size_t)(end - line)),
		           *stop = feed ? feed : end;

		if (options_line(table, settings, line, (size_t)(stop - line), why) < 0) {
			standard_say("%s: %s:%lu: %s", program, path, number, why);
			return -1;
		}
		line = stop + 1;
	}
	return 0;
}

int options_file(const struct options_spec *table, void *settings, const char *program,
    const char *path)
{
	const char *why;
	size_t length;
	const int fd = file_read(path, FILE_MAX_BYTES, &why);
	char *text = NULL;
	int result;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd >= 0)
		text = file_text(fd, FILE_MAX_BYTES, &length, &why);
	if (!text) {
		standard_say("%s: %s: cannot be read: %s; a configuration is an ordinary file",
		    program, path, why);
		return -1;
	}
	result = read_lines(table, settings, text, length, program, path);
	free(text);
	return result;
}
