/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts the program on trial. Functions that return bool call trial_fail() before they return
 * false. */
#pragma once

#include "checker/trial.h"

/* The time for a program to start, until it serves or sends, ns. */
int64_t start_timeout(const struct trial *t);

/* Starts the program, without waiting, for a port that is chosen; with `served`, the judge listens
 * there before. */
bool start_program(struct trial *t, bool served);
/* Starts a server at a port, 0 for any, and waits until it serves. */
bool start_server(struct trial *t, uint16_t port);
