# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/flow.c %D%/flow.h \
	%D%/icmp.c %D%/icmp.h \
	%D%/local-server.c %D%/local-server.h \
	%D%/resolve.c %D%/resolve.h \
	%D%/send-queue.c %D%/send-queue.h \
	%D%/session-internal.h \
	%D%/session.c %D%/session.h \
	%D%/tcp-info.c %D%/tcp-info.h \
	%D%/tcp.c \
	%D%/timestamps.c %D%/timestamps.h \
	%D%/udp.c
