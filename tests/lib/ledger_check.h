/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "ledger/ledger.h"

/* Recounts the rows and compares with the totals and with the conservation rule: true if all is in
 * order. Costs a walk over all rows. */
bool ledger_balanced(const struct ledger *l);
