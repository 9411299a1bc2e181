# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is left behind, however a lab ends: no process, no file, no interface, no mount."""

import os
import signal
import socket
import sys

from lab import PLACE, done, finish, need_hosts, processes, python, read_line, run, runtime, start, until, users, \
    working_backends
from tap import point

need_hosts()
_labs = 0

# On the near host: a daemon that nothing but SIGKILL ends, in a session of its own; then a program
# that takes note of being asked to end.
NEAR = '''
import os, select, signal, sys, time
if os.fork() == 0:
    os.setsid()
    for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
        signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)
def asked(number, frame):
    open(sys.argv[1], "w").close()
    os._exit(3)
signal.signal(signal.SIGTERM, asked)
print("near", flush=True)
# Not readline() alone: Python would not see a signal that comes just before it.
while not select.select([sys.stdin], [], [], 0.05)[0]:
    pass
'''

# On the far host: something that listens and never ends by itself.
FAR = ' '.join(
    python(
        '"import socket, time; s = socket.socket(2, 2); s.bind((\'10.9.0.2\', 7)); time.sleep(1000)"'
    ))


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def state():
    """What of the machine a lab could leave changed."""
    with open('/proc/self/mountinfo') as file:
        mounts = file.read()
    return mounts, sorted(name for _, name in socket.if_nameindex())


class Lab:
    """A lab with a far server, and a near command with a daemon; all bear a mark."""

    def __init__(self, user, backend, obstacle=None):
        global _labs
        _labs += 1
        self.user = user
        self.mark = f'LAB_TEST_MARK={os.getpid()}.{_labs}'
        self.asked = os.path.join(runtime(user), '..', f'asked-{user}', str(_labs))
        os.makedirs(os.path.dirname(self.asked), exist_ok=True)
        os.chmod(os.path.dirname(self.asked), 0o777)
        self.before = state()
        self.process = start('-q',
                             '--backend',
                             backend,
                             '--far',
                             f'exec {FAR}',
                             '--',
                             *python(NEAR),
                             self.asked,
                             user=user,
                             obstacle=obstacle,
                             stdin=-1,
                             env=dict([self.mark.split('=')]))
        self.ready = read_line(self.process.stdout) == 'near\n'
        self.keeper = (children(self.process.pid) or [0])[0]
        self.far, self.near = 0, 0
        for pid in children(self.keeper):
            with open(f'/proc/{pid}/cmdline') as file:
                text = file.read()
            if '10.9.0.2' in text:
                self.far = pid
            elif self.asked in text and os.getsid(pid) != pid:
                self.near = pid

    def left(self):
        """What is left of it: lines."""
        faults = []
        if until(lambda: not processes(self.mark), 8) is not True:
            faults.append(f'processes: {processes(self.mark)}')
        if os.listdir(runtime(self.user)):
            faults.append(f'files: {os.listdir(runtime(self.user))}')
        if state() != self.before:
            faults.append('mounts or interfaces have changed')
        return faults


def check(name, end, want, user, backend, asked=False, obstacle=None):
    lab = Lab(user, backend, obstacle)
    faults = [] if lab.ready and lab.keeper and lab.far and lab.near else ['it did not start']
    # The test's own eyes: all that is to be gone is seen before.
    if len(processes(lab.mark)) < 5 or not os.listdir(runtime(user)):
        faults.append('the test does not see the lab')
    end(lab)
    # Before its input ends, which would end it too.
    if asked:
        until(lambda: os.path.exists(lab.asked), 8)
    status, out, err = finish(lab.process, '\n')
    if want is not None and status != want:
        faults.append(f'exit status {status}, not {want}')
    faults += lab.left()
    if asked and not os.path.exists(lab.asked):
        faults.append('the command was not asked to end')
    point(f'{name} ({user}, {backend})', faults and faults + err.splitlines())


def kill(what, number):
    def end(lab):
        os.kill(getattr(lab, what) if what != 'relay' else lab.process.pid, number)
    return end


def kill_relay_and_keeper(lab):
    """At once: the folder is left to the next lab."""
    os.kill(lab.process.pid, signal.SIGSTOP)
    os.kill(lab.keeper, signal.SIGKILL)
    os.kill(lab.process.pid, signal.SIGKILL)
    lab.process.wait()
    run('-q', '--far', 'true', '--', 'true', user=lab.user)


def kill_far(lab):
    kill('far', signal.SIGKILL)(lab)
    until(lambda: lab.far not in children(lab.keeper))


# What ends a lab: its name, what is done, the lab's exit status, and whether the command is asked
# to end.
ENDINGS = (
    ('the command ends', lambda lab: None, 0, False),
    ('SIGTERM', kill('relay', signal.SIGTERM), 128 + signal.SIGTERM, True),
    ('SIGKILL of the relay', kill('relay', signal.SIGKILL), 128 + signal.SIGKILL, True),
    ('SIGKILL of the keeper', kill('keeper', signal.SIGKILL), 1, False),
    ('SIGKILL of the near command', kill('near', signal.SIGKILL), 128 + signal.SIGKILL, False),
    ('SIGKILL of the far command', kill_far, 0, False),
    ('SIGKILL of relay and keeper', kill_relay_and_keeper, 128 + signal.SIGKILL, False),
)


def check_backend(user, backend, obstacle=None):
    for name, act, status, asked in ENDINGS:
        check(name, act, status, user, backend, asked=asked, obstacle=obstacle)


for who in users():
    for kind in working_backends(who):
        check_backend(who, kind)
    # A /dev/net/tun as it is where everybody may use it.
    if who == 'nobody' and 'tun' not in working_backends(who) and 'tun' in working_backends():
        check_backend(who, 'tun', ['open-tun'])
    check('SIGHUP', kill('relay', signal.SIGHUP), 128 + signal.SIGHUP, who, kind, asked=True)
    check('SIGTERM of the keeper', kill('keeper', signal.SIGTERM), None, who, kind, asked=True)
    check('SIGINT of the relay is for the command', kill('relay', signal.SIGINT), None, who, kind)
    check('SIGTERM of the command', kill('near', signal.SIGTERM), 3, who, kind, asked=True)


def check_early(delay_steps):
    """A lab may be killed at any moment of its start."""
    before = state()
    mark = f'LAB_TEST_MARK={os.getpid()}.early'
    faults = []
    for number in signal.SIGKILL, signal.SIGTERM, signal.SIGINT:
        for step in range(delay_steps):
            lab = start('-q',
                        '--far',
                        f'exec {FAR}',
                        '--',
                        'sleep',
                        '1000',
                        env=dict([mark.split('=')]))
            until(lambda: False, step * 0.002)
            os.kill(lab.pid, number)
            status = finish(lab)[0]
            if status != 128 + number:
                faults.append(f'exit status {status} after signal {number} at step {step}')
            if until(lambda: not processes(mark), 8) is not True:
                faults.append(f'processes after signal {number} at step {step}: {processes(mark)}')
    # What SIGKILL left at an unlucky moment the next lab removes.
    run('-q', '--far', 'true', '--', 'true')
    if os.listdir(runtime('self')) or state() != before:
        faults.append(f'left: {os.listdir(runtime("self"))}')
    point('killed while it starts', faults)


check_early(20)
done()
