# SPDX-License-Identifier: GPL-3.0-or-later
if LAB
COMPILED_TESTS += \
	%D%/test_cases \
	%D%/test_difference
tests_unit_checker_test_cases_LDADD = checker/libchecker.a $(LDADD)
tests_unit_checker_test_difference_LDADD = checker/libchecker.a $(LDADD)
endif
