/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "save-svg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svg-plots.h"

/* What is written: one picture after the other. */
struct job {
	const struct record *records;
	size_t count;
	const struct exchange_heading *heading;
	/* NAME, without its ending. */
	char name[PATH_MAX];
	size_t pages;
};

/* Behind the pages come the plots. */
static void file_name(const struct job *job, size_t picture, char *path, size_t size)
{
	if (picture == 0)
		snprintf(path, size, "%s.svg", job->name);
	else if (picture < job->pages)
		snprintf(path, size, "%s-%zu.svg", job->name, picture + 1);
	else
		snprintf(path, size, "%s-plots.svg", job->name);
}

static int write_picture(const struct job *job, size_t picture, FILE *out)
{
	char title[300], note[500];
	struct exchange_heading heading = { .title = title, .note = note };

	if (picture == job->pages)
		return plots_page(out, job->records, job->count, job->heading->title, job->heading->note);
	snprintf(title, sizeof title, "%s", job->heading->title);
	if (job->pages > 1)
		snprintf(title + strlen(title), sizeof title - strlen(title), ", page %zu of %zu", picture + 1, job->pages);
	snprintf(note, sizeof note, "%s", job->heading->note);
	if (exchange_pages(job->records, job->count) > job->pages)
		snprintf(note + strlen(note), sizeof note - strlen(note), "; only the first %d lines are drawn",
		    SAVE_SVG_PAGES * EXCHANGE_LINES);
	return exchange_page(out, job->records, job->count, picture, &heading);
}

/* Returns 0, or -1 with errno; what was begun is removed. */
static int make_file(const struct job *job, size_t picture, const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	int error = 0;

	if (fd < 0)
		return -1;
	if (!out) {
		close(fd);
		unlink(path);
		errno = ENOMEM;
		return -1;
	}
	if (write_picture(job, picture, out) < 0)
		error = ENOMEM;
	if (ferror(out) && !error)
		error = EIO;
	if (fclose(out) != 0 && !error)
		error = errno;
	if (!error)
		return 0;
	unlink(path);
	errno = error;
	return -1;
}

static const char *reason(int error)
{
	return error == EEXIST ? "it exists already" : strerror(error);
}

int save_svg(const char *path, const struct record *records, size_t count, const struct exchange_heading *heading, char *why,
    size_t size)
{
	struct job job = { .records = records, .count = count, .heading = heading, .pages = exchange_pages(records, count) };
	char file[PATH_MAX + 40];

	if (job.pages > SAVE_SVG_PAGES)
		job.pages = SAVE_SVG_PAGES;
	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	for (size_t picture = 0; picture <= job.pages; picture++) {
		file_name(&job, picture, file, sizeof file);
		if (make_file(&job, picture, file) == 0)
			continue;
		snprintf(why, size, "%s: %s", file, reason(errno));
		while (picture-- > 0) {
			file_name(&job, picture, file, sizeof file);
			unlink(file);
		}
		return -1;
	}
	return (int)job.pages + 1;
}

int save_svg_check(const char *path, char *why, size_t size)
{
	struct job job = { .pages = 1 };
	char file[PATH_MAX + 40];

	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	for (size_t picture = 0; picture <= 1; picture++) {
		file_name(&job, picture, file, sizeof file);
		if (access(file, F_OK) == 0) {
			snprintf(why, size, "%s: %s", file, reason(EEXIST));
			return -1;
		}
	}
	return 0;
}
