# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands under a name that a program is to read or to make: it says so in one line, waits
for nothing, keeps nothing that is too large, and replaces and removes nothing. One table of what
may stand there, one of who opens it."""
import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import time

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, UPCASED
from tap import done, error_text, not_here, point

# How long a program may take to say it, s, on a loaded machine; and how much memory, KiB, with a
# sanitizer's.
SOON = PATIENCE / 12
MEMORY = 400000
NOBODY = 65534


# --- what stands there ---

class Absent(Exception):
    """Why the machine does not allow it."""


def holding(content):
    def make(path):
        with open(path, "wb") as file:
            file.write(content.replace(b"PATH", path.encode()))
    return make


def bound(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


def device(minor):
    def make(path):
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            os.close(os.open(path, os.O_RDONLY))
        except OSError as error:
            raise Absent(f"a device of one's own: {error.strerror}") from error
    return make


def huge(path):
    with open(path, "wb") as file:
        file.write(b"first line\n")
        file.truncate(1 << 33)


def link_to(target):
    return lambda path: os.symlink(target, path)


def anothers(make_it):
    def make(path):
        if os.geteuid() != 0:
            raise Absent("a file of another user: only root makes it")
        make_it(path)
        os.lchown(path, NOBODY, NOBODY)
    return make


def including(make_it):
    def make(path):
        make_it(path + ".included")
        holding(b"$include PATH.included\n")(path)
    return make


# It is not tried there; or nothing is said against it.
SKIP, FINE = "skip", None
FIFO, SOCKET, FOLDER, DEVICE, LINK = "is a FIFO", "is a socket", "is a folder", "is a device", "is a symbolic link"
LARGER, OTHER, ANOTHERS, TIMES = "is larger than", "holds something else", "belongs to another user", "more than 100 times $include"
NO_FILE, NO_OPTION, LOOP = "there is no such file", "there is no such option", error_text(errno.ELOOP)

# What it is called, how it is made, and what is said of it where it is to be
#                                                                   the configuration, history, inputrc; a port file.
KINDS = [
    ("a FIFO", os.mkfifo, FIFO, FIFO, FIFO, FIFO),
    ("a socket", bound, SOCKET, SOCKET, SOCKET, SOCKET),
    ("a folder", os.mkdir, FOLDER, FOLDER, FOLDER, FOLDER),
    ("a device without end", device(5), DEVICE, DEVICE, DEVICE, DEVICE),
    ("a full device", device(7), DEVICE, DEVICE, DEVICE, DEVICE),
    ("the null device", device(3), FINE, FINE, FINE, DEVICE),
    ("a link to the null device", link_to("/dev/null"), FINE, FINE, FINE, LINK),
    ("a link to a device without end", link_to("/dev/zero"), DEVICE, DEVICE, DEVICE, LINK),
    ("a link to nothing", link_to("nothing"), NO_FILE, SKIP, FINE, LINK),
    ("a link to itself", link_to("history"), LOOP, LOOP, FINE, LINK),
    ("a huge file", huge, LARGER, LARGER, LARGER, OTHER),
    ("a long line", holding(b"x" * 5000000), LARGER, "has a line of more than 1 MiB", LARGER,
     OTHER),
    ("a text", holding(b"precious\n"), NO_OPTION, SKIP, FINE, OTHER),
    ("a larger number", holding(b"123456\n"), NO_OPTION, SKIP, FINE, OTHER),
    ("a number that is no port", holding(b"65536\n"), NO_OPTION, SKIP, FINE, OTHER),
    ("a number and more", holding(b"12000\n12000\n"), NO_OPTION, SKIP, FINE, OTHER),
    ("a port of another user's", anothers(holding(b"12000\n")), NO_OPTION, ANOTHERS, FINE,
     ANOTHERS),
    ("an empty file of another user's", anothers(holding(b"")), FINE, ANOTHERS, FINE, ANOTHERS),
    ("a socket of another user's", anothers(bound), SOCKET,
     "is reached by way of what belongs to another user", SOCKET, SOCKET),
    ("a file that includes itself", holding(b"$include PATH\n"), NO_OPTION, SKIP, TIMES, OTHER),
    ("a file that includes much", including(holding(b"  $ InClude /dev/null\r\n" * 200)), SKIP,
     SKIP, TIMES, SKIP),
    ("a file that includes a FIFO", including(os.mkfifo), SKIP, SKIP, FIFO, SKIP),
    ("a file that includes a device", including(link_to("/dev/zero")), SKIP, SKIP, DEVICE, SKIP),
]


def look(folder):
    """All that a program could change there."""
    found = {}
    for name in sorted(os.listdir(folder)):
        st = os.lstat(os.path.join(folder, name))
        found[name] = (st.st_ino, oct(st.st_mode), st.st_uid, st.st_rdev, st.st_size,
                       st.st_mtime_ns)
    return found


# --- who opens it ---

def end(process, meanwhile=lambda: None):
    """Its status, None if it does not end in time, and the memory that it took, KiB."""
    late = time.monotonic() + SOON
    while time.monotonic() < late:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss
        meanwhile()
        time.sleep(0.002)
    process.kill()
    process.wait()
    return None, 0


def judge(status, wanted, memory, said, words):
    return [f"status {status}, not {wanted}: {said[-1500:]!r}"] * (status != wanted) + \
        [f"{memory} KiB of memory"] * (memory > MEMORY) + [f"{word!r} is not in {said[-1500:]!r}" for word in words if word not in said]


def refused(path, word, *command):
    """Status 2 and one line with the word in it, from what ends by itself."""
    with subprocess.Popen([part.format(path=path) for part in command],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE,
                          env=ENVIRONMENT) as process:
        status, memory = end(process)
        said = process.stderr.read().decode()
    if word is FINE:
        return judge(status, 0, memory, said, [])
    return judge(status, 2, memory, said,
                 [word, path]) + [f"not one line: {said}"] * (said.count("\n") != 1)


def shown(path, notice, words, **environment):
    """The client on a terminal starts all the same and says what it does not use. A line is entered; SIGTERM ends it at once."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 250, 0, 0))
    os.set_blocking(master, False)
    seen = []
    with subprocess.Popen([UPCASE, "127.0.0.1", "9"],
                          stdin=slave,
                          stdout=slave,
                          stderr=slave,
                          start_new_session=True,
                          env={**ENVIRONMENT, "TERM": "xterm", **environment}) as process:
        os.close(slave)
        steps = [("udp>", lambda: os.write(master, b"a line\r")),
                 ("nothing listens on that port", lambda: process.send_signal(signal.SIGTERM))]

        def read():
            with contextlib.suppress(OSError):
                if select.select([master], [], [], 0)[0]:
                    seen.append(os.read(master, 65536).decode(errors="replace"))
            if steps and steps[0][0] in "".join(seen):
                steps.pop(0)[1]()
        status, memory = end(process, read)
        # A terminal gives its last words in pieces.
        before = -1
        while len(seen) > before:
            before = len(seen)
            read()
    os.close(master)
    said = "".join(seen)
    return judge(status, 0, memory, said, [notice + path, *words] if words else []) + \
        [f"it says {said!r}"] * (not words and notice in said)


