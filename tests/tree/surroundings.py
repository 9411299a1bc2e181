# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test may rely on, whoever starts it and from where: as root or not, by nohup, below a folder that is closed to others."""

import os
import re
import signal

from tap import TOP, done, point


def ignored():
    """Signals that Python has not set itself to be ignored, but whoever started this."""
    with open('/proc/self/status', encoding='ascii') as file:
        mask = int(re.search(r'^SigIgn:\s*(\w+)', file.read(), re.M)[1], 16)
    own = signal.SIGPIPE, signal.SIGXFSZ
    return [
        f'{number.name} is ignored' for number in signal.Signals
        if mask >> (number - 1) & 1 and number not in own
    ]


def closed():
    """Folders on the way to the sanitizers' reports that keep another user from writing one."""
    path = re.search(r'log_path=([^:]*)/', os.environ.get('ASAN_OPTIONS', ''))
    if not path:
        return []
    folder, faults = path[1], []
    while folder != '/':
        wanted = 0o3 if folder == path[1] else 0o1
        if os.stat(folder).st_mode & wanted != wanted:
            faults.append(f'{folder} has mode {os.stat(folder).st_mode:o}')
        folder = os.path.dirname(folder)
    return faults


def own_ways():
    """Tests that say in their own way that something is not to be had: ./check would not tell the reason."""
    faults = []
    for folder, _, names in os.walk(os.path.join(TOP, 'tests')):
        for name in names:
            if not name.endswith(
                ('.py', '.c')) or name in ('tap.py', 'child.c', os.path.basename(__file__)):
                continue
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                faults += [
                    f'{folder}/{name}: {line.strip()}' for line in file
                    if re.search(r'# SKIP|\bskip\(\)', line)
                ]
    return faults


point('no signal is ignored when a test starts', ignored())
point('whoever a test runs as can write a sanitizer\'s report', closed())
point('what is not to be had here is said by one function', own_ways())
done()
