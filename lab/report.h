/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a lab says of itself: where it is when it starts, what the link did when it ends. */
#ifndef UPCASE_LAB_REPORT_H
#define UPCASE_LAB_REPORT_H

#include <stdio.h>

#include "lab/hosts/hosts.h"
#include "lab/link/link.h"
#include "lab/options.h"
#include "lab/hosts/output-tail.h"

/* Room for how a command ended. */
#define REPORT_STATUS 256

void report_start(FILE *out, const struct lab_options *options, const struct hosts_report *hosts);
void report_end(FILE *out, const struct link *link);

/* A warning, if any of the host's packets were lost before the link. */
void report_kernel_drops(FILE *out, enum hosts_side side, unsigned long long packets);

/* "exit status 2: the last line it said", "signal 9 (Killed)". Returns `text`. */
char *report_status(int status, const struct output_tail *output_tail, char text[REPORT_STATUS]);

#endif
