# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the server share: the server as a child, a runner with one point for each
function, waiting for conditions, and what a client does in one line."""
import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from tap import TOP, UPCASED, done, has, not_here, point

# How long anything may take that takes no time at all when the server works.
PATIENCE = 20 * float(os.environ.get("TEST_PATIENCE", "1"))
# Options for every server, so that a whole script can be run another way.
OPTIONS = os.environ.get("TEST_SERVER_OPTIONS", "").split()
# How long one test may take.
LIMIT = 4 * PATIENCE
# Starts a server with sockets that it is handed.
ACTIVATE = (os.environ.get("PYTHON") or sys.executable, os.path.join(TOP, "tests/lib/activate.py"))

# Options for a server of several processes, where the system has them.
WORKERS = ["--workers=2"] if has("WORKERS") else []

_running = []


def wait_until(condition, what, patience=PATIENCE):
    """Waits until condition() is true, and returns what it returned."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.005)


class NotHere(Exception):
    """Why the machine does not allow a test."""


def need_files(count):
    """Raises the limit of open files to so many, where it is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # RLIM_INFINITY is -1.
    wanted = [limit if limit < 0 else max(limit, count) for limit in (soft, hard)]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, tuple(wanted))
    except ValueError as error:
        # Root alone may raise the hard one.
        raise NotHere(f"more open files than the {hard} that `ulimit -Hn` allows") from error


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
            return True
    except OSError:
        return False


def need_family(host):
    """The family of the host's address."""
    if ":" not in host:
        return socket.AF_INET
    if not has_ipv6():
        raise NotHere("IPv6: this machine has no ::1")
    return socket.AF_INET6


def need_room(*options):
    """Open files for as many clients as a server with these options may have, at either end."""
    for option in options:
        if option.startswith("--max-clients="):
            need_files(int(option.split("=")[1]) + 200)


def expect(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r:.300}, wanted {wanted!r:.300}")


