# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that does to each line what the line itself asks for, so that a test knows the truth.

    scripted_server.py udp|tcp

prints its port. A line (behind a tag such as "#17 ") begins with what is to become of it; anything
else is answered at once, in capitals:
    lose ...        no reply
    late MS ...     the reply comes MS milliseconds later
    twice ...       the reply comes twice;  thrice ... three times
    cut N ...       the reply is the first N bytes of the capitals
    hold ...        the reply comes behind the reply to the next line that is answered
    echo ...        the line comes back as it is
    stray ...       a reply that nobody asked for comes first
    attack ...      control characters in a stray first
    close ...       TCP: closes without a reply;  reset ...: resets
"""
import heapq
import re
import select
import socket
import struct
import sys
import time

ATTACK = b"\x1b]0;owned\x07\x1b[31mRED\x1b[2J\x9b31m\x0e\r\nbell\x07 \xe2\x80\xaeRTL \xff\xfe \x1bc"


def parts(line):
    """The words of a line behind its tag."""
    return re.sub(rb"^#[0-9]+ ", b"", line).split(b" ")


class Replies:
    """Replies by the time they are due."""

    def __init__(self, send):
        self.send, self.later, self.held, self.serial = send, [], None, 0

    def now(self, to, data):
        self.send(to, data)
        held, self.held = self.held, None
        if held:
            self.send(*held)

    def after(self, milliseconds, to, data):
        self.serial += 1
        heapq.heappush(self.later, (time.monotonic() + milliseconds / 1000, self.serial, to, data))

    def wait(self):
        return max(0, self.later[0][0] - time.monotonic()) if self.later else None

    def due(self):
        while self.later and self.later[0][0] <= time.monotonic():
            _, _, to, data = heapq.heappop(self.later)
            self.send(to, data)

    def answer(self, to, line):
        word, *rest = parts(line)
        capitals = line.decode(errors="surrogateescape").upper().encode(errors="surrogateescape")
        if word == b"lose":
            return
        if word == b"late":
            self.after(int(rest[0]), to, capitals)
        elif word in (b"twice", b"thrice"):
            for _ in range(2 if word == b"twice" else 3):
                self.now(to, capitals)
        elif word == b"cut":
            self.now(to, capitals[: int(rest[0])])
        elif word == b"hold":
            self.held = (to, capitals)
        elif word == b"echo":
            self.now(to, line)
        elif word in (b"stray", b"attack"):
            self.send(to, b"NOBODY ASKED FOR THIS" if word == b"stray" else ATTACK)
            self.now(to, capitals)
        else:
            self.now(to, capitals)


def serve_udp():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    server.bind(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    replies = Replies(lambda to, data: server.sendto(data, to))
    while True:
        if select.select([server], [], [], replies.wait())[0]:
            line, client = server.recvfrom(65536)
            replies.answer(client, line)
        replies.due()


def serve_tcp():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    print(server.getsockname()[1], flush=True)
    rest = {}
    replies = Replies(lambda to, data: to in rest and to.sendall(data + b"\n"))
    while True:
        for ready in select.select([server, *rest], [], [], replies.wait())[0]:
            if ready is server:
                rest[server.accept()[0]] = b""
                continue
            try:
                data = ready.recv(65536)
            except ConnectionError:
                data = b""
            *lines, rest[ready] = (rest[ready] + data).split(b"\n")
            for line in lines:
                if ready not in rest:
                    break
                word = parts(line)[0]
                if word == b"reset":
                    ready.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if word in (b"close", b"reset"):
                    data = b""
                    break
                replies.answer(ready, line)
            if not data:
                del rest[ready]
                ready.close()
        replies.due()


if __name__ == "__main__":
    serve_udp() if sys.argv[1] == "udp" else serve_tcp()
