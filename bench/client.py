# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-client: what upcase costs. Instructions, counted by callgrind, for a plain line over
TCP and over UDP and for a full screen drawn anew; and the time of a long text beside nc's.

Instructions are the difference between two runs, of which one has more lines (or draws) than the
other, divided by how many more: start and end cancel out. They are the program's and its
libraries', not the kernel's. Each reply is compared with what it should be. Times are medians of
the rounds with the least and the most; the ratio is the median of the rounds' own ratios."""

import argparse
import contextlib
import datetime
import fcntl
import os
import platform
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

from server import BUILD, PATIENCE, Failure, compiler, free_port, processor, running, spread

# A line.
LINE = 'line {:07d} of the input'
# Rows and columns of the screen that is drawn.
SCREEN = (24, 80)
# The lines that fill it, and their pace: slow enough that none waits for others.
SCREEN_LINES, SCREEN_PACE = 30, '5ms'
# Ctrl-L and what it makes the program write first; F10.
REDRAW, CLEARED, LEAVE = b'\x0c', b'\x1b[2J', b'\x1b[21~'
# The screen has come to rest when nothing was written for so long, s.
REST = 2


def text_of(lines):
    """So many lines."""
    return ''.join(LINE.format(number) + '\n' for number in range(lines)).encode()


def counted(report):
    """The instructions in what callgrind wrote."""
    with open(report, encoding='utf-8') as file:
        for line in file:
            if line.startswith('totals:'):
                return int(line.split()[1])
    raise Failure(f'callgrind counted nothing: {report}')


@contextlib.contextmanager
def callgrind(options, *arguments):
    """The command that counts the client's instructions, and a function for how many they were."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report')
        yield ['valgrind', '--tool=callgrind', f'--callgrind-out-file={report}',
               f'--log-file={folder}/log', options.upcase, '--config=', '--history=0',
               *arguments], lambda: counted(report)


def count_lines(options, port, how, lines):
    """The instructions of a run, with these options, on so many lines of input."""
    text = text_of(lines)
    arguments = ['--plain', '--quiet', *how, '127.0.0.1', str(port)]
    with callgrind(options, *arguments) as (command, count):
        ended = subprocess.run(command, input=text, capture_output=True, check=False,
                               timeout=40 * PATIENCE)
        if ended.returncode != 0 or ended.stdout != text.upper():
            raise Failure(f'upcase {" ".join(how)}: status {ended.returncode}, '
                          f'{len(ended.stdout)} bytes of {len(text)}, not all as they should be '
                          f'{ended.stderr.decode(errors="replace")}'.strip())
        return count()


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM='xterm-256color', LC_ALL='C.UTF-8')
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', *SCREEN, 0, 0))
            os.execvp(command[0], command)
        self.written = b''

    def read(self, patience):
        """Whether it writes something within so many seconds."""
        if not select.select([self.fd], [], [], patience)[0]:
            return False
        try:
            more = os.read(self.fd, 1 << 16)
        except OSError:
            more = b''
        self.written += more
        return more != b''

    def await_draw(self, count):
        """Waits until it has drawn the whole screen so often since its start."""
        while self.written.count(CLEARED) < count:
            if not self.read(PATIENCE):
                text = self.written.decode(errors='replace').strip()
                raise Failure(f'upcase does not draw its screen: {text}')

    def await_rest(self):
        """Waits until it writes no more."""
        while self.read(REST):
            pass

    def redraw(self):
        """Has the whole screen drawn once."""
        drawn = self.written.count(CLEARED)
        os.write(self.fd, REDRAW)
        self.await_draw(drawn + 1)

    def leave(self):
        """Ends the program. Returns its status."""
        os.write(self.fd, LEAVE)
        while self.read(PATIENCE):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        """Ends it in any case."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            if os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)


def record(options, port, file):
    """Records a session that fills the screen: shown again it is the same in every run."""
    subprocess.run([options.upcase, '--config=', '--plain', '--quiet', '--tcp', f'--save={file}',
                    f'--count={SCREEN_LINES}', f'--interval={SCREEN_PACE}', '127.0.0.1', str(port)],
                   stdout=subprocess.DEVNULL, timeout=PATIENCE, check=True)


def count_draws(options, file, draws):
    """The instructions of a run that draws a full screen, of the session in a file, so often."""
    with callgrind(options, f'--read={file}') as (command, count):
        with contextlib.closing(Terminal(command)) as terminal:
            terminal.await_draw(1)
            terminal.await_rest()
            for _ in range(draws):
                terminal.redraw()
            terminal.await_rest()
            status = terminal.leave()
        if status != 0:
            raise Failure(f'upcase in a terminal ended with status {status}')
        return count()


def for_each(count, most):
    """The instructions of one, by runs with half as many and with `most`."""
    fewer = most // 2
    return (count(most) - count(fewer)) / (most - fewer)


