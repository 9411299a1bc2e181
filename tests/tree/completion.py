# SPDX-License-Identifier: GPL-3.0-or-later
"""Bash completion offers exactly the options of --help, and values that the programs take."""

import os
import re
import subprocess

from tap import LAB, TOP, UPCASE, UPCASED, done, point

# One word too many is offered for every option: so many faults tell it.
FAULTS_SHOWN = 5

COMPLETE = '''
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMPREPLY=()
"_${COMP_WORDS[0]}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
'''


def complete(*line):
    """What bash would offer for the last word of a command line, the words as bash splits them."""
    path = os.path.join(TOP, 'completion', line[0])
    shown = subprocess.run(
        ['bash', '--norc', '-c', COMPLETE, 'bash', path, *line],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, 'PATH': os.path.dirname(LAB) + ':' + os.environ.get('PATH', '')})
    assert not shown.stderr, shown.stderr
    return set(shown.stdout.split('\n')) - {''}


def help_of(program):
    return subprocess.run([program, '--help'], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL).stdout


def options(program):
    return set(re.findall(r'^ +(?:-\w, +)?(--[a-z][a-z0-9-]*)', help_of(program), re.M))


def with_argument(program):
    return set(re.findall(r'^ +(?:-\w, +)?(--[a-z][a-z0-9-]*)[= ][A-Z]', help_of(program), re.M))


def refused(name, program, option):
    """The values offered for an option that the program does not take."""
    faults = []
    for value in complete(name, option, '=', ''):
        shown = subprocess.run([program, f'{option}={value}', '--version'],
                               capture_output=True,
                               text=True,
                               check=False,
                               stdin=subprocess.DEVNULL)
        if shown.returncode != 0:
            faults.append(f'{option}={value}: {shown.stderr.strip()}')
    return faults


def check(name, program):
    known = options(program)
    offered = complete(name, '--')
    point(f'{name}: the options of --help are offered', sorted(known ^ offered))
    point(f'{name}: a beginning is completed', [] if complete(name, '--ver') >= {'--version'} and
          complete(name, '--ver') <= known else sorted(complete(name, '--ver')))
    files_offered = {'--config', '--control', '--far-log', '--pcap', '--port-file'}
    faults = []
    for option in sorted(with_argument(program) - files_offered - {'--far'}):
        faults += refused(name, program, option)
        if complete(name, option, '') != complete(name, option, '=', ''):
            faults.append(f'{option} VALUE and {option}=VALUE differ')
    more = [f'and {len(faults) - FAULTS_SHOWN} more'] if len(faults) > FAULTS_SHOWN else []
    point(f'{name}: the values offered are taken', faults[:FAULTS_SHOWN] + more)
    for option in sorted(known & files_offered):
        here = os.path.join(TOP, 'COPYI')
        point(f'{name}: files are offered for {option}',
              [] if complete(name, option, '=', here) == {here + 'NG'} else ['not so'])


check('upcase', UPCASE)
check('upcased', UPCASED)
check('upcase-lab', LAB)
point('upcase-lab: one direction is offered',
      [] if complete('upcase-lab', '--loss-') == {'--loss-there', '--loss-back'} else sorted(
          complete('upcase-lab', '--loss-')))
point('upcase-lab: a value for one direction',
      [] if '20%' in complete('upcase-lab', '--loss-there', '=', '2') else ['not so'])
point('upcase-lab ctl: orders are offered',
      [] if {'unplug', 'loss', 'watch'} <= complete('upcase-lab', 'ctl', '') else ['not so'])
point('upcase-lab: commands are offered',
      [] if 'bash' in complete('upcase-lab', '--loss', '20%', '--', 'bas') else ['not so'])
done()
