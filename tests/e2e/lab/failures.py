# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be missing for two hosts, brought about for real where it can be: what upcase-lab says."""

import os
import re
import shutil
import subprocess
import tempfile

from lab_obstacle import SYSTEM_CALLS
from lab import done, need_hosts, python, run, users, working_backends
from tap import not_here, point, read

need_hosts()
USERS = users()
ROOT = os.geteuid() == 0
# Whether root, or an ordinary user by the device's own mode, can have a TUN interface.
TUN = 'tun' in working_backends()
# For an ordinary user whom root starts.
OPEN = ['open-tun'] if ROOT and TUN else []
# The obstacles are in the way of an ordinary user; root makes namespaces without a user namespace.
if USERS == ['self'] and ROOT:
    done()


def expect(name, obstacle, words, parts, user=USERS[-1], status=None, lacks=(), lines=1):
    """The message must be one line with all the parts."""
    if {'no-ipv6', 'no-packet-sockets'} & set(obstacle) and 'socket' not in SYSTEM_CALLS:
        not_here('a filter that sees which socket a program makes', name)
        return
    got, out, err = run(*words, user=user, obstacle=obstacle)
    said = out + err
    faults = [f'it does not say: {part}' for part in parts if part not in said]
    faults += [f'it says: {part}' for part in lacks if part in said]
    if status is not None and got != status:
        faults.append(f'exit status {got}, not {status}')
    if lines and '--check' not in words and len(err.splitlines()) != lines:
        faults.append(f'{len(err.splitlines())} lines')
    point(name, faults and faults + said.splitlines())


def root_alone(name, what):
    """Tells of a point that only root can bring about. Is this root?"""
    if not ROOT:
        not_here(f'{what}, which takes root', name)
    return ROOT


def both_ways(name, obstacle, parts, **more):
    """A lab, and --check for either back end."""
    expect(name, obstacle, ['-q', '--far', 'true', '--', 'true'], parts, status=1, **more)
    expect(f'{name}: --check', obstacle, ['--check'],
           ['tun   does not work: ', 'veth  does not work: ', *parts], status=1, **more)


def check_namespaces():
    both_ways('no user namespaces are allowed', ['no-user-namespaces'],
              ['unshare(CLONE_NEWUSER): No space left on device', 'user.max_user_namespaces = 0',
               'sudo sysctl -w user.max_user_namespaces='])
    both_ways('no network namespaces are allowed', ['no-net-namespaces'],
              ['unshare(CLONE_NEWNET): No space left on device', 'user.max_net_namespaces = 0',
               'sudo sysctl -w user.max_net_namespaces='])
    both_ways("a container's filter", ['filter-unshare'], [
        'unshare(CLONE_NEWUSER): Operation not permitted', 'seccomp',
        '--security-opt seccomp=unconfined'
    ])
    both_ways('a kernel without network namespaces', ['kernel-without-net-namespaces'],
              ['unshare(CLONE_NEWNET): Invalid argument', 'CONFIG_NET_NS', 'WSL 1'])
    both_ways('a kernel without user namespaces', ['kernel-without-user-namespaces'],
              ['unshare(CLONE_NEWUSER): Invalid argument', 'CONFIG_USER_NS'])
    both_ways('rights are refused, nobody says why', ['no-uid-map'],
              ['write /proc/self/uid_map: Operation not permitted', 'security module'])
    both_ways("Debian's switch", ['says-userns-clone', 'filter-user-namespaces'], [
        'unshare(CLONE_NEWUSER): Operation not permitted', 'kernel.unprivileged_userns_clone = 0',
        'sudo sysctl -w kernel.unprivileged_userns_clone=1'
    ])
    both_ways("Ubuntu's AppArmor", ['says-apparmor', 'no-uid-map'],
              ['write /proc/self/uid_map: Operation not permitted',
               'kernel.apparmor_restrict_unprivileged_userns = 1',
               'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'])
    name = 'root in a container with a filter'
    if root_alone(name, 'a lab without a user namespace'):
        both_ways(name, ['filter-unshare'], ['seccomp'], user='self')


