# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/axis.c %D%/axis.h \
	%D%/export.c %D%/export.h \
	%D%/export-request.c %D%/export-request.h \
	%D%/line-text.c %D%/line-text.h \
	%D%/picture-files.c %D%/picture-files.h \
	%D%/pictures.h \
	%D%/sequence.c %D%/sequence.h \
	%D%/summary.c %D%/summary.h \
	%D%/svg-cells.c %D%/svg-cells.h \
	%D%/svg-plots.c \
	%D%/svg-sequence.c \
	%D%/svg-window.c \
	%D%/svg.c %D%/svg.h
