# SPDX-License-Identifier: GPL-3.0-or-later
lab_liblab_a_SOURCES += \
	%D%/capture.c %D%/capture.h \
	%D%/control-commands.c %D%/control-commands.h \
	%D%/control.c %D%/control.h \
	%D%/link.c %D%/link.h \
	%D%/packet-rules.c %D%/packet-rules.h \
	%D%/packet.c %D%/packet.h \
	%D%/pcapng.c %D%/pcapng.h
