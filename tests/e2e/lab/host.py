# SPDX-License-Identifier: GPL-3.0-or-later
"""The two hosts: what is on them, and that the kernel's own UDP and TCP reach from one to the
other, by either back end, as root and as an ordinary user."""

import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
import time

from lab import FAR, LAB, NEAR, done, environment, need_hosts, processes, python, run, runtime, serves, side_by_side, start, \
    finish, until, users, working_backends, read_line, PLACE
from tap import BUILD, UPCASE, UPCASED, has, not_here, point

need_hosts()

# A server of capitals on both transports and both families; "listen" is said by the kernel's
# tables.
SERVER = textwrap.dedent('''
    import os, selectors, socket
    wait = selectors.DefaultSelector()
    for family, address in (socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2"):
        for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
            try:
                s = socket.socket(family, kind)
                s.bind((address, 7000))
            except OSError:
                continue
            if kind == socket.SOCK_STREAM:
                s.listen()
            wait.register(s, selectors.EVENT_READ, kind == socket.SOCK_STREAM)
    if "SERVES" in os.environ:
        open(os.environ["SERVES"], "w").close()
    while True:
        for key, _ in wait.select():
            s = key.fileobj
            if s.type == socket.SOCK_DGRAM:
                data, who = s.recvfrom(70000)
                s.sendto(data.upper(), who)
            elif key.data:
                wait.register(s.accept()[0], selectors.EVENT_READ, False)
            else:
                data = s.recv(65536)
                if data == b"which":
                    data = s.getsockopt(socket.IPPROTO_TCP, 13, 16).rstrip(b"\\0")
                s.sendall(data.upper())
                if not data:
                    wait.unregister(s)
                    s.close()
    ''')

# What the near host's programs share.
CLIENT = textwrap.dedent('''
    import errno, os, socket, struct, sys, time
    while "SERVES" in os.environ and not os.path.exists(os.environ["SERVES"]):
        time.sleep(0.005)
    FAR = {4: "10.9.0.2", 6: "fd09::2"}
    def udp(version):
        s = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        s.settimeout(5)
        s.connect((FAR[version], 7000))
        return s
    def tcp(version):
        return socket.create_connection((FAR[version], 7000), 5)
    def must(truth, what):
        if not truth:
            print("FAULT:", what)
    def counts():
        """What the link counted, as lines."""
        c = socket.socket(socket.AF_UNIX)
        c.connect(os.environ["UPCASE_LAB"])
        c.sendall(b"counts\\n")
        text = b""
        while b"\\nok" not in text:
            text += c.recv(9999)
        return text.decode().splitlines()
    def counters(name, path="/proc/net/snmp"):
        rows = [line.split() for line in open(path) if line.startswith(name + ":")]
        return dict(zip(rows[0][1:], map(int, rows[1][1:])))
    ''')


def server_file():
    path = os.path.join(PLACE, 'server.py')
    with open(path, 'w') as file:
        file.write(SERVER)
    return path


FAR_COMMAND = f'exec {python("")[0]} {server_file()}'


def near(name, source, *options, user='self', far=FAR_COMMAND, said=None, obstacle=None):
    """Python source on the near host must find no fault. Returns what it and the lab said."""
    status, out, err = run(*options,
                           '--far',
                           far,
                           '--',
                           *python(CLIENT + textwrap.dedent(source)),
                           user=user,
                           said=said,
                           obstacle=obstacle,
                           env=serves(user) if far == FAR_COMMAND else {})
    faults = [f'exit status {status}'] if status else []
    faults += [line for line in out.splitlines() if line.startswith('FAULT')]
    point(name, faults and faults + err.splitlines())
    return out, err


