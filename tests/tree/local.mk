# SPDX-License-Identifier: GPL-3.0-or-later
# The house itself: its walls, its manual, its completion.
SCRIPT_TESTS += \
	%D%/bench_client.py \
	%D%/bench_server.py \
	%D%/completion.py \
	%D%/manual.py \
	%D%/style.py \
	%D%/surroundings.py \
	%D%/vectors.py \
	%D%/walls.py \
	%D%/walls_hold.py
check_PROGRAMS += %D%/list_tables
