# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays pages of the manual: their commands are taken from the page as it is shown, executed by a shell, and what a
page promises is looked for in what they print."""

import atexit
import concurrent.futures
import math
import os
import re
import shutil
import subprocess
import tempfile

from tap import BUILD, MANDOC, TOP, have_mandoc, point

PATIENCE = 60 * float(os.environ.get('TEST_PATIENCE', '1'))
PLACE = tempfile.mkdtemp(prefix='play-test-')
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)


def shown(name):
    """A page as text, each paragraph a line."""
    path = os.path.join(TOP, 'man', name)
    text = subprocess.run([MANDOC, '-T', 'utf8', '-O', 'width=1000', path],
                          capture_output=True,
                          text=True,
                          check=True).stdout
    return re.sub('.\b', '', text)


def environment(folder):
    """Labs are found by their folder: one for each play."""
    env = {
        name: value
        for name, value in os.environ.items() if not name.startswith(('UPCASE', 'XDG_'))
    }
    runtime = os.path.join(PLACE, folder)
    os.makedirs(runtime, 0o700, exist_ok=True)
    programs = [os.path.join(BUILD, folder) for folder in ('lab', 'client-tui', 'server', 'checker')]
    env.update(PATH=':'.join([*programs, env.get('PATH', '/usr/bin:/bin')]),
               HOME=PLACE,
               XDG_RUNTIME_DIR=runtime,
               TMPDIR=runtime,
               LC_ALL='C.UTF-8',
               PYTHONDONTWRITEBYTECODE='1')
    return env


class Book:
    """A page with commands, and the pages, it or others, that promise what they print. What is typed on the screen or in
    further terminals is played elsewhere."""

    def __init__(self, name, promises=None, by_hand=lambda command: False):
        have_mandoc()
        # A long command goes on where a backslash ends its line.
        self.commands = [
            re.sub(r' \\\n +', ' ', command)
            for command in re.findall(r'^ +\$ ((?:.*\\\n)*.*)$', shown(name), re.M)
        ]
        self.words = ' '.join(shown(promises or name).split())
        self.by_hand = [command for command in self.commands if by_hand(command)]
        self.played, self.running = set(), {}

    def execute(self, command):
        """A command of the page: its output, both kinds."""
        try:
            result = subprocess.run(['sh', '-c', command],
                                    stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT,
                                    text=True,
                                    errors='replace',
                                    cwd=PLACE,
                                    env=environment(f'run-{self.commands.index(command)}'),
                                    timeout=PATIENCE,
                                    check=False)
            return result.stdout
        except subprocess.TimeoutExpired as late:
            return f'(it did not end) {late.stdout}'

    def start(self, at_once):
        """All at once would disturb each other; one by one they would mostly wait."""
        pool = concurrent.futures.ThreadPoolExecutor(at_once)
        self.running = {
            command: pool.submit(self.execute, command)
            for command in self.commands if command not in self.by_hand
        }

    def play(self, *parts):
        """The first command with all these parts that has not been played."""
        return Play(self, parts)


class Play:
    """What a command printed, and what is wrong with it."""

    def __init__(self, book, parts):
        found = [
            command for command in book.commands if command not in book.played
            and command not in book.by_hand and all(part in command for part in parts)
        ]
        self.book, self.faults, self.out = book, [], ''
        if not found:
            self.faults.append(f'the page has no such command: {parts}')
            return
        self.command = found[0]
        book.played.add(self.command)
        self.out = book.running[self.command].result()

    def again(self):
        self.faults, self.out = [], self.book.execute(self.command)

    def once_more(self, text):
        """While its output has this text, and at most ten times."""
        for _ in range(10):
            if text in self.out:
                self.out = self.book.execute(self.command)
        return self

    def says(self, *texts):
        """In the output, and in the page: it is what is promised."""
        for text in texts:
            if text not in self.book.words:
                self.faults.append(f'the page does not promise: {text}')
            if text not in self.out:
                self.faults.append(f'it does not say: {text}')
        return self

    def says_not(self, text):
        if text in self.out:
            self.faults.append(f'it says: {text}')

    def number(self, pattern):
        found = re.search(pattern, self.out)
        if not found:
            self.faults.append(f'nothing like: {pattern}')
            return math.nan
        return float(found[1])

    def must(self, what, holds):
        if not holds:
            self.faults.append(f'not so: {what}')

    def link(self, direction, what):
        """A count of the lab's last line; 0 where it does not stand."""
        part = re.search(rf'{direction}: ([^;\n]*)', self.out)
        found = part and re.search(rf'(\d+) {what}', part[1])
        return int(found[1]) if found else 0

    def point(self, name):
        point(name, self.faults + (self.out.splitlines() if self.faults else []))
