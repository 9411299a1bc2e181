# SPDX-License-Identifier: GPL-3.0-or-later
# The house itself: its walls, its manual, its completion.
SCRIPT_TESTS += \
	%D%/manual.py \
	%D%/surroundings.py
# These start no program of ours, or a thousand times for a few words each: what sanitizers change is
# not to be seen in them.
if !SANITIZERS
SCRIPT_TESTS += \
	%D%/bench_client.py \
	%D%/bench_server.py \
	%D%/completion.py \
	%D%/container.py \
	%D%/matrix.py \
	%D%/manual_html.py \
	%D%/needs.py \
	%D%/packages.py \
	%D%/style.py \
	%D%/vectors.py \
	%D%/walls.py \
	%D%/walls_hold.py
endif
check_PROGRAMS += %D%/list_tables