def check_profile():
    """What --check prints for AppArmor can be pasted: it writes the package's profile with this program's path."""
    _, out, _ = run('--check', user=USERS[-1], obstacle=['says-apparmor', 'no-uid-map'])
    pasted = re.search(r"^sudo tee /etc/apparmor\.d/([\w.-]+) <<'END'\n(.*)^END\nsudo apparmor_parser -r "
                       r'/etc/apparmor\.d/\1\n', out, re.M | re.S)
    program = re.search(r'^"(/.*/upcase-lab)"', out, re.M)
    wanted = program and read('data', 'apparmor-upcase-lab').replace('/usr/bin/upcase-lab', program[1])
    point("the profile for Ubuntu's AppArmor is the package's, for this program",
          [] if pasted and pasted[1].endswith('.upcase-lab') and pasted[2] == wanted else out.splitlines())
    parser = shutil.which('apparmor_parser', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    # Older parsers do not know user namespaces.
    if not wanted or not parser or not os.path.exists('/etc/apparmor.d/abi/4.0'):
        return
    with tempfile.NamedTemporaryFile('w', encoding='utf-8') as file:
        file.write(wanted)
        file.flush()
        parsed = subprocess.run([parser, '-Q', '-K', '-N', file.name], capture_output=True, text=True, check=False)
    point('AppArmor can read the profile', [] if parsed.stdout.split() == [program[1]] else [parsed.stderr])


def check_tun(name, obstacle, parts, user=USERS[-1]):
    """TUN alone fails; --check says so, and that the other works; without a choice the other is taken."""
    words = ['--far', 'true', '--', 'true']
    expect(name, obstacle, ['-q', '--backend', 'tun', *words], parts, user=user, status=1)
    expect(f'{name}: --check',
           obstacle, ['--check'], ['tun   does not work: ', 'veth  works\n', *parts],
           user=user,
           status=0)
    got, _, err = run(*words, user=user, obstacle=obstacle)
    faults = [f'exit status {got}'] if got else []
    faults += [
        f'it does not say: {part}'
        for part in ('; veth, ', 'veth is used since /dev/net/tun cannot be') if part not in err
    ]
    point(f'{name}: the other back end is taken', faults and faults + err.splitlines())


def check_open_device():
    """Obstacles behind a device that an ordinary user may open."""
    check_tun('no rights over the new device', [*OPEN, 'no-tun-interface'],
              ['ioctl(TUNSETIFF): Operation not permitted'])
    expect('an open /dev/net/tun serves an ordinary user',
           OPEN, ['--check'], ['tun   works\n', 'veth  works\n'],
           status=0)
    expect("TUN refused by Ubuntu's AppArmor", [*OPEN, 'no-tun-interface', 'says-apparmor'],
           ['-q', '--backend', 'tun'],
           ['ioctl(TUNSETIFF)', 'kernel.apparmor_restrict_unprivileged_userns=0'],
           status=1)


def check_device():
    if TUN:
        check_open_device()
    else:
        not_here('/dev/net/tun is not there, or not open to everybody',
                 'what an open /dev/net/tun is good for')
    check_tun('no /dev/net/tun', ['no-tun'], [
        'open /dev/net/tun: No such file or directory', 'sudo modprobe tun', '--device /dev/net/tun'
    ])
    name = 'a /dev/net/tun that is closed, without its driver or not allowed'
    if not root_alone(name, 'to make a device'):
        return
    if not os.path.isdir('/dev/net'):
        not_here('to make a device: there is no /dev/net', name)
        return
    check_tun('no /dev/net/tun, as root', ['no-tun'],
              ['open /dev/net/tun: No such file or directory'],
              user='self')
    check_tun('a /dev/net/tun for root only', ['closed-tun'],
              ['open /dev/net/tun: Permission denied', 'sudo chmod 666 /dev/net/tun'])
    check_tun('a /dev/net/tun without its driver', ['driverless-tun'],
              ['open /dev/net/tun: No such device', 'sudo modprobe tun'], user='self')
    check_tun('a /dev/net/tun where devices are not allowed', ['nodev-tun'],
              ['open /dev/net/tun: Permission denied'],
              user='self')


def check_ipv6():
    expect('a kernel without IPv6: --check', ['no-ipv6', *OPEN], ['--check'],
           [f'{kind:5} works, but not for IPv6\n' for kind in working_backends()], status=0)
    expect('a kernel without IPv6', ['no-ipv6'],
           ['--far', 'true', '--', *python('import socket; print(socket.socket(2, 2))')],
           ['near 10.9.0.1'],
           status=0,
           lines=None)


def check_rest():
    expect('no packet sockets', ['no-packet-sockets'], ['-q', '--backend', 'veth'],
           ['socket(AF_PACKET): Address family not supported', 'sudo modprobe af_packet'], status=1)
    expect('an unknown congestion control', [], ['-q', '--cc', 'nosuch'], ['nosuch', 'cubic'],
           status=1)
    for user in USERS:
        got, out, err = run(
            '--far',
            'true',
            '--cc',
            'reno',
            '--',
            *python(
                'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("10.9.0.2", 9))'
            ),
            user=user,
            obstacle=['read-only-settings'])
        faults = [f'exit status {got}'] if got else []
        # Root gets a /proc of its own, which is not read-only.
        faults += [] if ('warning: /proc/sys' in err) == (user == 'nobody'
                                                          or not ROOT) else ['a warning, or none']
        faults += [] if 'congestion control reno' in err else ['--cc is not followed']
        point(f'read-only settings do no harm ({user})', faults and faults + err.splitlines())


check_namespaces()
check_profile()
check_device()
check_ipv6()
check_rest()
done()
