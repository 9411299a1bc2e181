# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-server: upcased beside servers on libuv, libevent, io_uring and Node.js, a plain epoll
server, and the least that datagrams can cost here.

Each test asks one server at a time in one way; in each round every server is started afresh, and
their order turns from round to round, so that what the machine does meanwhile meets all alike. The
server has one processor, the load tool another. Figures are medians of the rounds with the least
and the most. A ratio is the median of the rounds' own ratios: upcased's figure to the peer's of the
same round."""

import argparse
import contextlib
import datetime
import fnmatch
import json
import os
import platform
import re
import resource
import select
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('abs_top_builddir') or os.path.join(os.path.dirname(HERE), 'build')
# How long a server may take to start, and the load tool beyond its time.
PATIENCE = 30 * float(os.environ.get('TEST_PATIENCE', '1'))
# The share of one processor's time, and the least of it in seconds, that others may have while a
# server is measured.
DISTURBED = 0.05
DISTURBED_LEAST = 0.03
# Descriptors besides those of connections.
SPARE_FILES = 256

# What serves. `command`: {port} is its port; {build} and {here} are folders. `package`: Debian's,
# that it needs.
Server = namedtuple('Server', 'name command package')
SERVERS = [Server(*fields) for fields in (
    ('upcased', '{upcased} --port={port}', None),
    ('upcased-spin', '{upcased} --port={port} --spin=50us', None),
    ('upcased-many', '{upcased} --port={port} --max-clients=6000', None),
    ('libuv', '{build}/bench/peer-libuv {port}', 'libuv1-dev'),
    ('libevent', '{build}/bench/peer-libevent {port}', 'libevent-dev'),
    ('io_uring', '{build}/bench/peer-uring {port}', 'liburing-dev'),
    ('node', 'node {here}/peer-node.js {port}', 'nodejs'),
    ('epoll', '{build}/bench/peer-epoll {port}', None),
    ('joined', '{build}/bench/peer-limit joined {port}', None),
    ('busy', '{build}/bench/peer-limit busy {port}', None),
)]
LIBRARIES = ['libuv', 'libevent', 'io_uring', 'node']
ALL = ['upcased', *LIBRARIES, 'epoll']

# A test: how the load tool asks, and whom; `unit`: what an operation is called; `cost`: the unit of
# the processor's time for one of them.
Test = namedtuple('Test', 'name load servers unit cost')


def tests():
    """All of them, in the order of the report."""
    found = [
        # Where the client sleeps too, most of a round trip is two processes being woken up.
        Test('udp-rtt', 'udp-rtt --awake', [*ALL, 'upcased-spin', 'busy'], 'reply', 'us'),
        Test('udp-rtt-asleep', 'udp-rtt', ALL, 'reply', 'us'),
        Test('udp-burst-64', 'udp-burst --size 64', [*ALL, 'joined'], 'reply', 'us'),
        Test('udp-burst-1400', 'udp-burst --size 1400', [*ALL, 'joined'], 'reply', 'us'),
        Test('udp-spread', 'udp-spread --connections 64', [*ALL, 'joined'], 'reply', 'us'),
        Test('udp-2048', 'udp-2048', [*ALL, 'joined'], 'reply', 'us'),
    ]
    # Where the system's queues run full, megabytes of them, what a byte costs is the caches' doing,
    # and differs from run to run by half; with less under way it is the server's. Both are told.
    for k in (1, 10):
        found += [Test(f'stream-{k}', f'stream --connections {k} --window 512', ALL, 'GB', 's'),
                  Test(f'stream-{k}-full', f'stream --connections {k}', ALL, 'GB', 's')]
    found += [
        Test(f'rr-{k}', f'rr --awake --connections {k}', ALL, 'line', 'us')
        for k in (1, 10, 100, 500, 1000)
    ]
    found += [Test('rr-1-asleep', 'rr', ALL, 'line', 'us')]
    found += [Test('churn', 'churn', ALL, 'connection', 'us')]
    many = ['upcased-many', 'libuv', 'libevent', 'io_uring', 'epoll']
    found += [
        Test(f'idle-{idle}-rr-10', f'rr --awake --connections 10 --idle {idle}', many, 'line', 'us')
        for idle in (0, 5000)
    ]
    for rate in (1000, 10000):
        for kind in ('tcp', 'udp'):
            found.append(
                Test(f'open-{kind}-{rate}', f'{kind}-open --rate {rate} --idle 1000',
                     [*many, 'upcased'], 'message', 'us'))
    return found


# The points to show: what, in which test, of whose figure, beside whom, at most or least what
# ratio.
Point = namedtuple('Point', 'what test server figure peers word wanted')


def points():
    """The summary's rows."""
    rows = []
    for size in (64, 1400):
        test = f'udp-burst-{size}'
        rows += [
            Point(f'UDP, bursts of {size} B: replies a second, to libuv', test, 'upcased', 'rate',
                  ['libuv'], 'least', 2),
            Point(f'UDP, bursts of {size} B: CPU a reply, to select() with joined runs', test,
                  'upcased', 'cpu', ['joined'], 'most', 1.15)
        ]
    rows += [
        Point('UDP, 64 peers: CPU a reply', 'udp-spread', 'upcased', 'cpu', [*LIBRARIES, 'epoll'],
              'most', 1.05),
        Point('UDP, burst of 2,048: lost', 'udp-2048', 'upcased', 'lost', LIBRARIES, 'none', 0),
        Point('UDP, round trip: median, to libuv', 'udp-rtt', 'upcased', 'p50', ['libuv'], 'most',
              1),
        Point('UDP, round trip of a client that sleeps: median, to libuv', 'udp-rtt-asleep',
              'upcased', 'p50', ['libuv'], 'most', 1),
        Point('UDP, round trip with --spin 50us: median, to a busy loop', 'udp-rtt', 'upcased-spin',
              'p50', ['busy'], 'most', 1.2)
    ]
    for k in (1, 10):
        rows += [
            Point(f'TCP, stream of {k}, 512 KiB under way on each: CPU a GB', f'stream-{k}',
                  'upcased', 'cpu', LIBRARIES, 'most', 1.1),
            Point(f'TCP, stream of {k}, queues full: CPU a GB', f'stream-{k}-full', 'upcased',
                  'cpu', LIBRARIES, 'most', 1.1)
        ]
    rows += [
        Point(f'TCP, lines on {k}: CPU a line', f'rr-{k}', 'upcased', 'cpu', LIBRARIES, 'most', 1.1)
        for k in (1, 10, 100, 500, 1000)
    ]
    rows += [
        Point('TCP, lines on 1 of a client that sleeps: CPU a line', 'rr-1-asleep', 'upcased',
              'cpu', LIBRARIES, 'most', 1.1)
    ]
    rows += [
        Point('TCP, connect to close: CPU a connection', 'churn', 'upcased', 'cpu', LIBRARIES,
              'most', 1.1)
    ]
    rows += [
        Point(f'{kind}, {rate:,} a second beside 1,000 idle clients: CPU, to epoll',
              f'open-{kind.lower()}-{rate}', 'upcased-many', 'cpu', ['epoll'], 'most', 1.2)
        for rate in (1000, 10000) for kind in ('TCP', 'UDP')
    ]
    return rows


