# SPDX-License-Identifier: GPL-3.0-or-later
"""The walls of the design: a pure core with the world at its edges. What a file does is asked of
its object file, which cannot hide a call; what it includes and how it looks, of its text."""

import functools
import os
import re
import subprocess

from tap import BUILD, MUSL, TOP, done, has, point, read

PROGRAM_FOLDERS = ['common', 'client-tui', 'server', 'lab', 'checker']
FOLDERS = PROGRAM_FOLDERS + ['tests', 'bench', 'm4', 'completion', 'tools', 'man', 'data']

# What a pure file does not do, and by what calls one sees that it does.
DEEDS = {
    'socket': '''socket socketpair bind connect accept accept4 listen send sendto sendmsg sendmmsg recv recvfrom recvmsg
        recvmmsg getsockname getpeername getsockopt setsockopt shutdown getaddrinfo getnameinfo getifaddrs
        os_socket os_accept os_socketpair os_ask os_receive os_receive_many os_send_many os_next_error
        os_queue_errors os_queue_sent os_drops os_buffer os_set_buffer os_tcp_read os_unacknowledged os_limit_unsent
        os_share_port os_set_congestion os_congestion''',
    'clock': '''clock_gettime gettimeofday time nanosleep clock_nanosleep sleep usleep localtime localtime_r
        clock_monotonic clock_realtime clock_difference''',
    'wait': 'select pselect poll ppoll epoll_create epoll_create1 epoll_wait os_poller os_poller_watch os_poller_ready signal __sysv_signal sigaction sigprocmask',
    'file': '''open openat creat fopen fdopen freopen fclose opendir mkdir unlink rename stat fstat lstat read write
        readv writev lseek ioctl fcntl close os_reopen os_host_drops''',
    'process': 'fork vfork posix_spawn posix_spawnp execv execve execvp execl execlp kill waitpid wait pipe pipe2 os_pipe prctl os_end_with_parent',
    'place': 'getenv secure_getenv setenv setlocale getuid getpwuid isatty tcgetattr tcsetattr',
    'speak': 'stdout stderr stdin perror puts putchar printf vprintf',
    'end': 'exit _exit abort err errx',
    'chance': 'rand random drand48 getrandom getentropy arc4random os_random',
    'namespace': 'unshare setns clone mount umount umount2',
}

