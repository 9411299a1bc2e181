# SPDX-License-Identifier: GPL-3.0-or-later
# The server. It too stands in bin, not in sbin: in class an ordinary user runs it, and the client
# looks for it beside itself.

bin_PROGRAMS += %D%/upcased
noinst_LIBRARIES += %D%/libserver.a
server_upcased_SOURCES = %D%/main.c
server_upcased_CPPFLAGS = $(server_libserver_a_CPPFLAGS)
server_upcased_LDADD = $(SERVER_LIBS)
SERVER_LIBS = server/libserver.a common/libcommon.a $(UNISTRING_LIBS) $(SECCOMP_LIBS) -lm
server_libserver_a_CPPFLAGS = $(AM_CPPFLAGS) $(PORTABLE_CPPFLAGS)
server_libserver_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
server_libserver_a_SOURCES = \
	%D%/busy-poll.c %D%/busy-poll.h \
	%D%/control.c %D%/control.h \
	%D%/control-commands.c %D%/control-commands.h \
	%D%/counters.c %D%/counters.h \
	%D%/datagram.c %D%/datagram.h \
	%D%/listen.c %D%/listen.h \
	%D%/loop.c %D%/loop.h \
	%D%/loop-guard.c %D%/loop-guard.h \
	%D%/lossy-link.c %D%/lossy-link.h \
	%D%/ready.c %D%/ready.h \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/server.c %D%/server.h \
	%D%/settings.c %D%/settings.h \
	%D%/sources.c %D%/sources.h \
	%D%/tcp.c %D%/tcp.h \
	%D%/udp.c %D%/udp.h \
	%D%/workers.c %D%/workers.h
