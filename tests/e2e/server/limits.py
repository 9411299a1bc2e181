# SPDX-License-Identifier: GPL-3.0-or-later
"""How many clients there may be, what becomes of one too many, of one too slow and of one that says nothing."""
import os
import re
import resource
import select
import signal
import socket
import struct
import threading
import time

from server import (PATIENCE, Server, ask, expect, line, need_family, read_all, read_exactly,
                    refused_start, run, stop_process, tcp, udp, wait_until)
from tap import has, sanitized


def is_refused(client):
    """The connection ends, and not by a reset."""
    return client.recv(100) == b""


def one_too_many():
    """--max-clients: one too many is refused politely, logged and counted; then there is room again"""
    with Server("--max-clients=3") as server:
        clients = [tcp(server) for _ in range(3)]
        for client in clients:
            expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        for early in (b"", b"hello\n"):
            extra = tcp(server)
            if early:
                extra.sendall(early)
            expect(is_refused(extra), True, "one too many")
        server.wait_log(r"tcp 127.0.0.1:\d+: refused: full")
        expect(server.totals()["tcp refused"]["full"], 2, "refused")
        clients.pop().close()
        server.wait_totals(lambda t: t["tcp"]["now"] == 2, "two clients")
        expect(line(tcp(server), b"again\n"), b"AGAIN\n", "reply")
        expect(line(clients[0], b"still\n"), b"STILL\n", "reply")
        expect(ask(udp(server), b"udp"), b"UDP", "reply")


def more_than_files_allow():
    """--max-clients beyond the limit of open files: one line with the way out, status 2"""
    def low():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    for number in (1024, 199, 2147483647):
        message = refused_start("--port=0", f"--max-clients={number}", status=2, before=low)
        way = "ulimit -n" if has("EPOLL") or number < 1000 else "that select() can watch"
        expect(f"--max-clients={number}" in message and way in message, True, message)


class Held:
    """Connections that a process of their own holds: an ordinary user's may have no more than 1,024 open files."""

    def __init__(self, server, count):
        self.orders, there = socket.socketpair()
        self.orders.settimeout(PATIENCE)
        self.child = os.fork()
        if self.child == 0:
            status = 1
            try:
                clients = [tcp(server) for _ in range(count)]
                there.send(b"connected")
                served = int(there.recv(9))
                for client in clients[:served]:
                    expect(line(client, b"hello\n"), b"HELLO\n", "reply")
                for client in clients[served:]:
                    expect(is_refused(client), True, "one too many")
                status = 0
            finally:
                os._exit(status)
        there.close()
        expect(self.orders.recv(9), b"connected", "connections")

    def end(self, served):
        """The first are served, the others refused; then they close."""
        self.orders.send(b"%d" % served)
        expect(os.waitpid(self.child, 0)[1], 0, "status of the process that holds them")


def select_is_full():
    """all the clients that select() can hold, and some more, are served or refused"""
    with Server() as server:
        first, last = Held(server, 550), Held(server, 550)
        totals = server.wait_totals(
            lambda t: t["tcp"]["clients"] + t["tcp refused"]["full"] == 1100, "1,100 clients")
        now = totals["tcp"]["now"]
        expect(now >= 1000, True, f"served at once: {now}")
        print(f"# {now} clients at once, {totals['tcp refused']['full']} refused")
        first.end(550)
        last.end(now - 550)
        server.wait_totals(lambda t: t["tcp"]["now"] == 0, "no client")
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "reply")


def descriptors_of_a_small_limit():
    """with a low limit of open files there is room for fewer, and the limit is raised where it may be"""
    def low():
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))

    def soft():
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 1024))
    with Server(prepare=low) as server:
        clients = [tcp(server) for _ in range(40)]
        totals = server.wait_totals(lambda t: t["tcp"]["clients"] + t["tcp refused"]["full"] == 40,
                                    "40 clients")
        now = totals["tcp"]["now"]
        expect(10 <= now < 30, True, f"{now} clients")
        for client in clients[:now]:
            expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        for client in clients[now:]:
            expect(is_refused(client), True, "one too many")
    with Server(prepare=soft) as server:
        for client in [tcp(server) for _ in range(100)]:
            expect(line(client, b"hello\n"), b"HELLO\n", "reply")


def descriptors_run_out():
    """when descriptors run out it rests, without spinning, and serves who waited when there are some again"""
    with Server() as server:
        clients = [tcp(server) for _ in range(10)]
        for client in clients:
            expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        limit = server.descriptors()
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
        waiting = [tcp(server) for _ in range(5)]
        for client in waiting:
            client.sendall(b"waiting\n")
        server.wait_log("cannot accept")
        # Nothing else is held up.
        for client in clients:
            expect(line(client, b"meanwhile\n"), b"MEANWHILE\n", "reply")
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        before = cpu(server)
        time.sleep(0.3)
        expect(
            cpu(server) - before < 0.2, True, f"CPU seconds while it rests: {cpu(server) - before}")
        for client in clients[:5]:
            client.close()
        for client in waiting:
            expect(read_exactly(client, 8), b"WAITING\n", "reply to one who waited")
        # Who comes later waits in turn, and is served without anybody's leave when the limit is
        # raised.
        late = tcp(server)
        late.sendall(b"late\n")
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        try:
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (hard, hard))
        except PermissionError:
            # An ordinary user may only make room.
            waiting[0].close()
        expect(read_exactly(late, 5), b"LATE\n", "reply")


