# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the control socket, for the tests."""
import socket

from server import PATIENCE, expect, wait_until


class Control:
    """One connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        # So many may wait for a place; one more is told to come again.
        wait_until(lambda: self.socket.connect_ex(path) == 0, "a connection")
        self.lines = self.socket.makefile(encoding="utf-8", errors="replace")

    def answer(self):
        """The lines of one answer; the last one is "ok" or an error."""
        found = []
        while not found or not (found[-1] == "ok" or found[-1].startswith("error")):
            text = self.lines.readline()
            if not text:
                raise AssertionError(f"the connection ended after {found}")
            found.append(text[:-1])
        return found

    def ask(self, order):
        self.socket.sendall(order.encode() + b"\n")
        return self.answer()

    def connections(self):
        """What is known of each connection: its pairs, by peer."""
        *found, last = self.ask("connections")
        expect(last, "ok", "end of the answer")
        return dict(parse(text) for text in found)

    def close(self):
        self.lines.close()
        self.socket.close()


def parse(text):
    word, peer, *pairs = text.split()
    expect(word, "connection", "first word")
    expect(len(pairs) % 2, 0, f"pairs in {text}")
    return peer, {
        name: value if name == "state" else int(value)
        for name, value in zip(pairs[::2], pairs[1::2])
    }


def name_of(client):
    host, port = client.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
