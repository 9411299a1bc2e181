# SPDX-License-Identifier: GPL-3.0-or-later
"""One SIGTERM ends the client and the server, whatever they wait for: under each descriptor that
they open or are given stands, in turn, something that neither takes nor gives anything."""
import concurrent.futures
import contextlib
import fcntl
import itertools
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty

from client import ENVIRONMENT, UPCASE, UPCASED, upcased
from server import WORKERS
from tap import done, not_here, point

PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))
# The programs promise a second; a machine with much to do has more.
LIMIT = 3 * PATIENCE
# Rows that are tried at the same time: they mostly wait.
AT_ONCE = 12
PLACE = tempfile.mkdtemp(prefix="signals-test-")
LINES = os.path.join(PLACE, "lines")
RECORD = os.path.join(PLACE, "run.jsonl")
MANY = ("--count=1000000", "--interval=100us")
FAST = ("--count=100000", "--interval=0")
BLOCKED = {
    "preexec_fn": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGALRM])
}
_numbers = itertools.count()


class Row:
    """What one row has open, and the program that it tries."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.process = None

    def keep(self, *descriptors):
        for fd in descriptors:
            self.stack.callback(os.close, fd)
        return descriptors[0]

    def start(self, *command, env=None, **more):
        for what in ("stdin", "stdout", "stderr"):
            # What is made for the row.
            given = more.get(what, subprocess.DEVNULL)
            more[what] = given(self) if callable(given) else given
        self.process = subprocess.Popen(
            command,
            env={**ENVIRONMENT, "UPCASED": UPCASED, "TERM": "xterm", **(env or {})},
            **more)
        return self.process


# --- what takes nothing ---

def fill(fd):
    """Writes until nothing more is taken; a terminal makes room for a while."""
    os.set_blocking(fd, False)
    while select.select([], [fd], [], 0.05)[1]:
        for size in (65536, 1):
            with contextlib.suppress(BlockingIOError):
                while os.write(fd, b"x" * size):
                    pass
    os.set_blocking(fd, True)
    return fd


def full_pipe(row):
    reader, writer = os.pipe()
    return fill(row.keep(writer, reader))


def full_socket(row):
    one, other = socket.socketpair()
    return fill(row.keep(one.detach(), other.detach()))


def terminal(row):
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 120))
    row.keep(master, slave)
    return master, slave


def full_terminal(row):
    _, slave = terminal(row)
    tty.setraw(slave)
    return fill(slave)


def crowded_terminal(row):
    """It has some room, but not for much."""
    master, slave = terminal(row)
    tty.setraw(slave)
    fill(slave)
    while not select.select([], [slave], [], 0)[1]:
        os.read(master, 100)
    return slave


def stopped_terminal(row):
    """As by Ctrl-S."""
    _, slave = terminal(row)
    termios.tcflow(slave, termios.TCOOFF)
    return slave


OUT = {
    "a pipe": full_pipe, "a socket": full_socket, "a terminal": full_terminal,
    "a crowded terminal": crowded_terminal, "a terminal that is stopped": stopped_terminal
}


# --- what gives nothing ---

def empty_pipe(row):
    return row.keep(*os.pipe())


def empty_socket(row):
    one, other = socket.socketpair()
    return row.keep(one.detach(), other.detach())


def empty_terminal(row):
    return terminal(row)[1]


def lines(row):
    return row.keep(os.open(LINES, os.O_RDONLY))


IN = {"a pipe": empty_pipe, "a socket": empty_socket, "a terminal": empty_terminal}


def new_path():
    return os.path.join(PLACE, str(next(_numbers)))


def fifo(_):
    path = new_path()
    os.mkfifo(path)
    return path


def silent_fifo(row):
    path = fifo(row)
    row.keep(os.open(path, os.O_RDWR))
    return path


def listener(row, backlog=64):
    """A Unix socket's path, where nobody answers."""
    one = row.stack.enter_context(socket.socket(socket.AF_UNIX))
    one.bind(new_path())
    one.listen(backlog)
    return one


def crowded_listener(row):
    one = listener(row, backlog=0)
    for _ in range(2):
        other = row.stack.enter_context(socket.socket(socket.AF_UNIX))
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            other.connect(one.getsockname())
    return one