def cpu(server):
    """Seconds of CPU that the server has used."""
    with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def too_many_from_one_source():
    """--max-per-source: an IPv4 address, or a /64, has so many; others are served"""
    with Server("--max-per-source=2", "--bind=*") as server:
        for hosts, other in ((("127.0.0.1", "127.0.0.1", "127.0.0.1"), "127.0.0.2"),
                             (("::1", "::1", "::1"), None)):
            clients = [client_from(server, host) for host in hosts]
            for client in clients[:2]:
                expect(line(client, b"hello\n"), b"HELLO\n", "reply")
            expect(is_refused(clients[2]), True, "the third one")
            if other:
                expect(line(client_from(server, other), b"hello\n"), b"HELLO\n", "another source")
            clients[0].close()
            server.wait_totals(lambda t: t["tcp ended"]["closed"] >= 1, "an end")
            wait_until(lambda host=hosts[0]: answers(client_from(server, host)), "room again")
        expect(server.totals()["tcp refused"]["per-source"] >= 2, True, "refused")
        server.wait_log("refused: per-source")


def client_from(server, host):
    client = socket.socket(need_family(host), socket.SOCK_STREAM)
    client.settimeout(PATIENCE)
    client.bind((host, 0))
    client.connect(("::1" if ":" in host else "127.0.0.1", server.port))
    return client


def answers(client):
    client.sendall(b"x")
    try:
        return client.recv(1) == b"X"
    except ConnectionError:
        return False


def idle():
    """--idle-timeout ends who moves no byte, and nobody else"""
    with Server("--idle-timeout=1s") as server:
        quiet, slow = tcp(server), tcp(server)
        expect(line(quiet, b"hello\n"), b"HELLO\n", "reply")
        began = time.monotonic()
        ended = []
        watcher = threading.Thread(
            target=lambda: (quiet.recv(1), ended.append(time.monotonic() - began)))
        watcher.start()
        while not ended:
            expect(line(slow, b"x"), b"X", "reply to one who is not idle")
            time.sleep(0.02)
        watcher.join(PATIENCE)
        expect(ended[0] > 0.9, True, f"idle for {ended[0]:.3f} s")
        expect(server.totals()["tcp ended"]["idle"], 1, "ended as idle")
        expect(is_refused(slow), True, "the other one, at last")


def never_idle():
    """on loopback nobody is idle by default"""
    with Server() as server:
        client = tcp(server)
        expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        expect(server.totals()["tcp"]["now"], 1, "clients")


def slow_reader():
    """one who does not read holds up only itself, in bounded memory, and gets every byte when it reads"""
    text = "grüße ŉ ΐ\n".encode() * 2_000_000
    wanted = text.decode().upper().encode()
    with Server() as server:
        before = server.memory()
        slow, other = tcp(server, buffer=4096), tcp(server)

        def send():
            slow.sendall(text)
            slow.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        # The server stops reading: what it has read stays what it is.
        wait_until(lambda: stands_still(server), "that it stops reading")
        for i in range(50):
            expect(line(other, b"line %d\n" % i), b"LINE %d\n" % i, "reply to another one")
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        grown = server.memory() - before
        print(f"# {grown} KiB more for {len(text)} bytes sent")
        expect(grown < 2048, True, f"{grown} KiB more memory")
        expect(server.totals()["tcp"]["bytes-in"] < len(text), True, "it did not read everything")
        expect(read_all(slow), wanted, "replies")
        sender.join()


