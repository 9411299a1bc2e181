# SPDX-License-Identifier: GPL-3.0-or-later
# What the programs share.

noinst_LIBRARIES += %D%/libcommon.a
common_libcommon_a_CPPFLAGS = $(AM_CPPFLAGS) $(PORTABLE_CPPFLAGS)
common_libcommon_a_SOURCES = \
	%D%/addr.c %D%/addr.h \
	%D%/bucket.h \
	%D%/bytes.h \
	%D%/capitals.c %D%/capitals.h \
	%D%/clock.c %D%/clock.h \
	%D%/colours.c %D%/colours.h \
	%D%/complete.c %D%/complete.h \
	%D%/control-socket.c %D%/control-socket.h \
	%D%/delay-queue.c %D%/delay-queue.h \
	%D%/event-line.c %D%/event-line.h \
	%D%/fd-watch.h \
	%D%/file.c %D%/file.h \
	%D%/fnv.h \
	%D%/grow.h \
	%D%/impair-fields.c %D%/impair-fields.h \
	%D%/impair-options.c %D%/impair-options.h \
	%D%/impair.c %D%/impair.h \
	%D%/list.h \
	%D%/log.c %D%/log.h \
	%D%/member.h \
	%D%/options.c %D%/options.h \
	%D%/os-linux.c %D%/os-posix.c %D%/os.h \
	%D%/posix-alone.h \
	%D%/printable.c %D%/printable.h \
	%D%/program.c %D%/program.h \
	%D%/random.c %D%/random.h \
	%D%/search.h \
	%D%/send-buffer.c %D%/send-buffer.h \
	%D%/standard.c %D%/standard.h \
	%D%/text.c %D%/text.h \
	%D%/units.c %D%/units.h \
	%D%/utf8.h