def flooder(row):
    """Who connects is told things without end."""
    one = listener(row)
    one.settimeout(LIMIT)

    def flood(client):
        with client, contextlib.suppress(OSError):
            while True:
                client.sendall(b"event 1 there in=1 fate=random proto=udp\nchanged 1 loss\n" * 1000)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=flood, args=(one.accept()[0],), daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    return one


# --- trying it ---

def words_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()
    return ["X"]


def alive(pid):
    return words_of(pid)[0] not in "ZX"


def wait_quiet(process):
    """Until it stands still: it sleeps in five looks and has done nothing between."""
    end, seen, same = time.monotonic() + 10 * PATIENCE, None, 0
    while same < 5 and time.monotonic() < end and process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="utf-8", errors="replace") as file:
            now = [
                words_of(process.pid)[11:13], *(line for line in file if "ctxt_switches" in line)
            ]
        same = same + 1 if now == seen and words_of(process.pid)[0] == "S" else 0
        seen = now
        time.sleep(0.02)
    return same >= 5


def family(pid):
    """It and what it has started."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [pid] + [one for child in file.read().split() for one in family(int(child))]
    return []


def ends(process, number=signal.SIGTERM, still=True):
    """One signal ends it, and all that it has started. What is wrong."""
    faults = []
    if still and not wait_quiet(process):
        faults.append("it does not stand still"
                      if process.poll() is None else f"it ended by itself: {process.returncode}")
    everybody = family(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        faults.append(f"it is there after {LIMIT} s")
    took = time.monotonic() - began
    while any(map(alive, everybody[1:])) and time.monotonic() < began + LIMIT:
        time.sleep(0.01)
    faults += [
        f"process {pid}, which it had started, is there" for pid in everybody[1:] if alive(pid)
    ]
    for pid in filter(alive, everybody):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    return [f"took {took:.2f} s, status {process.returncode}"] + faults


def rows(*all_of_them):
    """Tries each: its name, and what does so."""
    def try_it(name, call):
        row = Row()
        with row.stack:
            return name, call(row)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name, (took, *faults) in pool.map(lambda one: try_it(*one), all_of_them):
            point(name, faults)
            print(f"# {took}")


# --- the client ---

def client(name, *options, number=signal.SIGTERM, still=True, **more):
    def call(row):
        given = (option(row) if callable(option) else option for option in options)
        row.start(UPCASE, "--plain", *given, **{"stdin": lines, **more})
        return ends(row.process, number, still)

    return " ".join(
        ["upcase", *filter(lambda o: isinstance(o, str) and o.startswith("-"), options),
         name]), call


def client_rows(host):
    out, err, give = "nobody reads standard output, ", "nobody reads standard error, ", "standard input gives nothing, "
    rows(
        *(client(out + "a pipe", *options, stdout=full_pipe)
          for options in (["--tcp", *host], ["--both", *host], ["--ordered", *host],
                          ["--json", *host], ["--csv", *host], [*FAST, *host],
                          [*FAST, "--json", "--tcp", *host], ["--read", RECORD, "--json"],
                          ["--read", RECORD, "--csv"])),
        *(client(out + what, *host, stdout=make) for what, make in OUT.items()),
        *(client(out + what, "--read", RECORD, stdout=make) for what, make in OUT.items()),
        *(client(out + number.name, *options, *host, number=number, stdout=full_pipe)
          for number in (signal.SIGINT, signal.SIGHUP) for options in ([], FAST)),
        *(client(err + what, *host, stdin=empty_pipe, stdout=full_pipe, stderr=make)
          for what, make in OUT.items()),
        *(client(err + what, stdin=empty_pipe, stderr=make) for what, make in OUT.items()),
        *(client(give + what, *options, *host, stdin=make) for what, make in IN.items()
          for options in ([], ["--tcp", "--json"])),
        client("a FIFO that nobody writes to", "--read", fifo),
        client("a FIFO that nothing comes from", "--read", silent_fifo),
        client(give + "a pipe", "--read", "-", stdin=empty_pipe),
        client("a FIFO; the signals are blocked at the start", "--read", silent_fifo, **BLOCKED),
        client("nobody reads; the signals are blocked at the start",
               *host,
               stdout=full_pipe,
               **BLOCKED))


def slow_reader(host):
    """Who only reads slowly gets all that was answered."""
    row = Row()
    process = row.start(UPCASE,
                        "--plain",
                        "--tcp",
                        *host,
                        stdin=lines,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    with row.stack:
        wait_quiet(process)
        process.terminate()
        got, told = process.communicate(timeout=LIMIT)
    answered = re.search(rb"answered (\d+) of", told)
    point("a reader that was only slow gets all that was answered before the signal", [] if answered
          and got == b"A LINE\n" * int(answered[1]) else [f"{len(got)} bytes, {got[-20:]}, {told}"])


def saved_whole(host):
    """What takes long because it is much is done all the same, here saving."""
    path, row = new_path() + ".jsonl", Row()
    process = row.start(UPCASE,
                        "--plain",
                        "--tcp",
                        "--rows=200000",
                        "--save",
                        path,
                        *host,
                        stdin=subprocess.PIPE)
    with process.stdin, row.stack:
        process.stdin.write(b"a line\n" * 200000)
        process.stdin.flush()
        wait_quiet(process)
        process.terminate()
        process.wait(60 * PATIENCE)
    with open(path, encoding="utf-8") as file:
        last = list(file)[-1]
    point("a recording is saved whole after the signal, which may take longer",
          [] if '"type":"summary"' in last else [last])


# A network of its own, with a name server that does not answer: its sockets are inherited by the
# command.
NAMES = """
import fcntl, os, socket, struct, subprocess, sys
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/resolv.conf"], check=True)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
s.bind(("127.0.0.1", 53))
s.set_inheritable(True)
os.execv(sys.argv[2], sys.argv[2:])
"""


def no_names():
    """A command's beginning that leads it there, or none and why not."""
    config = new_path()
    with open(config, "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\noptions timeout:30\n")
    command = [
        "unshare", "--net", "--mount",
        *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), sys.executable, "-c", NAMES,
        config
    ]
    tried = subprocess.run([*command, "/bin/true"], capture_output=True, text=True, check=False)
    return command, tried.stderr.strip().splitlines()[-1] if tried.returncode else ""


