# SPDX-License-Identifier: GPL-3.0-or-later
# The soak: every kind of client of one server at once; a short one as a test, make soak for ten
# minutes of it. SOAK_SECONDS and SOAK_SEED say for how long and which; SOAK_ARGS what else:
# "--max-clients 6000", "--workers 2".
SCRIPT_TESTS += %D%/server_soak.py
check_PROGRAMS += %D%/soak
tests_soak_soak_SOURCES = \
	%D%/soak-server.c %D%/soak-server.h \
	%D%/soak-tcp.c %D%/soak-tcp.h \
	%D%/soak-text.c %D%/soak-text.h \
	%D%/soak-udp.c %D%/soak-udp.h \
	%D%/soak.c %D%/soak.h
soak: all %D%/soak
	@seconds='$(SOAK_SECONDS)' seed='$(SOAK_SEED)'; \
	set -x; %D%/soak --seconds $${seconds:-600} $${seed:+--seed $$seed} $(SOAK_ARGS) server/upcased
.PHONY: soak
