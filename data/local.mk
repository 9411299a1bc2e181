# SPDX-License-Identifier: GPL-3.0-or-later
# Units for systemd. The service is made at make time, for only then is it known where programs go.
if SYSTEMD_UNITS
dist_systemdsystemunit_DATA = %D%/upcased.socket
nodist_systemdsystemunit_DATA = %D%/upcased.service
endif
# A package installs the profile below /etc; upcase-lab --check prints it for itself.
EXTRA_DIST += %D%/apparmor-upcase-lab %D%/upcased.service.in %D%/upcased.socket
CLEANFILES += %D%/upcased.service
%D%/upcased.service: $(srcdir)/%D%/upcased.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && \
	bindir=$$(printf '%s\n' '$(bindir)' | sed 's/%/%%/g; s/ /\\x20/g; s/[\\&,]/\\&/g') && \
	sed "s,@bindir[@],$$bindir,g" $(srcdir)/%D%/upcased.service.in >$@.new && mv $@.new $@
# An example of a course's grading.
if LAB
gradingdir = $(docdir)/examples/grading
dist_grading_DATA = %D%/grading/points.txt %D%/grading/workflow.yml
dist_grading_SCRIPTS = %D%/grading/grade
endif
