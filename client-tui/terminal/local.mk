# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/history.c %D%/history.h \
	%D%/inputrc.c %D%/inputrc.h \
	%D%/keys.c %D%/keys.h \
	%D%/line-editor.c %D%/line-editor.h \
	%D%/palette.c %D%/palette.h \
	%D%/readline-macros.c %D%/readline-macros.h \
	%D%/readline-undo.c %D%/readline-undo.h \
	%D%/restore.c %D%/restore.h \
	%D%/screen.c %D%/screen.h \
	%D%/valid-text.c %D%/valid-text.h
