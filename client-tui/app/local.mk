# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/commands.c %D%/commands.h \
	%D%/generator.c %D%/generator.h \
	%D%/plain-input.c \
	%D%/plain-internal.h \
	%D%/plain-output.c \
	%D%/plain-record.c \
	%D%/plain-replay.c %D%/plain-replay.h \
	%D%/plain.c %D%/plain.h \
	%D%/settings.c %D%/settings.h \
	%D%/stop.c %D%/stop.h \
	%D%/tui-burst.c \
	%D%/tui-commands.c \
	%D%/tui-internal.h \
	%D%/tui-keys.c \
	%D%/tui-lab.c \
	%D%/tui-plot.c \
	%D%/tui-replay.c \
	%D%/tui-sessions.c \
	%D%/tui.c %D%/tui.h \
	%D%/xdg.c %D%/xdg.h