# What each file may do. A file that is not named here is pure.
MAY = {
    'common/capitals.c': 'state',
    'common/clock.c': 'clock',
    'common/control-socket.c': 'socket file',
    'common/file.c': 'file state',
    'common/log.c': 'clock wait file state',
    'common/options.c': 'place',
    'common/os-linux.c': 'socket wait file process chance',
    'common/os-posix.c': 'socket file process end',
    'common/program.c': 'place',
    'common/send-buffer.c': 'socket',
    'common/standard.c': 'wait file place speak state',
    'client-tui/trace/server-tcp.c': 'clock',
    'client-tui/net/icmp.c': 'socket',
    'client-tui/trace/lab-socket.c': 'socket wait file',
    'client-tui/app/main.c': 'wait place speak',
    'client-tui/report/export-request.c': 'clock place',
    'client-tui/terminal/history.c': 'clock wait file',
    'client-tui/app/plain.c': 'clock wait file place speak',
    'client-tui/app/plain-output.c': 'clock file speak',
    'client-tui/app/run.c': 'clock speak',
    'client-tui/net/local-server.c': 'wait file process end',
    'client-tui/terminal/line-editor.c': 'readline file process speak state',
    'client-tui/record/format.c': 'json',
    'client-tui/record/fields.c': 'json',
    'client-tui/record/replay.c': 'file',
    'client-tui/terminal/restore.c': 'wait file place state',
    'client-tui/net/resolve.c': 'socket wait file process end',
    'client-tui/terminal/screen.c': 'curses clock wait file process place speak state',
    'client-tui/app/settings.c': 'place speak',
    'client-tui/net/timestamps.c': 'socket clock',
    'client-tui/app/stop.c': 'wait file end state',
    'client-tui/net/tcp.c': 'socket clock file',
    'client-tui/net/tcp-info.c': 'socket file',
    'client-tui/app/tui.c': 'clock wait file speak',
    'client-tui/app/tui-demo.c': 'clock',
    'client-tui/app/tui-keys.c': 'clock',
    'client-tui/app/tui-state.c': 'clock',
    'client-tui/net/udp.c': 'socket clock file',
    'client-tui/terminal/readline-guard.c': 'readline place state',
    'checker/judge.c': 'socket clock wait file',
    'checker/lab-link.c': 'socket file process place namespace',
    'checker/main.c': 'place speak',
    'checker/peer.c': 'socket clock wait file',
    'checker/program.c': 'clock wait file process end namespace',
    'checker/report.c': 'json file place speak',
    'checker/start.c': 'socket clock file',
    'checker/steps.c': 'clock file process',
    'lab/link/capture.c': 'clock',
    'lab/self-check.c': 'clock wait file process',
    'lab/commands.c': 'socket file place',
    'lab/ctl.c': 'place speak',
    'lab/hosts/device.c': 'socket file',
    'lab/hosts/runtime-dir.c': 'file process place',
    'lab/hosts/hosts.c': 'file process place namespace',
    'lab/hosts/supervisor.c': 'socket clock wait file process place end',
    'lab/link/link.c': 'clock process',
    'lab/main.c': 'place speak',
    'lab/hosts/netlink.c': 'socket clock file',
    'lab/options.c': 'place chance',
    'lab/hosts/timestamp-tap.c': 'file',
    'lab/output.c': 'file process place',
    'lab/link/pcapng.c': 'clock wait file',
    'lab/relay.c': 'clock wait file process place',
    'lab/hosts/signals.c': 'wait end',
    'lab/hosts/terminal.c': 'wait file process place',
    'server/control.c': 'wait file',
    'server/datagram.c': 'socket',
    'server/listen.c': 'socket file place',
    'server/loop.c': 'wait file',
    'server/main.c': 'clock wait file place speak',
    'server/ready.c': 'file',
    'server/sandbox.c': 'file process',
    'server/server.c': 'chance wait file',
    'server/tcp.c': 'socket clock file',
    'server/udp.c': 'clock file',
    'server/workers.c': 'socket clock wait file process',
}

# The seam to the system: which file has a call, configure has decided.
SEAM = ['common/os-linux.c', 'common/os-posix.c', 'server/sandbox.c']

INCLUDES = {
    'curses': r'curses|term\.h',
    'readline': r'readline/',
    'json': r'jansson',
}


# The rooms of a program, from the top down, and the rooms that each may use: arrows run downward
# only. All may use common.
ARROWS = {
    'client-tui/app': 'terminal view report record trace net ledger',
    'client-tui/terminal': 'view',
    'client-tui/view': 'report trace ledger',
    'client-tui/report': 'record trace net ledger',
    'client-tui/record': 'trace net ledger',
    'client-tui/trace': 'ledger',
    'client-tui/net': 'ledger',
    'client-tui/ledger': '',
    'lab': 'link hosts',
    'lab/link': 'hosts',
    'lab/hosts': '',
    'server': '',
    'checker': '',
    'common': '',
}

# The longest function, in lines.
FUNCTION_MAX = 80


def files(folders, *suffixes):
    """The paths, relative to the top, of what we wrote."""
    found = []
    for folder in folders:
        for at, subfolders, names in os.walk(os.path.join(TOP, folder)):
            subfolders[:] = [
                name for name in subfolders
                if not name.startswith('.') and name != '__pycache__' and name not in ('corpus',
                                                                                       'samples')
            ]
            found += [os.path.relpath(os.path.join(at, name), TOP) for name in names
                      if name.endswith(suffixes or '')]
    return sorted(found)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def source_of(path):
    """The source of an object file: client-tui/net/libclient_a-udp.o is made from client-tui/net/udp.c."""
    source = re.sub(r'/(?:lib\w+_a|upcased?)-([^/]+)$', r'/\1', path[:-2]) + '.c'
    return source if os.path.exists(os.path.join(TOP, source)) else None