def check_traffic(user, backend, obstacle=None):
    at = f'({user}, {backend})'
    options = '--backend', backend
    _, err = near(f'UDP and TCP by IPv4 and IPv6, all sizes {at}', '''
        for version in 4, 6:
            s = udp(version)
            for n in 0, 1, 2, 3, 1471, 1472, 1473, 9000, 65000:
                data = os.urandom(n // 2 + 1).hex().encode()[:n]
                s.send(data)
                must(s.recv(70000) == data.upper(), f"UDP over IPv{version}, {n} bytes")
            s = tcp(version)
            data = os.urandom(1 << 19).hex().encode()
            got, sent = b"", 0
            s.settimeout(10)
            for at in range(0, len(data), 65536):
                s.sendall(data[at:at + 65536])
                while len(got) < at + 65536:
                    got += s.recv(1 << 20)
            must(got == data.upper(), f"TCP over IPv{version}")
        for name in ("Udp", "Tcp"):
            must(counters(name)["InCsumErrors"] == 0, name + " checksums")
        must(counters("Ip")["InHdrErrors"] == 0, "IP headers")
        ''', *options, user=user, obstacle=obstacle)
    point(f'the link counts all as delivered {at}', [] if re.search(
        r'there: (\d+) packets, \1 delivered; back: (\d+) packets, \2 delivered\n$', err) else
          err.splitlines())
    near(f'many datagrams from one call are datagrams on the wire {at}', '''
        s = udp(4)
        s.setsockopt(socket.IPPROTO_UDP, 103, 700)
        s.send(b"x" * 7000)
        got = []
        while sum(map(len, got)) < 7000:
            got.append(s.recv(70000))
        must(got == [b"X" * 700] * 10, [len(g) for g in got])
        must(counters("Udp")["InCsumErrors"] == 0, "checksums")
        ''', *options, user=user, obstacle=obstacle)
    if '/etc/hosts cannot be covered' in run('--check', user=user, obstacle=obstacle)[1]:
        not_here('a lab with names: there is no /etc/hosts to be covered', f'names {at}')
    else:
        near(f'names {at}',
             '''
            must(socket.gethostbyname("far") == "10.9.0.2", "the name far")
            must(("fd09::1", 9) in {a[4][:2] for a in socket.getaddrinfo("near", 9)}, "the name near")
            ''',
             *options,
             user=user,
             obstacle=obstacle)
    near(f'loopback, rights and surroundings {at}',
         '''
        a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        b.bind(("127.0.0.1", 0)); a.sendto(b"x", b.getsockname()); b.settimeout(5); must(b.recv(9) == b"x", "loopback")
        socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).bind(("10.9.0.1", 80))
        must(os.getuid() == int(sys.stdin.readline()), "the user id")
        for name in "UPCASE_LAB", "UPCASE_LAB_FAR", "UPCASE_LAB_HOST":
            must(os.environ.get(name), name)
        s = socket.socket(socket.AF_UNIX); s.connect(os.environ["UPCASE_LAB"]); s.sendall(b"link\\n")
        must(b"there" in s.recv(9999), "the control socket")
        must(sorted(n for _, n in socket.if_nameindex()) == ["lo", "wire"], "interfaces")
        try:
            socket.create_connection(("192.0.2.1", 80), 5)
            must(False, "a way out of the lab")
        except OSError as e:
            must(e.errno == errno.ENETUNREACH, e)
        ''',
         *options,
         user=user,
         said=f'{os.getuid() if user == "self" else 65534}\n',
         obstacle=obstacle)
    near(f'ping without rights {at}',
         '''
        for family, kind, proto in (socket.AF_INET, 8, 1), (socket.AF_INET6, 128, 58):
            s = socket.socket(family, socket.SOCK_DGRAM, proto)
            s.settimeout(5)
            s.sendto(struct.pack("!BBHHH", kind, 0, 0, 0, 1) + b"ping", (FAR[4 if proto == 1 else 6], 0))
            must(s.recv(99).endswith(b"ping"), f"echo {proto}")
        ''',
         *options,
         user=user,
         obstacle=obstacle)
    _, err = near(f'the hosts say nothing by themselves {at}', '''
        s = udp(6)
        for i in range(20):
            s.send(b"x")
            s.recv(9)
            time.sleep(0.1)
        lines = counts()
        must("there packets 20" in lines and "back packets 20" in lines, lines)
        must(not [l for l in lines if "chatter" in l and not l.endswith(" 0")], lines)
        ''', *options, user=user, obstacle=obstacle)
    near(f'nothing changes places by itself {at}', '''
        import threading
        s = udp(4)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        waiting = threading.Semaphore(64)
        got = []
        def listen():
            while len(got) < 20000:
                got.append(int(s.recv(99)))
                waiting.release()
        hear = threading.Thread(target=listen)
        hear.start()
        for i in range(20000):
            waiting.acquire(timeout=5)
            s.send(b"%d" % i)
        hear.join(10)
        must(got == list(range(20000)), f"{len(got)} came, the first out of order: " +
             str(next((i for i, g in enumerate(got) if i != g), None)))
        ''', *options, user=user, obstacle=obstacle)
    _, err = near(f'a flipped bit is noticed {at}', '''
        s = udp(4)
        s.settimeout(0.3)
        for i in range(50):
            s.send(b"is anyone there")
        try:
            must(False, s.recv(99))
        except socket.timeout:
            pass
        ''', '--corrupt-there', '100%', *options, user=user, obstacle=obstacle)
    point(f'and is not lost on the link {at}',
          [] if re.search(r'there: 50 packets, 50 corrupted, 50 delivered; back: 0 packets',
                          err) else err.splitlines())


