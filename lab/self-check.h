/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "upcase-lab --check": whether each back end works here, and if not, why. */
#pragma once

/* Makes two hosts for each back end, sends datagrams. Returns 0 if at least one works, else 1. */
int self_check_run(FILE *out);
