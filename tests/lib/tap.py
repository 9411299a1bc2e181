# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests in Python share: points of a test as TAP, and where things are."""

import math
import errno
import os
import re
import shutil
import struct
import subprocess
import sys
import threading

TOP = os.environ.get('abs_top_srcdir') or os.path.abspath(
    os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.environ.get('abs_top_builddir') or os.path.join(TOP, 'build')
UPCASE = os.environ.get('UPCASE') or os.path.join(BUILD, 'client-tui', 'upcase')
LAB = os.path.join(BUILD, 'lab', 'upcase-lab')
CHECK = os.path.join(BUILD, 'checker', 'upcase-check')
UPCASED = os.environ.get('UPCASED') or os.path.join(BUILD, 'server', 'upcased')
MANDOC = os.environ.get('MANDOC') or 'mandoc'

# What the programs are built for is musl, not the C library that Python has.
MUSL = 'musl' in os.environ.get('CC', '')

INSIDE = 'UPCASE_TEST_INSIDE'

_points = 0
_failures = 0
_lock = threading.Lock()


def point(name, faults):
    """One point, of any thread: it holds if `faults`, a list of lines that say what is wrong, is empty."""
    global _points, _failures
    with _lock:
        _points += 1
        if faults:
            _failures += 1
            print(f'not ok {_points} - {name}')
            for fault in faults:
                print(f'# {fault}')
        else:
            print(f'ok {_points} - {name}')
        sys.stdout.flush()


class Late(str):
    """A fault that a machine which is busy with other things may cause: a time that is too long."""


def best_of(attempt, rounds=5):
    """What measures times: the faults that attempt() returns, none if a round has none. It is tried
    again as long as nothing but Late is wrong; with patience, more often."""
    for left in reversed(range(math.ceil(rounds * float(os.environ.get('TEST_PATIENCE', '1'))))):
        faults = attempt()
        if not left or not faults or not all(isinstance(fault, Late) for fault in faults):
            break
        for fault in faults:
            print('# tried again:', fault.replace('\n', '\n# '), flush=True)
    return faults


def points_of_best(attempt, rounds=5):
    """The same for several points: attempt() gives the name and the faults of each."""
    points = []

    def faults_of_round():
        points[:] = attempt()
        return [fault for _, faults in points for fault in faults]
    best_of(faults_of_round, rounds)
    for name, faults in points:
        point(name, faults)


def not_here(reason, name=None):
    """One point that cannot be tried on this machine, and why; without a name all that is left of the
    test, which ends. ./check tells the reasons (tests/lib/child.h has the same in C)."""
    global _points
    print(f'# not to be had here: {reason}')
    if name is None and not _points:
        print('1..0 # SKIP')
        sys.exit(0)
    with _lock:
        _points += 1
        print(f'ok {_points} - {name or "the rest"} # SKIP', flush=True)
    if name is None:
        done()


def has(facility):
    """Whether this build uses a facility of the system: HAVE_... in config.h, which tests in C include
    (common/os.h). Where it does not, a test holds what the programs say instead."""
    with open(os.path.join(BUILD, 'config.h'), encoding='ascii') as file:
        return re.search(rf'^#define HAVE_{facility} ([01])$', file.read(), re.M)[1] == '1'


def sanitized():
    """Whether the programs are built with sanitizers: these take memory for themselves, and keep what was freed."""
    with open(os.path.join(BUILD, 'config.h'), encoding='ascii') as file:
        return '#define SANITIZED 1' in file.read()


def error_text(number):
    """What the programs' C library says of an error."""
    return MUSL and {
        errno.EIO: 'I/O error', errno.ELOOP: 'Symbolic link loop', errno.EMFILE: 'No file descriptors available'
    }.get(number) or os.strerror(number)


def have_mandoc(name=None):
    """Whether there is mandoc; else not_here()."""
    if not shutil.which(MANDOC):
        not_here('there is no mandoc', name)
        return False
    return True


def enter_namespaces(*kinds):
    """Starts the test anew in namespaces of its own ("--net"), an ordinary user's in a user namespace; it ends where there are none."""
    if INSIDE in os.environ:
        return
    # Root keeps its rights over what it has started before.
    command = ['unshare', *kinds, *([] if os.geteuid() == 0 else ['--user', '--map-root-user'])]
    allowed = subprocess.run([*command, 'true'], capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        not_here(f'namespaces of its own: {allowed.stderr.strip()}')
    os.execvpe('unshare', [*command, sys.executable, *sys.argv], {**os.environ, INSIDE: '1'})


def done():
    """Ends the test."""
    print(f'1..{_points}')
    sys.exit(1 if _failures or not _points else 0)


def read(*path):
    """A file of the source tree as text; None if there is none."""
    try:
        with open(os.path.join(TOP, *path), encoding='utf-8') as file:
            return file.read()
    except FileNotFoundError:
        return None


def checksum(data):
    """The Internet's checksum (RFC 1071)."""
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
