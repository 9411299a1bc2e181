/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "save-svg.h"
#include "summary.h"
#include "text.h"

/* What writes a file, by its ending. */
typedef int writer(FILE *out, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now);

static int save_text(FILE *out, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now)
{
	char totals[300];
	struct ledger_totals t;

	if ((board ? summary_save_text(out, board, now) : recorder_save(r, CLIENT_TEXT, out, run, now)) < 0)
		return -1;
	for (int stream = 0; stream < 2; stream++) {
		recorder_totals(r, stream, &t);
		if (t.typed > 0)
			fprintf(out, "%s: %s\n", stream ? "TCP" : "UDP", summary_totals(&t, stream, totals, sizeof totals));
	}
	return 0;
}

static int save_jsonl(FILE *out, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now)
{
	(void)board;
	return recorder_save(r, CLIENT_JSON, out, run, now);
}

static int save_csv(FILE *out, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now)
{
	(void)board;
	return recorder_save(r, CLIENT_CSV, out, run, now);
}

static const struct {
	const char *ending;
	writer *write;
} kinds[] = {
	{ "", save_text }, { ".txt", save_text }, { ".jsonl", save_jsonl }, { ".csv", save_csv },
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

static writer *find(const char *path, char why[SAVE_WHY])
{
	if (strcmp(path, "-") == 0) {
		wrong(why, path, "is no file; --json and --csv write to standard output");
		return NULL;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].ending, ending(path)) == 0)
			return kinds[i].write;
	wrong(why, path, "its ending says how it is written: .txt, .jsonl, .csv or .svg; for example lecture.txt");
	return NULL;
}

static const char *meaning(int error)
{
	return error == EEXIST ? "there is such a file already; choose another name" : strerror(error);
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
		return wrong(why, path, meaning(EEXIST));
	if (errno != ENOENT || check_folder(path) < 0)
		return wrong(why, path, errno == ENOENT ? "there is no such folder" : strerror(errno));
	return 0;
}

int save_file(const char *path, const struct recorder *r, const struct board *board, const struct record_run *run, int64_t now,
    char why[SAVE_WHY])
{
	writer *write_it;
	FILE *out;
	int fd, error;

	if (is_picture(path))
		return save_svg(path, r, now, why, SAVE_WHY) < 0 ? -1 : 0;
	write_it = find(path, why);
	if (!write_it)
		return -1;
	/* What was said over a network is for the user's eyes. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		return wrong(why, path, meaning(errno));
	out = fdopen(fd, "w");
	error = !out || write_it(out, r, board, run, now) < 0 ? errno : 0;
	if (out ? fclose(out) != 0 : close(fd) != 0)
		error = error ? error : errno;
	if (!error)
		return 0;
	unlink(path);
	return wrong(why, path, strerror(error));
}
