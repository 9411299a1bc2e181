# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/error-text.c %D%/error-text.h \
	%D%/figures.c %D%/figures.h \
	%D%/histogram.c %D%/histogram.h \
	%D%/ledger-internal.h \
	%D%/ledger-line.c %D%/ledger-line.h \
	%D%/ledger-match.c \
	%D%/ledger-replay.c \
	%D%/ledger-row.h \
	%D%/ledger.c %D%/ledger.h \
	%D%/line-index.c %D%/line-index.h \
	%D%/line-times.c %D%/line-times.h \
	%D%/session-event.c %D%/session-event.h \
	%D%/shares.c %D%/shares.h \
	%D%/stats.c %D%/stats.h \
	%D%/transcript.c %D%/transcript.h
