/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session into a file, whose ending says how: .txt, .jsonl, .csv, .svg. */
#ifndef UPCASE_EXPORT_H
#define UPCASE_EXPORT_H

#include <stddef.h>

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

#endif
