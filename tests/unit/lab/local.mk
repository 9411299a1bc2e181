# SPDX-License-Identifier: GPL-3.0-or-later
COMPILED_TESTS += \
	%D%/test_capture \
	%D%/test_checksum \
	%D%/test_control \
	%D%/test_diagnose \
	%D%/test_event_text \
	%D%/test_link \
	%D%/test_options \
	%D%/test_output_tail \
	%D%/test_packet \
	%D%/test_packet_rules \
	%D%/test_packet_times \
	%D%/test_pcapng \
	%D%/test_runtime_dir
