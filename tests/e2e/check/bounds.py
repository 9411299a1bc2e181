# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the judged program does, upcase-check ends in time, ends it with all that it has started, and shows what
it prints safely. Each program and all it starts has a mark in its environment, by which /proc tells what is left."""
import os
import signal
import subprocess
import textwrap
import time
import traceback

from checker import CHECK, ENVIRONMENT, PATIENCE, PYTHON, PLACE, check, file, side_by_side
from tap import done, point

ANSWER = '''
    while True:
        client = server.accept()[0]
        while data := client.recv(1000):
            client.sendall(data.upper())
'''
LISTEN = '''
    import os, signal, socket, subprocess, sys, time
    port = int(sys.argv[1])
    server = socket.create_server(("127.0.0.1", port), backlog=100)
'''
START = 'import os, signal, socket, subprocess, sys, time\n'
DETACHED = 'subprocess.Popen(["sleep", "1000"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)\n'

# Each: what it does, its source, the status of the judge, and --wait where it is not 1s: a program has four times as long
# to start.
SERVERS = {
    'ignores SIGTERM, SIGHUP and SIGINT': (LISTEN + '''
    for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)
''' + ANSWER, 0),
    'starts a process in another session': (LISTEN + '    ' + DETACHED + ANSWER, 0),
    'starts one whose parent has gone, in another session': (LISTEN + '''
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(1000)
        os._exit(0)
''' + ANSWER, 0),
    'goes into the background': (LISTEN + '''
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
''' + ANSWER, 1),
    'starts processes that start processes, without end': (LISTEN + '''
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if os.fork() > 0:
                time.sleep(0.005)
                os._exit(0)
            os.setsid()
''' + ANSWER, 0),
    'has a hundred children': (START + '''
for i in range(100):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(1000)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if True:
''' + ANSWER, 0, '7s'),
    'prints without end': (LISTEN + '''
    if os.fork() == 0:
        server.close()
        while True:
            os.write(1, b"\\x1b]0;owned\\x07\\x1b[2J" * 1000)
''' + ANSWER, 0),
    'stops itself': (LISTEN + '''
    server.accept()
    os.kill(os.getpid(), signal.SIGSTOP)
''', 1),
    'closes its output': (LISTEN + '    for fd in 0, 1, 2:\n        os.close(fd)\n' + ANSWER, 0),
    'answers without end': (LISTEN + '''
    while True:
        client = server.accept()[0]
        try:
            while True:
                client.sendall(b"HELLO\\n" * 10000)
        except OSError:
            pass
''', 1),
    'never listens': (START + 'while True:\n    time.sleep(1000)\n', 1),
    'listens on another port': (START + '''
server = socket.create_server(("127.0.0.1", 0))
server.accept()
''', 1),
    'ends at once': ('', 1),
    'ends with a signal at once': (START + 'os.kill(os.getpid(), signal.SIGKILL)\n', 1),
    'ends on the first line': (LISTEN + '    client = server.accept()[0]\n    client.recv(100)\n    os._exit(3)\n', 1),
}
CLIENTS = {
    'prints without end': (START + 'while True:\n    os.write(1, b"\\x1b]0;owned\\x07" * 1000)\n', 1),
    'sends without end': (START + '''
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    client.sendall(b"hello\\n" * 10000)
''', 1),
    'sends datagrams without end': (START + '''
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        client.sendto(b"hello", ("127.0.0.1", int(sys.argv[1])))
    except OSError:
        pass
''', 1),
    'connects without end': (START + '''
clients = []
while len(clients) < 500:
    clients.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
time.sleep(1000)
''', 1),
    'ignores all and starts a process in another session': (START + '''
for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
    signal.signal(number, signal.SIG_IGN)
''' + DETACHED + 'while True:\n    time.sleep(1000)\n', 1),
    'is stopped': (START + 'os.kill(os.getpid(), signal.SIGSTOP)\n', 1),
    'reads nothing': (START + 'time.sleep(1000)\n', 1),
    'ends at once': ('', 1),
}
CASES = file('cases', '''case first textbook tcp
open
ask hello
case again robust tcp command
ask-new hello
restart
ask-new hello
''')
CLIENT_CASES = file('client.cases', '''case first textbook
serve
type hello
get hello
reply HELLO
shows HELLO
''')
# How long a judge may take for the cases: the waits for a start, twice, and for the end, and a busy machine.
LONGEST = 30


def left(mark, but=()):
    """The processes that have the mark in their environment."""
    found = []
    for name in os.listdir('/proc'):
        try:
            with open(f'/proc/{name}/environ', 'rb') as environment:
                if mark.encode() in environment.read() and int(name) not in but:
                    found.append(int(name))
        except (OSError, ValueError):
            pass
    return found


def none_left(mark):
    """Faults: what is left; and ends it."""
    faults = []
    for process in left(mark):
        try:
            with open(f'/proc/{process}/stat', encoding='ascii', errors='replace') as stat:
                faults.append(f'left: {stat.read()[:60]}')
            os.kill(process, signal.SIGKILL)
        except OSError:
            pass
    return faults


def words_of(number, side, source, wait='1s'):
    path = file(f'{side}{number}.py', textwrap.dedent(source))
    cases = ['--tcp', '--cases', CASES] if side == 'server' else ['--cases', CLIENT_CASES]
    return [side, *cases, '--wait', wait, '--', PYTHON, path, '{port}']


def bounded(number, side, source, status, wait='1s'):
    """Judges the program: faults."""
    mark = f'CHECK_MARK={os.getpid()}-{side}-{number}'
    begin = time.monotonic()
    try:
        got = check(*words_of(number, side, source, wait), env=dict([mark.split('=')]), patience=PATIENCE)
    except subprocess.TimeoutExpired:
        return ['it does not end', *none_left(mark)]
    faults = none_left(mark)
    if time.monotonic() - begin > LONGEST:
        faults.append(f'{time.monotonic() - begin:.1f} s')
    if got.returncode != status or got.stderr:
        faults.append(f'status {got.returncode}, {got.stderr[-300:]!r}, {got.stdout[-2000:].decode()}')
    if any(byte < 32 and byte != 10 or byte == 127 for byte in got.stdout):
        faults.append(f'it prints {got.stdout!r}')
    return faults


def signalled(number, name, status):
    """A signal to the judge: it ends, and with it the program."""
    mark = f'CHECK_MARK={os.getpid()}-signal-{name}'
    source = LISTEN + '    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    ' + DETACHED + '''
    open(os.environ["READY"], "w").close()
    time.sleep(1000)
'''
    ready = os.path.join(PLACE, f'ready-{name}')
    env = {**ENVIRONMENT, **dict([mark.split('=')]), 'READY': ready}
    words = words_of(name, 'server', source)
    words[words.index('1s')] = '60s'
    with subprocess.Popen([CHECK, *words], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as judge:
        end = time.monotonic() + PATIENCE
        while not os.path.exists(ready) and time.monotonic() < end:
            time.sleep(0.01)
        begin = time.monotonic()
        judge.send_signal(number)
        try:
            judge.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            judge.kill()
            return ['it does not end', *none_left(mark)]
        took = time.monotonic() - begin
    faults = [] if judge.returncode == status else [f'status {judge.returncode}']
    return faults + none_left(mark) + ([f'{took:.1f} s'] if took > LONGEST else [])


def missing(words, said):
    got = check('server', '--level', 'textbook', '--', *words, patience=20)
    return [] if got.returncode == 2 and got.stderr.decode() == f'upcase-check: {said}\n' else [f'{got}']


def limited():
    """--limit, with a program that takes a minute for its cases."""
    begin = time.monotonic()
    got = check('server', '--limit', '2s', '--', PYTHON, file('limit.py', START + 'time.sleep(1000)\n'), '{port}')
    took = time.monotonic() - begin
    return [] if got.returncode == 1 and took < 15 else [f'{took:.1f} s, {got}']


def unwritable():
    """The results cannot be written: nothing of the program is left."""
    mark = f'CHECK_MARK={os.getpid()}-unwritable'
    got = check('server', '--tcp', '--junit', '/nonexistent/x', '--', PYTHON,
                file('unwritable.py', textwrap.dedent(LISTEN) + DETACHED + 'time.sleep(1000)\n'), '{port}',
                env=dict([mark.split('=')]))
    return none_left(mark) + ([] if got.returncode == 2 and not got.stdout else [f'{got}'])


def once():
    """A program that serves the first time only: --limit ends it all."""
    begin = time.monotonic()
    source = START + """
