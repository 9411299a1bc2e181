/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef UPCASE_TESTS_LEDGER_CHECK_H
#define UPCASE_TESTS_LEDGER_CHECK_H

#include "ledger/ledger.h"

/* Recounts the rows and compares with the totals and with the conservation rule: true if all is in
 * order. Costs a walk over all rows. */
bool ledger_balanced(const struct ledger *l);

#endif
