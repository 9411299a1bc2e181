# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the lab writes: what they may take the place of, readers that are late, slow or gone,
a full disk; where its sockets lie; and that signals end it whatever stands still."""

import errno
import fcntl
import itertools
import os
import pty
import resource
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time

from lab import LAB, NOBODY, PATIENCE, PLACE, done, environment, finish, need_hosts, processes, python, read_line, run, runtime, \
    side_by_side, start, until, users, working_backends
from tap import UPCASED, Late, best_of, error_text, not_here, point

need_hosts()
ROOT = os.geteuid() == 0
# How long a signal may take, s.
SOON = PATIENCE / 20
SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
# On the near host: says that it runs; sends so many datagrams of 1400 bytes to nobody; waits for
# its input.
SENDER = python('''
import select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    s.sendto(b"x" * 1400, ("10.9.0.2", 9))
    if i % 25 == 24:
        select.select([], [], [], 0.002)
print("sent", flush=True)
sys.stdin.readline()
''')
_places, _labs = itertools.count(1), itertools.count(1)
# Of each thread.
_started = threading.local()


def folder(user):
    """A new one of that user's."""
    path = os.path.join(PLACE, f'files-{next(_places)}')
    os.mkdir(path)
    if user == 'nobody':
        os.chown(path, NOBODY, NOBODY)
    return path


def given(path, user):
    if user == 'nobody':
        os.chown(path, NOBODY, NOBODY)
    return path


def found(path):
    """What is there, but for when it was last read: to look where a link leads is to read it."""
    return os.path.lexists(path) and os.lstat(path)[:7] + os.lstat(path)[8:]


def write(path, data, user):
    with open(path, 'wb') as file:
        file.write(data)
    return given(path, user)


def read_all(path):
    with open(path, 'rb') as file:
        return file.read()


def fifo(user):
    path = os.path.join(folder(user), 'fifo')
    os.mkfifo(path)
    return given(path, user)


