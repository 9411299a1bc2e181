# SPDX-License-Identifier: GPL-3.0-or-later
COMPILED_TESTS += \
	%D%/test_busy_poll \
	%D%/test_control_commands \
	%D%/test_counters \
	%D%/test_loop_guard \
	%D%/test_lossy_link \
	%D%/test_rate_limit \
	%D%/test_sandbox \
	%D%/test_settings \
	%D%/test_workers
