/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a session into a file, whose ending selects the format: .txt, .jsonl, .csv, .svg. */
#pragma once

#include "ledger/transcript.h"
#include "record/recorder.h"
#include "report/export-request.h"

/* Checks that the file could be written now: its ending is known, it does not exist, its folder
 * exists and is writable. Returns 0, or -1 with one line in `reason`. Creates nothing. */
int export_check(const struct export_request *q, char reason[EXPORT_REASON]);
/* Writes the file, never over an existing one; after an error no file stays. `transcript` is the
 * content of a text; NULL: all that the recorder has. Returns the number of files, or -1 with one
 * line in `reason`. */
int export_file(const struct export_request *q, const struct recorder *r,
    const struct transcript *transcript, char reason[EXPORT_REASON]);

/* Writes the transcript as text, for /save: a heading, and a row for each item, a line as
 * line_text_write() does. `trace` may be NULL; `q` has the lines, NULL for all. Returns 0, or -1
 * with errno when writing failed or memory is short. */
int export_text(FILE *out, const struct transcript *t, const struct trace *trace,
    const struct export_request *q, int64_t now);
