#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# awk of the driver of tests: cmocka before 1.1.6 says "not ok" of a test that is skipped.
sed 's/^not ok \([0-9]* # SKIP \)/ok \1/' | "$@"