class Failure(Exception):
    """A server or the load tool could not do what it should; the reason."""


def free_port():
    """A port that is free for both transports."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(('127.0.0.1', 0))
            port = stream.getsockname()[1]
            with contextlib.suppress(OSError):
                datagrams.bind(('127.0.0.1', port))
                return port


def pinned(cpu):
    """What a child does before it starts: takes one processor, and every descriptor that it may."""
    def prepare():
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return prepare


def first_line(stream, process, log):
    """The line by which a server says that it is ready."""
    end = time.monotonic() + PATIENCE
    text = b''
    while b'\n' not in text:
        if not select.select([stream], [], [], max(0, end - time.monotonic()))[0]:
            raise Failure('it is not ready in time')
        more = os.read(stream.fileno(), 4096)
        if not more:
            process.wait(PATIENCE)
            said = os.pread(log.fileno(), 1 << 16, 0).decode(errors='replace').strip().splitlines()
            raise Failure(
                said[-1] if said else f'it ended at once, with status {process.returncode}')
        text += more


@contextlib.contextmanager
def running(command, cpu):
    """A server as a child, ready when this goes on, and gone afterwards."""
    with tempfile.TemporaryFile() as log, subprocess.Popen(command,
                                                           stdin=subprocess.DEVNULL,
                                                           stdout=subprocess.PIPE,
                                                           stderr=log,
                                                           preexec_fn=pinned(cpu)) as process:
        try:
            first_line(process.stdout, process, log)
            yield process
            if process.poll() is not None:
                raise Failure(f'it has ended, with status {process.returncode}')
        finally:
            process.send_signal(signal.SIGKILL)


def ask(options, test, pid, port):
    """Runs the load tool; its figures."""
    command = [
        os.path.join(options.build, 'bench', 'load'), f'--warmup={options.warmup}',
        f'--seconds={options.seconds}', f'--pid={pid}', *test.load.split(),
        str(port)
    ]
    try:
        ended = subprocess.run(command,
                               capture_output=True,
                               text=True,
                               check=False,
                               stdin=subprocess.DEVNULL,
                               timeout=PATIENCE + options.warmup + options.seconds,
                               preexec_fn=pinned(options.load_cpu))
    except subprocess.TimeoutExpired as error:
        raise Failure('the load tool did not come to an end') from error
    if ended.returncode not in (0, 3):
        raise Failure(ended.stderr.strip() or f'the load tool ended with status {ended.returncode}')
    return json.loads(ended.stdout)


def command_of(options, server, port):
    """A server's command line as a list."""
    return [word.format(port=port, build=options.build, here=HERE, upcased=options.upcased)
            for word in server.command.split()]


