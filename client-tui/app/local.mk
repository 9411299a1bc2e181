# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/commands.c %D%/commands.h \
	%D%/complete.c %D%/complete.h \
	%D%/generator.c %D%/generator.h \
	%D%/plain-output.c %D%/plain-output.h \
	%D%/plain.c %D%/plain.h \
	%D%/run.c %D%/run.h \
	%D%/settings.c %D%/settings.h \
	%D%/stop.c %D%/stop.h \
	%D%/tui-keys.c \
	%D%/tui-lab.c \
	%D%/tui-replay.c \
	%D%/tui-sessions.c \
	%D%/tui-state.c %D%/tui-state.h \
	%D%/tui.c %D%/tui.h