def name_row():
    name = "upcase: the name server does not answer"
    command, why = no_names()
    if why:
        not_here(f"namespaces of its own: {why}", name)
        return

    def call(row):
        process = row.start(*command, UPCASE, "--plain", "nobody.test", stdin=empty_pipe)
        while len(family(process.pid)) < 2 and process.poll() is None:
            time.sleep(0.01)
        return ends(process)
    rows((name, call))


@contextlib.contextmanager
def silent_tcp():
    """A port whose queue is full: SYNs are dropped."""
    with socket.socket() as one, contextlib.ExitStack() as more:
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        for _ in range(3):
            other = more.enter_context(socket.socket())
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                other.connect(one.getsockname())
        yield one.getsockname()[1]


def in_lab(row, make, *command):
    """In a lab that is none, once the program has got as far as it gets."""
    path = make(row).getsockname()
    row.start(UPCASE,
              "--plain",
              *command,
              stdin=empty_pipe,
              env={"UPCASE_LAB": path, "UPCASE_LAB_FAR": path})
    while row.process.poll() is None and len(os.listdir(f"/proc/{row.process.pid}/fd")) < 4:
        time.sleep(0.01)
    return ends(row.process, still=False)


def far_rows(host):
    """Hosts and labs that do not answer."""
    name_row()
    with silent_tcp() as port:
        rows(
            client("the host does not answer", "--tcp", "127.0.0.1", str(port), stdin=empty_pipe),
            *((f"upcase {' '.join(options)} the lab {what}",
               lambda row, make=make, options=options: in_lab(row, make, *options, *host))
              for what, make in (("does not answer", listener),
                                 ("has a full queue", crowded_listener), ("floods", flooder))
              for options in ([], ["--json"], [*MANY, "--tcp"])))


def stop_child(row):
    """Stops the server or the worker that the program has started."""
    while len(family(row.process.pid)) < 2:
        time.sleep(0.01)
    wait_quiet(row.process)
    for pid in family(row.process.pid)[1:]:
        os.kill(pid, signal.SIGSTOP)
    return row.process


def has_socket(pid):
    """Whether a process has a socket; the client, as soon as it knows its server's port."""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
                return True
    return False


def private_rows():
    def call(row, **more):
        row.start(UPCASE, "--plain", **more)
        # A server that is only starting does not know yet how it ends with the client.
        while row.process.poll() is None and not has_socket(row.process.pid):
            time.sleep(0.01)
        return ends(stop_child(row))
    rows(("upcase the private server is stopped", lambda row: call(row, stdin=empty_pipe)),
         ("upcase the private server is stopped, and nobody reads",
          lambda row: call(row, stdin=lines, stdout=full_pipe)))