class Server:
    """upcased as a child: `options` are its own, `before` is a command that starts it, `prepare` runs in the child."""

    def __init__(self, *options, port=0, before=(), prepare=None, env=None, pass_fds=(), **more):
        need_room(*OPTIONS, *options)
        ready, write = os.pipe()
        self.log_file = tempfile.TemporaryFile()
        self.stdout_file = tempfile.TemporaryFile()
        ports = [] if port is None else [f"--port={port}"]
        more.setdefault("stdout", self.stdout_file)
        more.setdefault("stderr", self.log_file)
        self.process = subprocess.Popen([
            *before, UPCASED, *ports, f"--ready-fd={write}", *OPTIONS, *options
        ],
                                        stdin=subprocess.DEVNULL,
                                        preexec_fn=prepare,
                                        env={**os.environ, **(env or {})},
                                        pass_fds=(write, *pass_fds),
                                        **more)
        _running.append(self)
        os.close(write)
        self.pid = self.process.pid
        with open(ready, "rb") as told:
            # Not to its end: a tracer between has inherited it too.
            text = told.readline()
        if not text:
            self.process.wait()
            raise AssertionError(f"the server did not start: {self.log()}")
        self.port = int(text)

    def log(self):
        return os.pread(self.log_file.fileno(), 1 << 20, 0).decode(errors="replace")

    def stdout(self):
        return os.pread(self.stdout_file.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log()),
                          f"/{pattern}/ in the log:\n{self.log()}")

    def _totals(self):
        """The blocks of totals in the log, each a dictionary such as {"udp dropped": {"loop": 0}}."""
        blocks = []
        for line in self.log().splitlines():
            text = line.split(" upcased: ", 1)[-1]
            if text.startswith("totals "):
                blocks.append({})
            match = re.fullmatch(r"((?:udp|tcp)[a-z ]*):((?: [a-z-]+ \d+)+)", text)
            if match:
                words = match[2].split()
                blocks[-1][match[1]] = dict(zip(words[::2], map(int, words[1::2])))
        return [block for block in blocks if "tcp ended" in block]

    def totals(self):
        """The server's totals, asked for by SIGUSR1; what must always add up is checked."""
        before = len(self._totals())
        os.kill(self.pid, signal.SIGUSR1)
        wait_until(lambda: self._totals()[before:], "totals after SIGUSR1")
        # The link's lines come last, where there are any.
        end = time.monotonic() + 1
        while True:
            try:
                return balanced(self._totals()[before])
            except AssertionError:
                if time.monotonic() > end:
                    raise

    def wait_totals(self, condition, what):
        """Asks for totals until they are as wanted."""
        return wait_until(lambda: (lambda t: condition(t) and t)(self.totals()),
                          f"{what}, in the totals")

    def wait(self, status=0):
        """Waits for its end; its last totals."""
        expect(self.process.wait(PATIENCE), status, f"status at the end\n{self.log()}")
        return balanced(self._totals()[-1])

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def memory(self, what="VmRSS"):
        """KiB."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"^{what}:\s*(\d+) kB", file.read(), re.M)[1])

    def workers(self):
        """The processes that it started."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log_file.close()
        self.stdout_file.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A server that is still there must end as it should, unless something is wrong already."""
        if kind is None and self.process.poll() is None:
            self.stop()


def balanced(t):
    """The totals, if they add up."""
    came, gone = t["udp"]["datagrams"], t["udp"]["replies"] + sum(t["udp dropped"].values())
    # The link that --loss and the like make.
    for way in (t.get("udp there"), t.get("udp back")):
        if way:
            came += way["copies"]
            gone += sum(way[word] for word in ("random", "burst", "queue", "room", "waiting"))
    expect(gone, came, f"replies and drops in {t}")
    expect(t["tcp"]["now"] + sum(t["tcp ended"].values()), t["tcp"]["clients"],
           f"connections in {t}")
    return t


def refused_start(*options, status, before=None):
    """Runs upcased, after before(), which must not start: the one line that it says."""
    ended = subprocess.run([UPCASED, *options],
                           preexec_fn=before,
                           capture_output=True,
                           text=True,
                           timeout=PATIENCE,
                           check=False,
                           stdin=subprocess.DEVNULL)
    expect(ended.returncode, status, f"status of upcased {' '.join(options)} ({ended.stderr})")
    lines = [
        text for text in ended.stderr.splitlines()
        if has_ipv6() or "this host has no IPv6" not in text
    ]
    if len(lines) != 1 or not lines[0].startswith("upcased: ") or ended.stdout:
        raise AssertionError(
            f"upcased {' '.join(options)} said {ended.stderr!r} and {ended.stdout!r}")
    return lines[0]


def tcp(server, host="127.0.0.1", buffer=None):
    """A connection. `buffer`: of its receive buffer, in bytes."""
    client = socket.socket(need_family(host), socket.SOCK_STREAM)
    client.settimeout(PATIENCE)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect((host, server.port))
    return client


def udp(server, host="127.0.0.1", port=0, local=None):
    """A connected datagram socket."""
    client = socket.socket(need_family(host), socket.SOCK_DGRAM)
    client.settimeout(PATIENCE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    if port or local:
        client.bind((local or host, port))
    client.connect((host, server.port))
    return client


def read_exactly(client, n):
    parts = []
    while n > 0:
        data = client.recv(min(n, 1 << 20))
        if not data:
            raise AssertionError(f"the connection ended {n} bytes early")
        parts.append(data)
        n -= len(data)
    return b"".join(parts)


def read_all(client):
    parts = []
    while data := client.recv(1 << 20):
        parts.append(data)
    return b"".join(parts)


def line(client, text):
    """Sends a line over TCP, returns what comes back for it."""
    client.sendall(text)
    return read_exactly(client, len(text))


def ask(client, text):
    """Sends a datagram, returns the reply."""
    client.send(text)
    return client.recv(1 << 17)


def ask_at(server, host, text):
    """Asks at one of several addresses that a socket serves; returns the reply, which comes from that
    one, or from any where the system does not tell which it was."""
    local = None if ":" in host else "127.0.0.1"
    if has("ARRIVALS"):
        return ask(udp(server, host, local=local), text)
    with socket.socket(need_family(host), socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.sendto(text, (host, server.port))
        return client.recv(1 << 17)


def silence(client, other):
    """Nothing comes to `client`, and all that was sent before has been dealt with: `other` was answered since."""
    expect(ask(other, b"has it been dealt with?"), b"HAS IT BEEN DEALT WITH?",
           "reply to another one")
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        raise AssertionError(f"a reply that should not be: {client.recv(100)!r}")
    client.settimeout(PATIENCE)


def udp_rows(server):
    """The kernel's own words on the server's datagram sockets of IPv4. Where others come and go
    meanwhile it may say one twice: by their inodes each is there once."""
    with open("/proc/net/udp", encoding="ascii") as file:
        return {row[9]: row for row in map(str.split, file)
                if row[1].endswith(f":{server.port:04X}") and row[2].endswith(":0000")}.values()


def drops(server):
    """Datagrams that their queues had no room for."""
    return sum(int(row[-1]) for row in udp_rows(server))


def queued(server):
    """Bytes in their queues."""
    return sum(int(row[4].split(":")[1], 16) for row in udp_rows(server))


def stop_process(server):
    """Stops the server's process and waits until it stands."""
    os.kill(server.pid, signal.SIGSTOP)
    os.waitpid(server.pid, os.WUNTRACED)


def _too_long(*_):
    raise AssertionError(f"took longer than {LIMIT} s")


def run(*tests):
    """Runs test functions, one point each, and ends. What a test leaves running is ended."""
    signal.signal(signal.SIGALRM, _too_long)
    for test in tests:
        signal.setitimer(signal.ITIMER_REAL, LIMIT)
        faults, reason = [], None
        try:
            test()
        except NotHere as error:
            reason = str(error)
        except Exception:  # pylint: disable=broad-except
            faults = traceback.format_exc().splitlines()
            for server in _running:
                if not server.log_file.closed:
                    faults += ["the server's log:", *server.log().splitlines()[-12:]]
        signal.setitimer(signal.ITIMER_REAL, 0)
        while _running:
            _running.pop().kill()
        name = " ".join((test.__doc__ or test.__name__.replace("_", " ")).split())
        if reason:
            not_here(reason, name)
        else:
            point(name, faults)
    done()
