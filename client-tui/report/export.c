/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transcript as text, and a session in a file. */
#include "config.h"

#include "report/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/capitals.h"
#include "common/file.h"
#include "common/text.h"
#include "common/utf8.h"
#include "report/export-svg.h"
#include "report/summary.h"

/* ---- a transcript as text ---- */

static void write_safe(FILE *out, const unsigned char *s, size_t n)
{
	size_t have;

	for (; n; s += have, n -= have) {
		const size_t length = utf8_character(s, n);

		/* A byte that is no character stands for itself. */
		have = length ? length : 1;
		if (length == 1 && (*s < 0x20 || *s == 0x7f))
			fprintf(out, "^%c", *s ^ 0x40);
		else if (!length || utf8_is_control(utf8_code(s, length)))
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(s, 1, have, out);
	}
}

/* The reply as it came, or the capitals that it was. 0, or -1 when memory is short. */
static int write_reply(FILE *out, const struct ledger_row *row)
{
	if (row->reply) {
		write_safe(out, row->reply, row->reply_length);
		return 0;
	}
	unsigned char *caps = malloc(CAPITALS_GROWTH * row->length + 1);
	if (!caps)
		return -1;
	size_t n = row->length ? capitals_text(row->text, row->length, caps) : 0;
	write_safe(out, caps, n);
	free(caps);
	return 0;
}

static int save_line(FILE *out, const struct ledger *ledger, bool stream, uint64_t number,
    int64_t now)
{
	const struct ledger_row *row = ledger_find(ledger, number);
	char fate[300];

	fprintf(out, "%5" PRIu64 "  %s  ", number, stream ? "TCP" : "UDP");
	if (!row) {
		fputs("(no longer kept)\n", out);
		return 0;
	}
	write_safe(out, row->text, row->length);
	fputs(row->partial ? "..." : "", out);
	if (row->fate == FATE_ANSWERED || row->late) {
		fputs("  ->  ", out);
		if (row->partial)
			fputs("(not kept)", out);
		else if (write_reply(out, row))
			return -1;
	}
	fprintf(out, "  %s\n", summary_fate(row, stream, now, fate, sizeof(fate)));
	return 0;
}

static int save_item(FILE *out, const struct transcript_item *item, int64_t now)
{
	switch (item->kind) {
	case TRANSCRIPT_LINE:
		/* What went over both at once has a fate over each. */
		if (save_line(out, item->ledger, item->stream, item->number, now))
			return -1;
		return item->other ? save_line(out, item->other, true, item->number, now) : 0;
	case TRANSCRIPT_STRAY:
		fprintf(out, "       %s  stray  ->  ", item->stream ? "TCP" : "UDP");
		break;
	case TRANSCRIPT_NOTICE:
		fputs("       -- ", out);
		break;
	case TRANSCRIPT_ERROR:
		fputs("       !! ", out);
		break;
	}
	write_safe(out, item->text, item->length);
	fputc('\n', out);
	return 0;
}

int export_text(FILE *out, const struct transcript *b, int64_t now)
{
	fputs("upcase: number, transport, line, reply, and what became of it\n", out);
	for (uint64_t serial = transcript_first(b); serial < transcript_end(b); serial++) {
		if (save_item(out, transcript_item(b, serial), now)) {
			errno = ENOMEM;
			return -1;
		}
		if (ferror(out))
			return -1;
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- into a file ---- */

/* What is saved. */
struct export_job {
	const struct recorder *recorder;
	const struct transcript *transcript;
	const struct record_run *run;
	int64_t now;
	enum record_output output;
};

static int save_text(const struct export_job *s, FILE *out)
{
	struct transcript *all = s->transcript ? NULL : recorder_transcript(s->recorder);
	const struct transcript *b = s->transcript ? s->transcript : all;
	char totals[300];
	struct ledger_totals t;
	const int result = b ? export_text(out, b, s->now) : -1;

	transcript_free(all);
	if (result < 0)
		return -1;
	for (int stream = 0; stream < 2; stream++) {
		recorder_totals(s->recorder, stream, &t);
		if (t.typed > 0)
			fprintf(out, "%s: %s\n", stream ? "TCP" : "UDP",
			    summary_totals(&t, stream, totals, sizeof totals));
	}
	return 0;
}

static int put(void *saving, FILE *out)
{
	const struct export_job *s = saving;

	return s->output == RECORD_OUTPUT_TEXT
	         ? save_text(s, out)
	         : recorder_save(s->recorder, s->output, out, s->run, s->now);
}

/* How a file is written, by its ending. */
static const struct export_kind {
	const char *ending;
	enum record_output output;
} kinds[] = {
	{ "", RECORD_OUTPUT_TEXT },
	{ ".txt", RECORD_OUTPUT_TEXT },
	{ ".jsonl", RECORD_OUTPUT_JSON },
	{ ".csv", RECORD_OUTPUT_CSV },
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

static int wrong(char why[EXPORT_WHY], const char *path, const char *what)
{
	return text_refuse(why, EXPORT_WHY, "'%.100s': %s", path, what);
}

static const struct export_kind *find(const char *path, char why[EXPORT_WHY])
{
	if (strcmp(path, "-") == 0) {
		wrong(why, path, "is no file; --json and --csv write to standard output");
		return NULL;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].ending, ending(path)) == 0)
			return &kinds[i];
	wrong(why, path,
	    "its ending says how it is written: .txt, .jsonl, .csv or .svg; for example "
	    "lecture.txt");
	return NULL;
}

/* The folder that it is in. */
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

static bool is_picture(const char *path)
{
	return strcmp(ending(path), PICTURES) == 0;
}

int export_check(const char *path, char why[EXPORT_WHY])
{
	if (is_picture(path) ? export_svg_check(path, why, EXPORT_WHY) < 0 : !find(path, why))
		return -1;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return wrong(why, path, export_svg_reason(EEXIST));
	if (errno != ENOENT || check_folder(path) < 0)
		return wrong(why, path,
		    errno == ENOENT ? "there is no such folder" : strerror(errno));
	return 0;
}

int export_file(const char *path, const struct recorder *r, const struct transcript *transcript,
    const struct record_run *run, int64_t now, char why[EXPORT_WHY])
{
	const struct export_kind *kind;
	struct stat made;

	if (is_picture(path))
		return export_svg(path, r, now, why, EXPORT_WHY) < 0 ? -1 : 0;
	kind = find(path, why);
	if (!kind)
		return -1;
	return file_make(path, put, &(struct export_job){ r, transcript, run, now, kind->output },
	           &made) < 0
	         ? wrong(why, path, export_svg_reason(errno))
	         : 0;
}
