# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal belongs to the near command: ^C, ^Z, fg and bg, a shell with jobs of its own,
pipelines, hanging up; by an interactive shell on a pseudo-terminal."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

from lab import LAB, PATIENCE, PLACE, done, environment, identity, need_hosts, processes, python, run, until, users
from tap import not_here, point

need_hosts()
if not shutil.which('bash'):
    not_here('there is no bash')

_shells = 0


class Shell:
    """bash on a terminal of its own."""

    def __init__(self, user):
        global _shells
        _shells += 1
        self.mark = f'LAB_TEST_MARK={os.getpid()}.{_shells}'
        self.master, slave = pty.openpty()
        env = environment(user,
                          PS1='out> ',
                          LAB=f'{LAB} -q --far true --',
                          TERM='dumb',
                          HISTFILE='/dev/null',
                          **dict([self.mark.split('=')]))
        self.process = subprocess.Popen(['setsid', '-c', 'bash', '--norc', '--noediting', '-i'],
                                        stdin=slave,
                                        stdout=slave,
                                        stderr=slave,
                                        env=env,
                                        cwd='/',
                                        **identity(user))
        os.close(slave)
        self.seen = ''
        self.faults = []
        self.expect('out> ')

    def expect(self, pattern, seconds=PATIENCE):
        """Waits for output that matches, and forgets what was there up to it."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.seen)):
            wait = end - time.monotonic()
            if wait <= 0 or not select.select([self.master], [], [], wait)[0]:
                self.faults.append(f'waiting for {pattern!r}, there was {self.seen!r}')
                return None
            try:
                self.seen += os.read(self.master, 65536).decode(errors='replace')
            except OSError:
                self.faults.append(f'the terminal was gone, waiting for {pattern!r}')
                return None
        self.seen = self.seen[match.end():]
        return match

    def type(self, text):
        os.write(self.master, text.encode())

    def do(self, line, *patterns):
        """Types a line; what is expected must follow what the terminal echoes of it."""
        self.type(line + '\n')
        self.expect(re.escape(line) + r'\r\n')
        for pattern in patterns:
            if not self.expect(pattern):
                break

    def repeat(self, line, pattern):
        """Types a line again and again until what follows matches."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.type(line + '\n')
            self.expect(re.escape(line) + r'\r\n')
            match = self.expect(r'(?s)(.*?)out> ')
            if match and re.search(pattern, match[1]):
                return
        self.faults.append(f'{line} never gave {pattern!r}')

    def close(self, name):
        """Hangs up: all must go."""
        os.close(self.master)
        self.process.wait(PATIENCE)
        if until(lambda: not processes(self.mark), 10) is not True:
            self.faults.append(f'left behind: {processes(self.mark)}')
        point(name, self.faults)


def check_interrupt(user):
    shell = Shell(user)
    # A program that the signal kills at once; Python would look for signals, and then sleep.
    shell.do("$LAB sh -c 'echo o''k; exec sleep 1000'", 'ok\r\n')
    shell.type('\x03')
    shell.expect('out> ')
    shell.do('echo status=$?.', r'status=130\.', 'out> ')
    shell.do(
        "$LAB bash -c 'trap \"echo caught\" INT; echo o''k; for i in 1 2 3; do sleep 0.2; done; while ! read; do :; done; exit 5'",
        'ok\r\n')
    shell.type('\x03')
    shell.expect('caught')
    shell.type('\n')
    shell.expect('out> ')
    shell.do('echo status=$?.', r'status=5\.', 'out> ')
    shell.close(f'^C is for the command ({user})')


def check_stop(user):
    # The command itself reads: a program of its own, of which nobody waits until it has stopped,
    # may still take the next line.
    shell = Shell(user)
    shell.do("$LAB sh -c 'echo o''k; while read line; do echo $line; done; echo e''nd; exit 4'",
             'ok\r\n')
    shell.do('one', 'one\r\n')
    shell.type('\x1a')
    shell.expect('Stopped')
    shell.expect('out> ')
    shell.do('jobs', r'\[1\]\+ +Stopped', 'out> ')
    shell.do('fg')
    shell.do('two', 'two\r\n')
    shell.type('\x1a')
    shell.expect('Stopped')
    shell.expect('out> ')
    shell.do('fg')
    shell.do('three', 'three\r\n')
    shell.type('\x04')
    shell.expect('end\r\n')
    shell.expect('out> ')
    shell.do('echo status=$?.', r'status=4\.', 'out> ')
    shell.close(f'^Z, jobs, fg ({user})')