def check_mtu(backend):
    options = '--backend', backend
    for mtu in 68, 576, 1280, 9000, 65521:
        _, err = near(f'an MTU of {mtu} ({backend})', f'''
            import fcntl
            s = udp(4)
            got = fcntl.ioctl(s, 0x8921, struct.pack("16si8x", b"wire", 0))
            must(struct.unpack("16si8x", got)[1] == {mtu}, "the interface's MTU")
            data = b"m" * 20000
            s.send(data)
            must(s.recv(70000) == data.upper(), "a datagram")
            t = tcp({6 if mtu >= 1280 else 4})
            t.sendall(b"segment")
            must(t.recv(99) == b"SEGMENT", "a stream")
            s.setsockopt(socket.IPPROTO_IP, 10, 2)
            s.send(b"n" * ({mtu} - 28))
            s.recv(70000)
            try:
                s.send(b"n" * ({mtu} - 27))
                must(False, "more than the MTU goes out")
            except OSError as e:
                must(e.errno == errno.EMSGSIZE, e)
            ''', *options, '--mtu', str(mtu))
        warned = 'warning: no IPv6' in err
        point(f'IPv6 and its least MTU, {mtu} ({backend})',
              [] if warned == (mtu < 1280) else err.splitlines())


def check_congestion(user):
    for name in 'reno', 'cubic':
        _, err = near(f'both hosts use {name} ({user})', f'''
            for version in 4, 6:
                s = tcp(version)
                must(s.getsockopt(socket.IPPROTO_TCP, 13, 16).rstrip(b"\\0") == b"{name}", "near")
                s.sendall(b"which")
                must(s.recv(99) == b"{name.upper()}", "far")
            ''', '--cc', name, user=user)
        point(f'{name} is printed ({user})',
              [] if f'congestion control {name}\n' in err else err.splitlines())


def check_status(user):
    for words, want in ((['true'], 0), (['sh', '-c', 'exit 7'], 7), (['sh', '-c',
                                                                      'kill -9 $$'], 137),
                        (['sh', '-c',
                          'kill -TERM $$'], 143), (['/nonexistent'], 127), (['/'], 126)):
        status, _, err = run('--far', 'true', '--', *words, user=user)
        point(f'the exit status of {" ".join(words)} ({user})',
              [] if status == want else [f'{status}, not {want}', err])
    status, out, err = run('-q', '--far', 'true', '--', 'cat', said='hello\n' * 10000, user=user)
    point(f'input and output are the command\'s ({user})',
          [] if (status, out, err) == (0, 'hello\n' * 10000, '') else [str(status), out[:200], err])


    status, _, err = run('--far',
                         'true',
                         '--',
                         'sh',
                         '-c',
                         f'exec {LAB} -q --far true -- sh -c "exit 9"',
                         user=user)
    point(f'a lab in a lab ({user})', [] if status == 9 else [str(status), err])
    status, out, err = run('-q',
                           '--far',
                           'true',
                           '--',
                           'sh',
                           '-c',
                           f'{LAB} -q --far true -- true <&- >&- 2>&-; echo $?',
                           user=user)
    point(f'without any standard descriptor ({user})', [] if out == '0\n' else [out, err])