def seconds(command, file, size):
    """How long a program takes to send a file and to get back as much."""
    file.seek(0)
    began = time.monotonic()
    with subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        received = 0
        while more := os.read(process.stdout.fileno(), 1 << 20):
            received += len(more)
    took = time.monotonic() - began
    if process.returncode != 0 or received != size:
        raise Failure(f'{command[0]}: status {process.returncode}, '
                      f'{received:,} bytes of {size:,}')
    return took


def times(options, port):
    """The rounds' seconds of upcase and of nc, and how much text that was."""
    peer = ['127.0.0.1', str(port)]
    commands = {'upcase': [options.upcase, '--config=', '--plain', '--tcp', *peer],
                'nc': ['nc', '-N', *peer]}
    found = {name: [] for name in commands}
    with tempfile.TemporaryFile() as file:
        lines = max(1, options.bytes // (len(LINE.format(0)) + 1))
        for _ in range(lines // 10000):
            file.write(text_of(10000))
        file.write(text_of(lines % 10000))
        size = file.tell()
        for number in range(options.rounds):
            for name in sorted(commands, reverse=number % 2 == 0):
                found[name].append(seconds(commands[name], file, size))
    return found, size


def row(what, figure, unit):
    """Prints a row of the table."""
    print(f'| {what} | {figure} | {unit} |', flush=True)


def report(options, port):
    """The table."""
    print('| what | figure | unit |\n|---|---:|---|', flush=True)
    for what, how in (('a plain line answered over TCP', ['--tcp']),
                      ('the same where old lines are forgotten', ['--tcp', '--rows=1000']),
                      ('a plain line answered over UDP', ['--udp'])):
        each = for_each(lambda lines, how=how: count_lines(options, port, how, lines),
                        options.lines)
        row(what, f'{each:,.0f}', 'instructions')
    with tempfile.TemporaryDirectory() as folder:
        session = os.path.join(folder, 'session.jsonl')
        record(options, port, session)
        each = for_each(lambda draws: count_draws(options, session, draws), options.draws)
    row(f'a screen of {SCREEN[0]} × {SCREEN[1]} drawn anew', f'{each:,.0f}', 'instructions')
    found, size = times(options, port)
    ratios = [mine / theirs for mine, theirs in zip(found['upcase'], found['nc'])]
    row(f'{size / 1e6:,.0f} MB through `upcase --plain --tcp`', spread(found['upcase']), 's')
    row('the same through `nc -N`', spread(found['nc']), 's')
    row('ratio', spread(ratios), 'times nc')


def parse(arguments):
    """The options."""
    parser = argparse.ArgumentParser(
        prog='bench/client.py', description='What upcase costs: instructions, and time beside nc.')
    parser.add_argument('--lines', type=int, default=40000, metavar='N',
                        help='lines of the longer run; the other has half as many (%(default)s)')
    parser.add_argument('--draws', type=int, default=100, metavar='N',
                        help='the same for screens drawn (%(default)s)')
    parser.add_argument('--bytes', type=int, default=200_000_000, metavar='N',
                        help='text for the times (%(default)s)')
    parser.add_argument('--rounds', type=int, default=5, metavar='N',
                        help='so many times each (%(default)s)')
    parser.add_argument('--build', default=BUILD, metavar='DIR',
                        help='where the programs were built (%(default)s)')
    parser.add_argument('--upcase', metavar='FILE', help='another upcase than the one built there')
    options = parser.parse_args(arguments)
    if min(options.lines, options.draws) < 2 or min(options.rounds, options.bytes) < 1:
        parser.error('at least two lines and draws, one byte and one round')
    options.upcase = options.upcase or os.path.join(options.build, 'client-tui', 'upcase')
    options.upcased = os.path.join(options.build, 'server', 'upcased')
    return options


def check_programs(options):
    """Ends with what is missing."""
    for program in (options.upcase, options.upcased):
        if not shutil.which(program):
            sys.exit(f'bench/client.py: {program} is not there: make bench-client builds it')
    if not shutil.which('valgrind'):
        sys.exit('bench/client.py: valgrind is not there, which counts instructions: '
                 'on Debian, apt-get install valgrind')
    if not shutil.which('nc') or '-N' not in subprocess.run(
            ['nc', '-h'], capture_output=True, text=True, check=False).stderr:
        sys.exit('bench/client.py: nc with the option -N is not there: '
                 'on Debian, apt-get install netcat-openbsd')


def main(arguments):
    """The status."""
    options = parse(arguments)
    sys.stdout.reconfigure(encoding='utf-8')
    check_programs(options)
    now = datetime.datetime.now(datetime.timezone.utc)
    given = f" BENCH_ARGS={shlex.quote(' '.join(arguments))}" if arguments else ''
    print(f'# What upcase costs\n\n{now:%Y-%m-%d %H:%M} UTC, Linux {platform.release()}, '
          f'{processor()}, {compiler()}\n')
    print(f'`make bench-client{given}`: lines of {len(LINE.format(0)) + 1} bytes, '
          f'{options.rounds} rounds\n', flush=True)
    port = free_port()
    try:
        with running([options.upcased, f'--port={port}'], None):
            report(options, port)
    except (Failure, subprocess.SubprocessError) as failure:
        sys.exit(f'bench/client.py: {failure}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