def blocks(data):
    """The blocks of a capture: type and body; a fault if it is no whole capture."""
    found, at = [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from('=II', data, at)
        if length < 12 or length % 4 or at + length > len(data) or data[at + length - 4:at +
                                                                        length] != data[at + 4:at +
                                                                                        8]:
            break
        found.append((kind, data[at + 8:at + length - 4]))
        at += length
    faults = [f'a broken block at {at} of {len(data)}'] if at != len(data) else []
    if [kind for kind, _ in found[:3]] != [0x0a0d0d0a, 1, 1]:
        faults.append('it does not begin as a capture')
    return found, faults


def option(body, code):
    """A 64-bit option of an Interface Statistics Block."""
    at = 12
    while at + 4 <= len(body):
        number, length = struct.unpack_from('=HH', body, at)
        if number == code:
            return struct.unpack_from('=Q', body, at + 4)[0]
        at += 4 + (length + 3) // 4 * 4
    return None


# --- what may be replaced -------------------------------------------------------------------------

def refused(user):
    """What is there, how it is called, and what is to be seen of it: all must be as before."""
    place = folder(user)
    text = write(os.path.join(place, 'text'), b'a text of mine\n', user)
    link = os.path.join(place, 'link')
    os.symlink(os.path.join(place, 'elsewhere'), link)
    os.mkdir(given(os.path.join(place, 'folder'), 'self'))
    address = os.path.join(place, 'socket')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
    things = [('--pcap', text, 'holds something else'), ('--pcap', '/dev/zero', 'is a device')]
    for name in '--pcap', '--far-log':
        things += [(name, link, 'is a symbolic link'),
                   (name, os.path.join(place, 'folder'), 'is a folder'),
                   (name, address, 'is a socket'),
                   (name, '/nonexistent/file', 'No such file or directory')]
        if ROOT:
            other = write(os.path.join(place, f'of-another{name}'), b'\n\r\r\n',
                          'self' if user == 'nobody' else 'nobody')
            os.chmod(other, 0o666)
            device = os.path.join(place, f'disk{name}')
            os.mknod(device, stat.S_IFBLK | 0o666, os.makedev(7, 77))
            things += [(name, other, 'belongs to another user'), (name, device, 'is a device')]
    for name, path, why in things:
        before = found(path)
        status, out, err = run('-q', name, path, '--', 'echo', 'started', user=user)
        faults = [] if status == 2 and out == '' else [f'exit status {status}', out]
        if not err.startswith(f'upcase-lab: {name}={path}: {why}; ') or err.count('\n') != 1:
            faults.append(err)
        if before != found(path) or os.path.lexists(os.path.join(place, 'elsewhere')):
            faults.append('it has changed')
        point(f'{name}: {why} ({user})', faults)
    both = os.path.join(place, 'both')
    status, out, err = run('-q',
                           '--pcap',
                           both,
                           '--far-log',
                           both,
                           '--',
                           'echo',
                           'started',
                           user=user)
    good = (status, out, os.path.lexists(both)) == (
        2, '',
        False) and err == f'upcase-lab: --pcap and --far-log: both are {both}; name two files\n'
    point(f'one file for a capture and a log ({user})',
          [] if good else [f'exit status {status}', out, err])
    if not ROOT:
        not_here('files of another user and devices, which take root', 'files of others')
    point(f'a text is as it was ({user})',
          [] if read_all(text) == b'a text of mine\n' else ['it is not'])


def replaced(user):
    path = os.path.join(folder(user), 'x.pcapng')
    sizes = []
    for before in None, b'', b'\xd4\xc3\xb2\xa1' + b'old ' * 10000, 'its own':
        if isinstance(before, bytes):
            write(path, before, user)
        status, _, err = run('-q', '--pcap', path, '--far', 'true', '--', 'true', user=user)
        found, faults = blocks(read_all(path))
        sizes.append(len(found))
        point(f'--pcap replaces {before[:8] if before else before!r} ({user})',
              faults + ([] if status == 0 else [str(status), err]))
    log = os.path.join(folder(user), 'far.log')
    for _ in range(2):
        status, _, err = run('-q', '--far-log', log, '--far', 'echo said', '--', 'true', user=user)
    point(f'--far-log adds to a log ({user})', [] if
          (status, read_all(log)) == (0, b'said\n' * 2) else [err, str(read_all(log))])
    status, _, err = run('-q',
                         '--far-log',
                         '/dev/null',
                         '--pcap',
                         '/dev/null',
                         '--far',
                         'echo said',
                         '--',
                         'true',
                         user=user)
    point(f'/dev/null takes either, and stays ({user})',
          [] if status == 0 and stat.S_ISCHR(os.stat('/dev/null').st_mode) else [err])


# --- readers --------------------------------------------------------------------------------------

def start_sender(datagrams, path, user):
    """A lab whose near host sends so many, with its capture in `path`."""
    return start('-q', '--pcap', path, '--far', 'true', '--', *SENDER, str(datagrams), user=user,
                 stdin=subprocess.PIPE)


def late_reader(user):
    path = fifo(user)
    lab = start_sender(20, path, user)
    faults = [] if read_line(lab.stdout) == 'sent\n' else ['the command did not run']
    reader = subprocess.Popen(['cat', path], stdout=subprocess.PIPE)
    open_files = f'/proc/{reader.pid}/fd'
    # Else the lab may end before it is there, and nobody writes for it.
    if not until(lambda: path in (os.path.realpath(f'{open_files}/{fd}') for fd in os.listdir(open_files))):
        faults.append('the reader does not come')
    status, _, err = finish(lab, '\n')
    data = reader.communicate(timeout=PATIENCE)[0]
    found, broken = blocks(data)
    # With nobody to take them there are answers too.
    packets = [kind for kind, _ in found].count(6)
    faults += broken + ([] if status == 0 and packets >= 40 and not err else
                        [f'exit status {status}, {packets} packets', err])
    if shutil.which('tshark'):
        shark = subprocess.run(['tshark', '-r', '-', '-Y', 'udp.dstport == 9 && !icmp'],
                               input=data,
                               capture_output=True,
                               check=False)
        seen = shark.stdout.count(b'\n')
        faults += [] if shark.returncode == 0 and seen == 40 else [
            f'tshark: {seen} packets, {shark.stderr}'
        ]
    point(f'--pcap: a reader that comes late has it from its start ({user})', faults)


def read_slowly(user):
    """More than waits for it is dropped, and counted: what it gets and what not are all. Faults."""
    path = fifo(user)
    lab = start_sender(8000, path, user)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    faults = [] if read_line(lab.stdout) == 'sent\n' else ['the command did not run']
    # What was held back for its time has come by now, and found no room.
    until(lambda: False, 1)
    data = b''
    lab.stdin.write('\n')
    lab.stdin.close()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        part = os.read(fd, 1 << 20)
        if not part:
            break
        data += part
    os.close(fd)
    lab.stdin = None
    status, _, err = finish(lab)
    found, broken = blocks(data)
    statistics = [body for kind, body in found if kind == 5]
    passed, dropped = (sum(option(body, code) or 0 for body in statistics) for code in (4, 5))
    written = [kind for kind, _ in found].count(6)
    faults += broken
    told = f'{passed} packets, {written} written, {dropped} dropped, {len(statistics)} statistics'
    # At the end the lab waits 150 ms for a reader, which a busy machine may hold up for longer.
    if not statistics and f'{path}: ' in err:
        return faults + [Late(f'{told}: {err}')]
    if len(statistics) != 2 or not 0 < dropped == passed - written:
        faults.append(told)
    if status or f'{path}: {dropped} packets are missing in the capture' not in err:
        faults.append(f'exit status {status}: {err}')
    return faults


def slow_reader(user):
    point(f'--pcap: what a slow reader has no room for is counted ({user})', best_of(lambda: read_slowly(user)))


def gone_reader(user):
    path = fifo(user)
    lab = start_sender(100, path, user)
    with open(path, 'rb') as reader:
        reader.read(1)
    faults = [] if read_line(lab.stdout) == 'sent\n' else ['the command did not run']
    status, _, err = finish(lab, '\n')
    point(f'--pcap: a reader that goes does no harm ({user})',
          faults + ([] if status == 0 else [f'exit status {status}', err]))


def full_disk(user):
    """A limit on files' sizes is as good as a full disk: a write ends in the middle of a packet."""
    path = os.path.join(folder(user), 'x.pcapng')
    for command, wanted in (SENDER + ['100'],
                            1), (['sh', '-c', '"$@" </dev/null; exit 3', 'sh'] + SENDER + ['100'],
                                 3):
        status, _, err = run('-q',
                             '--pcap',
                             path,
                             '--far',
                             'true',
                             '--',
                             *command,
                             user=user,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                   (20000, 20000)))
        found, faults = blocks(read_all(path))
        if status != wanted or 'x.pcapng: the capture is not complete\n' not in err or len(
                found) < 10:
            faults += [f'exit status {status}, {len(found)} blocks', err]
        point(f'--pcap: a full disk, and a command that ends with {wanted - 1 and wanted} ({user})',
              faults)