def busy_time(cpus):
    """The seconds for which these processors have done anything, also for other machines than this one (steal)."""
    used = 0
    with open('/proc/stat', encoding='ascii') as file:
        for line in file:
            name, *fields = line.split()
            if name in cpus:
                # user, nice, system, (idle, waiting for disks,) interrupts, soft ones, stolen
                used += sum(int(fields[i]) for i in (0, 1, 2, 5, 6, 7))
    return used / os.sysconf('SC_CLK_TCK')


def used_by(pid):
    """The seconds of processors that a process has used."""
    return time.clock_gettime(~pid << 3 | 2)


def used_by_children():
    """The same of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def undisturbed(options, test, pid, port):
    """Asks once, or again where something else has used the processors meanwhile: figures, and how often that was so."""
    cpus = [f'cpu{n}' for n in {options.server_cpu, options.load_cpu}
            ] if options.load_cpu is not None else ['cpu']
    for disturbed in range(options.repeats + 1):
        began = time.monotonic()
        before = busy_time(cpus) - used_by(pid) - used_by_children()
        told = ask(options, test, pid, port)
        others = busy_time(cpus) - used_by(pid) - used_by_children() - before
        if others < DISTURBED * (time.monotonic() - began) + DISTURBED_LEAST:
            return told, disturbed
    return told, options.repeats + 1


def figures(test, told):
    """What is reported, of what the load tool told."""
    done = told['bytes'] / 1e9 if test.unit == 'GB' else told['replies']
    if not done:
        raise Failure('nothing came back')
    return {
        'rate': done / told['seconds'],
        'cpu': told['server_cpu_s'] / done * (1 if test.cost == 's' else 1e6),
        'p50': told['p50_us'], 'p99': told['p99_us'], 'wrong': told['wrong'],
        'dropped_here': told['dropped_here'],
        'lost': 100 * told['lost'] / (told['lost'] + told['replies']),
        'busy': 100 * told['server_cpu_s'] / told['seconds'],
        'tool': 100 * told['own_cpu_s'] / told['seconds']
    }


def measure(options, test, servers):
    """All rounds of a test: lists of figures by the server's name, and failures."""
    found = {server.name: [] for server in servers}
    failed = {}
    for number in range(options.rounds):
        turn = number % len(servers)
        for server in servers[turn:] + servers[:turn]:
            if server.name in failed:
                continue
            port = free_port()
            try:
                with running(command_of(options, server, port), options.server_cpu) as process:
                    told, times = undisturbed(options, test, process.pid, port)
                    found[server.name].append(figures(test, told))
                    options.repeated += min(times, options.repeats)
                    options.disturbed += times > options.repeats
            except Failure as failure:
                failed[server.name] = str(failure)
        if sys.stderr.isatty():
            print(f'\r{test.name}: round {number + 1} of {options.rounds} \033[K',
                  end='',
                  file=sys.stderr,
                  flush=True)
    if sys.stderr.isatty():
        print('\r\033[K', end='', file=sys.stderr)
    return found, failed