def check_usage():
    for words, part in ((['--backend', 'foo'], 'auto, tun or veth'), (['--mtu', '67'], '--mtu'),
                        (['--mtu', '70000'], '--mtu'), (['--loss', '120%'], '20%'),
                        (['--seed', str(2**63)], f'0 to {2 ** 63 - 1}'), (['--pcap', '-'], 'fifo'),
                        (['--nosuch'], 'nosuch'), (['--preset',
                                                    'nosuch'], 'satellite'), (['--cc', ''], '--cc'),
                        (['ctl', '--nosuch'], 'nosuch'), (['ctl', '--socket=', 'link'], '--socket'),
                        (['--loss'], '--loss'), (['--loss',
                                                  '20'], 'percent sign; for example --loss=20%')):
        status, out, err = run(*words)
        point(f'wrong use: {" ".join(words)}', [] if status == 2 and part in err
              and err.startswith('upcase-lab') and not out else [str(status), out, err])
    status, out, err = run('--help')
    point('--help', [] if status == 0 and '--loss=' in out and '--link-mtu=' in out and not err
          and max(map(len, out.splitlines())) <= 100 else [out, err])
    status, out, err = run('ctl', '--help')
    point('ctl --help', [] if status == 0 and '--socket=' in out and 'unplug SPAN' in out
          and not err else [out, err])
    status, out, err = run('--presets')
    point('--presets',
          [] if status == 0 and 'loss' in out and all(line.strip()
                                                      for line in out.splitlines()) else [out, err])
    status, out, err = run('-V')
    point('--version', [] if status == 0 and out.startswith('upcase-lab ') else [out, err])
    status, out, err = run('--far', 'true', '--', 'sh', '-c', 'echo "$@"', 'sh', '--loss', '20%',
                           '-V')
    point("the command's options are its own", [] if out == '--loss 20% -V\n' else [out, err])
    status, out, err = run('--far', 'true', 'echo', '--loss', '-V')
    point("the command's options are its own, without --",
          [] if out == '--loss -V\n' else [out, err])


def check_path():
    """The programs find each other by their names: in a build tree, installed beside each other, and where PATH has others."""
    programs = {
        'upcase': ('client-tui', UPCASE), 'upcased': ('server', UPCASED), 'upcase-lab': ('lab', LAB)
    }
    usual = '/usr/bin:/bin'
    other = os.path.join(PLACE, 'other')
    installed = os.path.join(PLACE, 'bin')
    # A folder of a program's name is no program. The usual folders may have installed ones.
    folders = os.path.join(PLACE, 'folders')
    os.makedirs(os.path.join(folders, 'upcase'))
    for name, (place, program) in programs.items():
        for to in os.path.join(PLACE, 'tree', place), installed:
            os.makedirs(to, exist_ok=True)
            shutil.copy(program, os.path.join(to, name))
        os.makedirs(other, exist_ok=True)
        shutil.copy('/bin/true', os.path.join(other, name))
    tree = {name: os.path.join(PLACE, 'tree', place, name) for name, (place, _) in programs.items()}
    beside = {name: os.path.join(installed, name) for name in programs}
    for what, own, path in (('a build tree', tree, usual), ('installed', beside, usual),
                            ('no PATH', beside, ''), ('others in PATH', tree, f'{other}:{usual}'),
                            ('already in PATH', beside, f'{folders}:{installed}:{usual}')):
        lab = [
            own['upcase-lab'], '-q', '--far', 'true', '--', sys.executable, '-c',
            'import os, shutil; print(*map(shutil.which, ("upcase", "upcased", "upcase-lab")), os.environ["PATH"], sep="\\n")'
        ]
        result = subprocess.run(lab,
                                capture_output=True,
                                text=True,
                                env={**environment('self'), 'PATH': path},
                                check=False)
        *found, after = result.stdout.splitlines() or ['']
        # Where a program does not know its own place, PATH decides; the lab always knows it.
        wanted = [own[name] if has('PROC') else str(shutil.which(name, path=f'{os.path.dirname(own["upcase-lab"])}:{path}'))
                  for name in ('upcase', 'upcased')]
        faults = [] if found == [*wanted, own['upcase-lab']] else [result.stdout, result.stderr]
        faults += [] if what != 'already in PATH' or after == path else [after]
        faults += [] if after.endswith(path) else [f'{path} has become {after}']
        point(f'the programs are found by their names: {what}', faults)


    without = {name: value for name, value in environment('self').items() if name != 'PATH'}
    result = subprocess.run([
        tree['upcase-lab'], '-q', '--far', 'true', '--', '/bin/sh', '-c',
        'ls -d / && upcase --version'
    ],
                            capture_output=True,
                            text=True,
                            env=without,
                            check=False)
    point('PATH not set: the system\'s commands are found too',
          [] if result.stdout.startswith('/\nupcase ' if has('PROC') else '/\n') else [result.stdout, result.stderr])


