# SPDX-License-Identifier: GPL-3.0-or-later
SCRIPT_TESTS += \
	%D%/addresses.py \
	%D%/bounds.py \
	%D%/bulk.py \
	%D%/burst.py \
	%D%/capitals_python.py \
	%D%/ends.py \
	%D%/files.py \
	%D%/history.py \
	%D%/icmp.py \
	%D%/pictures.py \
	%D%/plain.py \
	%D%/records.py \
	%D%/standard.py \
	%D%/stats.py \
	%D%/tcpprobe.py \
	%D%/textbook.py \
	%D%/verbose.py \
	%D%/waited.py
# It builds a copy of the tree as it is: sanitizers change nothing in it.
if !SANITIZERS
SCRIPT_TESTS += \
	%D%/start.py
endif
