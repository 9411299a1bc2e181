# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts obstacles in a program's way, then becomes the program:
    lab_obstacle.py OBSTACLE... [nobody] -- PROGRAM [WORD]...
What is mounted is seen by the program and its children only; an ordinary user mounts it in a user
namespace."""

import ctypes
import errno
import os
import platform
import stat
import struct
import sys
import tempfile

NOBODY = 65534
NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_RDONLY, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 4, 32, 4096, 16384, 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def need(result, what):
    if result != 0:
        sys.exit(f'lab_obstacle.py: {what}: {os.strerror(ctypes.get_errno())}')


def mount(source, target, kind, flags, data=None):
    def raw(text):
        return text.encode() if text else None

    need(libc.mount(raw(source), raw(target), raw(kind), ctypes.c_ulong(flags), raw(data)),
         f'mount {target}')


def own_mounts():
    need(libc.unshare(NEWNS), 'unshare')
    mount(None, '/', None, MS_REC | MS_PRIVATE)


def own_user():
    """A user namespace of one user: itself."""
    uid, gid = os.geteuid(), os.getegid()
    need(libc.unshare(NEWUSER), 'unshare')
    for name, text in ('setgroups', 'deny'), ('uid_map', f'{uid} {uid} 1'), ('gid_map',
                                                                             f'{gid} {gid} 1'):
        with open(f'/proc/self/{name}', 'w') as file:
            file.write(text)


# --- system calls that fail -----------------------------------------------------------------------

SYSTEM_CALLS = {
    'x86_64': {'unshare': 272, 'write': 1, 'ioctl': 16, 'socket': 41, 'openat': 257},
    'aarch64': {'unshare': 97, 'write': 64, 'ioctl': 29, 'socket': 198, 'openat': 56},
    # Its C library makes sockets by socketcall(), where a filter does not see the family.
    'i686': {'unshare': 310, 'write': 4, 'ioctl': 54, 'openat': 295},
}[platform.machine()]


def instruction(code, yes, no, value):
    return struct.pack('=HBBI', code, yes, no, value)


def refuse(call, error, argument=None, equals=None, all_of=None):
    """From now on the call fails: always, when the low half of an argument equals a number, or when
    it has all of some bits."""
    load, jump_equal, jump_set, give = 0x20, 0x15, 0x45, 0x06
    test = []
    if argument is not None:
        test.append(instruction(load, 0, 0, 16 + 8 * argument))
        test.append(
            instruction(jump_equal, 0, 1, equals
                        ) if all_of is None else instruction(jump_set, 0, 1, all_of))
    filter_ = [
        instruction(load, 0, 0, 0),
        instruction(jump_equal, 0,
                    len(test) + 1, SYSTEM_CALLS[call]), *test,
        instruction(give, 0, 0, 0x00050000 | error),
        instruction(give, 0, 0, 0x7fff0000)
    ]
    code = ctypes.create_string_buffer(b''.join(filter_))
    program = struct.pack('@HP', len(filter_), ctypes.addressof(code))
    need(libc.prctl(38, 1, 0, 0, 0), 'PR_SET_NO_NEW_PRIVS')
    need(libc.prctl(22, 2, program, 0, 0), 'PR_SET_SECCOMP')


# --- the obstacles --------------------------------------------------------------------------------

def cover_settings(**values):
    """Kernel settings that say what we want, and no other."""
    mount('settings', '/proc/sys/kernel', 'tmpfs', 0)
    for name, value in values.items():
        with open(f'/proc/sys/kernel/{name}', 'w') as file:
            file.write(f'{value}\n')


def cover_tun(make=None):
    """A /dev/net with nothing in it but what `make` makes."""
    if make or os.path.isdir('/dev/net'):
        mount('net', '/dev/net', 'tmpfs', 0, 'mode=0755')
    if make:
        make('/dev/net/tun')


def limit(name):
    own_user()
    with open(f'/proc/sys/user/{name}', 'w') as file:
        file.write('0')


def node(mode, device):
    def make(path):
        os.mknod(path, stat.S_IFCHR | 0o600, device)
        os.chmod(path, mode)
    return make


def read_only_settings():
    # An ordinary user may not leave out what is mounted below, such as binfmt_misc.
    mount('/proc/sys', '/proc/sys', None, MS_BIND | MS_REC)
    mount(None, '/proc/sys', None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def silent_hosts():
    """An /etc/hosts of which no read ends."""
    path = os.path.join(tempfile.mkdtemp(), 'hosts')
    os.mkfifo(path, 0o644)
    mount(path, '/etc/hosts', None, MS_BIND)
    os.unlink(path)
    os.rmdir(os.path.dirname(path))


def map_length():
    return len(f'{os.geteuid()} {os.getegid()} 1\n')


TUN = os.makedev(10, 200)
# Done before the user changes. What makes a device needs root.
MOUNTS = {
    'no-dev': lambda: mount('dev', '/dev', 'tmpfs', 0, 'mode=0755'),
    'no-tun': cover_tun,
    'closed-tun': lambda: cover_tun(node(0o600, TUN)),
    'open-tun': lambda: cover_tun(node(0o666, TUN)),
    'driverless-tun': lambda: cover_tun(node(0o666, os.makedev(240, 200))),
    'nodev-tun': lambda: (cover_tun(node(0o666, TUN)),
                          mount(None, '/dev/net', None, MS_REMOUNT | MS_NODEV)),
    'says-userns-clone': lambda: cover_settings(unprivileged_userns_clone=0),
    'says-apparmor': lambda: cover_settings(apparmor_restrict_unprivileged_userns=1),
    'read-only-settings': read_only_settings,
    'silent-hosts': silent_hosts,
}
# Done as the user.
OTHERS = {
    'no-user-namespaces': lambda: limit('max_user_namespaces'),
    'no-net-namespaces': lambda: limit('max_net_namespaces'),
    'filter-unshare': lambda: refuse('unshare', errno.EPERM),
    'filter-user-namespaces': lambda: refuse('unshare', errno.EPERM, 0, all_of=NEWUSER),
    'kernel-without-net-namespaces': lambda: refuse('unshare', errno.EINVAL, 0, all_of=NEWNET),
    'kernel-without-user-namespaces': lambda: refuse('unshare', errno.EINVAL, 0, all_of=NEWUSER),
    'no-uid-map': lambda: refuse('write', errno.EPERM, 2, equals=map_length()),
    'no-tun-interface': lambda: refuse('ioctl', errno.EPERM, 1, equals=0x400454ca),
    'no-ipv6': lambda: refuse('socket', errno.EAFNOSUPPORT, 0, equals=10),
    'no-packet-sockets': lambda: refuse('socket', errno.EAFNOSUPPORT, 0, equals=17),
}


def main():
    end = sys.argv.index('--')
    words, program = sys.argv[1:end], sys.argv[end + 1:]
    if any(word in MOUNTS for word in words):
        if os.geteuid() != 0:
            own_user()
        own_mounts()
    for word in words:
        if word in MOUNTS:
            MOUNTS[word]()
    if 'nobody' in words:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # Else /proc/self is still root's.
        need(libc.prctl(4, 1, 0, 0, 0), 'PR_SET_DUMPABLE')
    for word in words:
        if word in OTHERS:
            OTHERS[word]()
        elif word not in MOUNTS and word != 'nobody':
            sys.exit(f'lab_obstacle.py: no obstacle is called {word}')
    os.execvp(program[0], program)


if __name__ == '__main__':
    main()
