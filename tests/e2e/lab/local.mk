# SPDX-License-Identifier: GPL-3.0-or-later
SCRIPT_TESTS += \
	%D%/blocking.py \
	%D%/bursts.py \
	%D%/cleanup.py \
	%D%/connect.py \
	%D%/events.py \
	%D%/exercises.py \
	%D%/failures.py \
	%D%/files.py \
	%D%/host.py \
	%D%/hostile.py \
	%D%/lines.py \
	%D%/link.py \
	%D%/measure.py \
	%D%/packetdrill.py \
	%D%/terminal.py \
	%D%/rules.py \
	%D%/times.py \
	%D%/tour.py \
	%D%/truth.py \
	%D%/verbose.py
# What kernels do within milliseconds: under the sanitizers the client is later than they are.
if !SANITIZERS
SCRIPT_TESTS += \
	%D%/flow.py \
	%D%/nagle.py \
	%D%/waited.py \
	%D%/window.py
endif
