# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of upcase-lab share: running it as root and as an ordinary user, and looking after what it leaves."""

import atexit
import itertools
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from tap import BUILD, TOP, done, not_here

NOBODY = 65534
# How long anything may take before a test gives up, s.
PATIENCE = 30 * float(os.environ.get('TEST_PATIENCE', '1'))

NEAR = {4: '10.9.0.1', 6: 'fd09::1'}
FAR = {4: '10.9.0.2', 6: 'fd09::2'}


def for_all(path):
    """May anybody go down to there?"""
    return path == '/' or os.stat(path).st_mode & 1 and for_all(os.path.dirname(path))


def folder():
    """A temporary folder of this test's own, which anybody may enter."""
    below = os.path.realpath(tempfile.gettempdir())
    path = tempfile.mkdtemp(prefix='lab-test-', dir=below if for_all(below) else '/tmp')
    os.chmod(path, 0o755)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


PLACE = folder()
# A copy that an ordinary user can execute, wherever the build tree lies.
LAB = shutil.copy(os.path.join(BUILD, 'lab', 'upcase-lab'), PLACE)
OBSTACLE = [sys.executable, shutil.copy(os.path.join(TOP, 'tests/lib', 'lab_obstacle.py'), PLACE)]


def runtime(user):
    """A folder for the sockets of that user's labs."""
    path = os.path.join(PLACE, f'run-{user}')
    if not os.path.isdir(path):
        os.mkdir(path, 0o700)
        if user == 'nobody':
            os.chown(path, NOBODY, NOBODY)
    return path


def environment(user, **more):
    env = {name: value for name, value in os.environ.items() if not name.startswith('UPCASE')}
    env.update(XDG_RUNTIME_DIR=runtime(user),
               TMPDIR=runtime(user),
               LC_ALL='C',
               PYTHONDONTWRITEBYTECODE='1',
               **more)
    return env


def identity(user):
    """What makes subprocess start something as that user: "self" or, if we are root, "nobody"."""
    if user == 'self':
        return {}
    return {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}


# Whom root may start something as.
USERS = ['self', 'nobody'] if os.geteuid() == 0 else ['self']


def start(*words, user='self', obstacle=None, env=None, **more):
    """Starts upcase-lab with these words; as the user, behind obstacles of lab_obstacle.py."""
    more.setdefault('stdin', subprocess.DEVNULL)
    more.setdefault('stdout', subprocess.PIPE)
    more.setdefault('stderr', subprocess.PIPE)
    if obstacle:
        command = OBSTACLE + obstacle + (['nobody']
                                         if user == 'nobody' else []) + ['--', LAB, *words]
        who = {}
    else:
        command, who = [LAB, *words], identity(user)
    return subprocess.Popen(command,
                            env=environment(user, **(env or {})),
                            text=True,
                            errors='replace',
                            cwd='/',
                            **who,
                            **more)


def finish(process, said=None, patience=PATIENCE):
    """Waits for the end: exit status as a shell has it, stdout, stderr."""
    try:
        out, err = process.communicate(said, timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err = (err or '') + '\n(it did not end)'
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return status, out or '', err or ''


def run(*words, said=None, patience=PATIENCE, **more):
    if said is not None:
        more['stdin'] = subprocess.PIPE
    return finish(start(*words, **more), said, patience)


def find_python():
    """An interpreter that an ordinary user may execute too."""
    for path in sys.executable, '/usr/bin/python3', '/usr/local/bin/python3':
        try:
            if subprocess.run([path, '-c', 'import socket'],
                              **identity(USERS[-1]),
                              stderr=subprocess.DEVNULL,
                              check=False,
                              cwd='/').returncode == 0:
                return path
        except OSError:
            pass
    sys.exit('no python3 that an ordinary user may execute')


PYTHON = find_python()


def python(source):
    """Words that execute Python source."""
    return [PYTHON, '-c', source]


SERVERS = itertools.count()


def serves(user='self'):
    """The environment for a lab whose server makes the file SERVES when it listens, and whose client waits for that: the lab
    itself waits a second, which a busy machine exceeds."""
    return {'SERVES': os.path.join(runtime(user), f'serves-{next(SERVERS)}')}


def until(condition, seconds=PATIENCE):
    """Waits until the condition holds: its value, or what it was at last."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return value


def read_line(stream, seconds=PATIENCE):
    """A line of a process's output that may never come."""
    return stream.readline() if select.select([stream], [], [], seconds)[0] else ''


def working_backends(user='self'):
    """The back ends that work for the user here."""
    out = run('--check', user=user)[1]
    return [
        line.split()[0] for line in out.splitlines()
        if len(line.split()) > 1 and line.split()[1].rstrip(',') == 'works'
    ]


def side_by_side(check, *arguments):
    """Calls check with the first of each list, with the second, ... all at once: their labs have nothing in common, and mostly wait."""
    with ThreadPoolExecutor(len(arguments[0])) as pool:
        list(pool.map(check, *arguments))


def need_hosts():
    """Ends a test that needs hosts on a machine where none can be made, with the reason."""
    status, out, err = run('--check')
    if status != 0:
        not_here(f'no back end works here: {" ".join((out + err).split())}')


def users():
    """Those who can have hosts here."""
    able = [user for user in USERS if working_backends(user)]
    if able != USERS:
        not_here(
            f'no back end works here for an ordinary user: {" ".join(run("--check", user="nobody")[1].split())}',
            'as an ordinary user')
    return able


def processes(*marks):
    """The processes, as /proc shows them, whose environment or command line contains all marks."""
    found = []
    for name in os.listdir('/proc'):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f'/proc/{name}/cmdline', 'rb') as file:
                text = file.read()
            with open(f'/proc/{name}/environ', 'rb') as file:
                text += file.read()
        except OSError:
            continue
        if all(mark.encode() in text for mark in marks):
            found.append(int(name))
    return sorted(found)


__all__ = [
    'FAR', 'LAB', 'NEAR', 'NOBODY', 'PATIENCE', 'PLACE', 'PYTHON', 'TOP', 'done', 'environment', 'finish',
    'folder', 'identity', 'need_hosts', 'processes', 'python', 'read_line', 'run', 'runtime',
    'side_by_side', 'start', 'until', 'users', 'working_backends'
]