def check_far():
    slow = f'exec {python("")[0]} -c "import time; time.sleep(0.4); exec(open(\\"{server_file()}\\").read())"'
    near('a slow far command is waited for',
         '''
        s = tcp(4)
        s.sendall(b"slow")
        must(s.recv(9) == b"SLOW", "the reply")
        ''',
         far=slow)
    status, out, err = run('--far', 'echo it is broken >&2; exit 3')
    point('a far command that fails is reported',
          [] if status == 1 and 'exit status 3: it is broken' in err else [err])
    # The near one goes on until whoever watches both has seen the far one's end.
    status, out, err = run(
        '-q', '--far',
        f'exec {sys.executable} -c "import os, socket; s = socket.create_server((str(), 12000)); '
        's.accept()[0].send(str(os.getpid()).encode()); raise SystemExit(\'it is broken\')"', '--',
        sys.executable, '-c',
        textwrap.dedent("""\
        import os, socket, time
        s = socket.create_connection(("10.9.0.2", 12000))
        far = "/proc/" + s.recv(9).decode()
        until = time.monotonic() + 20
        while os.path.exists(far) and time.monotonic() < until:
            time.sleep(0.01)
        """))
    point('a far command that fails later is reported', [] if status == 0 and err.count('\n') == 1
          and 'the far command ended before the near one: exit status 1: it is broken' in err else
          [str(status), err])
    status, out, err = run(env={'UPCASED': '/nonexistent/upcased'})
    point('a server that is not there is reported',
          [] if status == 1 and '/nonexistent/upcased' in err else [err])
    ready = os.path.join(PLACE, 'ready-server')
    with open(ready, 'w') as file:
        file.write(
            f'#!/bin/sh\necho "$@" >&2\necho 12000 >&3\nexec {python("")[0]} {server_file()}\n')
    os.chmod(ready, 0o755)
    client = os.path.join(PLACE, 'client')
    with open(client, 'w') as file:
        file.write('#!/bin/sh\necho client "$@" on "$UPCASE_LAB_HOST"\n')
    os.chmod(client, 0o755)
    log = os.path.join(PLACE, 'far.log')
    status, out, err = run('--far-log', log, env={'UPCASED': ready, 'UPCASE': client})
    with open(log) as file:
        said = file.read()
    point('client and server are run with what they need', [] if
          (status, out) == (0, 'client 10.9.0.2 on near\n') and re.fullmatch(
              r'--ready-fd 3 --control /\S*/far --bind 10.9.0.2 --bind fd09::2\n', said) else
          [str(status), out, err, said])
    server = os.path.join(BUILD, 'server', 'upcased')
    status, out, err = run('--loss-back', '30%', '--seed', '1', '--', sys.executable, '-c', """if 1:
        import os, socket
        client = socket.create_connection(("10.9.0.2", 12000))
        for _ in range(20):
            client.sendall(b"hello\\n")
            assert client.recv(6) == b"HELLO\\n"
        far = socket.socket(socket.AF_UNIX)
        far.connect(os.environ["UPCASE_LAB_FAR"])
        far.sendall(b"connections\\n")
        far.shutdown(socket.SHUT_WR)
        print(f"10.9.0.1:{client.getsockname()[1]}", far.makefile().read())
        """, env={'UPCASED': server})
    kernel = r' state established .* total-retrans [1-9]' if has('TCP_INFO') else r'120 pending \d+\nok\n'
    told = re.search(r'^(\S+) connection \1 .* bytes-in 120 .*' + kernel, out)
    point('the far server tells what TCP repaired', [] if status == 0 and told else [str(status), out, err])
    mute = os.path.join(PLACE, 'mute-server')
    with open(mute, 'w') as file:
        file.write('#!/bin/sh\necho no port is free >&2\nexit 1\n')
    os.chmod(mute, 0o755)
    status, out, err = run(env={'UPCASED': mute, 'UPCASE': client})
    point('a server that cannot serve is reported',
          [] if status == 1 and 'no port is free' in err and not out else [err])


