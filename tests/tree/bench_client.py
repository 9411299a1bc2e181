# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of the client works: its table has every figure, a reply that is wrong is noticed, and
what is missing is named. A script stands in for valgrind. No speed is tested."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from server import PATIENCE, expect, run
from tap import BUILD, TOP, UPCASE

DRIVER = os.path.join(TOP, "bench", "client.py")
# Runs the command, and says that it had 1000 instructions: 0 is the difference of two runs.
VALGRIND = """#!/bin/sh
for option; do
	case $option in
	--callgrind-out-file=*) report=${option#*=} ;;
	--*) ;;
	*) break ;;
	esac
	shift
done
"$@" || exit
echo "totals: 1000" >"$report"
"""
# An upcase that forgets a letter.
WRONG = """#!/bin/sh
"%s" "$@" | tr -d F
"""


def script(folder, name, text):
    """Makes an executable file. Returns its path."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def bench(path, *options):
    """Runs it, as short as can be, with programs from these folders."""
    return subprocess.run([sys.executable, DRIVER, "--lines=20", "--draws=2", "--bytes=100000",
                           "--rounds=1", f"--upcase={UPCASE}", *options], capture_output=True,
                          text=True, timeout=4 * PATIENCE, check=False,
                          env={**os.environ, "abs_top_builddir": BUILD, "PATH": path})


def table():
    """every figure stands in the table, with its unit"""
    with tempfile.TemporaryDirectory() as folder:
        script(folder, "valgrind", VALGRIND)
        ended = bench(f"{folder}:{os.environ['PATH']}")
    expect((ended.returncode, ended.stderr), (0, ""), f"status, and what is said\n{ended.stdout}")
    for row in (r"a plain line answered over TCP \| 0 \| instructions",
                r"the same where old lines are forgotten \| 0 \| instructions",
                r"a plain line answered over UDP \| 0 \| instructions",
                r"a screen of 24 × 80 drawn anew \| 0 \| instructions",
                r"0 MB through `upcase --plain --tcp` \| [0-9.]+ \| s",
                r"the same through `nc -N` \| [0-9.]+ \| s", r"ratio \| [0-9.]+ \| times nc"):
        found = re.search(rf"^\| {row} \|$", ended.stdout, re.M)
        expect(found is not None, True, f"{row}\n{ended.stdout}")


def noticed():
    """a reply that is not the line in capitals ends it"""
    with tempfile.TemporaryDirectory() as folder:
        script(folder, "valgrind", VALGRIND)
        wrong = script(folder, "wrong", WRONG % UPCASE)
        ended = bench(f"{folder}:{os.environ['PATH']}", f"--upcase={wrong}")
    expect(ended.returncode, 1, f"status\n{ended.stdout}")
    said = "bench/client.py: upcase --tcp: status 0, 500 bytes of 520"
    expect(said in ended.stderr, True, ended.stderr)


def missing():
    """valgrind, or an nc with -N, that is not there is named with its package"""
    with tempfile.TemporaryDirectory() as folder:
        for program, package in (("valgrind", "valgrind"), ("nc", "netcat-openbsd")):
            ended = bench(folder)
            named = f"apt-get install {package}" in ended.stderr
            expect((ended.returncode, named), (1, True), f"{program}: {ended.stderr}")
            os.symlink(shutil.which("true"), os.path.join(folder, program))
        ended = bench(folder)
        named = "apt-get install netcat-openbsd" in ended.stderr
        expect((ended.returncode, named), (1, True), f"nc without -N: {ended.stderr}")


run(table, noticed, missing)
