# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a program as a service manager does that listens for it: activate.py FD[,FD...] PROGRAM
ARGUMENT...

The descriptors become 3 and following."""
import os
import sys

# Out of the way first: one of them may be where another one is to go.
high = [os.dup(int(fd)) for fd in sys.argv[1].split(",")]
program = sys.argv[2:]
for number, fd in enumerate(high, 3):
    while fd < 3 + len(high):
        fd = os.dup(fd)
    high[number - 3] = fd
# --ready-fd=N of the program may be in the way too: it moves.
for i, word in enumerate(program):
    if word.startswith("--ready-fd="):
        ready = int(word[11:])
        while ready < 3 + len(high):
            ready = os.dup(ready)
        os.set_inheritable(ready, True)
        program[i] = f"--ready-fd={ready}"
for number, fd in enumerate(high, 3):
    os.dup2(fd, number)
os.environ["LISTEN_PID"] = os.environ.get("TEST_LISTEN_PID") or str(os.getpid())
os.environ["LISTEN_FDS"] = os.environ.get("TEST_LISTEN_FDS") or str(len(high))
os.execv(program[0], program)