def check_link():
    lost = '''
        s = udp(4)
        s.settimeout(0.3)
        for i in range(100):
            s.send(b"%d" % i)
        got = set()
        try:
            while True:
                got.add(int(s.recv(99)))
        except socket.timeout:
            pass
        print(sorted(got))
        '''
    runs = [
        near('a lossy link', lost, '--loss', '30%', '--seed', seed)[0] for seed in ('5', '5', '6')
    ]
    point('the same seed gives the same fates', [] if runs[0] == runs[1] else runs[:2])
    point('another seed gives others', [] if runs[0] != runs[2] else runs)
    count = len(runs[0].split(','))
    point('about half of the replies come', [] if 30 <= count <= 68 else [str(count)])
    _, err = near('one way only', lost, '--loss-there', '100%', '--delay-back', '1ms')
    point('the link says what it did', [] if 'there: loss 100%; back: delay 1ms' in err
          and re.search(r'there: 100 packets, 100 lost.*, 0 delivered; back: 0 packets', err) else
          err.splitlines())
    _, err = near('more than the link can read', '''
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for i in range(100000):
            s.sendto(b"x" * 100, ("10.9.0.2", 9))
        before, now = None, counts()
        while before != now:
            time.sleep(0.1)
            before, now = now, counts()
        ''', '--delay', '1ms')
    seen = re.search(r'there: (\d+) packets', err)
    lost = re.search(r'the near host sent faster than the link can read: (\d+) packets', err)
    total = int(seen[1]) + int(lost[1] if lost else 0) if seen else 0
    point('every packet is counted, by the link or before it',
          [] if total == 100000 else [str(total), err])
    capture = os.path.join(PLACE, 'x.pcapng')
    near('a capture', 'udp(4).send(b"x")', '--pcap', capture)
    with open(capture, 'rb') as file:
        head = file.read(4)
    point('it is pcapng', [] if head == b'\x0a\x0d\x0d\x0a' else [head.hex()])
    status, _, err = run('--pcap', '/nonexistent/x', '--far', 'true', '--', 'true')
    point('a capture that cannot be written is reported',
          [] if status == 2 and '/nonexistent/x: No such file' in err else [str(status), err])


def check_control(user):
    status, _, err = run('ctl', user=user)
    point(f'ctl without a lab ({user})',
          [] if status == 1 and 'no lab' in err else [str(status), err])
    lab = start('-q',
                '--far',
                'true',
                '--loss',
                '7%',
                '--',
                *python('print("up", flush=True); input()'),
                user=user,
                stdin=-1)
    read_line(lab.stdout)
    status, out, err = run('ctl', user=user)
    point(f'ctl finds the lab and shows its link ({user})',
          [] if status == 0 and 'loss 7%' in out else [out, err])
    status, out, err = run('ctl', 'loss', '30%', 'back', user=user)
    now = run('ctl', 'link', user=user)[1]
    point(f'ctl changes it ({user})',
          [] if status == 0 and 'loss 7%' in now and 'loss 30%' in now else [out, err, now])
    status, out, err = run('ctl', 'loss 31%', user=user)
    point(f'an order may be one word ({user})',
          [] if status == 0 and 'loss 31%' in out else [out, err])
    status, out, err = run('ctl', 'loss', user=user)
    point(f'ctl says what a setting lacks ({user})',
          [] if status == 1 and 'loss needs a value' in err else [out, err])
    held = [socket.socket(socket.AF_UNIX) for _ in range(16)]
    for one in held:
        one.connect(glob.glob(os.path.join(runtime(user), 'upcase-lab-*', 'link'))[0])
    status, out, err = run('ctl', user=user)
    point(f'ctl does not wait where too many ask ({user})',
          [] if status == 1 and 'too many' in err else [str(status), out, err])
    for one in held:
        one.close()
    until = time.monotonic() + 20
    while 'too many' in run('ctl', user=user)[2] and time.monotonic() < until:
        pass
    status, out, err = run('ctl', 'loss', '300%', user=user)
    point(f'ctl says what is wrong ({user})',
          [] if status == 1 and '300%' in err else [str(status), out, err])
    status, out, err = run('ctl', '--socket', '/nonexistent', 'link', user=user)
    point(f'ctl with a wrong socket ({user})',
          [] if status == 1 and '/nonexistent' in err else [str(status), out, err])
    finish(lab, '\n')


USERS = users()
traffic = [(who, kind, None) for who in USERS for kind in working_backends(who)]
if ('nobody', 'tun') not in [words[:2] for words in traffic] and 'nobody' in USERS and 'tun' in working_backends():
    traffic.append(('nobody', 'tun', ['open-tun']))
side_by_side(check_traffic, *zip(*traffic))
for who in USERS:
    check_congestion(who)
    check_status(who)
    check_control(who)
side_by_side(check_mtu, working_backends())
check_path()
check_usage()
check_far()
check_link()
done()