@functools.lru_cache(None)
def objects():
    """Each object file of the programs, by its source, in whatever folder."""
    found = {}
    for folder in PROGRAM_FOLDERS:
        for at, _, names in os.walk(os.path.join(BUILD, folder)):
            for name in sorted(name for name in names if name.endswith('.o')):
                source = source_of(os.path.relpath(os.path.join(at, name), BUILD))
                made = os.path.join(at, name)
                # The newest wins: an older one was left behind under another name.
                if source and (source not in found or
                               os.path.getmtime(made) > os.path.getmtime(found[source])):
                    found[source] = made
    return found


def plain(symbol):
    """The name of a call as it stands in the source: without what fortifying, large files and times of 64 bits make of it."""
    symbol = symbol.split('@')[0]
    symbol = re.sub(r'^__(\w+)_chk$', r'\1', symbol)
    symbol = re.sub(r'^__isoc\d+_', '', symbol)
    symbol = re.sub(r'^__(\w+?)(?:_time)?64(_r)?$', r'\1\2', symbol)
    return re.sub(r'(?<=[a-z])64(_2)?$', '', symbol)


# The names in an object's own code, not those in what -flto keeps beside it.
NO_LTO = '--plugin=/dev/null'


@functools.lru_cache(None)
def symbols():
    """Of each object file: the names that it needs from elsewhere, and those that it offers."""
    needs, offers = {}, {}
    paths = list(objects().values())
    for line in run('nm', NO_LTO, '-A', '-g', *paths).splitlines() if paths else []:
        path, _, rest = line.partition(':')
        kind, name = rest.split()[-2:]
        (needs if kind in 'Uw' else offers).setdefault(path, set()).add(name)
    return needs, offers


def calls(path):
    """What an object file needs from elsewhere."""
    return {plain(name) for name in symbols()[0].get(path, ())}


@functools.lru_cache(None)
def all_variables():
    """Of each object file: its variables that can change while the program runs."""
    found, path = {}, None
    for line in run('objdump', '-t', *objects().values()).splitlines() if objects() else []:
        path = line.split(':')[0] if ':     file format' in line else path
        match = re.match(r'[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$', line)
        if not match or 'O' not in match[1] or match[3].startswith(('__odr_asan', '_ZN', '.')):
            continue
        if re.match(r'(\.data|\.bss|\.tbss|\.tdata|\*COM\*)',
                    match[2]) and '.rel.ro' not in match[2]:
            found.setdefault(path, set()).add(match[3].split('.')[0])
    return found


def variables(path):
    return all_variables().get(path, set())


def allowed(source):
    return MAY.get(source, '').split()


def check_deeds(found):
    for deed, names in DEEDS.items():
        names = set(names.split())
        faults = []
        for source, path in found.items():
            if deed not in allowed(source):
                faults += [f'{source} calls {name}()' for name in sorted(calls(path) & names)]
        point(f'only those who may: {deed}', faults)


def check_includes():
    for what, pattern in INCLUDES.items():
        faults = []
        for path in files(PROGRAM_FOLDERS, '.c', '.h'):
            for included in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)', read(path), re.M):
                if re.search(pattern, included) and what not in allowed(path):
                    faults.append(f'{path} includes {included}')
        point(f'only those who may: {what}', faults)


def own_variables(source, path):
    """The variables of a file but for flags that a signal sets."""
    return [name for name in sorted(variables(path))
            if not re.search(rf'volatile sig_atomic_t[^;]*\b{re.escape(name)}\b', read(source))]


def check_state(found):
    """State is passed down."""
    point('no variable outlives a call, but signal flags', [
        f'{source} has a variable of its own, {name}' for source, path in found.items()
        if 'state' not in allowed(source) for name in own_variables(source, path)])


