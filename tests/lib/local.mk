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
	%D%/checker.py \
	%D%/client.py \
	%D%/lab.py \
	%D%/lab_obstacle.py \
	%D%/play.py \
	%D%/scripted_server.py \
	%D%/server.py \
	%D%/server_control_client.py \
	%D%/students/asyncio_server.py \
	%D%/students/select_server.c \
	%D%/students/tcp_client.py \
	%D%/students/tcp_client_counts_characters.py \
	%D%/students/tcp_client_end_first.py \
	%D%/students/tcp_client_first_word.c \
	%D%/students/tcp_client_half_close.py \
	%D%/students/tcp_client_in_c.c \
	%D%/students/tcp_client_line_each.py \
	%D%/students/tcp_client_never_times_out.py \
	%D%/students/tcp_client_no_newline.py \
	%D%/students/tcp_client_overflow.c \
	%D%/students/tcp_client_prints_raw.py \
	%D%/students/tcp_client_recv_is_a_reply.py \
	%D%/students/tcp_client_sends_nul.c \
	%D%/students/tcp_client_spins_when_closed.py \
	%D%/students/tcp_client_status_0.py \
	%D%/students/tcp_server.go \
	%D%/students/tcp_server.js \
	%D%/students/tcp_server_answers_last_client.py \
	%D%/students/tcp_server_ascii_only.py \
	%D%/students/tcp_server_buffers_replies.py \
	%D%/students/tcp_server_closes_too_early.py \
	%D%/students/tcp_server_daemon.py \
	%D%/students/tcp_server_dies_on_reset.py \
	%D%/students/tcp_server_first_line_only.py \
	%D%/students/tcp_server_forgets_last_line.py \
	%D%/students/tcp_server_ignores_sigterm.py \
	%D%/students/tcp_server_leaves_children.py \
	%D%/students/tcp_server_no_newline.py \
	%D%/students/tcp_server_no_reuseaddr.py \
	%D%/students/tcp_server_one_by_one.py \
	%D%/students/tcp_server_port_in_use.py \
	%D%/students/tcp_server_recv_is_a_line.py \
	%D%/students/tcp_server_send_once.py \
	%D%/students/tcp_server_serves_one_client.py \
	%D%/students/tcp_server_shares_buffer.py \
	%D%/students/tcp_server_sigpipe.c \
	%D%/students/tcp_server_spins_at_end.py \
	%D%/students/tcp_server_splits_utf8.py \
	%D%/students/tcp_server_strips.py \
	%D%/students/tcp_server_waits_for_port.py \
	%D%/students/tcp_socketserver.py \
	%D%/students/tcp_socketserver_lines.py \
	%D%/students/udp_client.py \
	%D%/students/udp_client_decode.py \
	%D%/students/udp_client_editor.py \
	%D%/students/udp_client_ends_when_lost.py \
	%D%/students/udp_client_hides_loss.py \
	%D%/students/udp_client_never_ends.py \
	%D%/students/udp_client_never_times_out.py \
	%D%/students/udp_client_own_capitals.py \
	%D%/students/udp_client_repeats.py \
	%D%/students/udp_client_shows_late.py \
	%D%/students/udp_client_takes_anything.py \
	%D%/students/udp_client_takes_duplicate.py \
	%D%/students/udp_client_takes_stranger.py \
	%D%/students/udp_server.js \
	%D%/students/udp_server_answers_last_client.py \
	%D%/students/udp_server_answers_once.py \
	%D%/students/udp_server_answers_twice.py \
	%D%/students/udp_server_decode.py \
	%D%/students/udp_server_echo.py \
	%D%/students/udp_server_ends_on_empty.py \
	%D%/students/udp_server_format.c \
	%D%/students/udp_server_no_htons.c \
	%D%/students/udp_server_no_nul.c \
	%D%/students/udp_server_noisy.py \
	%D%/students/udp_server_other_port.py \
	%D%/students/udp_server_overflow.c \
	%D%/students/udp_server_sends_nul.c \
	%D%/students/udp_server_shares_port.py \
	%D%/students/udp_server_small_buffer.py \
	%D%/students/udp_server_strlen.c \
	%D%/students/udp_server_whole_buffer.py \
	%D%/students/udp_socketserver.py \
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
