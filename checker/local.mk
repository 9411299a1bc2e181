# SPDX-License-Identifier: GPL-3.0-or-later
# The judge of other people's servers and clients.

# It needs the lab's system, Linux.
if LAB
bin_PROGRAMS += %D%/upcase-check
noinst_LIBRARIES += %D%/libchecker.a
else
EXTRA_PROGRAMS += %D%/upcase-check
EXTRA_LIBRARIES = %D%/libchecker.a
endif
checker_upcase_check_SOURCES = %D%/main.c
checker_upcase_check_LDADD = $(CHECKER_LIBS)
CHECKER_LIBS = checker/libchecker.a common/libcommon.a $(UNISTRING_LIBS) $(JANSSON_LIBS) -lm
checker_libchecker_a_SOURCES = \
	%D%/cases.c %D%/cases.h \
	%D%/difference.c %D%/difference.h \
	%D%/judge.c %D%/judge.h \
	%D%/lab-link.c %D%/lab-link.h \
	%D%/options.c %D%/options.h \
	%D%/peer.c %D%/peer.h \
	%D%/program.c %D%/program.h \
	%D%/report.c %D%/report.h \
	%D%/start.c %D%/start.h \
	%D%/steps.c %D%/steps.h \
	%D%/trial.c %D%/trial.h

# The cases as texts of the program.
EXTRA_DIST += %D%/server.cases %D%/client.cases
nodist_checker_libchecker_a_SOURCES = %D%/cases-text.h
BUILT_SOURCES += %D%/cases-text.h
CLEANFILES += %D%/cases-text.h
%D%/cases-text.h: $(srcdir)/%D%/server.cases $(srcdir)/%D%/client.cases
	$(AM_V_GEN)$(MKDIR_P) %D% && for side in server client; do \
		echo "static const char cases_$$side[] ="; \
		sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $(srcdir)/%D%/$$side.cases; echo ';'; \
	done >$@.new && mv $@.new $@
%D%/options.$(OBJEXT): %D%/cases-text.h
