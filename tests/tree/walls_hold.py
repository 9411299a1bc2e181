# SPDX-License-Identifier: GPL-3.0-or-later
"""The walls hold: each kind of fault, put into a copy of the tree, fails its point of walls.py, and no other one."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import BUILD, TOP, done, point

WALLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'walls.py')
LICENCE = '/* SPDX-License-Identifier: GPL-3.0-or-later */\n'
CC = os.environ.get('CC') or 'cc'


def copy(place):
    """The sources and the object files of the programs, in a folder of their own."""
    leave_out = shutil.ignore_patterns('build*', '.git', 'corpus', '*.log', '*.trs', '.deps',
                                       'autom4te.cache')
    tree, build = os.path.join(place, 'tree'), os.path.join(place, 'build')
    shutil.copytree(TOP, tree, ignore=leave_out, symlinks=True)
    for folder in ('common', 'client-tui', 'server', 'lab', 'checker'):
        for at, _, names in os.walk(os.path.join(BUILD, folder)):
            to = os.path.join(build, os.path.relpath(at, BUILD))
            os.makedirs(to, exist_ok=True)
            for name in names:
                if name.endswith('.o'):
                    os.symlink(os.path.join(at, name), os.path.join(to, name))
    for name in ('Makefile', 'config.h', 'config.log'):
        os.symlink(os.path.join(BUILD, name), os.path.join(build, name))
    return tree, build


def failures(tree, build):
    """The points that fail, and what each says."""
    environment = {**os.environ, 'abs_top_srcdir': tree, 'abs_top_builddir': build}
    shown = subprocess.run([sys.executable, WALLS],
                           env=environment,
                           capture_output=True,
                           text=True,
                           check=False).stdout
    if not re.search(r'^1\.\.\d+$', shown, re.M):
        return {'it comes to its end': shown}
    return dict(re.findall(r'^not ok \d+ - (.*)\n((?:# .*\n)*)', shown, re.M))


def write(path, text, mode='w'):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode, encoding='utf-8') as file:
        file.write(text)


def compiled(build, path, text):
    """Puts an object file where that of a source would be."""
    to = os.path.join(build, path[:-2] + '.o')
    os.makedirs(os.path.dirname(to), exist_ok=True)
    subprocess.run([*CC.split(), '-x', 'c', '-w', '-c', '-o', to, '-'], input=text, text=True, check=True)


def source(tree, build, path, text):
    write(os.path.join(tree, path), LICENCE + text)
    compiled(build, path, text)
    # Listed, so that this is not what fails.
    write(os.path.join(tree, 'README.md'), f'\n`{os.path.dirname(path)}/`\n', 'a')


def header(tree, path, text):
    write(os.path.join(tree, path), LICENCE + '/* A header of the test. */\n' + text)


def wrong_room(tree, build):
    source(tree, build, 'client-tui/attic/thing.c', 'int thing(void) { return 1; }\n')


def wrong_include(tree, build):
    header(tree, 'client-tui/app/upper.h', '')
    source(tree, build, 'client-tui/ledger/lower.c', '')
    write(os.path.join(tree, 'client-tui/ledger/lower.c'), LICENCE + '#include "app/upper.h"\n')


def wrong_call(tree, build):
    source(tree, build, 'client-tui/app/upper.c', 'int upper(void) { return 1; }\n')
    source(tree, build, 'client-tui/ledger/lower.c',
           'int upper(void); int lower(void) { return upper(); }\n')


def unlisted_system_call(tree, build):
    source(tree, build, 'client-tui/ledger/spy.c',
           'int socket(int, int, int); int spy(void) { return socket(1, 1, 0); }\n')


def circle_of_calls(tree, build):
    source(tree, build, 'client-tui/ledger/one.c',
           'int two(void); int one(void) { return two(); }\n')
    source(tree, build, 'client-tui/ledger/two.c',
           'int one(void); int two(void) { return one(); }\n')


def circle_of_includes(tree, _):
    header(tree, 'server/first.h', '#include "server/second.h"\n')
    header(tree, 'server/second.h', '#include "server/first.h"\n')


def long_function(tree, build):
    source(tree, build, 'server/long.c', 'void much(void)\n{\n' + '\t;\n' * 90 + '}\n')


FAULTS = {
    'a file in no room': (wrong_room, 'every file stands in a room'),
    'an include that runs upward': (wrong_include, 'arrows run downward only',
                                    'no circle of rooms by includes'),
    'a call that runs upward': (wrong_call, 'arrows run downward only',
                                'no circle of rooms by calls'),
    'a system call that the table does not list': (unlisted_system_call,
                                                   'only those who may: socket'),
    'a circle by calls': (circle_of_calls, 'no circle of files by calls'),
    'a circle by includes': (circle_of_includes, 'no circle of files by includes'),
    'a long function': (long_function, 'no function is longer than 80 lines'),
}


def main():
    with tempfile.TemporaryDirectory() as place:
        tree, build = copy(place)
        point('a copy of the tree as it is holds',
              [f'{name}: {text}' for name, text in failures(tree, build).items()])
        # Everything else stays as it is: a fault is put in and taken out again.
        for what, (put, *wanted) in FAULTS.items():
            saved = os.path.join(place, 'saved')
            shutil.copytree(tree, saved, symlinks=True)
            shutil.copytree(build, saved + '-build', symlinks=True)
            put(tree, build)
            found = failures(tree, build)
            point(f'{what} is found', [] if list(found) == wanted else [f'{found}, not: {wanted}'])
            shutil.rmtree(tree)
            shutil.rmtree(build)
            os.rename(saved, tree)
            os.rename(saved + '-build', build)
    done()


main()
