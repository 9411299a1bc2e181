# SPDX-License-Identifier: GPL-3.0-or-later
"""./start in a copy of the tree: what it says before anything is built, the first build with its
progress, a build that fails, and each program that it runs."""

import atexit
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import time

from client import ENVIRONMENT, PATIENCE
from tap import TOP, Late, best_of, done, not_here, point

PLACE = os.path.realpath(tempfile.mkdtemp(prefix='start-test-'))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
# A name that a shell must quote.
TREE = os.path.join(PLACE, 'up case')
BUILD = os.path.join(TREE, 'build')
ENV = {
    **{name: value for name, value in ENVIRONMENT.items() if not name.startswith(('UPCASE', 'SUDO_', 'MAKE'))},
    'CFLAGS': '-O0',
    'SHELL': '/bin/sh',
}


def copy_tree():
    """What a build needs; nothing that was made in the tree itself."""
    made = shutil.ignore_patterns('build', 'build-[!a]*', '_build', '_inst', '.git', '*.o', '*.a', '*.log',
                                  '*.trs', 'config.status', 'Makefile', 'autom4te.cache', '__pycache__')
    shutil.copytree(TOP, TREE, ignore=made, symlinks=True)
    subprocess.run(['chmod', '-R', 'u+w', TREE], check=True)


def start(*arguments, folder=TREE, name='./start', **env):
    return subprocess.run([name, *arguments], cwd=folder, env={**ENV, **env}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=12 * PATIENCE, check=False)


def told(result, status, *patterns, stream='stderr'):
    text = getattr(result, stream)
    faults = [f'{pattern!r} is not in {text[-1500:]!r}' for pattern in patterns
              if not re.search(pattern, text, re.M)]
    if result.returncode != status:
        faults.append(f'status {result.returncode}: {result.stderr[-1500:]!r}')
    return faults


def refuses():
    for given, wanted in (
            (['--loss', '20%'], './start --lab --loss 20%'),
            (['--loss=20%'], './start --lab --loss=20%'),
            (['--both', '--loss', '20%', '--delay', '20ms', 'host'], './start --lab --loss 20% --delay 20ms'),
            (['--loss-back', '5%'], './start --lab --loss-back 5%'),
            (['--order', 'fifo'], './start --lab --order fifo'),
            (['--preset', '3g', '--far', 'iperf3 -s'], "./start --lab --preset 3g --far 'iperf3 -s'"),
            (['--tcp', '--lab', '--loss', '1%'], './start --lab --loss 1%'),
            (['--public'], './start --server --public'),
            (['host', '--shell'], './start --shell')):
        result = start(*given)
        point(f'{" ".join(given)} is refused with the command that has it',
              told(result, 2, '^upcase: .*: ' + re.escape(wanted) + '$'))
    result = start('--loss', '\x1b]0;EVIL\x07')
    point('a refusal does not drive the terminal', ['it does'] if '\x1b' in result.stderr else [])
    result = start('--loss', '20%', folder='/', name=os.path.join(TREE, 'start'))
    point('the command is as start was typed', told(result, 2, re.escape(f"'{TREE}/start' --lab --loss 20%")))
    point('--help tells of the lab, the server and the shell, and where the options are',
          told(start('--help'), 0, r'\./start --lab', r'\./start --server', r'\./start --shell', r'upcase\.1',
               stream='stdout'))
    point('nothing is built for that', [BUILD] if os.path.exists(BUILD) else [])