# Standard error: where all goes through, the progress, which is ours and drives the terminal, and a
# child whose standard error is a pipe to us.
SPEAKERS = [
    'common/standard.c', 'client-tui/app/plain-output.c', 'client-tui/net/local-server.c'
]


def check_speech():
    """What is not ours must not drive a terminal."""
    point('what is said on standard error goes through common/standard.c', [
        f'{path} has {" ".join(match[0].split())}'
        for path in files(PROGRAM_FOLDERS, '.c') if path not in SPEAKERS for match in re.finditer(
            r'\b(?:v?[fd]printf|fput[cs]|putc|fwrite)\b[^;]*\b(?:stderr|STDERR_FILENO)\b|\bperror\b',
            read(path))
    ])


def check_table(found):
    """The table says what is so: no file may more than it does."""
    faults = [f'{source} is not there' for source in MAY if source not in found]
    for source, path in found.items():
        does = {deed for deed, names in DEEDS.items() if calls(path) & set(names.split())}
        does |= {what for what, pattern in INCLUDES.items()
                 if re.search(rf'^\s*#\s*include\s*[<"][^>"]*({pattern})', read(source), re.M)}
        does |= {'state'} if own_variables(source, path) else set()
        faults += [
            f'{source} has no need of: {deed}' for deed in allowed(source)
            if deed not in does and source not in SEAM
        ]
    point('the table of who may grants no more than that', faults)


# What only Linux has: headers, calls and names. It stands behind common/os.h, in the sandbox and in the lab.
LINUX_FILES = ['common/os-linux.c', 'server/sandbox.c']
LINUX_ONLY = r"""<(?:linux|asm)/|<sys/(?:epoll|prctl|signalfd|eventfd|timerfd|random|syscall)\.h>|
    \b(?:accept4|pipe2|recvmmsg|sendmmsg|epoll_\w+|prctl|signalfd|eventfd|timerfd_\w+|memfd_create|getrandom|
    fopencookie|malloc_trim|syscall|SOCK_CLOEXEC|SOCK_NONBLOCK|SO_TIMESTAMP\w*|SO_RXQ_OVFL|SO_REUSEPORT|
    SO_(?:RCV|SND)BUFFORCE|MSG_ERRQUEUE|IPV?6?_RECVERR|IP_PKTINFO|TCP_INFO|TCP_CONGESTION|tcp_info|SIOCOUTQ)\b"""


