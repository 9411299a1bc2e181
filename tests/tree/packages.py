# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages: one version, the files that they name, and the packages that they need are those of tools/needs."""

import os
import re
import subprocess

from tap import TOP, done, point, read

# What every machine that builds packages has without being told.
EVERYWHERE = {
    'apt': {'diffutils', 'gcc', 'libc6-dev', 'make', 'mawk', 'util-linux', 'xz-utils'},
    'dnf': {'diffutils', 'gawk', 'util-linux', 'xz'},
    'pacman': {'autoconf', 'automake', 'diffutils', 'gawk', 'gcc', 'make', 'pkgconf', 'util-linux', 'xz'},
}
# debhelper brings autoconf and automake; a tarball has what they make.
CLONE = {'autoconf', 'automake'}
# The layout of the sources is no affair of a package.
STYLE = {'clang-format-19'}
# What packages want beside: their own tools, and mandoc for the manual as web pages.
TOOLS = {'debhelper-compat', 'dh-apparmor', 'mandoc', 'systemd-dev', 'systemd-rpm-macros'}
# One package, two names; Debian's pkg-config is the old one.
SAME = {'pkg-config': 'pkgconf'}


def needed(what, manager):
    listed = subprocess.run(['sh', os.path.join(TOP, 'tools/needs'), 'list', what, manager],
                            capture_output=True,
                            text=True,
                            check=True).stdout.split()
    return {SAME.get(name, name) for name in listed} - EVERYWHERE[manager] - CLONE - STYLE


def differences(where, found, wanted):
    return [f'{where} lacks {name}' for name in sorted(wanted - found)
            ] + [f'{where} has {name}, which tools/needs does not know' for name in sorted(found - wanted)]


def compare(where, manager, build, test):
    """The names in a package's list for building, and in the one for its tests."""
    wanted = needed('build', manager)
    return differences(where, build - TOOLS, wanted) + differences(
        f'{where} for tests', test, needed('test', manager) - wanted - TOOLS)


def debian_needs():
    field = re.search(r'^Build-Depends:\n((?: .*\n)+)', read('debian/control'), re.M)[1]
    lines = [line.strip(' ,') for line in field.splitlines()]
    names = {line: re.match(r'[^ :(|]+', line)[0] for line in lines}
    tests = {names[line] for line in lines if '<!nocheck>' in line}
    return set(names.values()) - tests, tests


def spec_needs():
    start, tests, _ = re.split(r'%if %\{with tests\}|%endif', read('packaging/upcase.spec'), maxsplit=2)
    return tuple(set(re.findall(r'^BuildRequires: +(\S+)', text, re.M)) for text in (start, tests))


def arch_needs():
    lists = dict(re.findall(r'^(\w+)=\((.*)\)$', read('packaging/PKGBUILD'), re.M))
    return set(lists['depends'].split()), set(lists['checkdepends'].split())


def versions():
    """Where the version stands, each with what precedes it."""
    places = {
        'configure.ac': r'AC_INIT\(\[upcase\], \[',
        'CITATION.cff': r'^version: ',
        'NEWS': r'\Aupcase ',
        'packaging/PKGBUILD': r'^pkgver=',
        'packaging/upcase.spec': r'^Version: +',
    }
    if DEBIAN:
        places['debian/changelog'] = r'\Aupcase \('
    return {
        path: (re.search(before + r'([0-9][0-9.]*[0-9])', read(path), re.M) or [None, 'none'])[1]
        for path, before in places.items()
    }


def installed_manual():
    """The manual pages, as the spec lists them."""
    listed = set(re.findall(r'^%\{_mandir\}/man\d/(\S+)\*$', read('packaging/upcase.spec'), re.M))
    pages = {name for name in os.listdir(os.path.join(TOP, 'man')) if re.search(r'\.\d$', name)}
    return [f'packaging/upcase.spec and man/ differ in {name}' for name in sorted(listed ^ pages)]


# It is in a clone only.
DEBIAN = os.path.isdir(os.path.join(TOP, 'debian'))
found = versions()
point('one version', [] if len(set(found.values())) == 1 else [str(found)])
if DEBIAN:
    point('debian/control needs what tools/needs installs', compare('debian/control', 'apt', *debian_needs()))
point('the spec needs what tools/needs installs', compare('upcase.spec', 'dnf', *spec_needs()))
point('the PKGBUILD needs what tools/needs installs', compare('PKGBUILD', 'pacman', *arch_needs()))
point('the spec lists every page of the manual', installed_manual())
done()