def configuration(path, word, *_):
    return refused(path, word, UPCASE, "--plain", "--config={path}", "127.0.0.1", "9")


def history(path, _, word, *__):
    folder = os.path.dirname(os.path.dirname(path))
    return shown(path,
                 "the history is not used: ",
                 [word, f"the history was not saved: {word}"] if word else [],
                 XDG_STATE_HOME=folder)


def inputrc(path, _, __, word, ___):
    included = path + ".included"
    # What is too much is named by the last that is included.
    named = "" if word is TIMES else included if os.path.lexists(included) else path
    return shown(named,
                 "inputrc: ", [word] if word else [],
                 INPUTRC=path,
                 XDG_STATE_HOME="/dev/null")


def port_file(path, *words):
    return refused(path, words[3], UPCASED, "--port=0", "--bind=127.0.0.1", "--port-file={path}")


def control(path, *_):
    return refused(path, "is there already and is no socket of yours", UPCASED, "--port=0",
                   "--bind=127.0.0.1", "--control={path}")


def save(path, *_):
    return refused(path, "there is such a file already", UPCASE, "--plain", "--save={path}",
                   "127.0.0.1", "9")


def save_pictures(path, *_):
    os.rename(path, path + "-plots.svg")
    try:
        return refused(path + "-plots.svg", "there is such a file already", UPCASE, "--plain",
                       f"--save={path}.svg", "127.0.0.1", "9")
    finally:
        os.rename(path + "-plots.svg", path)


def recording(path, *_):
    """What is no pipe ends by itself. A pipe may be read; one that stands still is left by SIGTERM."""
    with subprocess.Popen([UPCASE, "--plain", f"--read={path}"],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE,
                          env=ENVIRONMENT) as process, contextlib.ExitStack() as stack:
        def feed():
            # There is no reader until it has opened it.
            with contextlib.suppress(OSError):
                writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                stack.callback(os.close, writer)
                process.send_signal(signal.SIGTERM)
        piped = stat.S_ISFIFO(os.lstat(path).st_mode)
        status, memory = end(process, feed if piped else lambda: None)
        said = process.stderr.read().decode()
    if piped:
        return judge(status, -signal.SIGTERM, memory, said, [])
    return [f"not one line: {said}"] * (said.count("\n") != 1) + judge(
        status, status or 1, memory, said, ["--read '"])


# Which column of the table it minds, if it minds one: nothing is said against what is skipped
# there.
USES = [("upcase --config", configuration, 2), ("the history", history, 3),
        ("the inputrc", inputrc, 4), ("upcased --port-file", port_file, 5),
        ("upcased --control", control, None), ("upcase --save", save, None),
        ("upcase --save, of pictures", save_pictures, None), ("upcase --read", recording, None)]


def tried(faults, path, *words):
    """The faults of who opens it. Who does not end in time is tried again: the machine may be busy."""
    for _ in range(3):
        found = faults(path, *words)
        if not any(fault.startswith("status None") for fault in found):
            break
    return found


def main():
    for kind in KINDS:
        name, make, *words = kind
        for use, faults, column in USES:
            # One that no server listens on is replaced.
            if (column and kind[column] is SKIP) or (use == "upcased --control"
                                                     and name == "a socket"):
                continue
            with tempfile.TemporaryDirectory(prefix="files-test-") as folder:
                os.mkdir(f"{folder}/upcase")
                path = f"{folder}/upcase/history"
                try:
                    make(path)
                except Absent as reason:
                    not_here(reason, f"{use}: {name}")
                    continue
                before = look(f"{folder}/upcase")
                found = tried(faults, path, *words)
                after = look(f"{folder}/upcase")
                point(f"{use}: {name}", found + [f"was {before}, is {after}"] * (before != after))
    HOME.cleanup()
    done()


main()
