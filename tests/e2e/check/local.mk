# SPDX-License-Identifier: GPL-3.0-or-later
SCRIPT_TESTS += \
	%D%/output.py
# They wait for other programs most of the time; the unit tests and output.py try the judge's own
# code under sanitizers.
if !SANITIZERS
SCRIPT_TESTS += \
	%D%/bounds.py \
	%D%/grading.py \
	%D%/judge_clients.py \
	%D%/judge_servers.py \
	%D%/lossy.py
endif