def short(value):
    """A figure with three digits that count."""
    if value >= 999.5:
        digits = 3 - len(str(int(value)))
        return f'{round(value, digits):,.0f}'
    return f'{value:#.3g}'.rstrip('.')


def spread(values):
    """Median (least-most)."""
    text = short(statistics.median(values))
    return text if len(values) == 1 else f'{text} ({short(min(values))}–{short(max(values))})'


def ratios(rounds, others, figure):
    """The ratio of each round."""
    return [mine[figure] / theirs[figure] for mine, theirs in zip(rounds, others) if theirs[figure]]


def table(test, found, failed):
    """A test's table."""
    own = next((name for name in found if name.startswith('upcased') and found[name]), None)
    print(f'\n### {test.name}: `load {test.load}`\n')
    plural = 'replies' if test.unit == 'reply' else test.unit + 's'
    print(
        f'| server | {plural} a second | CPU {test.cost} a {test.unit} | CPU used, by the tool | p50 µs | p99 µs | lost | {own} to it: rate | CPU |'
    )
    print('|---|---:|---:|---:|---:|---:|---:|---:|---:|')
    for name, rounds in found.items():
        if name in failed:
            print(f'| {name} | failed: {failed[name]} | | | | | | | |')
            continue
        cells = [
            spread([r['rate'] for r in rounds]),
            spread([r['cpu'] for r in rounds]),
            ', '.join(f'{statistics.median(r[who] for r in rounds):.0f} %'
                      for who in ('busy', 'tool'))
        ]
        cells += [
            short(statistics.median(r[p] for r in rounds)) if rounds[0][p] else ''
            for p in ('p50', 'p99')
        ]
        cells.append(f"{statistics.median(r['lost'] for r in rounds):.2g} %" if any(
            r['lost'] for r in rounds) else '0')
        for figure in ('rate', 'cpu'):
            each = ratios(found[own], rounds, figure) if own and own != name else []
            cells.append(f'{statistics.median(each):.2f}' if each else '')
        print(f'| {name} | ' + ' | '.join(cells) + ' |')
    for name, rounds in found.items():
        if any(r['wrong'] for r in rounds):
            print(f"\n{name}: WRONG REPLIES: {sum(r['wrong'] for r in rounds)}")
        if any(r['dropped_here'] for r in rounds):
            print(
                f"\n{name}: of the replies {sum(r['dropped_here'] for r in rounds)} found no room in the load tool's own buffer "
                '(net.core.rmem_max)')
    sys.stdout.flush()


