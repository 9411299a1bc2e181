/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records as comma-separated values (RFC 4180), a row each. Pure. */
#ifndef UPCASE_RECORD_CSV_H
#define UPCASE_RECORD_CSV_H

#include <stdio.h>

#include "record/record.h"

/* Rows end with CR and LF, as the RFC wants it. `peer` is the session's. Errors show in ferror().
 */
void csv_header(FILE *out);
void csv_line(FILE *out, const struct record *r, const char *peer);
void csv_reply(FILE *out, const struct record_reply *r, const char *peer);

#endif
