# SPDX-License-Identifier: GPL-3.0-or-later
"""More clients than select() can watch: they are in an epoll set, and everything is as it is without one."""
import os
import re
import selectors
import socket
import subprocess
import sys

from server import LIMIT, PATIENCE, Server, ask, expect, line, need_room, read_all, refused_start, run, tcp, udp
from server_control_client import Control, name_of
from tap import has, sanitized

CLIENTS = 5000
# Bytes of the server's own for an idle connection.
MEMORY = 1024
MANY = "--max-clients=6000"
# The tests that are run once more with an epoll set, and with workers.
SCRIPTS = ("basic.py", "signals.py", "control.py", "many_clients.py")


def connect_all(server, n):
    """`n` connections from 127.0.0.1 and its neighbours, all accepted."""
    clients = [tcp(server) for _ in range(n)]
    server.wait_totals(lambda t: t["tcp"]["now"] == n, f"{n} at once")
    return clients


def serve_all(clients, peers):
    """Each client gets its own line back, in pieces that split a character, while datagrams are served."""
    selector = selectors.EpollSelector()
    wanted = {}
    for number, client in enumerate(clients):
        text = f"client {number}: grüße, 漢字, ŉ\n"
        client.sendall(text.encode()[:-8])
        wanted[client] = [bytearray(), text]
        selector.register(client, selectors.EVENT_READ)
    for client in clients:
        client.sendall(wanted[client][1].encode()[-8:])
    left, answered = len(clients), 0
    while left:
        ready = selector.select(PATIENCE)
        expect(bool(ready), True, f"something moves; {left} left")
        for key, _ in ready:
            got, text = wanted[key.fileobj]
            got += key.fileobj.recv(1000)
            if len(got) >= len(text.upper().encode()):
                expect(bytes(got), text.upper().encode(), "reply")
                left -= 1
        text = b"datagram %d" % answered
        expect(ask(peers[answered % len(peers)], text), text.upper(), "datagram")
        answered += 1
    selector.close()
    return answered


def many_clients():
    """5,000 clients at once, each served right, with datagrams served beside them; memory for an idle one"""
    with Server(MANY) as server:
        expect(line(tcp(server), b"warm\n"), b"WARM\n", "reply")
        peers = [udp(server) for _ in range(4)]
        for peer in peers:
            ask(peer, b"warm")
        server.wait_totals(lambda t: t["tcp"]["now"] == 0, "none")
        before = server.memory()
        clients = connect_all(server, CLIENTS)
        each = (server.memory() - before) * 1024 / CLIENTS
        print(f"# {each:.0f} bytes for an idle connection")
        expect(each < MEMORY or sanitized(), True, f"{each} bytes for an idle connection")
        for _ in range(2):
            print(f"# {serve_all(clients, peers)} datagrams meanwhile")
        for client in clients[::2]:
            client.shutdown(socket.SHUT_WR)
            expect(read_all(client), b"", "the end after a half-close")
        for client in clients[1::2]:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        totals = server.wait_totals(lambda t: t["tcp"]["now"] == 0, "none")
        expect((totals["tcp ended"]["closed"] + totals["tcp ended"]["reset"],
                totals["tcp refused"]["descriptor"]), (CLIENTS + 1, 0), "ends")


def idle_costs_no_time():
    """what a line costs does not grow with the clients that say nothing"""
    with Server(MANY) as server:
        def cost(client, n=3000):
            def used():
                with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as file:
                    return int(file.read().split()[0])
            first = used()
            for _ in range(n):
                line(client, b"a line\n")
            return (used() - first) / n
        client = tcp(server)
        costs = [min(cost(client) for _ in range(3))]
        idle = [tcp(server) for _ in range(4000)]
        server.wait_totals(lambda t: t["tcp"]["now"] == 4001, "all")
        costs.append(min(cost(client) for _ in range(3)))
        print(
            f"# ns of the processor for a line: {costs[0]:.0f} alone, {costs[1]:.0f} beside {len(idle)}"
        )
        # select() would take about 20 times as much.
        expect(costs[1] < 2 * costs[0] + 5000, True, f"ns: {costs}")


def control_beyond_select():
    """the control socket answers also when its own clients have descriptors that select() cannot watch"""
    path = f"/tmp/upcased-many-{os.getpid()}"
    with Server(MANY, f"--control={path}") as server:
        clients = connect_all(server, 1500)
        control = Control(path)
        found = control.connections()
        expect(sorted(found), sorted(map(name_of, clients)), "peers")
        expect(control.ask(f"connection {name_of(clients[1400])}")[-1], "ok", "one of them")
    expect(os.path.exists(path), False, "the socket's file")


def refused_beyond():
    """one more than --max-clients is refused, also above what select() can watch"""
    with Server("--max-clients=1200") as server:
        clients = [tcp(server) for _ in range(1210)]
        server.wait_totals(lambda t: (t["tcp"]["now"], t["tcp refused"]["full"]) == (1200, 10),
                           "1,200 and 10")
        expect(line(clients[1199], b"last\n"), b"LAST\n", "reply")
        expect(clients[1205].recv(1), b"", "refused")


def whole_script(name, options):
    def test():
        need_room(options)
        ended = subprocess.run([sys.executable,
                                os.path.join(os.path.dirname(__file__), name)],
                               capture_output=True,
                               text=True,
                               timeout=LIMIT,
                               check=False,
                               env={**os.environ, "TEST_SERVER_OPTIONS": options})
        failed = [text for text in ended.stdout.splitlines() if not text.startswith("ok")]
        expect(ended.returncode, 0, "\n".join(failed))
    test.__doc__ = f"{name} with {options}"
    return test


def not_built():
    """where there is no epoll more clients are refused in one line, status 2"""
    expect(bool(re.match(r"upcased: --max-clients=6000: is more than the 10\d\d that select\(\) can watch, and this "
                         "build has no epoll$", refused_start(MANY, status=2))), True, "line")


run(*[not_built] if not has("EPOLL") else
    (many_clients, idle_costs_no_time, control_beyond_select, refused_beyond,
     *(whole_script(name, "--max-clients=2000") for name in SCRIPTS)),
    *[whole_script("basic.py", "--workers=2")] if has("WORKERS") else [])