def terminal(*arguments, keys='', **env):
    """On a terminal of 80 columns where `keys` are typed: the status and what it showed."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(TREE)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('4H', 24, 80, 0, 0))
        os.execve('./start', ['./start', *arguments], {**ENV, 'TERM': 'xterm', **env})
    os.write(master, keys.encode())
    shown = b''
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b''
        if not data:
            break
        shown += data
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode(errors='replace')


def builds():
    link = os.path.join(PLACE, 'link')
    os.symlink(os.path.join(TREE, 'start'), link)
    result = start('--version', folder='/', name=link)
    point('the first build, by a link and from elsewhere, tells how long it takes and how far it is',
          told(result, 0, '^upcase: the first build takes ', r'^upcase: building \d+ files$',
               r'^upcase: building: \d+ of \d+ files', r'^upcase: built in \d+ s$')
          + told(result, 0, r'^upcase \d', stream='stdout'))
    counts = [tuple(map(int, pair)) for pair in re.findall(r'building: (\d+) of (\d+) files', result.stderr)]
    point('the count rises up to the files that were said',
          [str(counts)] if counts != sorted(set(counts)) or len(counts) != 3
          or any(made >= total for made, total in counts) else [])
    source = os.path.join(TREE, 'client-tui', 'view', 'glyphs.c')
    with open(source, 'a', encoding='utf-8') as file:
        file.write('int broken = nothing_of_that_name;\n')
    point('a build that fails shows the error',
          told(start('--version'), 1, 'glyphs.c:.*error: .*nothing_of_that_name', r'^upcase: that failed: make',
               'start.log'))
    shutil.copy(os.path.join(TOP, 'client-tui', 'view', 'glyphs.c'), source)
    os.chmod(source, 0o644)
    os.utime(source)
    status, shown = terminal('--version')
    point('on a terminal one line counts', [f'{status} {shown!r}'] if status or not re.search(
        r'\rbuilding: 1 of \d+ files', shown) or 'built in' not in shown else [])


def quick():
    begun = time.monotonic()
    result = start('--version')
    took = time.monotonic() - begun
    return told(result, 0, '^$') + ([Late(f'{took:.2f} s')] if took > PATIENCE / 120 else [])


def runs():
    point('what is built starts at once and says nothing', best_of(quick))
    for option, name in (('--lab', 'upcase-lab'), ('--server', 'upcased')):
        point(f'{option} runs {name}', told(start(option, '--version'), 0, f'^{name} \\d', stream='stdout'))
    point('--help has the options of the client behind it',
          told(start('--help'), 0, r'\./start --lab', '--connect-timeout', stream='stdout'))
    result = start('--shell', '-c', 'for name in upcase upcased upcase-lab upcase-check; do command -v $name; done; '
                   'ls "${MANPATH%%:*}/man7/upcase-tour.7" "${MANPATH%%:*}/man1/upcase-lab.1"; pwd; exit 7',
                   folder='/', name=os.path.join(TREE, 'start'))
    point('--shell finds the programs and the manual, and stays where it is',
          told(result, 7, *(f'^{re.escape(BUILD)}/{path}$' for path in (
              'client-tui/upcase', 'server/upcased', 'lab/upcase-lab', 'checker/upcase-check', 'man/man7/upcase-tour.7',
              'man/man1/upcase-lab.1')), '^/$', stream='stdout') + (
                  [result.stderr] if result.stderr else []))
    for shell in ('bash', 'fish', 'zsh'):
        # The beginning of a preset's name is none: Tab must complete it.
        if path := shutil.which(shell):
            status, shown = terminal('--shell', keys='upcase-lab --preset classr\t --version\rexit\r', SHELL=path,
                                     HOME=PLACE, TERM='dumb')
            point(f'--shell: Tab completes in {shell}',
                  [] if status == 0 and re.search(r'upcase-lab \d', shown) else [f'{status}: {shown!r}'])
        else:
            not_here(f'{shell} is not installed', f'--shell: Tab completes in {shell}')
    point('a command of the manual runs there as it stands',
          told(start('--shell', '-c', "printf 'hello\\n' | upcase --plain"), 0, '^HELLO$', stream='stdout'))


missing = subprocess.run([os.path.join(TOP, 'tools', 'needs'), 'build'], capture_output=True, text=True,
                         check=True).stdout.split()
if missing:
    not_here(f'packages that ./start would install: {" ".join(missing)}')
copy_tree()
refuses()
builds()
runs()
done()
