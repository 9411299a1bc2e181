# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of sessions that end at the same moment, of a full disk, and of a session that is told to end while it waits."""
import fcntl
import os
import pty
import resource
import select
import signal
import socket
import subprocess
import tempfile
import time

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, differences
from tap import done, point, sanitized

# Under sanitizers a session takes long to start.
SESSIONS, TRIALS = 8, 5 if sanitized() else 15


class Screen:
    """The client on a terminal of its own, whose picture nobody looks at."""

    def __init__(self, folder, port, *options, limit=None):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [UPCASE, *options, "127.0.0.1", str(port)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**ENVIRONMENT, "TERM": "xterm", "XDG_STATE_HOME": folder},
            preexec_fn=limit and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                             (limit, limit))))
        os.close(slave)
        os.set_blocking(self.master, False)
        self.seen = b""

    def read(self):
        try:
            self.seen += os.read(self.master, 65536)
        except (BlockingIOError, OSError):
            pass

    def type(self, text):
        os.write(self.master, text)

    def end(self):
        """Reads what it says until it has ended, so that no full terminal holds it up."""
        late = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < late:
            select.select([self.master], [], [], 0.01)
            self.read()
        self.process.kill()
        self.process.wait()
        self.read()
        os.close(self.master)
        return self.process.returncode


def hear(server, screens, count):
    """The lines that come, so many of them: what a server hears was entered."""
    lines, late = [], time.monotonic() + PATIENCE
    while len(lines) < count and time.monotonic() < late:
        for ready in select.select([server, *(screen.master for screen in screens)], [], [], 1)[0]:
            if ready is server:
                text, client = server.recvfrom(2048)
                lines.append(text)
                server.sendto(text.upper(), client)
        for screen in screens:
            screen.read()
    return lines


def history(folder):
    with open(os.path.join(folder, "upcase", "history"), "rb") as file:
        return file.read().splitlines()


def start(folder, server, count, *options, limit=None):
    return [Screen(folder, server.getsockname()[1], *options, limit=limit) for _ in range(count)]


def with_history(folder, lines):
    os.mkdir(os.path.join(folder, "upcase"))
    with open(os.path.join(folder, "upcase", "history"), "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def together(server, trial):
    """Eight sessions with three lines each are told to end, or all typed ^D. The file is full before: each drops its oldest."""
    old = [b"old line %d" % i for i in range(100)]
    with tempfile.TemporaryDirectory() as folder:
        with_history(folder, old)
        screens = start(folder, server, SESSIONS, "--history=100")
        for i, screen in enumerate(screens):
            screen.type(b"".join(b"trial %d session %d line %d\r" % (trial, i, line)
                                 for line in range(3)))
        typed = hear(server, screens, 3 * SESSIONS)
        for screen in screens:
            if trial % 3:
                screen.process.terminate()
            else:
                screen.type(b"\x04")
        statuses = [screen.end() for screen in screens]
        return differences("typed", str(len(typed)), str(3 * SESSIONS)) + \
            differences("statuses", statuses, [0] * SESSIONS) + \
            differences("old lines", history(folder)[:-24], old[24:]) + \
            differences("new lines", sorted(history(folder)[-24:]), sorted(typed)) + \
            differences("files", os.listdir(os.path.join(folder, "upcase")), ["history"]) + \
            differences("mode", oct(os.stat(os.path.join(folder, "upcase", "history")).st_mode & 0o7777), "0o600")


def no_room(server):
    """The file may not grow beyond what is there: a full disk."""
    with tempfile.TemporaryDirectory() as folder:
        old = [b"old line %d" % i for i in range(100)]
        with_history(folder, old)
        screen, = start(folder, server, 1, limit=sum(len(line) + 1 for line in old))
        screen.type(b"new\r")
        hear(server, [screen], 1)
        screen.type(b"\x04")
        status = screen.end()
        return differences("history", history(folder), old) + differences("status", str(status), "0") + \
            differences("files", os.listdir(os.path.join(folder, "upcase")), ["history"]) + \
            ([] if b"the history was not saved: File too large" in screen.seen else [f"it says {screen.seen[-300:]!r}"])


def unreadable(server):
    """What is no file is told at the start, and at the end that nothing was saved."""
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "upcase", "history"))
        screen, = start(folder, server, 1)
        screen.type(b"new\r")
        hear(server, [screen], 1)
        screen.type(b"\x04")
        screen.end()
        return [
            f"{words!r} is not in {screen.seen!r}"
            for words in (b"the history is not used: ", b"the history was not saved: is a folder")
            if words not in screen.seen
        ]


def held(server):
    """Somebody keeps the lock: the session ends all the same, and says what it could not do."""
    with tempfile.TemporaryDirectory() as folder:
        with_history(folder, [b"old"])
        with open(os.path.join(folder, "upcase", "history"), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            screen, = start(folder, server, 1)
            screen.type(b"new\r")
            hear(server, [screen], 1)
            screen.process.send_signal(signal.SIGTERM)
            status = screen.end()
        return differences("history", history(folder), [b"old"]) + differences("status", str(status), "0") + \
            ([] if b"the history was not saved" in screen.seen else [f"it says {screen.seen[-300:]!r}"])


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        for trial in range(TRIALS):
            point(f"eight sessions that end together, {trial + 1} of {TRIALS}",
                  together(server, trial))
        point("a full disk takes no line that was there", no_room(server))
        point("a history that is a folder is told", unreadable(server))
        point("a lock that is held does not hold up the end", held(server))
    HOME.cleanup()
    done()


main()
