# SPDX-License-Identifier: GPL-3.0-or-later
# The lab: two hosts and the link between them.

# Where it is left out, the tests still build it: they try the client and the server in it.
if LAB
bin_PROGRAMS += %D%/upcase-lab
noinst_LIBRARIES += %D%/liblab.a
else
check_PROGRAMS += %D%/upcase-lab
check_LIBRARIES += %D%/liblab.a
endif
lab_upcase_lab_SOURCES = %D%/main.c
lab_upcase_lab_LDADD = $(LAB_LIBS)
LAB_LIBS = lab/liblab.a common/libcommon.a -lm
# Where the programs are installed that the lab runs.
lab_liblab_a_CPPFLAGS = $(AM_CPPFLAGS) -DBINDIR='"$(bindir)"'
lab_liblab_a_SOURCES = \
	%D%/commands.c %D%/commands.h \
	%D%/ctl.c %D%/ctl.h \
	%D%/options.c %D%/options.h \
	%D%/output.c %D%/output.h \
	%D%/relay.c %D%/relay.h \
	%D%/self-check.c %D%/self-check.h

# The profile that --check prints.
nodist_lab_liblab_a_SOURCES = %D%/apparmor-profile.h
BUILT_SOURCES += %D%/apparmor-profile.h
CLEANFILES += %D%/apparmor-profile.h
%D%/apparmor-profile.h: $(srcdir)/data/apparmor-upcase-lab
	$(AM_V_GEN)$(MKDIR_P) %D% && \
	sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $(srcdir)/data/apparmor-upcase-lab >$@.new && mv $@.new $@
%D%/liblab_a-self-check.$(OBJEXT): %D%/apparmor-profile.h

include %D%/link/local.mk
include %D%/hosts/local.mk