def without_comments(text):
    """A source without its comments and texts."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', '', text, flags=re.S)


def check_linux():
    """Other systems have one file to be written for."""
    point('what only Linux has stands behind common/os.h', [
        f'{path} has {match[0].strip()}' for path in files(['common', 'client-tui', 'server'], '.c', '.h')
        if path not in LINUX_FILES
        for match in re.finditer(LINUX_ONLY, without_comments(read(path)), re.X)
    ])


def room(path):
    return os.path.dirname(path)


def unit(path):
    """A .c file and its header are one: ledger.c, ledger.h, ledger-internal.h."""
    return re.sub(r'(-internal|-core)?\.[ch]$', '', path)


def included(path):
    """The files of ours that a file includes."""
    found = []
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)', read(path), re.M):
        places = [
            os.path.normpath(os.path.join(folder, name))
            for folder in ('', 'client-tui', room(path))
        ]
        found += [at for at in places if os.path.exists(os.path.join(TOP, at))][:1]
    return found


def includes():
    """Which file includes which, of the programs."""
    return {(path, other) for path in files(PROGRAM_FOLDERS, '.c', '.h') for other in included(path)
            if other.split('/')[0] in PROGRAM_FOLDERS}


def defined(path):
    """What an object file offers to others."""
    return symbols()[1].get(path, set())


def uses(found):
    """Which file calls which, or reads its tables: within one program, or common."""
    owners = {}
    for source, path in found.items():
        for name in defined(path):
            owners[source.split('/')[0], name] = source
    pairs = set()
    for source, path in found.items():
        for name in calls(path):
            other = owners.get((source.split('/')[0], name)) or owners.get(('common', name))
            if other and other != source:
                pairs.add((source, other))
    return pairs


def circles(pairs):
    """The groups of what reaches itself: pairs (a, b) for a uses b."""
    after = {}
    for a, b in pairs:
        if a != b:
            after.setdefault(a, set()).add(b)

    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for other in after.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen
    reached = {name: reach(name) for name in after}
    found = {
        tuple(sorted(b for b in reached[a] if a in reached.get(b, ())))
        for a in after if a in reached[a]
    }
    return [' '.join(circle) for circle in sorted(found)]


def check_facilities():
    """A build for Linux lacks nothing that configure was not told to leave out; a portable one uses nothing."""
    with open(os.path.join(BUILD, 'Makefile'), encoding='utf-8') as file:
        portable = '\nPORTABLE_CPPFLAGS = -DPOSIX_ALONE\n' in file.read()
    with open(os.path.join(BUILD, 'config.log'), encoding='utf-8', errors='replace') as file:
        options = re.search(r'^  \$ .*', file.read(), re.M)[0]
    names = [name for name in re.findall(r'^UPCASE_SYSTEM\(\[(\w+)\]', read('configure.ac'), re.M)
             if not (MUSL and name == 'MALLOC_TRIM')]
    left_out = {name for name in names if f'--disable-{name.lower()}' in options}
    point('a build uses all that Linux has, or all but that when told so',
          [name for name in names if has(name) != (not portable and name not in left_out)] + ([] if names else ['none']))


def check_rooms(found):
    faults = [
        f'{path} stands in no room' for path in files(PROGRAM_FOLDERS, '.c', '.h')
        if room(path) not in ARROWS
    ]
    point('every file stands in a room', faults)
    faults = []
    for how, pairs in (('includes', includes()), ('uses', uses(found))):
        for source, other in sorted(pairs):
            below = [
                os.path.join(source.split('/')[0], name)
                for name in ARROWS.get(room(source), '').split()
            ]
            if room(other) not in [room(source), 'common', *below]:
                faults.append(f'{source} {how} {other}')
    point('arrows run downward only', faults)


def check_circles(found):
    for how, pairs in (('includes', includes()), ('calls', uses(found))):
        point(f'no circle of files by {how}', circles({(unit(a), unit(b)) for a, b in pairs}))
        point(f'no circle of rooms by {how}', circles({(room(a), room(b)) for a, b in pairs}))


def functions(path):
    """The lengths of a file's functions, from the line of the name to the closing brace."""
    start, found = 0, []
    for number, line in enumerate(read(path).splitlines()):
        if re.match(r'\w.*\(', line) and not line.rstrip().endswith(';'):
            start, name = number, re.search(r'(\w+)\(', line)[1]
        elif line == '}' and start:
            found.append((number - start + 1, name))
            start = 0
    return found


def check_functions():
    lengths = sorted((length, f'{path}: {name}()') for path in files(PROGRAM_FOLDERS, '.c')
                     for length, name in functions(path))
    point(f'no function is longer than {FUNCTION_MAX} lines', [
        f'{name} has {length}' for length, name in lengths if length > FUNCTION_MAX])
    if lengths:
        print(
            f'# {len(lengths)} functions: median {lengths[len(lengths) // 2][0]} lines, nine in ten under '
            f'{lengths[len(lengths) * 9 // 10][0] + 1}, the longest {lengths[-1][0]}')


