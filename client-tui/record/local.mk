# SPDX-License-Identifier: GPL-3.0-or-later
client_tui_libclient_a_SOURCES += \
	%D%/connections.c %D%/connections.h \
	%D%/event-log.c %D%/event-log.h \
	%D%/fields.c %D%/fields.h \
	%D%/format.c %D%/format.h \
	%D%/record-file.c %D%/record-file.h \
	%D%/record.c %D%/record.h \
	%D%/recorder.c %D%/recorder.h \
	%D%/replay.c %D%/replay.h
