/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of cases. */
#pragma once

struct trial;

/* Whether the line begins with a step's word. */
bool steps_known(const char *line);
/* Does `count` steps, each ended by a zero, until one fails. */
bool steps_run(struct trial *t, const char *steps, int count);
