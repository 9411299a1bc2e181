# SPDX-License-Identifier: GPL-3.0-or-later
lab_liblab_a_SOURCES += \
	 %D%/checksum.h \
	%D%/device.c %D%/device.h \
	%D%/diagnose.c %D%/diagnose.h \
	%D%/hosts.c %D%/hosts.h \
	%D%/netlink.c %D%/netlink.h \
	%D%/runtime-dir.c %D%/runtime-dir.h \
	%D%/signals.c %D%/signals.h \
	%D%/supervisor.c %D%/supervisor.h \
	%D%/terminal.c %D%/terminal.h \
	%D%/timestamp-tap.c %D%/timestamp-tap.h