def slow_readers():
    """many who do not read are held together in bounded memory; each gets every byte when it reads"""
    # Of the characters that grow most, from two bytes to six: first about what the system takes,
    # then all that it has room for while the server does not look, so that a read would be long.
    letter, count = "ΐ".encode(), 240
    first = letter * 40_000
    more = letter * 500_000
    with Server() as server:
        before = server.memory()
        clients = [tcp(server, buffer=4096) for _ in range(count)]
        for client in clients:
            client.sendall(first)
        server.wait_totals(lambda t: t["tcp"]["bytes-in"] == count * len(first), "all is read")
        stop_process(server)
        sent = []
        for client in clients:
            client.setblocking(False)
            sent.append(len(first) + client.send(more))
        server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: stands_still(server), "that it stops reading")
        grown = server.memory() - before
        totals = server.totals()["tcp"]
        taken = totals["bytes-out"] // count
        print(
            f"# {grown} KiB more for {totals['bytes-in']} bytes read, of which the system holds {taken} for each"
        )
        # Besides what the client's own has room for.
        expect(taken <= (256 + 8) << (10 if has("SEND_QUEUE") else 11), True, f"{taken} bytes with the system")
        # 16 MiB, one long read, and a short one for each; and what an allocator takes for itself.
        expect(grown < 16384 + 768 + count * 24 + 2048 or sanitized(), True,
               f"{grown} KiB more memory")
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "reply to another one")
        for i in 0, count // 2, count - 1:
            clients[i].settimeout(PATIENCE)
            clients[i].shutdown(socket.SHUT_WR)
            expect(
                read_all(clients[i]) == letter.decode().upper().encode() * (sent[i] // 2), True,
                f"all of the replies to client {i}")


def takes_nothing():
    """who closes its side and takes no reply keeps its place until the system has sent all, or it is idle: then nothing is kept for it"""
    replies = b"x" * 150_000

    def closes_its_side(server):
        client = tcp(server, buffer=4096)
        client.sendall(replies)
        client.shutdown(socket.SHUT_WR)
        return client
    with Server("--max-per-source=2") as server:
        clients = [closes_its_side(server) for _ in range(2)]
        server.wait_totals(lambda t: t["tcp"]["bytes-out"] == 2 * len(replies),
                           "that the system has all")
        if has("SEND_QUEUE"):
            expect(is_refused(tcp(server)), True, "a third one")
        else:
            # Where the system does not tell what it has not sent, they have ended by then.
            expect(line(tcp(server), b"third\n"), b"THIRD\n", "a third one's reply")
        for client in clients:
            expect(read_all(client), replies.upper(), "replies to one who reads at last")
        server.wait_totals(lambda t: t["tcp ended"]["closed"] >= 2, "two ends")
    if not has("SEND_QUEUE"):
        return
    with Server("--idle-timeout=2s") as server:
        slow, quiet = closes_its_side(server), closes_its_side(server)
        got = 0
        while not server.totals()["tcp ended"]["idle"]:
            got += len(slow.recv(2000))
            time.sleep(0.02)
        expect(got + len(read_all(slow)), len(replies),
               "replies to one who takes some now and then")
        expect(raises(read_all, quiet), "ConnectionResetError", "the other one's end")


def raises(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return type(error).__name__
    return "nothing"


def stops_reading():
    """of one who has read along and then does not, the system keeps no more than of another, where other hosts can come"""
    text = b"x" * 65536
    with Server("--bind=*") as server, tcp(server) as client:
        client.setblocking(False)
        began = moved = time.monotonic()
        while time.monotonic() - moved < 0.5:
            readable, writable, _ = select.select([client] if moved - began < 1 else [], [client],
                                                  [], 0.1)
            if readable:
                client.recv(1 << 20)
            if writable and client.send(text):
                moved = time.monotonic()
        with open("/proc/net/tcp", encoding="ascii") as file:
            port, peer = (f"{number:04X}" for number in (server.port, client.getsockname()[1]))
            unread = int(re.search(rf":{port} \w+:{peer} \w\w \w+:(\w+)", file.read())[1], 16)
        print(f"# {unread} bytes that the server has not read")
        expect(0 < unread <= 512 << 10, True, f"{unread} bytes")


def stands_still(server):
    def moved():
        totals = server.totals()["tcp"]
        return totals["bytes-in"], totals["bytes-out"]
    before = moved()
    time.sleep(0.1)
    return before == moved() and before[0] > 0


def reset():
    """a client that resets costs only its own connection"""
    with Server() as server:
        other = tcp(server)
        for i in range(50):
            client = tcp(server, buffer=4096)
            client.sendall(b"hello\n" * (1 if i % 2 else 20000))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            expect(line(other, b"still there\n"), b"STILL THERE\n", "reply")
        server.wait_totals(lambda t: t["tcp"]["now"] == 1 and sum(t["tcp ended"].values()) == 50,
                           "50 ends")


def descriptors_come_back():
    """no descriptor is lost over a thousand clients of every kind"""
    with Server("--max-clients=5") as server:
        # It has told its port and closed what it told it by, once it answers.
        expect(ask(udp(server), b"up"), b"UP", "reply")
        before = server.descriptors()
        for i in range(1000):
            client = tcp(server)
            if i % 3 == 0:
                client.sendall(b"hello")
            if i % 3 == 1:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        server.wait_totals(lambda t: t["tcp"]["now"] == 0 and
                           t["tcp"]["clients"] + sum(t["tcp refused"].values()) >= 660, "all ended")
        wait_until(lambda: server.descriptors() == before, "descriptors as before")


run(one_too_many, more_than_files_allow, select_is_full, descriptors_of_a_small_limit,
    descriptors_run_out, too_many_from_one_source, idle, never_idle, slow_reader, slow_readers,
    takes_nothing, stops_reading, reset, descriptors_come_back)