# --- signals --------------------------------------------------------------------------------------

def full_pipe():
    """The writing end of a pipe that takes no byte more, and its reader."""
    reader, writer = os.pipe()
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    fcntl.fcntl(writer, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in 4096, 1:
        try:
            while True:
                os.write(writer, b'x' * size)
        except BlockingIOError:
            pass
    fcntl.fcntl(writer, fcntl.F_SETFL, flags)
    return reader, writer


def ends(name, number, ready, *words, user='self', left=True, **more):
    """A signal ends it soon, once `ready`."""
    _started.number = next(_labs)
    process = start(*words, user=user, env={'MARK': mark()}, **more)
    faults = [] if until(lambda: ready(process)) else ['it does not get there']
    begin = time.monotonic()
    process.send_signal(number)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    took = time.monotonic() - begin
    # SIGINT is the command's, if it runs.
    if took > SOON or process.returncode not in (-number, 128 +
                                                 number if number == signal.SIGINT else -number):
        faults.append(f'{took:.2f} s, exit status {process.returncode}')
    if left and not until(lambda: not os.listdir(runtime(user)), SOON):
        faults.append(f'left: {os.listdir(runtime(user))}')
    for stream in process.stdout, process.stderr:
        if stream:
            stream.close()
    point(f'{number.name}: {name} ({user})', faults)


def mark():
    """What the processes of the lab that was started last bear."""
    return f'{os.getpid()}.{_started.number}.'


def near_runs(_):
    """The near command is there: a sleep of this lab's."""
    return processes(f'MARK={mark()}', 'UPCASE_LAB_HOST=near', 'sleep\0001000')


def stuck(process):
    """The process waits for something in the kernel, and not in its loop: it has nothing to do."""
    with open(f'/proc/{process.pid}/wchan') as file:
        return file.read() not in ('', '0')


IGNORES = "trap '' TERM HUP; sleep 1000 & while :; do wait; done"
STOPS = 'sleep 1000 & kill -STOP $$; sleep 1000'


def signals(user):
    some = SIGNALS if user == USERS[-1] else SIGNALS[:1]
    quiet = ['-q', '--far', 'true']
    sleep = ['--', 'sleep', '1000']
    path = fifo(user)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    for number in SIGNALS:
        ends('--pcap and a FIFO that nobody reads',
             number,
             near_runs,
             *quiet,
             '--pcap',
             fifo(user),
             *sleep,
             user=user)
    ends('--pcap and a reader that stands still',
         signal.SIGTERM,
         lambda lab: read_line(lab.stdout) == 'sent\n',
         *quiet,
         '--pcap',
         path,
         '--',
         *SENDER,
         '5000',
         user=user,
         stdin=subprocess.PIPE)
    os.close(reader)
    ends('--far-log and a FIFO that nobody reads',
         signal.SIGTERM,
         near_runs,
         '-q',
         '--far-log',
         fifo(user),
         '--far',
         'exec yes',
         *sleep,
         user=user)
    for number in some:
        if number != signal.SIGINT:
            ends('a command that does not end',
                 number,
                 near_runs,
                 *quiet,
                 '--',
                 'sh',
                 '-c',
                 IGNORES,
                 user=user)
        ends('a far command that does not end',
             number,
             near_runs,
             '-q',
             '--far',
             IGNORES,
             *sleep,
             user=user)
    ends('a command that is stopped',
         signal.SIGTERM,
         near_runs,
         *quiet,
         '--',
         'sh',
         '-c',
         STOPS,
         user=user)
    ends('a far command that is stopped',
         signal.SIGTERM,
         near_runs,
         '-q',
         '--far',
         STOPS,
         *sleep,
         user=user)
    reader, writer = full_pipe()
    for number in some:
        ends('standard error is full at the start',
             number,
             lambda lab: os.listdir(runtime(user)) and until(lambda: False, 0.3) is False,
             '--far',
             'true',
             *sleep,
             user=user,
             stderr=writer)
        ends('standard error is full at the end',
             number,
             lambda lab: not until(lambda: lab.poll() is not None, 0.5),
             *quiet,
             '--pcap',
             '/dev/full',
             '--',
             'true',
             user=user,
             stderr=writer)
    path = os.path.join(folder(user), 'silent')
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.listen(5)
        ends('ctl and a socket that never answers',
             signal.SIGTERM,
             stuck,
             'ctl',
             '--socket',
             path,
             user=user)
    lab = start('-q', '--far', 'true', '--', 'sleep', '1000', user=user)
    until(lambda: run('ctl', user=user)[0] == 0)
    ends('ctl watch, of which nobody reads a word',
         signal.SIGTERM,
         stuck,
         'ctl',
         'watch',
         user=user,
         left=False,
         stderr=writer)
    ends('ctl help, of which nobody reads a word',
         signal.SIGTERM,
         stuck,
         'ctl',
         'help',
         user=user,
         left=False,
         stdout=writer)
    control = os.path.join(runtime(user), os.listdir(runtime(user))[0], 'link')
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(control)
        client.send(b'presets\n' * 1000)
        faults = [] if run('ctl', user=user)[0] == 0 else ['others are not answered']
        lab.terminate()
        begin = time.monotonic()
        lab.wait(PATIENCE)
        faults += [] if time.monotonic() - begin < SOON else ['it takes too long']
    finish(lab)
    point(f'SIGTERM: a client of the control socket that stands still ({user})', faults)
    os.close(reader)
    os.close(writer)


def early_signals(user):
    """While the hosts are made, which here never ends."""
    obstacle = ['silent-hosts'
                ] + (['open-tun'] if user == 'nobody' and 'tun' in working_backends() else [])
    for number in SIGNALS if user == USERS[-1] else SIGNALS[:1]:
        ends('the hosts are never made',
             number,
             lambda lab: os.listdir(runtime(user)) and until(lambda: False, 0.3) is False,
             '-q',
             *['--far', 'true', '--', 'true'],
             user=user,
             obstacle=obstacle)


def few_descriptors(user):
    """Whatever their number, it says what is missing, soon, or works."""
    faults = []
    path = os.path.join(folder(user), 'x.pcapng')
    for most in range(6, 25):
        begin = time.monotonic()
        status, _, err = run(
            '-q',
            '--pcap',
            path,
            '--far',
            'true',
            '--',
            'true',
            user=user,
            preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        if status not in (0, 1) or (status and error_text(errno.EMFILE)
                                    not in err) or time.monotonic() - begin > PATIENCE / 6:
            faults.append(f'{most}: {time.monotonic() - begin:.2f} s, exit status {status}: {err}')
    point(f'few descriptors ({user})', faults)


def no_process_left():
    """For the command, once the far one runs: the far one takes them from the process that starts both. Root is not limited."""
    begin = time.monotonic()
    status, _, err = run('-q',
                         '--far',
                         f'prlimit --pid $PPID --nproc=0; exec {UPCASED} --port 0',
                         '--',
                         'true',
                         user=USERS[-1])
    point('no process is left for the command', [] if
          (status, err) == (126, 'upcase-lab: fork: Resource temporarily unavailable\n')
          and time.monotonic() - begin < PATIENCE / 6 else
          [f'{time.monotonic() - begin:.2f} s, exit status {status}: {err}'])


# --- the terminal ---------------------------------------------------------------------------------

def on_terminal(*words, user):
    master, slave = pty.openpty()
    if user == 'nobody':
        os.fchown(slave, NOBODY, NOBODY)
    lab = start('-q',
                '--far-log',
                '-',
                *words,
                user=user,
                stdin=subprocess.PIPE,
                stderr=slave,
                start_new_session=True)
    os.close(slave)
    return master, lab


def terminal(user):
    master, lab = on_terminal(
        '--far',
        r"printf '\033]0;EVIL\007 gr\303\274'; sleep 0.1; printf '\303\237e \302\233 \n'",
        '--',
        'true',
        user=user)
    status, _, _ = finish(lab, '')
    said = b''
    while select.select([master], [], [], 0)[0]:
        try:
            said += os.read(master, 4096)
        except OSError:
            break
    os.close(master)
    # The test's locale is C: what is no ASCII is spelt out.
    wanted = rb'\x1b]0;EVIL\x07 gr\xc3\xbc\xc3\x9fe \xc2\x9b '
    point(f'--far-log=- drives no terminal ({user})', [] if
          (status, said) == (0, wanted + b'\r\n') else [f'{status} {said!r}'])
    # One that nobody reads: the link goes on, and the lab ends.
    master, lab = on_terminal('--far', 'exec yes', '--', *python('''
import socket, time
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.settimeout(1)
time.sleep(0.5)
a.connect(("10.9.0.2", 9))
a.send(b"x")
try:
    a.recv(1)
except ConnectionRefusedError:
    print("refused", flush=True)
except socket.timeout:
    print("nothing", flush=True)
time.sleep(1000)
'''), user=user)
    said = read_line(lab.stdout)
    lab.terminate()
    begin = time.monotonic()
    status = finish(lab)[0]
    faults = [] if said == 'refused\n' else [said]
    if status != 128 + signal.SIGTERM or time.monotonic() - begin > SOON:
        faults.append(f'exit status {status} after {time.monotonic() - begin:.2f} s')
    os.close(master)
    point(f'--far-log=- and a terminal that nobody reads ({user})', faults)


def full_terminal(user):
    """One that the command has filled, and that takes no last words."""
    master, slave = pty.openpty()
    ends('a terminal that nobody reads',
         signal.SIGTERM,
         lambda lab: processes(f'MARK={mark()}', 'yes') and not until(
             lambda: select.select([], [slave], [], 0)[1], 0.3),
         '--far',
         'true',
         '--',
         'yes',
         user=user,
         stdout=slave,
         stderr=slave,
         start_new_session=True)
    os.close(master)
    os.close(slave)


# --- where the sockets lie ------------------------------------------------------------------------

def places():
    """Root, and a folder of an ordinary user's, who puts another one of root's in the place of the lab's."""
    theirs = folder('nobody')
    env = {**environment('self'), 'XDG_RUNTIME_DIR': theirs, 'TMPDIR': theirs}
    result = subprocess.run([LAB, '-q', '--', 'echo', 'started'],
                            env=env,
                            capture_output=True,
                            text=True,
                            check=False)
    wanted = f'{theirs}: another user can change what lies there'
    point("root's lab does not lie in a folder of another user's", [] if
          (result.returncode, result.stdout) == (1, '') and result.stderr
          == f'upcase-lab: no folder for its sockets: {wanted}; {wanted}; name one of your own: '
          'TMPDIR=FOLDER upcase-lab\n' and not os.listdir(theirs) else [str(result)])
    lying = os.path.join(theirs, f'upcase-lab-{os.getpid()}.lying0')
    os.mkdir(lying, 0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(lying, 'link'))
        listener.listen(1)
        for owner in NOBODY, 0:
            os.chown(lying, owner, owner)
            result = subprocess.run([LAB, 'ctl'],
                                    env=env,
                                    capture_output=True,
                                    text=True,
                                    check=False,
                                    timeout=PATIENCE)
            point(f"ctl does not ask what lies in a folder of another user's ({owner})", [] if
                  result.returncode == 1 and 'no lab of yours' in result.stderr else [str(result)])


USERS = users()


def files_of(user):
    for check in (refused, replaced, late_reader, slow_reader, gone_reader, full_disk, signals, early_signals, terminal,
                  full_terminal):
        check(user)


side_by_side(files_of, USERS)
few_descriptors(USERS[-1])
no_process_left()
if ROOT:
    places()
else:
    not_here("a folder of another user's, which takes root", 'places')
done()
