# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/lab-socket.c %D%/lab-socket.h \
	%D%/lab.c %D%/lab.h \
	%D%/link-status.c %D%/link-status.h \
	%D%/link-steps.c %D%/link-steps.h \
	%D%/server-tcp.c %D%/server-tcp.h \
	%D%/trace-blocking.c \
	%D%/trace-check.c \
	%D%/trace-internal.h \
	%D%/trace-match.c \
	%D%/trace.c %D%/trace.h \
	%D%/window.c %D%/window.h
