# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/needs where dnf, pacman, apt-get or none of them installs: which command is called with which packages, and what is said."""

import os
import re
import shutil
import subprocess
import tempfile

from tap import TOP, done, point

NEEDS = os.path.join(TOP, 'tools', 'needs')
# All that the script itself calls: there is no compiler, so that everything is missing.
TOOLS = ['cat', 'dirname', 'env', 'mktemp', 'rm', 'sort', 'tr']
# Fails where its arguments have the word FAILS.
FAKE = '''#!/bin/sh
echo "$(basename "$0") $*" >>"$PLACE/calls"
[ -z "$(cat)" ] || echo "$(basename "$0") reads an answer" >>"$PLACE/calls"
case " $* " in *" ${FAILS:-nothing} "*) exit 1 ;; esac
'''
SUDO = '''#!/bin/sh
echo "sudo" >>"$PLACE/calls"
exec "$@"
'''


def listed(kind, manager):
    return subprocess.run([NEEDS, 'list', kind, manager], capture_output=True, text=True,
                          check=True).stdout.split()


def run(words, programs, release='', user=0, **env):
    """(status, calls, said, printed) where only these programs are, on a distribution whose os-release is given."""
    with tempfile.TemporaryDirectory() as place:
        for name in TOOLS:
            os.symlink(shutil.which(name), os.path.join(place, name))
        for name in [*programs, 'id']:
            text = {'sudo': SUDO, 'id': f'#!/bin/sh\necho {user}\n'}.get(name, FAKE)
            text = text.replace('basename', shutil.which('basename'))
            with open(os.path.join(place, name), 'w', encoding='ascii', opener=lambda path, flags: os.open(
                    path, flags, 0o755)) as file:
                file.write(text)
        with open(os.path.join(place, 'os-release'), 'w', encoding='ascii') as file:
            file.write(release)
        ended = subprocess.run([NEEDS, *words], input='no\n', capture_output=True, text=True, check=False,
                               env={'PATH': place, 'PLACE': place, 'TMPDIR': place, **env,
                                    'SYSTEMD_OS_RELEASE': os.path.join(place, 'os-release')})
        left = [name for name in os.listdir(place) if name.startswith('tmp.')]
        try:
            with open(os.path.join(place, 'calls'), encoding='ascii') as file:
                calls = file.read().splitlines()
        except FileNotFoundError:
            calls = []
    said = [*ended.stderr.splitlines(), *(f'is left: {name}' for name in left)]
    return ended.returncode, calls, said, ended.stdout.splitlines()


def differs(found, *wanted):
    return [f'{have!r} is not {want!r}' for have, want in zip(found, wanted) if have != want]


FEDORA, ARCH, DEBIAN = 'NAME="Fedora Linux"\nID=fedora\n', 'ID=endeavouros\nID_LIKE=arch\n', 'ID=debian\n'
COMMANDS = {
    'apt': ('apt-get', 'apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install'),
    'dnf': ('dnf', 'dnf -y --setopt=install_weak_deps=False install'),
    'pacman': ('pacman', 'pacman -S --needed --noconfirm'),
}


def check_calls(manager, release):
    program, command = COMMANDS[manager]
    names = ' '.join(listed('build', manager))
    shown = f'{program} {"-S --needed" if manager == "pacman" else "install"} {names}'
    tried = [f'apt-get -s install {names}'] if manager == 'apt' else []
    everything = ['apt-get', 'dnf', 'pacman']
    found = run(['install', 'build'], everything, release)
    point(f'{program} is called once, with all names, and asks nobody', differs(
        found, 0, [*tried, f'{command} {names}'], [f'upcase: installing what is missing: {shown}']))
    found = run(['install', 'build'], [program, 'sudo'], user=1000)
    point(f'{program} of an unknown system is called by sudo', differs(
        found, 0, [*tried, 'sudo', f'{command} {names}']))
    found = run(['install', 'build'], [program], release, user=1000)
    point(f'without sudo the command of {program} is told', differs(
        found, 1, [], [f'upcase: missing: as root, run: {shown}']))
    status, calls, said, _ = run(['install', 'build'], [program], release, FAILS='install -S'.split()[manager == 'pacman'])
    told = [line for line in said if re.match(f'upcase: {program} could not install: {names}', line)]
    point(f'a {program} that fails ends with one line', differs((status, len(told)), 1, 1) + (
        said if said[-1:] != told or (manager == 'pacman') != ('pacman -Syu' in said[-1]) else []))
    if manager == 'pacman':
        point('no pacman makes a partial upgrade', [call for call in calls if re.search(r' -S?y', call)])


def check_none():
    found = run(['install', 'build'], [])
    point('without a known package manager the names of Debian are told', differs(
        found, 1, [], ['upcase: missing here, by the names of their Debian packages: '
                       + ' '.join(listed('build', 'apt'))]))


def check_how():
    for release, program, wanted in (
            (FEDORA, 'dnf', 'dnf install ncurses-devel readline-devel'),
            (ARCH, 'pacman', 'pacman -S --needed ncurses readline'),
            (DEBIAN, 'apt-get', 'apt-get install libncurses-dev libreadline-dev'),
            ('', 'none', "install, by the names of Debian's packages: libncurses-dev libreadline-dev")):
        found = run(['how', 'libncurses-dev', 'libreadline-dev'], [program], release)
        point(f'what configure says is missing is told for {program}', differs(found, 0, [], [], [wanted]))
    found = run(['how', 'mandoc'], ['pacman'], ARCH)
    point("mandoc, which takes man-db's place on Arch, is told and not installed", differs(
        found, 0, [], [], ['pacman -S --needed mandoc']) + [
            name for name in listed('test', 'pacman') if name == 'mandoc'])


def check_table():
    lists = {manager: listed('test', manager) for manager in COMMANDS}
    point('each manager has a list', [f'{manager}: {names}' for manager, names in lists.items()
                                      if len(names) < 20 or not set(listed('build', manager)) <= set(names)])
    point('each name can be a package', [
        name for names in lists.values() for name in names if not re.fullmatch(r'[a-z0-9][a-z0-9+.-]+', name)])
    wrong = [words for words in (['install'], ['list', 'test', 'yum'], ['how'], [])
             if run(words, ['dnf'])[0] != 2]
    point('wrong words are refused', wrong)


for one, text in ('dnf', FEDORA), ('pacman', ARCH), ('apt', DEBIAN):
    check_calls(one, text)
check_none()
check_how()
check_table()
done()
