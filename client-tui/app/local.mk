# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/commands.c %D%/commands.h \
	%D%/complete.c \
	%D%/demo.c %D%/demo.h \
	%D%/generator.c %D%/generator.h \
	%D%/plain-output.c %D%/plain-output.h \
	%D%/plain.c %D%/plain.h \
	%D%/run.c %D%/run.h \
	%D%/screen-picture.c %D%/screen-picture.h \
	%D%/settings.c %D%/settings.h \
	%D%/stop.c %D%/stop.h \
	%D%/tui-demo.c \
	%D%/tui-keys.c \
	%D%/tui-lab.c \
	%D%/tui-replay.c \
	%D%/tui-sessions.c \
	%D%/tui-state.c %D%/tui-state.h \
	%D%/tui.c %D%/tui.h
nodist_client_tui_libclient_a_SOURCES = %D%/demo-table.h

# The demonstrations of the manual are those of /demo.
BUILT_SOURCES += %D%/demo-table.h
CLEANFILES += %D%/demo-table.h
EXTRA_DIST += %D%/make-demo.awk
%D%/demo-table.h: $(srcdir)/%D%/make-demo.awk $(srcdir)/man/upcase-tour.7
	$(AM_V_GEN)$(MKDIR_P) %D% && \
	LC_ALL=C $(AWK) -f $(srcdir)/%D%/make-demo.awk $(srcdir)/man/upcase-tour.7 >$@.new && mv $@.new $@
%D%/libclient_a-demo.$(OBJEXT): %D%/demo-table.h
