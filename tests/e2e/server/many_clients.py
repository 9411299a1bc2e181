# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand TCP clients at once beside a load of datagrams, among them one that never
reads, one that resets, one that sends a byte a second. Every other client gets every byte, and
memory stays bounded."""
import resource
import selectors
import socket
import struct
import threading
import time

from server import PATIENCE, Server, expect, run, tcp, udp

CLIENTS = 1000
# What each client sends, in pieces of many sizes that split lines and characters.
LINES = 60
PIECES = (1, 7, 64, 3, 1000, 2, 333)
# Datagrams in flight.
WINDOW = 64
# The server alone is far below; under AddressSanitizer everything costs more.
MEMORY = 24 << 10


class Client:
    """One of the clients: sends its text piece by piece, and must get its capitals."""

    def __init__(self, server, number):
        text = "".join(f"client {number} line {i}: grüße, ŉ, 漢字, ΐ\n" for i in range(LINES))
        self.text, self.wanted = text.encode(), text.upper().encode()
        self.sent, self.got, self.turn = 0, bytearray(), number
        self.socket = tcp(server)
        self.socket.setblocking(False)

    def write(self):
        """Sends the next piece. Returns whether there is more to send."""
        n = PIECES[self.turn % len(PIECES)]
        self.turn += 1
        self.sent += self.socket.send(self.text[self.sent:self.sent + n])
        if self.sent == len(self.text):
            self.socket.shutdown(socket.SHUT_WR)
        return self.sent < len(self.text)

    def read(self):
        """Reads. Returns whether the end came."""
        data = self.socket.recv(65536)
        self.got += data
        return not data


def serve_all(clients):
    selector = selectors.EpollSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
    left = len(clients)
    while left:
        ready = selector.select(PATIENCE)
        expect(bool(ready), True, f"something moves; {left} clients left")
        for key, events in ready:
            client = key.data
            if events & selectors.EVENT_WRITE and client.sent < len(
                    client.text) and not client.write():
                selector.modify(client.socket, selectors.EVENT_READ, client)
            if events & selectors.EVENT_READ and client.read():
                selector.unregister(client.socket)
                left -= 1
    selector.close()


class Datagrams(threading.Thread):
    """A load of datagrams, WINDOW in flight; each reply must belong to one of them."""

    def __init__(self, server):
        super().__init__()
        self.socket = udp(server)
        self.socket.settimeout(1)
        self.answered, self.lost, self.wrong, self.over = 0, 0, 0, threading.Event()

    def run(self):
        number, flying = 0, set()
        while not self.over.is_set() or flying:
            while len(flying) < WINDOW and not self.over.is_set():
                flying.add(number)
                self.socket.send(b"datagram %d" % number)
                number += 1
            try:
                reply = self.socket.recv(100)
            except TimeoutError:
                self.lost += len(flying)
                flying.clear()
                continue
            answered = int(reply.split()[1])
            self.wrong += reply != b"DATAGRAM %d" % answered or answered not in flying
            flying.discard(answered)
            self.answered += 1


class Resetting(threading.Thread):
    """One that connects, sends, and resets, again and again."""

    def __init__(self, server):
        super().__init__()
        self.server, self.times, self.over = server, 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            client = tcp(self.server)
            client.sendall(b"hello\n" * 1000)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            self.times += 1
            time.sleep(0.002)


class Slow(threading.Thread):
    """One that sends a byte a second."""

    def __init__(self, server, text):
        super().__init__()
        self.socket, self.text, self.got = tcp(server), text, b""

    def run(self):
        for byte in self.text:
            self.socket.sendall(bytes([byte]))
            time.sleep(1)
        self.socket.shutdown(socket.SHUT_WR)
        while data := self.socket.recv(100):
            self.got += data


def never_reads(server):
    client = tcp(server, buffer=4096)
    client.setblocking(False)
    try:
        while True:
            client.send(b"x" * 100000)
    except BlockingIOError:
        pass
    return client


def many_clients():
    """a thousand clients beside a UDP load, one never reading, one resetting, one sending a byte a second"""
    with Server() as server:
        before = server.memory()
        slow_text = "ŉß漢".encode()
        loads = [Datagrams(server), Resetting(server), Slow(server, slow_text)]
        deaf = never_reads(server)
        # First all of them: the one that resets could take a place from one that is to be served.
        clients = [Client(server, number) for number in range(CLIENTS)]
        at_once = server.wait_totals(lambda t: t["tcp"]["now"] >= CLIENTS + 2,
                                     "all at once")["tcp"]["now"]
        for load in loads:
            load.start()
        try:
            serve_all(clients)
            loads[2].join()
        finally:
            for load in loads[:2]:
                load.over.set()
                load.join()
        wrong = [n for n, client in enumerate(clients) if client.got != client.wanted]
        expect(wrong, [], "clients that did not get their bytes")
        expect(loads[2].got, slow_text.decode().upper().encode(), "the slow one's replies")
        expect((loads[0].wrong, loads[0].lost), (0, 0), "wrong and lost datagrams")
        expect(loads[0].answered > 1000 and loads[1].times > 10, True, "there was a load")
        deaf.close()
        server.wait_totals(lambda t: t["tcp"]["now"] == 0, "no client")
        most, after = server.memory("VmHWM"), server.memory()
        print(
            f"# {at_once} clients at once, {loads[0].answered} datagrams, {loads[1].times} resets")
        print(f"# memory: {before} KiB before, {most} KiB at most, {after} KiB after")
        expect(most - before < MEMORY, True, f"KiB more at most: {most - before}")


# A thousand clients of one process, besides what Python has open.
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(CLIENTS + 500, limit[1]), limit[1]))
run(many_clients)
