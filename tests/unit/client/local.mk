# SPDX-License-Identifier: GPL-3.0-or-later
COMPILED_TESTS += \
	%D%/test_canvas \
	%D%/test_commands \
	%D%/test_connections \
	%D%/test_demo \
	%D%/test_error_text \
	%D%/test_generator \
	%D%/test_history \
	%D%/test_keys \
	%D%/test_lab_socket \
	%D%/test_lab_view \
	%D%/test_layout \
	%D%/test_ledger \
	%D%/test_line_editor \
	%D%/test_link_status \
	%D%/test_link_steps \
	%D%/test_palette \
	%D%/test_plot \
	%D%/test_record \
	%D%/test_replay \
	%D%/test_send_queue \
	%D%/test_shares \
	%D%/test_stall \
	%D%/test_stats \
	%D%/test_summary \
	%D%/test_svg \
	%D%/test_trace \
	%D%/test_transcript \
	%D%/test_validity \
	%D%/test_view \
	%D%/test_window
tests_unit_client_test_line_editor_SOURCES = %D%/test_line_editor.c tests/lib/leaks.c
# What the view asks of these is counted.
tests_unit_client_test_view_LDFLAGS = $(AM_LDFLAGS) $(NO_LTO) -Wl,--wrap=capitals_text,--wrap=layout_more,--wrap=layout_text
