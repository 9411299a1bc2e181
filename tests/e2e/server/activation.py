# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets that a service manager hands over (LISTEN_FDS)."""
import os
import socket
import subprocess
import tempfile

from server import ACTIVATE, PATIENCE, UPCASED, Server, ask, ask_at, expect, line, run, tcp, udp, wait_until
from tap import has


def stream(host="127.0.0.1", port=0):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    s.listen(10)
    return s


def datagram(host="127.0.0.1", port=0):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    return s


def pair(make_stream, make_datagram):
    """Both on one port."""
    while True:
        t = make_stream()
        try:
            return t, make_datagram(port=t.getsockname()[1])
        except OSError:
            t.close()


def for_both_families(kind, port=0):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", port))
    return s


def activated(sockets, *options, **more):
    fds = [s.fileno() for s in sockets]
    return Server(*options,
                  port=None,
                  before=(*ACTIVATE, ",".join(map(str, fds))),
                  pass_fds=fds,
                  **more)


def both_kinds():
    """TCP and UDP, in any order, and what had come before the start"""
    t, u = pair(stream, datagram)
    port = t.getsockname()[1]
    for sockets in ([t, u], [u, t]):
        early = socket.create_connection(("127.0.0.1", port), PATIENCE)
        early.sendall(b"early\n")
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.settimeout(PATIENCE)
        first.connect(("127.0.0.1", port))
        first.send(b"the datagram that it is started for")
        with activated(sockets) as server:
            expect(server.port, port, "port")
            expect(early.recv(100), b"EARLY\n", "reply to one who came before")
            expect(first.recv(100), b"THE DATAGRAM THAT IT IS STARTED FOR",
                   "reply to a datagram that came before")
            expect(line(tcp(server), b"hello\n"), b"HELLO\n", "TCP")
            expect(ask(udp(server), b"hello"), b"HELLO", "UDP")
            wait_until(lambda s=server: f"127.0.0.1:{port} (UDP and TCP)\n" in s.stdout(),
                       "addresses")
        # The sockets are the manager's: it may start the server again.


def one_kind_alone():
    """UDP alone, TCP alone"""
    with activated([datagram()]) as server:
        expect(ask(udp(server), b"hello"), b"HELLO", "UDP")
        wait_until(lambda: f"127.0.0.1:{server.port} (UDP)\n" in server.stdout(), "addresses")
    with activated([stream()]) as server:
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "TCP")
        wait_until(lambda: f"127.0.0.1:{server.port} (TCP)\n" in server.stdout(), "addresses")


def both_families_in_one():
    """a socket of IPv6 that takes IPv4 too, as systemd makes them"""
    t, u = pair(lambda: for_both_families(socket.SOCK_STREAM),
                lambda port: for_both_families(socket.SOCK_DGRAM, port))
    t.listen(10)
    with activated([u, t], "-v") as server:
        for host in ("127.0.0.1", "127.0.0.2", "::1"):
            expect(ask_at(server, host, b"hello"), b"HELLO", host)
            expect(line(tcp(server, host), b"hello\n"), b"HELLO\n", host)
        server.wait_log(r"tcp 127\.0\.0\.1:\d+: connected")
        group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        group.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        group.bind(("127.0.0.1", 0))
        group.sendto(b"anyone there", ("127.255.255.255", server.port))
        expect(ask(udp(server), b"hello"), b"HELLO", "reply")
        expect(server.totals()["udp dropped"]["group"], has("ARRIVALS"), "broadcast")


def blocking_sockets():
    """sockets that block do not hold it up"""
    t, u = pair(stream, datagram)
    t.setblocking(True)
    u.setblocking(True)
    with activated([t, u]) as server:
        expect(ask(udp(server), b"hello"), b"HELLO", "UDP")
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "TCP")


def not_for_this_process():
    """with another one's LISTEN_PID it binds its own"""
    s = stream()
    with Server("--bind=127.0.0.1", before=(*ACTIVATE, str(s.fileno())), pass_fds=[s.fileno()],
                env={"TEST_LISTEN_PID": "1"}) as server:
        expect(server.port != s.getsockname()[1], True, "port")
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "TCP")


def unfit_sockets():
    """what cannot be served is said in one line, status 1"""
    unlistening, unbound = (socket.socket(socket.AF_INET, kind)
                            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
    a, _b = socket.socketpair()
    with tempfile.TemporaryFile() as file:
        for fd, env, said in ((unlistening.fileno(), {},
                               "does not listen"), (a.fileno(), {}, "not an Internet socket"),
                              (unbound.fileno(), {}, "not bound"), (file.fileno(), {},
                                                                    "not a socket"),
                              (a.fileno(), {"TEST_LISTEN_FDS": "many"}, "LISTEN_FDS=many")):
            ended = subprocess.run([*ACTIVATE, str(fd), UPCASED],
                                   pass_fds=[fd],
                                   capture_output=True,
                                   text=True,
                                   timeout=PATIENCE,
                                   check=False,
                                   env={**os.environ, **env})
            expect((ended.returncode, len(ended.stderr.splitlines())), (1, 1),
                   f"status and lines: {ended.stderr}")
            expect(said in ended.stderr, True, ended.stderr)


run(both_kinds, one_kind_alone, both_families_in_one, blocking_sockets, not_for_this_process,
    unfit_sockets)
