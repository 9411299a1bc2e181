/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running lab: the process that stays outside, carries the packets and waits for the command. */
#pragma once

#include "lab/options.h"

/* Runs the lab until its near command ends. Returns the command's exit status (128+N after signal
 * N), or 1 after one line on stderr. Ends the process by the signal, if one ended the lab. */
int relay_run(const struct lab_options *options);
