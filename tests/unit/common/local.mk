# SPDX-License-Identifier: GPL-3.0-or-later
COMPILED_TESTS += \
	%D%/test_addr \
	%D%/test_capitals \
	%D%/test_event_line \
	%D%/test_impair \
	%D%/test_impair_fields \
	%D%/test_log \
	%D%/test_options \
	%D%/test_printable \
	%D%/test_units
COMPILED_TESTS += %D%/test_capitals_16 %D%/test_capitals_32
# The same with narrower vectors than this processor may have.
tests_unit_common_test_capitals_16_SOURCES = %D%/test_capitals.c common/capitals.c
tests_unit_common_test_capitals_16_CPPFLAGS = $(AM_CPPFLAGS) -DCAPITALS_WIDEST=16
tests_unit_common_test_capitals_32_SOURCES = %D%/test_capitals.c common/capitals.c
tests_unit_common_test_capitals_32_CPPFLAGS = $(AM_CPPFLAGS) -DCAPITALS_WIDEST=32
check_PROGRAMS += %D%/capitals_filter
