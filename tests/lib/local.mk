# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests share: a client in a terminal, child processes, a wire without a kernel, a model of
# the ledger.
check_LIBRARIES += %D%/libtests.a
tests_lib_libtests_a_SOURCES = \
	%D%/capitals-reference.h \
	%D%/child.c %D%/child.h \
	%D%/client.c %D%/client.h \
	%D%/cmocka-compat.h \
	%D%/ledger_check.c %D%/ledger_check.h \
	%D%/ledger_model.c %D%/ledger_model.h \
	%D%/marks.h \
	%D%/recording.c %D%/recording.h \
	%D%/row_text.h \
	%D%/sink.h \
	%D%/terminal.c %D%/terminal.h \
	%D%/wire.c %D%/wire.h
EXTRA_DIST += \
	%D%/activate.py \
	%D%/client.py \
	%D%/lab.py \
	%D%/lab_obstacle.py \
	%D%/play.py \
	%D%/scripted_server.py \
	%D%/server.py \
	%D%/server_control_client.py \
	%D%/tap-awk.sh \
	%D%/tap.py \
	%D%/samples/README \
	%D%/samples/scripts.txt

# A textbook's programs are examples for users too.
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/textbook/tcp_client.py \
	%D%/textbook/tcp_server.py \
	%D%/textbook/udp_client.py \
	%D%/textbook/udp_server.py
