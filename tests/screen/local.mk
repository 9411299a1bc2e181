# SPDX-License-Identifier: GPL-3.0-or-later
COMPILED_TESTS += \
	%D%/test_background \
	%D%/test_burst \
	%D%/test_demo \
	%D%/test_details \
	%D%/test_fates \
	%D%/test_greeting \
	%D%/test_lab_ends \
	%D%/test_lab_screen \
	%D%/test_measure_screen \
	%D%/test_prompt \
	%D%/test_replay \
	%D%/test_screen \
	%D%/test_sizes \
	%D%/test_textbook \
	%D%/test_tour
# Under the sanitizers the kernel's timers are the same, and the client is later than they are.
if !SANITIZERS
COMPILED_TESTS += %D%/test_recording
else
EXTRA_PROGRAMS += %D%/test_recording
endif
# The input line by itself.
check_PROGRAMS += %D%/demo_prompt
tests_screen_demo_prompt_SOURCES = %D%/demo_prompt.c tests/lib/leaks.c
tests_screen_demo_prompt_CFLAGS = $(AM_CFLAGS) $(NCURSES_CFLAGS) $(READLINE_CFLAGS)
