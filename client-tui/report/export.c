/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transcript as text, a session as pictures, and either in a file. */
#include "report/export.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/file.h"
#include "common/text.h"
#include "report/line-text.h"
#include "report/picture-files.h"
#include "report/summary.h"

/* ---- a transcript as text ---- */

static int save_item(FILE *out, const struct transcript_item *item, const struct trace *trace,
    int64_t now)
{
	if (item->kind == TRANSCRIPT_LINE) {
		const int result = line_text_write(out, item->ledger, item->stream, item->number,
		    trace, now);

		/* A line over both transports at once has a fate over each. */
		return result < 0 || !item->other
		         ? result
		         : line_text_write(out, item->other, true, item->number, trace, now);
	}
	if (item->kind == TRANSCRIPT_STRAY) {
		line_text_stray(out, item->stream, item->text, item->length);
		return 0;
	}
	fputs(item->kind == TRANSCRIPT_ERROR ? "!! " : "-- ", out);
	line_text_put(out, item->text, item->length);
	fputc('\n', out);
	return 0;
}

int export_text(FILE *out, const struct transcript *t, const struct trace *trace,
    const struct export_request *q, int64_t now)
{
	const struct transcript_item *newest = transcript_newest_line(t);
	/* What is no line goes with the line before it. */
	uint64_t number = 1;

	fputs("upcase: number, transport, line, and its reply with the time or what became of it\n",
	    out);
	for (uint64_t serial = transcript_first(t, LIST_ROWS);
	    serial < transcript_end(t, LIST_ROWS); serial++) {
		const struct transcript_item *item = transcript_item(t, serial);

		if (item->kind == TRANSCRIPT_LINE)
			number = item->number;
		if (!export_wants(q, number, newest ? newest->number : 0))
			continue;
		if (save_item(out, item, trace, now)) {
			errno = ENOMEM;
			return -1;
		}
		if (ferror(out))
			return -1;
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- into a file ---- */

/* The session to save. */
struct export_job {
	const struct export_request *request;
	const struct recorder *recorder;
	const struct transcript *transcript;
	enum record_output output;
};

/* Writes the session, an export_job, for file_make(). */
static int put(void *saving, FILE *out)
{
	const struct export_job *s = saving;
	struct transcript *all = NULL;
	const struct transcript *t = s->transcript;
	char totals[300];
	struct ledger_totals sum;
	int result;

	if (s->output != RECORD_OUTPUT_TEXT)
		return recorder_save(s->recorder, s->output, out);
	if (!t)
		t = all = recorder_transcript(s->recorder);
	result = t ? export_text(out, t, recorder_trace(s->recorder), s->request,
	                 recorder_run(s->recorder)->ended_at)
	           : -1;
	transcript_free(all);
	if (result < 0)
		return -1;
	for (int stream = 0; stream < 2; stream++) {
		recorder_totals(s->recorder, stream, &sum);
		if (sum.typed > 0)
			fprintf(out, "%s: %s\n", transport_info[stream].title,
			    summary_totals(&sum, stream, totals, sizeof totals));
	}
	return 0;
}

/* The format of a file, by its ending. Pictures are several files, but that of the screen. */
static const struct export_kind {
	const char *ending;
	enum record_output output;
	bool picture;
} kinds[] = {
	{ "", RECORD_OUTPUT_TEXT, false },
	{ ".txt", RECORD_OUTPUT_TEXT, false },
	{ ".jsonl", RECORD_OUTPUT_JSON, false },
	{ ".csv", RECORD_OUTPUT_CSV, false },
	{ ".svg", RECORD_OUTPUT_TEXT, true },
};

static const struct export_kind *find(const char *path, char reason[EXPORT_REASON])
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].ending, export_ending(path)) == 0 && strcmp(path, "-") != 0)
			return &kinds[i];
	text_refuse(reason, EXPORT_REASON, "'%s': %s", EXPORT_SHORT(path),
	    strcmp(path, "-") == 0
	        ? "is no file; --json and --csv write to standard output"
	        : "must end in .txt, .jsonl, .csv or .svg; for example lecture.txt");
	return NULL;
}

static int check_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";

	if (slash && snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path) >=
	                 (int)sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return access(folder, W_OK | X_OK);
}

int export_check(const struct export_request *q, char reason[EXPORT_REASON])
{
	const char *path = q->path;
	const struct export_kind *kind = find(path, reason);

	if (!kind || (kind->picture && !q->screen && picture_files_check(path, reason) < 0))
		return -1;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return export_refuse(reason, path, EEXIST);
	if (errno == ENOENT && check_folder(path) == 0)
		return 0;
	if (errno == ENOENT)
		return text_refuse(reason, EXPORT_REASON, "'%s': there is no such folder",
		    EXPORT_SHORT(path));
	return export_refuse(reason, path, errno);
}

int export_file(const struct export_request *q, const struct recorder *r,
    const struct transcript *transcript, char reason[EXPORT_REASON])
{
	const struct export_kind *kind = find(q->path, reason);
	struct stat made;

	if (!kind)
		return -1;
	if (kind->picture)
		return picture_files_write(q, r, reason);
	return file_make(q->path, put, &(struct export_job){ q, r, transcript, kind->output },
	           &made) < 0
	         ? export_refuse(reason, q->path, errno)
	         : 1;
}
