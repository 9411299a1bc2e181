/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pictures of a session as files: the exchange, in pages of SEQUENCE_LINES lines, and the
 * plots. */
#ifndef UPCASE_EXPORT_SVG_H
#define UPCASE_EXPORT_SVG_H

#include "record/recorder.h"

/* Pages of one session at most; what comes after is left out of the exchange, and its note says so.
 */
#define EXPORT_SVG_PAGES 50

/* Into new files: NAME.svg, NAME-2.svg ... and NAME-plots.svg, where `path` is NAME.svg. Returns
 * how many files, or -1 with why (none of them is left then). */
int export_svg(const char *path, const struct recorder *r, int64_t now, char *why, size_t size);
/* Whether files of that name can be made: 0, or -1 with why. */
int export_svg_check(const char *path, char *why, size_t size);
/* Why a new file could not be made, in words. Static, or strerror()'s. */
const char *export_svg_reason(int error);

#endif