def check_looks():
    texts = {path: read(path) for path in files(FOLDERS, '.c', '.h', '.py', '.sh', '.m4')}
    for path in [
            'configure.ac', 'Makefile.am', 'autogen.sh', 'start', 'check', 'tools/needs', 'tools/matrix',
            'completion/_upcase', *files(FOLDERS, '.mk', '.bash', '.fish')
    ]:
        texts[path] = read(path) or ''
    point('every file names its licence', [
        path for path, text in texts.items()
        if 'SPDX-License-Identifier: GPL-3.0-or-later' not in '\n'.join(text.splitlines()[:2])])
    blanks = []
    for path, text in texts.items():
        for number, line in enumerate(text.split('\n'), 1):
            if line != line.rstrip():
                blanks.append(f'{path}:{number}: blanks at the end')
            if ' \t' in line and not path.endswith(('.py', '.mk')):
                blanks.append(f'{path}:{number}: a tab after a space')
        if not text.endswith('\n') or text.endswith('\n\n'):
            blanks.append(f'{path}: must end with one end of line')
    point('tabs and blanks as they should be', blanks)
    point('every header says what it is for', [
        path for path in files(PROGRAM_FOLDERS, '.h') if not re.match(r'.*\n/\*', read(path))])


def check_lists(found):
    sources = files(PROGRAM_FOLDERS, '.c')
    point('every source file is built', [path for path in sources if path not in found])
    readme = read('README.md') or ''
    point(
        'the README lists every room',
        sorted({
            os.path.dirname(path)
            for path in sources if f'`{os.path.dirname(path)}/`' not in readme
        }) + [
            f'there is no {room}' for room in re.findall(
                r'`((?:client-tui|server|lab|common|tests|bench|man)/(?:[a-z0-9]+/)?)`', readme)
            if not os.path.isdir(os.path.join(TOP, room))
        ])
    point('the files that the papers name are there', [
        f'{paper} names {path}'
        for paper in ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md')
        for path in re.findall(r'`(?:\./check )?([a-z][\w./-]*/[\w.-]+\.(?:c|h|py|1|7|8))`',
                               read(paper) or '') if not any(
                                   os.path.exists(os.path.join(TOP, folder, path))
                                   for folder in ('', 'client-tui'))
    ])
    needed = set(re.findall(r'UPCASE_MISSING\(\[[^]]*\], \[([^]]*)\]\)', read('configure.ac')))
    provided = set(subprocess.run([os.path.join(TOP, 'tools', 'needs'), 'list', 'test', 'apt'],
                                  capture_output=True, text=True, check=True).stdout.split())
    point('start and check install what configure asks for', sorted(needed - provided) or
          ([] if needed else ['configure.ac asks for nothing']))
    version = re.search(r'AC_INIT\(\[upcase\], \[([^]]*)\]', read('configure.ac'))[1]
    point('NEWS begins with this version', [] if
          (read('NEWS')
           or '').startswith(f'upcase {version}') else [f'it should begin with: upcase {version}'])
    point('CITATION.cff has this version', [] if f'\nversion: {version}\n'
          in (read('CITATION.cff') or '') else [f'it should have: version: {version}'])


def tried(text):
    """Faults of references to tests, "tests/file.c" or "tests/file.py: function, function"."""
    faults = []
    for path, names in re.findall(r'`(tests/[\w./-]+\.(?:py|c))(?:: ([^`]*))?`', text):
        source = read(path)
        faults += [f'there is no {path}'] if source is None else [
            f'{path} has no {name}' for name in re.findall(r'\w+', names)
            if not re.search(rf'^(def|static void) {name}\(', source, re.M)]
    return faults


def check_security():
    """Each row of what somebody cannot do names the tests that try it, which are there."""
    text = read('SECURITY.md') or ''
    rows = [
        row for table in re.findall(r'\| tried by \|\n\| --- \| --- \|\n((?:\|.*\n)+)', text)
        for row in table.splitlines()
    ]
    point(
        'SECURITY.md names the tests of what it says',
        tried(text) + ([] if rows else ['no rows']) +
        [f'without a test: {row}' for row in rows if '`tests/' not in row])


def main():
    found = objects()
    check_deeds(found)
    check_includes()
    check_state(found)
    check_table(found)
    check_speech()
    check_linux()
    check_facilities()
    check_rooms(found)
    check_circles(found)
    check_functions()
    check_looks()
    check_lists(found)
    check_security()
    done()


main()
