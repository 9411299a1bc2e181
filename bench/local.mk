# SPDX-License-Identifier: GPL-3.0-or-later
# Benches: not tests, for no two machines agree, and nobody should wait for them.

# make bench: what capitals cost, and the link. make check builds them, as it does the other benches,
# so that a change of a header breaks none unseen.
check_PROGRAMS += %D%/capitals %D%/link
bench_capitals_LDADD = common/libcommon.a $(UNISTRING_LIBS)
bench_link_LDADD = $(LAB_LIBS)
bench: bench-capitals bench-link
bench-capitals: %D%/capitals
	%D%/capitals
bench-link: %D%/link
	%D%/link
.PHONY: bench bench-capitals bench-link

# make bench-server: upcased beside servers on libuv, libevent, io_uring and Node.js, and beside
# what the system can do at best. A peer is built where its library is found; the report tells which
# were left out. All of it takes about 40 minutes. BENCH_ARGS="--rounds 3 --tests rr-1,churn" goes
# to bench/server.py, whose --help tells the rest.
check_PROGRAMS += %D%/load %D%/peer-epoll %D%/peer-limit
bench_load_SOURCES = %D%/load.c %D%/load.h %D%/load-open.c %D%/load-tcp.c %D%/load-udp.c
bench_load_LDADD = common/libcommon.a
bench_peer_epoll_SOURCES = %D%/peer-epoll.c %D%/peer.h
bench_peer_epoll_LDADD =
bench_peer_limit_SOURCES = %D%/peer-limit.c %D%/peer.h
bench_peer_limit_LDADD =
BENCH_PEERS = %D%/peer-libevent %D%/peer-libuv %D%/peer-uring
EXTRA_PROGRAMS += $(BENCH_PEERS)
CLEANFILES += $(BENCH_PEERS)
# What pkg-config says is asked for when they are built: nothing else needs these libraries.
bench_peer_libevent_SOURCES = %D%/peer-libevent.c %D%/peer.h
bench_peer_libevent_CFLAGS = $(AM_CFLAGS) `$(PKG_CONFIG) --cflags libevent_core`
bench_peer_libevent_LDADD = `$(PKG_CONFIG) '--libs' libevent_core`
bench_peer_libevent_DEPENDENCIES =
bench_peer_libuv_SOURCES = %D%/peer-libuv.c %D%/peer.h
bench_peer_libuv_CFLAGS = $(AM_CFLAGS) `$(PKG_CONFIG) --cflags libuv`
bench_peer_libuv_LDADD = `$(PKG_CONFIG) '--libs' libuv`
bench_peer_libuv_DEPENDENCIES =
bench_peer_uring_SOURCES = %D%/peer-uring.c %D%/peer.h
bench_peer_uring_CFLAGS = $(AM_CFLAGS) `$(PKG_CONFIG) --cflags liburing`
bench_peer_uring_LDADD = `$(PKG_CONFIG) '--libs' liburing`
bench_peer_uring_DEPENDENCIES =
bench-peers: %D%/peer-epoll %D%/peer-limit
	@for peer in libevent:libevent_core libuv:libuv uring:liburing; do \
	    if $(PKG_CONFIG) --exists $${peer#*:}; then \
		$(MAKE) $(AM_MAKEFLAGS) bench/peer-$${peer%:*} || exit 1; \
	    fi; \
	done
bench-server: server/upcased %D%/load bench-peers
	@CC='$(CC)' CFLAGS='$(CFLAGS)' abs_top_builddir='$(abs_top_builddir)' \
	    python3 $(srcdir)/%D%/server.py $(BENCH_ARGS)
.PHONY: bench-peers bench-server

# make bench-client: what upcase costs a line and a draw, in instructions, and beside nc. Needs
# valgrind and nc; 2 minutes.
bench-client: client-tui/upcase server/upcased
	@CC='$(CC)' CFLAGS='$(CFLAGS)' abs_top_builddir='$(abs_top_builddir)' \
	    python3 $(srcdir)/%D%/client.py $(BENCH_ARGS)
.PHONY: bench-client
EXTRA_DIST += %D%/client.py %D%/server.py %D%/peer-node.js
