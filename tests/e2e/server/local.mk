# SPDX-License-Identifier: GPL-3.0-or-later
SCRIPT_TESTS += \
	%D%/activation.py \
	%D%/basic.py \
	%D%/batches.py \
	%D%/batches_plain.py \
	%D%/control.py \
	%D%/epoll_clients.py \
	%D%/hostile.py \
	%D%/impair.py \
	%D%/limits.py \
	%D%/many_clients.py \
	%D%/packets.py \
	%D%/reflection.py \
	%D%/signals.py \
	%D%/udp.py \
	%D%/udp_plain.py \
	%D%/workers.py

# Datagrams one by one, as --disable-batches has them.
check_PROGRAMS += %D%/upcased-plain
tests_e2e_server_upcased_plain_SOURCES = $(server_upcased_SOURCES) $(server_libserver_a_SOURCES)
tests_e2e_server_upcased_plain_CFLAGS = $(server_libserver_a_CFLAGS)
tests_e2e_server_upcased_plain_CPPFLAGS = $(AM_CPPFLAGS) -DMMSG_BATCHES=0
tests_e2e_server_upcased_plain_LDADD = common/libcommon.a $(UNISTRING_LIBS) $(SECCOMP_LIBS) -lm