def point_row(point, results):
    """One row of the summary; None if it was not measured."""
    found = results.get(point.test, {})
    mine = found.get(point.server)
    peers = [name for name in point.peers if found.get(name)]
    if not mine:
        return None

    def median(name):
        return statistics.median(r[point.figure] for r in found[name])
    if point.figure == 'lost':
        worst = max(r['lost'] for r in mine)
        others = ', '.join(f'{name} {median(name):.2g} %' for name in peers)
        return [
            point.what, f'{worst:.2g} % at most', others, '', 'none', 'yes' if worst == 0 else 'NO'
        ]
    if not peers:
        return None
    best = (max if point.word == 'least' else min)(peers, key=median)
    each = ratios(mine, found[best], point.figure)
    ratio = statistics.median(each)
    unit = {'rate': '/s', 'p50': ' µs',
            'cpu': ' s' if point.test.startswith('stream') else ' µs'}[point.figure]
    holds = ratio >= point.wanted if point.word == 'least' else ratio <= point.wanted
    ranged = f'{ratio:.2f}' + (f' ({min(each):.2f}–{max(each):.2f})' if len(each) > 1 else '')
    return [
        point.what,
        short(median(point.server)) + unit, f'{best} {short(median(best))}{unit}', ranged,
        f"at {point.word} {point.wanted:g}", 'yes' if holds else 'NO'
    ]


def idle_row(results):
    """What a line costs beside 5,000 clients that say nothing, to what it costs alone."""
    alone, beside = (results.get(f'idle-{idle}-rr-10', {}).get('upcased-many')
                     for idle in (0, 5000))
    if not alone or not beside:
        return None
    each = ratios(beside, alone, 'cpu')
    ratio = statistics.median(each)
    cpu = [short(statistics.median(r['cpu'] for r in rounds)) for rounds in (beside, alone)]
    return [
        'TCP, lines on 10 beside 5,000 idle clients: CPU a line, to none idle', f'{cpu[0]} µs',
        f'itself {cpu[1]} µs',
        f'{ratio:.2f}' + (f' ({min(each):.2f}–{max(each):.2f})' if len(each) > 1 else ''),
        'at most 1.15', 'yes' if ratio <= 1.15 else 'NO'
    ]


def summary(results):
    """The points to show, those that were measured."""
    rows = [row for row in (point_row(point, results) for point in points()) if row]
    rows += [row for row in [idle_row(results)] if row]
    if not rows:
        return
    print(
        '\n## Summary\n\n| what | upcased | best peer | ratio | wanted | holds |\n|---|---:|---:|---:|---:|---|'
    )
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')


def processor():
    """Its name."""
    with contextlib.suppress(OSError), open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.machine()


def compiler():
    """What built the programs, and how."""
    cc, flags = os.environ.get('CC'), os.environ.get('CFLAGS', '')
    if not cc:
        return 'unknown'
    told = subprocess.run([*cc.split(), '--version'], capture_output=True, text=True,
                          check=False).stdout.splitlines()
    return f'{told[0] if told else cc}, {flags}'.rstrip(', ')


def head(options, left_out, arguments):
    """What one must know of the machine to compare figures."""
    print('# upcased beside its peers\n')
    print(
        f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, Linux {platform.release()}, {processor()}, "
        f"{os.cpu_count()} CPUs, {compiler()}\n")
    print(
        f"`make bench-server{' BENCH_ARGS=' + shlex.quote(' '.join(arguments)) if arguments else ''}`: {options.rounds} rounds of "
        f"{options.seconds:g} s after {options.warmup:g} s to warm up; medians (least–most)")
    if options.load_cpu is None:
        print(
            '\nThis process may use one CPU only: server and load tool share it, and rates mean little; compare CPU.'
        )
    else:
        print(
            f'\nThe server runs on CPU {options.server_cpu}, the load tool on CPU {options.load_cpu}.'
        )
    for name, why in left_out.items():
        print(f'\nLeft out: {name} ({why})')
    sys.stdout.flush()