if not os.path.exists(sys.argv[0] + ".started"):
    open(sys.argv[0] + ".started", "w").close()
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    server.accept()
    os._exit(1)
time.sleep(1000)
"""
    got = check('server', '--tcp', '--limit', '3s', '--', PYTHON, file('once.py', source), '{port}')
    took = time.monotonic() - begin
    return [] if got.returncode == 1 and took < 15 else [f'{took:.1f} s, {got}']


def attempt(name, test, *arguments):
    try:
        faults = test(*arguments)
    except Exception:  # pylint: disable=broad-except
        faults = traceback.format_exc().splitlines()
    point(name, faults)


side_by_side(
    attempt,
    *((f'a {side} that {name}', bounded, number, side, *what)
      for side, programs in (('server', SERVERS), ('client', CLIENTS))
      for number, (name, what) in enumerate(programs.items())),
    ('^C', signalled, signal.SIGINT, 'INT', 130),
    ('SIGTERM', signalled, signal.SIGTERM, 'TERM', 143),
    ('SIGHUP', signalled, signal.SIGHUP, 'HUP', 129),
    ('a command that does not exist', missing, ['/nonexistent/x'], '/nonexistent/x: No such file or directory'),
    ('a command that may not be executed', missing, [file('no-x', '#!/bin/sh\n')], PLACE + '/no-x: Permission denied'),
    ('a folder as the command', missing, ['/'], '/: Permission denied'),
    ('a file of results that cannot be written', unwritable),
    ('--limit', limited),
    ('--limit, a program that serves once', once),
    # Many of them take a processor.
    count=2)
done()
