/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "report/export-svg.h"
#include "report/summary.h"
#include "common/text.h"

/* What is saved. */
struct saving {
	const struct recorder *recorder;
	const struct board *board;
	const struct record_run *run;
	int64_t now;
	enum client_output output;
};

static int save_text(const struct saving *s, FILE *out)
{
	char totals[300];
	struct ledger_totals t;

	if ((s->board ? summary_save_text(out, s->board, s->now) : recorder_save(s->recorder, CLIENT_TEXT, out, s->run, s->now)) < 0)
		return -1;
	for (int stream = 0; stream < 2; stream++) {
		recorder_totals(s->recorder, stream, &t);
		if (t.typed > 0)
			fprintf(out, "%s: %s\n", stream ? "TCP" : "UDP", summary_totals(&t, stream, totals, sizeof totals));
	}
	return 0;
}

static int put(void *saving, FILE *out)
{
	const struct saving *s = saving;

	return s->output == CLIENT_TEXT ? save_text(s, out) : recorder_save(s->recorder, s->output, out, s->run, s->now);
}

/* How a file is written, by its ending. */
static const struct kind {
	const char *ending;
	enum client_output output;
} kinds[] = {
	{ "", CLIENT_TEXT }, { ".txt", CLIENT_TEXT }, { ".jsonl", CLIENT_JSON }, { ".csv", CLIENT_CSV },
};

/* Pictures are several files. */
#define PICTURES ".svg"

/* A file name's ending, with its dot, or "". */
static const char *ending(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash + 1 : path, '.');

	return dot ? dot : "";
}

static int wrong(char why[SAVE_WHY], const char *path, const char *what)
{
	return text_refuse(why, SAVE_WHY, "'%.100s': %s", path, what);
}

static const struct kind *find(const char *path, char why[SAVE_WHY])
{
	if (strcmp(path, "-") == 0) {
		wrong(why, path, "is no file; --json and --csv write to standard output");
		return NULL;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].ending, ending(path)) == 0)
			return &kinds[i];
	wrong(why, path, "its ending says how it is written: .txt, .jsonl, .csv or .svg; for example lecture.txt");
	return NULL;
}

/* The folder that it is in. */
static int check_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";

	if (slash && snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path) >= (int)sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return access(folder, W_OK | X_OK);
}

static bool is_picture(const char *path)
{
	return strcmp(ending(path), PICTURES) == 0;
}

int save_check(const char *path, char why[SAVE_WHY])
{
	if (is_picture(path) ? save_svg_check(path, why, SAVE_WHY) < 0 : !find(path, why))
		return -1;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return wrong(why, path, save_svg_reason(EEXIST));
	if (errno != ENOENT || check_folder(path) < 0)
		return wrong(why, path, errno == ENOENT ? "there is no such folder" : strerror(errno));
	return 0;
}

int save_file(const char *path, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now,
    char why[SAVE_WHY])
{
	const struct kind *kind;
	struct stat made;

	if (is_picture(path))
		return save_svg(path, r, now, why, SAVE_WHY) < 0 ? -1 : 0;
	kind = find(path, why);
	if (!kind)
		return -1;
	return file_make(path, put, &(struct saving){ r, board, run, now, kind->output }, &made) < 0 ?
	    wrong(why, path, save_svg_reason(errno)) : 0;
}
