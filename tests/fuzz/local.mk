# SPDX-License-Identifier: GPL-3.0-or-later
# A fuzzer is its own file and $(FUZZ_MAIN): libFuzzer brings main() itself, else ours feeds it the
# corpus and random changes of it.
if FUZZING
FUZZ_MAIN =
else
FUZZ_MAIN = %D%/driver.c %D%/fuzz.h
endif
FUZZER_LINK = $(AM_LDFLAGS) $(FUZZING_LDFLAGS)
SCRIPT_TESTS += %D%/run-short.sh %D%/server_fuzz.py
EXTRA_DIST += %D%/README %D%/corpus
check_PROGRAMS += %D%/fuzz_capitals
tests_fuzz_fuzz_capitals_SOURCES = %D%/fuzz_capitals.c $(FUZZ_MAIN)
tests_fuzz_fuzz_capitals_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_event
tests_fuzz_fuzz_event_SOURCES = %D%/fuzz_event.c $(FUZZ_MAIN)
tests_fuzz_fuzz_event_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_keys
tests_fuzz_fuzz_keys_SOURCES = %D%/fuzz_keys.c $(FUZZ_MAIN)
tests_fuzz_fuzz_keys_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_layout
tests_fuzz_fuzz_layout_SOURCES = %D%/fuzz_layout.c $(FUZZ_MAIN)
tests_fuzz_fuzz_layout_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_options
tests_fuzz_fuzz_options_SOURCES = %D%/fuzz_options.c $(FUZZ_MAIN)
tests_fuzz_fuzz_options_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_commands
tests_fuzz_fuzz_commands_SOURCES = %D%/fuzz_commands.c $(FUZZ_MAIN)
tests_fuzz_fuzz_commands_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_packet
tests_fuzz_fuzz_packet_SOURCES = %D%/fuzz_packet.c $(FUZZ_MAIN)
tests_fuzz_fuzz_packet_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_record
tests_fuzz_fuzz_record_SOURCES = %D%/fuzz_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_record_LDFLAGS = $(FUZZER_LINK)
check_PROGRAMS += %D%/fuzz_reply
tests_fuzz_fuzz_reply_SOURCES = %D%/fuzz_reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reply_LDFLAGS = $(FUZZER_LINK)