# --- the screen ---

def screen(row, *options, before=None, env=None):
    """The screen, on a terminal that is read until it shows and then no more; `before` is what stands still from the start."""
    master, slave = terminal(row)
    modes = termios.tcgetattr(slave)
    if before:
        before(slave)
    row.start(UPCASE,
              *options,
              stdin=slave,
              stdout=slave,
              stderr=slave,
              start_new_session=True,
              env=env,
              preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    seen = b""
    while not before and b"\x1b[?2004h" not in seen and select.select([master], [], [],
                                                                      10 * PATIENCE)[0]:
        seen += os.read(master, 65536)
    return master, slave, modes


def restored(row, host):
    """A terminal that was stopped: its modes are as before, and it is told to be as before."""
    master, slave, modes = screen(row, *host)
    termios.tcflow(slave, termios.TCOOFF)
    os.write(master, b"hello\r")
    took, *faults = ends(row.process)
    seen = b""
    while select.select([master], [], [], 0.2)[0]:
        seen += os.read(master, 65536)
    faults += [f"modes: {termios.tcgetattr(slave)}"] * (termios.tcgetattr(slave) != modes)
    return [
        took, *faults, *[
            f"not at its end: {word}"
            for word in (b"\x1b[?2004l", b"\x1b[?1049l") if word not in seen
        ]
    ]


def screen_rows(host):
    def on(*options, **more):
        def call(row):
            screen(row, *options, **more)
            return ends(row.process)
        return call

    def stopped(row):
        screen(row)
        return ends(stop_child(row))

    def locked(row):
        """Another session holds the history."""
        state = new_path()
        os.makedirs(os.path.join(state, "upcase"))
        history = os.path.join(state, "upcase", "history")
        fd = row.keep(os.open(history, os.O_RDWR | os.O_CREAT, 0o600))
        fcntl.flock(fd, fcntl.LOCK_EX)
        master, *_ = screen(row, *host, env={"XDG_STATE_HOME": state})
        os.write(master, b"hello\r")
        threading.Thread(target=drain, args=(os.dup(master),), daemon=True).start()
        return ends(row.process)

    def slow_key(row):
        """Back by a word as long as that takes readline many seconds."""
        master, slave, modes = screen(row, *host)
        threading.Thread(target=drain, args=(os.dup(master),), daemon=True).start()
        text = b"\x1b[200~" + b"x" * 1000000 + b"\x1b[201~" + b"\x1bb\x05" * 20
        while text:
            text = text[os.write(master, text[:2000]):]
        end = time.monotonic() + 10 * PATIENCE
        while int((words_of(row.process.pid) + [0] * 12)[11]) < 20 and time.monotonic() < end:
            time.sleep(0.01)
        return ends(row.process, still=False) + [f"modes: {termios.tcgetattr(slave)}"
                                                 ] * (termios.tcgetattr(slave) != modes)

    def silent_lab(row):
        path = listener(row).getsockname()
        screen(row, *host, before=lambda _: None, env={"UPCASE_LAB": path, "UPCASE_LAB_FAR": path})
        return ends(row.process)

    rows(("screen: the terminal is full at the start",
          on(*host, before=lambda fd: (tty.setraw(fd), fill(fd)))),
         ("screen: the terminal is stopped at the start",
          on(*host, before=lambda fd: termios.tcflow(fd, termios.TCOOFF))),
         *((f"screen {' '.join(options)}: nobody reads the terminal", on(*options, *host))
           for options in (MANY, ["--both", *MANY], ["--tcp", *MANY])),
         ("screen --read: nobody reads the terminal", on("--read", RECORD)),
         ("screen: the terminal is stopped; it is given back", lambda row: restored(row, host)),
         ("screen: the private server is stopped", stopped),
         ("screen: the history is locked", locked), ("screen: the lab does not answer", silent_lab),
         ("screen: keys that take long", slow_key))


def drain(fd):
    with contextlib.suppress(OSError):
        while os.read(fd, 65536):
            pass


# --- the server ---

def server(row, *options, **more):
    """Until it is ready; its port, or 0 if it does not say so."""
    ready, write = os.pipe()
    fds = more.pop("pass_fds", [])
    row.start(UPCASED,
              "--port=0",
              "--bind=127.0.0.1",
              f"--ready-fd={write}",
              *options,
              pass_fds=[write, *fds],
              **more)
    os.close(write)
    with open(ready, encoding="ascii") as file:
        return int(file.readline()) if select.select([file], [], [], LIMIT)[0] else 0


def server_rows():
    def stands(*options, **more):
        def call(row):
            port = server(row, *options, **more)
            for _ in range(150 if port else 0):
                socket.create_connection(("127.0.0.1", port)).close()
            return ends(row.process) + ["it was never ready"] * (not port)
        return call

    def no_port(row, make):
        fd = make(row)
        row.start(UPCASED, "--port=0", f"--ready-fd={fd}", pass_fds=[fd], stderr=subprocess.PIPE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            log = row.process.communicate(timeout=LIMIT)[1]
            refused = row.process.returncode == 1 and b"cannot be written" in log
            return [""] if refused else ["", f"{row.process.returncode}: {log}"]
        return ends(row.process, still=False) + ["it waits for a reader"]

    def no_start(row, make):
        """Its port is taken, and nobody reads why."""
        taken = row.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        row.start(UPCASED, "--bind=127.0.0.1", f"--port={taken.getsockname()[1]}", stderr=make)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return [
                "", *[f"status {status}" for status in [row.process.wait(LIMIT)] if status != 1]
            ]
        return ends(row.process, still=False) + ["it waits for a reader"]

    def slow_client(row, *options):
        """It sends much and reads nothing of it."""
        one = row.stack.enter_context(socket.create_connection(("127.0.0.1", server(row,
                                                                                    *options))))
        fill(one.fileno())
        return ends(row.process)

    def control(row, orders, *options, stop=False):
        """A client of the control socket that asks much and reads nothing."""
        path = new_path()
        server(row, f"--control={path}", *options)
        one = row.stack.enter_context(socket.socket(socket.AF_UNIX))
        one.connect(path)
        one.setblocking(False)
        if stop:
            stop_child(row)
        with contextlib.suppress(BlockingIOError):
            for _ in range(100000):
                one.send(orders)
        return ends(row.process,
                    still=False) + ([f"{path} is there"] if os.path.exists(path) else [])

    def stopped(row, *options):
        server(row, *options)
        return ends(stop_child(row))

    with_workers = (
        ("upcased --workers=2: a client reads nothing",
         lambda row: slow_client(row, "--workers=2")),
        ("upcased --control --workers=2: nobody reads",
         lambda row: control(row, b"connections\n", "--workers=2")),
        ("upcased --control --workers=8: they are asked, and stopped",
         lambda row: control(row, b"connections\n", "--workers=8", stop=True)),
        ("upcased --workers=2: they are stopped", lambda row: stopped(row, "--workers=2")))
    ways = [[], WORKERS] if WORKERS else [[]]
    rows(
        *((f"upcased {' '.join(options)}: nobody reads standard output, {what}",
           stands(*options, stdout=make)) for what, make in OUT.items()
          for options in ways),
        *((f"upcased {' '.join(options)}: nobody reads the log, {what}",
           stands("--verbose", *options, stderr=make)) for what, make in OUT.items()
          for options in ways),
        *((f"upcased: nobody reads the port, {what}", lambda row, make=make: no_port(row, make))
          for what, make in OUT.items() if make is not crowded_terminal),
        *((f"upcased: nobody reads why it does not start, {what}",
           lambda row, make=make: no_start(row, make))
          for what, make in OUT.items()), ("upcased: a client reads nothing", slow_client),
        ("upcased --control: nobody reads", lambda row: control(row, b"help\n")),
        ("upcased --control: an order without an end", lambda row: control(row, b"x" * 1000)),
        *with_workers if WORKERS else [])


def main():
    with open(LINES, "w", encoding="ascii") as file:
        file.write("a line\n" * 300000)
    with upcased() as one:
        host = ["127.0.0.1", str(one.port)]
        subprocess.run([
            UPCASE, "--plain", "-q", "--count=3000", "--interval=0", "--save", RECORD, *host
        ],
                       check=True,
                       stdout=subprocess.DEVNULL,
                       env=ENVIRONMENT)
        client_rows(host)
        slow_reader(host)
        saved_whole(host)
        far_rows(host)
        private_rows()
        screen_rows(host)
    server_rows()
    shutil.rmtree(PLACE)
    done()


main()
