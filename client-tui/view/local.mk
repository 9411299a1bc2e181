# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/canvas.c %D%/canvas.h \
	%D%/detail.c \
	%D%/draw.c \
	%D%/fate-words.c \
	%D%/glyphs.c %D%/glyphs.h \
	%D%/layout.c %D%/layout.h \
	%D%/link-row.c \
	%D%/page.c \
	%D%/panes.c \
	%D%/plot.c \
	%D%/row.c \
	%D%/scroll.c \
	%D%/status.c \
	%D%/view.h \
	%D%/view-internal.h
