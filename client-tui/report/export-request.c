/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/export-request.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "common/units.h"

#define BLANKS " \t"
#define USAGE "/save [FILE] [last N | N-M] [screen] [--title TEXT] [--dark]"

const char *export_ending(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash + 1 : path, '.');

	return dot ? dot : "";
}

bool export_wants(const struct export_request *q, uint64_t number, uint64_t last)
{
	if (!q)
		return true;
	if (q->newest > 0)
		return number + q->newest > last;
	return q->last == 0 || (number >= q->first && number <= q->last);
}

int export_refuse(char reason[EXPORT_REASON], const char *path, int error)
{
	return text_refuse(reason, EXPORT_REASON, "'%s': %s", EXPORT_SHORT(path),
	    error == EEXIST ? "there is such a file already; choose another name"
	                    : strerror(error));
}

/* --- words --- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, BLANKS);
}

/* Returns true for "7" and "20-30". */
static bool is_range(const char *s)
{
	const size_t digits = strspn(s, "0123456789");

	return digits > 0 && digits + strspn(s + digits, "-0123456789") == strcspn(s, BLANKS);
}

/* Copies a text in quotes, or up to `end`. Returns what follows; NULL: too long, or no end. */
static const char *take_text(const char *s, const char *end, char *buf, size_t size)
{
	const bool quoted = *s == '"' || *s == '\'';

	if (quoted) {
		end = strchr(s + 1, *s);
		s++;
	}
	if (!end || (size_t)(end - s) >= size || (quoted && !strchr(BLANKS, end[1])))
		return NULL;
	while (!quoted && end > s && strchr(BLANKS, end[-1]))
		end--;
	snprintf(buf, size, "%.*s", (int)(end - s), s);
	return skip_blanks(end + quoted);
}

/* Returns the end of the name, where the first option begins. */
static const char *name_end(const char *s)
{
	while (*s && !text_begins_word(s, "last") && !text_begins_word(s, "screen") &&
	       !text_begins(s, "--") && !is_range(s))
		s = skip_blanks(s + strcspn(s, BLANKS));
	return s;
}

/* Reads "12", or "20-30" into both numbers. */
static int take_numbers(const char *word, size_t n, uint64_t *first, uint64_t *last)
{
	const char *copy = TEXT_FORMAT("%.*s", (int)n, word), *dash = strchr(copy, '-');
	const char *begin = dash ? TEXT_FORMAT("%.*s", (int)(dash - copy), copy) : copy;
	int64_t from, to;

	if (units_count(begin, 1, INT64_MAX, &from) < 0 ||
	    units_count(dash ? dash + 1 : copy, from, INT64_MAX, &to) < 0)
		return -1;
	*first = (uint64_t)from;
	*last = (uint64_t)to;
	return 0;
}

/* Reads the option at `s`. Returns what follows it, or NULL if it is none. */
static const char *take_option(const char *s, struct export_request *q)
{
	size_t n = strcspn(s, BLANKS);
	uint64_t newest;

	if (text_begins(s, "--title") && s[7] && strchr("= \t", s[7])) {
		const char *title = skip_blanks(s + 8), *end = strstr(title, " --");

		return take_text(title, end ? end : title + strlen(title), q->title,
		    sizeof q->title);
	}
	if (text_begins_word(s, "--dark"))
		q->dark = true;
	else if (text_begins_word(s, "screen"))
		q->screen = true;
	else if (text_begins_word(s, "last")) {
		s = skip_blanks(s + n);
		n = strcspn(s, BLANKS);
		if (take_numbers(s, n, &newest, &q->newest) < 0 || newest != q->newest)
			return NULL;
	} else if (take_numbers(s, n, &q->first, &q->last) < 0)
		return NULL;
	return skip_blanks(s + n);
}

/* --- names --- */

/* Puts the name, with the home folder for "~". */
static int put_name(const char *name, struct export_request *q, char reason[EXPORT_REASON])
{
	const bool home = *name == '~' && (name[1] == '/' || !name[1]);
	const char *folder = home ? getenv("HOME") : "";

	if (!folder ||
	    snprintf(q->path, sizeof q->path, "%s%s", folder, name + home) >= (int)sizeof q->path)
		return text_refuse(reason, EXPORT_REASON, "'%.100s': %s", name,
		    folder ? "the name is too long" : "HOME is not set");
	return 0;
}

/* Names a request without a name. */
static void put_own_name(struct export_request *q)
{
	const time_t seconds = time(NULL);
	const char *ending = q->screen || q->dark || *q->title ? ".svg" : ".txt";
	char date[40];
	struct tm local;

	if (!localtime_r(&seconds, &local))
		return;
	strftime(date, sizeof date, "upcase-%Y-%m-%d-%H%M%S", &local);
	snprintf(q->path, sizeof q->path, "%s%s", date, ending);
	for (int i = 2; i < 100 && access(q->path, F_OK) == 0; i++)
		snprintf(q->path, sizeof q->path, "%s-%d%s", date, i, ending);
}

/* Checks that the options go with the kind of file. */
static int check(const struct export_request *q, char reason[EXPORT_REASON])
{
	const char *ending = export_ending(q->path), *wrong = NULL;
	const bool lines = q->newest > 0 || q->last > 0, picture = strcmp(ending, ".svg") == 0;

	if (lines && (strcmp(ending, ".jsonl") == 0 || strcmp(ending, ".csv") == 0))
		wrong = "records are of all lines; last N and N-M go with .txt and .svg";
	else if (!picture && (*q->title || q->dark || q->screen))
		wrong = "screen, --title and --dark go with .svg";
	else if (q->screen && lines)
		wrong = "the picture of the screen has what the screen shows; last N and N-M go "
		        "with other names";
	return wrong ? text_refuse(reason, EXPORT_REASON, "'%s': %s", EXPORT_SHORT(q->path), wrong)
	             : 0;
}

int export_request(const char *words, struct export_request *q, char reason[EXPORT_REASON])
{
	const char *s = skip_blanks(words), *rest, *slash;
	char name[PATH_MAX];

	*q = (struct export_request){ .first = 0 };
	rest = take_text(s, name_end(s), name, sizeof name);
	if (!rest)
		return text_refuse(reason, EXPORT_REASON,
		    "the name is too long, or its quote does not end: %.100s", s);
	for (s = rest; *s; s = rest) {
		rest = take_option(s, q);
		if (!rest && text_begins(s, "--title "))
			return text_refuse(reason, EXPORT_REASON,
			    "the title is too long, or its quote does not end: %.60s", s + 8);
		if (!rest && is_range(s))
			return text_refuse(reason, EXPORT_REASON,
			    "'%.60s' is no choice of lines; for example 7 or 20-30", s);
		if (!rest)
			return text_refuse(reason, EXPORT_REASON,
			    "'%.60s' is none of its words; " USAGE, s);
	}
	slash = strrchr(name, '/');
	if (put_name(name, q, reason) < 0)
		return -1;
	if (strcmp(export_ending(name), ".svg") == 0 &&
	    text_begins(slash ? slash + 1 : name, "screen"))
		q->screen = true;
	if (!*name)
		put_own_name(q);
	q->own_name = !*name;
	return check(q, reason);
}