def is_named(patterns, name):
    """Whether one of the patterns, between commas, is that name's."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split(','))


def choose_servers(options):
    """Those that can run here, by name, and why others cannot."""
    chosen, left_out = {}, {}
    for server in SERVERS:
        if not server.name.startswith('upcased') and not is_named(options.peers, server.name):
            continue
        program = command_of(options, server, 0)[0]
        if shutil.which(program):
            chosen[server.name] = server
        else:
            left_out[
                server.
                name] = f'on Debian, apt-get install {server.package}' if server.package else f'{program} was not built'
    return chosen, left_out


def check_files(options, chosen_tests):
    """Refuses what the limit of open files does not allow."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = {
        test.name:
        SPARE_FILES + sum(int(n) for n in re.findall(r'--(?:connections|idle) (\d+)', test.load))
        for test in chosen_tests
    }
    needed.update(
        {test.name: 6000 + SPARE_FILES
         for test in chosen_tests if 'upcased-many' in test.servers})
    worst = max(needed, key=needed.get)
    if hard != resource.RLIM_INFINITY and needed[worst] > hard:
        sys.exit(
            f'bench/server.py: {worst} needs {needed[worst]} open files, the limit is {hard}: raise it (ulimit -Hn), or '
            'leave it out (--tests)')


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog='bench/server.py',
                                     description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--rounds',
                        type=int,
                        default=9,
                        help='how often each server is measured (%(default)s)')
    parser.add_argument('--seconds',
                        type=float,
                        default=1,
                        help='how long, each time (%(default)s)')
    parser.add_argument('--warmup', type=float, help='how long to ask before (a fifth of that)')
    parser.add_argument('--tests',
                        default='*',
                        metavar='NAMES',
                        help='which tests, as in rr-*,churn (all; --list names them)')
    parser.add_argument('--peers',
                        default='*',
                        metavar='NAMES',
                        help='which peers, as in lib*,node (all)')
    parser.add_argument(
        '--repeats',
        type=int,
        default=2,
        metavar='N',
        help=
        'measure again, so often at most, where something else used the processors (%(default)s)')
    parser.add_argument('--build',
                        default=BUILD,
                        metavar='DIR',
                        help='where the programs were built (%(default)s)')
    parser.add_argument('--upcased',
                        metavar='FILE',
                        help='another upcased than the one built there')
    parser.add_argument('--json', metavar='FILE', help='write every figure of every round too')
    parser.add_argument('--list', action='store_true', help='name the tests and who is in each')
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error('at least one round, and longer than 0 s')
    if options.warmup is None:
        options.warmup = options.seconds / 5
    options.upcased = options.upcased or os.path.join(options.build, 'server', 'upcased')
    options.repeated = options.disturbed = 0
    cpus = sorted(os.sched_getaffinity(0))
    options.server_cpu, options.load_cpu = (cpus[-1], cpus[-2]) if len(cpus) > 1 else (None, None)
    return options


def main(arguments):
    """The status: 1 if a reply was wrong or upcased failed."""
    options = parse(arguments)
    sys.stdout.reconfigure(encoding='utf-8')
    chosen_tests = [test for test in tests() if is_named(options.tests, test.name)]
    if options.list:
        for test in tests():
            print(f"{test.name:<15} {', '.join(test.servers)}")
        return 0
    if not chosen_tests:
        sys.exit(f'bench/server.py: no test is called {options.tests}: --list names them')
    for program in (options.upcased, os.path.join(options.build, 'bench', 'load')):
        if not shutil.which(program):
            sys.exit(f'bench/server.py: {program} is not there: make bench-server builds it')
    check_files(options, chosen_tests)
    chosen, left_out = choose_servers(options)
    head(options, left_out, arguments)
    results, bad = {}, 0
    for test in chosen_tests:
        servers = [chosen[name] for name in test.servers if name in chosen]
        servers.sort(key=lambda server: not server.name.startswith('upcased'))
        if not servers:
            continue
        found, failed = measure(options, test, servers)
        table(test, found, failed)
        results[test.name] = {name: rounds for name, rounds in found.items() if name not in failed}
        bad += sum(r['wrong'] for rounds in found.values() for r in rounds)
        bad += sum(name.startswith('upcased') for name in failed)
    summary(results)
    if options.repeated or options.disturbed:
        print(
            f'\nSomething else used these processors: {options.repeated} measurements were repeated for that; '
            f'{options.disturbed} that stand above were disturbed all the same.')
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(results, file, indent=1)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
