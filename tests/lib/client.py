# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the plain client share: running it, and servers beside it."""
import os
import subprocess
import sys
import tempfile

from tap import BUILD, TOP, UPCASE, UPCASED

PATIENCE = 60 * float(os.environ.get("TEST_PATIENCE", "1"))
PYTHON = os.environ.get("PYTHON") or sys.executable
HOME = tempfile.TemporaryDirectory(prefix="upcase-test-")
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("XDG_")},
    "HOME": HOME.name,
    "LC_ALL": "C.UTF-8",
}


class Server:
    """A server process that prints a line with its port at the end."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        for line in self.process.stdout:
            last = line.split()[-1] if line.split() else b""
            if last.isdigit():
                self.port = int(last)
                return self
        raise RuntimeError(f"{self.command}: no port")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def upcased(*more):
    return Server(UPCASED, "--port=0", "--bind=127.0.0.1", "--ready-fd=1", *more)


def python(name, *arguments):
    return Server(PYTHON, os.path.join(TOP, "tests/lib", name), *arguments)


def run(*arguments, stdin=b"", env=None, **more):
    """The plain client: its CompletedProcess."""
    return subprocess.run([UPCASE, *map(str, arguments)],
                          input=stdin,
                          capture_output=True,
                          timeout=PATIENCE,
                          env={**ENVIRONMENT, **(env or {})},
                          check=False,
                          **more)


def differences(what, got, wanted):
    """Faults for tap.point(): none if equal."""
    if got == wanted:
        return []
    return [f"{what}: got {got[:300]!r}", f"{what}: wanted {wanted[:300]!r}"]