def check_own_stop(user):
    """A program that stops itself, and only itself, as one with a screen does."""
    shell = Shell(user)
    program = "import os, signal; print('o' + 'k', flush=True); os.kill(os.getpid(), signal.SIGSTOP); print('ag' + 'ain', input())"
    shell.do(f'$LAB {python("")[0]} -c "{program}"', 'ok\r\n', 'Stopped', 'out> ')
    shell.do('fg')
    shell.do('typed', 'again typed\r\n', 'out> ')
    shell.do('jobs', 'out> ')
    shell.close(f'a command that stops itself ({user})')


def check_background(user):
    shell = Shell(user)
    shell.do("$LAB sh -c 'read line; echo got $line' &", 'out> ')
    shell.repeat('jobs', 'Stopped')
    shell.do('fg')
    shell.do('typed', 'got typed\r\n', 'out> ')
    shell.do("$LAB sh -c 'sleep 0.1; exit 6' &")
    shell.do('wait %1; echo status=$?.', r'status=6\.', 'out> ')
    shell.close(f'in the background ({user})')


def check_shell(user):
    """A shell on the near host, with jobs of its own."""
    if '/proc cannot be mounted' in run('--check', user=user)[1]:
        not_here('a lab with a /proc of its own: it cannot be mounted',
                 f'a shell on the near host ({user})')
        return
    shell = Shell(user)
    shell.do("PS1='in> ' $LAB bash --norc --noediting -i", 'in> ')
    shell.do('sleep 1000', )
    until(lambda: False, 0.1)
    shell.type('\x1a')
    shell.expect('Stopped')
    shell.expect('in> ')
    shell.do('jobs', r'\[1\]\+ +Stopped', 'in> ')
    shell.do('fg')
    until(lambda: False, 0.1)
    shell.type('\x03')
    shell.expect('in> ')
    shell.do('echo status=$? jobs=$(jobs).', r'status=130 jobs=\.', 'in> ')
    shell.type('\x03')
    shell.expect('in> ')
    shell.do('sleep 1000 & until ps -o comm= | grep -x sleep; do :; done', r'sleep\r\n', 'in> ')
    shell.do('suspend -f', 'Stopped', 'out> ')
    shell.do('fg')
    shell.do('echo b''ack', 'back\r\n', 'in> ')
    shell.do('exit 3', 'out> ')
    shell.do('echo status=$?.', r'status=3\.', 'out> ')
    shell.do('stty -a | grep -c " icanon"', '1\r\n', 'out> ')
    shell.close(f'a shell on the near host ({user})')


def check_pipeline(user):
    shell = Shell(user)
    shell.do("seq 3 | $LAB sed 's/^/a/' | sed 's/$/b/'", 'a1b\r\na2b\r\na3b\r\n', 'out> ')
    shell.do("$LAB seq 100000 | sh -c 'head -n 1 >&2; read line </dev/tty; echo line=$line'",
             '1\r\n')
    shell.do('typed', 'line=typed\r\n', 'out> ')
    shell.do("$LAB sh -c 'echo o''k; read line; echo $line' | cat", 'ok\r\n')
    shell.type('\x1a')
    shell.expect('Stopped')
    shell.expect('out> ')
    shell.do('fg')
    shell.do('typed', 'typed\r\n', 'out> ')
    shell.do("$LAB yes | head -n 2", 'y\r\ny\r\n', 'out> ')
    shell.do('echo status=${PIPESTATUS[0]}.', r'status=(141|1)\.', 'out> ')
    shell.close(f'pipelines ({user})')


def check_wreck(user):
    """A command that is killed with the terminal in raw mode."""
    shell = Shell(user)
    program = "import os, tty; tty.setraw(0); os.kill(os.getpid(), 9)"
    shell.do(f'$LAB {python("")[0]} -c "{program}"', 'out> ')
    shell.do('echo status=$?.', r'status=137\.', 'out> ')
    shell.do('stty -a | grep -c " icanon"', '1\r\n', 'out> ')
    shell.close(f'the terminal of a command that was killed ({user})')


def check_hangup(user):
    shell = Shell(user)
    shell.do("$LAB sh -c 'echo o''k; sleep 1000'", 'ok\r\n')
    shell.close(f'the terminal goes away ({user})')


for who in users():
    for check in (check_interrupt, check_stop, check_own_stop, check_background, check_shell,
                  check_pipeline, check_wreck, check_hangup):
        check(who)
done()
