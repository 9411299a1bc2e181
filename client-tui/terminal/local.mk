# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/history.c %D%/history.h \
	%D%/keys.c %D%/keys.h \
	%D%/line-editor.c %D%/line-editor.h \
	%D%/palette.c %D%/palette.h \
	%D%/readline-guard.c %D%/readline-guard.h \
	%D%/restore.c %D%/restore.h \
	%D%/screen.c %D%/screen.h
