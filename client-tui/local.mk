# SPDX-License-Identifier: GPL-3.0-or-later
# The client: a library of its rooms, for the program and for the tests, and main().

bin_PROGRAMS += %D%/upcase
noinst_LIBRARIES += %D%/libclient.a
client_tui_libclient_a_SOURCES =
client_tui_libclient_a_CPPFLAGS = $(AM_CPPFLAGS) $(PORTABLE_CPPFLAGS)
client_tui_libclient_a_CFLAGS = $(AM_CFLAGS) $(NCURSES_CFLAGS) $(READLINE_CFLAGS)
client_tui_upcase_SOURCES = %D%/app/main.c
if SANITIZERS
client_tui_upcase_SOURCES += tests/lib/leaks.c
endif
client_tui_upcase_CPPFLAGS = $(client_tui_libclient_a_CPPFLAGS)
client_tui_upcase_LDADD = $(CLIENT_LIBS)
CLIENT_LIBS = client-tui/libclient.a common/libcommon.a \
	$(READLINE_LIBS) $(NCURSES_LIBS) $(UNISTRING_LIBS) $(JANSSON_LIBS) -lm

include %D%/app/local.mk
include %D%/terminal/local.mk
include %D%/view/local.mk
include %D%/report/local.mk
include %D%/record/local.mk
include %D%/trace/local.mk
include %D%/net/local.mk
include %D%/ledger/local.mk
