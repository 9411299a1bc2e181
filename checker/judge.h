/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Judges a program: runs its cases one after another, each within its time, and reports them. */
#pragma once

#include "checker/options.h"

/* Returns the exit status. */
int judge_run(struct check_options *options);
