#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes ./configure from configure.ac. Needs autoconf and automake.
set -e
cd "$(dirname "$0")"
exec autoreconf --force --install
