# SPDX-License-Identifier: GPL-3.0-or-later
# The tests: make check. Each speaks TAP.
#
# A unit test is a cmocka program, a test of a whole program a program, a .sh or a .py. They find
# what they need by the environment below and write only below a temporary folder of their own.
#
# A test names itself once, in its folder's local.mk: a program in COMPILED_TESTS, made from the .c
# file of its name, a script in SCRIPT_TESTS. What a program needs of ours is linked from the
# libraries in LDADD.

COMPILED_TESTS =
SCRIPT_TESTS =
LDADD = tests/lib/libtests.a client-tui/libclient.a server/libserver.a lab/liblab.a common/libcommon.a \
	$(CMOCKA_LIBS) $(VTERM_LIBS) $(PTY_LIBS) $(READLINE_LIBS) $(NCURSES_LIBS) $(UNISTRING_LIBS) $(JANSSON_LIBS) \
	$(SECCOMP_LIBS) -lm

TEST_EXTENSIONS = .sh .py
TAP_DRIVER = env AM_TAP_AWK='$(SHELL) $(top_srcdir)/tests/lib/tap-awk.sh $(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
LOG_COMPILER = $(TEST_TIMEOUT)
SH_LOG_COMPILER = $(TEST_TIMEOUT) $(SHELL)
PY_LOG_COMPILER = $(TEST_TIMEOUT) $(PYTHON)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	PYTHONPATH='$(abs_top_srcdir)/tests/lib'; export PYTHONPATH; \
	PYTHON='$(PYTHON)'; export PYTHON; \
	MANDOC='$(MANDOC)'; export MANDOC; \
	CC='$(CC)'; export CC; \
	UPCASE='$(abs_top_builddir)/client-tui/upcase'; export UPCASE; \
	UPCASED='$(abs_top_builddir)/server/upcased'; export UPCASED; \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir;

# Where configure left the tests out, make check says why before it compiles any.
@NO_TESTS_RULE@
no-tests:
	@echo "the tests are left out: configure with --enable-tests=yes, it says what is missing" >&2; exit 1
.PHONY: no-tests

# The order in which they start: those that wait long first, so that no processor waits with the last
# one.
include %D%/lib/local.mk
include %D%/e2e/lab/local.mk
include %D%/e2e/check/local.mk
include %D%/e2e/server/local.mk
include %D%/e2e/client/local.mk
include %D%/faults/local.mk
include %D%/fuzz/local.mk
include %D%/soak/local.mk
include %D%/tree/local.mk
include %D%/screen/local.mk
include %D%/unit/common/local.mk
include %D%/unit/client/local.mk
include %D%/unit/server/local.mk
include %D%/unit/lab/local.mk
include %D%/unit/checker/local.mk

check_PROGRAMS += $(COMPILED_TESTS)
dist_check_SCRIPTS += $(SCRIPT_TESTS)
TESTS += $(COMPILED_TESTS) $(SCRIPT_TESTS)

# make check-folder FOLDER=tests/unit/server: the tests of one folder and of those below it.
check-folder:
	@for test in $(TESTS); do case $$test in $(FOLDER)/*) tests="$$tests $$test" ;; esac; done; \
	[ -n "$$tests" ] || { echo "there are no tests in $(FOLDER)" >&2; exit 1; }; \
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$tests"
.PHONY: check-folder

# What is told apart by milliseconds runs when the heavy ones have ended, so that nothing else takes
# the time.
tests/e2e/server/reflection.log: tests/e2e/client/plain.log tests/e2e/server/many_clients.log \
	tests/e2e/server/limits.log tests/e2e/client/capitals_python.log tests/fuzz/run-short.log \
	tests/screen/test_prompt.log tests/screen/test_screen.log tests/unit/client/test_ledger.log \
	tests/unit/common/test_capitals.log
