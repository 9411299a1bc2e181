/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pictures of a session in files: which lines are drawn, and on how many pages. */
#pragma once

#include "record/recorder.h"
#include "report/export-request.h"

/* Writes the pictures of a session, the exchange in pages, the plots and, if they are known, TCP's
 * windows, into new files: NAME.svg, NAME-2.svg ..., NAME-plots.svg and NAME-window.svg, where the
 * request's file is NAME.svg. Unless the request has
 * lines, those of a long burst are summed up, and of many lines the last are drawn. Returns the
 * number of files, or -1 with one line in `reason` (no file then stays). */
int picture_files_write(const struct export_request *q, const struct recorder *r,
    char reason[EXPORT_REASON]);
/* Checks that files of that name can be made: returns 0, or -1 with the `reason`. */
int picture_files_check(const char *path, char reason[EXPORT_REASON]);
