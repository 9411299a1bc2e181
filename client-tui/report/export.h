/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session into a file, whose ending says how: .txt, .jsonl, .csv, .svg. */
#ifndef UPCASE_REPORT_EXPORT_H
#define UPCASE_REPORT_EXPORT_H

#include <stddef.h>
#include <stdio.h>

#include "ledger/transcript.h"
#include "record/recorder.h"

/* Room for a reason. */
#define EXPORT_WHY 400

/* Whether the file could be written now: its ending is known, there is no such file yet, its folder
 * is there and can be written. Returns 0, or -1 with one line in `why`. Makes nothing. */
int export_check(const char *path, char why[EXPORT_WHY]);
/* Writes it, never over a file that is there; when that fails half way, no file stays. `transcript`
 * is what a text shows; NULL: all that the recorder knows. Returns 0, or -1 with one line in `why`.
 */
int export_file(const char *path, const struct recorder *r, const struct transcript *transcript,
    const struct record_run *run, int64_t now, char why[EXPORT_WHY]);

/* The whole transcript as text, for /save: a heading, a row an item ("  1  UDP  hello  ->  HELLO
 * answered in 40.9 ms"), control characters visible, as on the screen. Returns 0, or -1 with errno
 * when writing failed or memory is short. */
int export_text(FILE *out, const struct transcript *b, int64_t now);

/* The pictures of a session: the exchange, in pages of SEQUENCE_LINES lines, and the plots. Into
 * new files: NAME.svg, NAME-2.svg ... and NAME-plots.svg, where `path` is NAME.svg. Returns how
 * many files, or -1 with why (none of them is left then). */
int export_svg(const char *path, const struct recorder *r, int64_t now, char why[EXPORT_WHY]);
/* Whether files of that name can be made: 0, or -1 with why. */
int export_svg_check(const char *path, char why[EXPORT_WHY]);

#endif
