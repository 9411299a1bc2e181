# SPDX-License-Identifier: GPL-3.0-or-later
"""The example of a course's grading, data/grading: the script makes the table of points and the reports; the workflow's
commands have options that there are, and the first of them judges a right server."""

import csv
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree

from tap import BUILD, CHECK, TOP, UPCASED, done, point, read

PATIENCE = 120 * float(os.environ.get('TEST_PATIENCE', '1'))
GRADING = os.path.join(TOP, 'data', 'grading')
ENV = {**os.environ, 'PATH': f'{os.path.dirname(CHECK)}:{os.environ["PATH"]}', 'LC_ALL': 'C.UTF-8'}
# The textbook's mistake: it takes the text for a line of ASCII, and forgets the end of line.
WRONG = '''import socketserver, sys
class Line(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.strip().upper())
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Line).serve_forever()
'''
RIGHT = f'''import os, sys
os.execv({UPCASED!r}, ["upcased", "--port", sys.argv[1]])
'''


def write(text, *path):
    path = os.path.join(*path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def run(place, *command):
    return subprocess.run(command, cwd=place, env=ENV, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=PATIENCE, check=False)


def grade(place, *words):
    return run(place, 'sh', os.path.join(GRADING, 'grade'), *words)


def check_script(place):
    for name, server in (('right', RIGHT), ('wrong one', WRONG), ('=1+1', RIGHT)):
        write(server, place, 'submissions', name, 'server.py')
    write('all:\n\techo no compiler; false\n', place, 'submissions', 'unbuilt', 'Makefile')
    write('tcp-line 3\n', place, 'points')
    result = grade(place, 'submissions', 'reports', 'server', '--udp', '--tcp', '--case=udp-line,tcp-line,tcp-stays',
                   f'--weights={place}/points', '--', 'python3', 'server.py', '{port}')
    wanted = [['submission', 'points', 'of', 'passed', 'failed', 'not run', 'failed cases'],
              ["'=1+1", '5', '5', '3', '0', '0', ''],
              ['right', '5', '5', '3', '0', '0', ''],
              ['unbuilt', '0', '', '', '', '', 'make failed'],
              ['wrong one', '3', '5', '1', '2', '0', 'udp-line tcp-stays']]
    got = list(csv.reader(result.stdout.splitlines()))
    point('the script writes a table of points', [] if got == wanted and result.returncode == 0 else [
        f'{result.returncode}: {got} {result.stderr}'])
    point('and a report of each submission', [
        f'{name}: {text} is missing' for name, text in (
            ('right', '5 of 5 points'), ('wrong one', '3 of 5 points'), ('wrong one', 'wrong:'),
            ('unbuilt', 'no compiler'))
        if text not in (read(place, 'reports', f'{name}.txt') or '')])
    result = grade(place, 'submissions', 'reports', 'server', '--sideways', '--', 'true')
    point('a wrong option ends it', [] if result.returncode and 'sideways' in result.stderr else [str(result)])
    result = grade(place, 'nowhere', 'reports', 'server', '--', 'true')
    point('a wrong folder is refused', [] if result.returncode == 2 and 'usage' in result.stderr else [str(result)])


def commands_of(text):
    """The scripts of a workflow's steps."""
    return [re.sub(r'(?m)^ {10}', '', block) for block in re.findall(r'(?m)^ {8}run: \|\n((?: {10}.*\n)+)', text)]


def check_workflow(place):
    text = read(GRADING, 'workflow.yml')
    options = set(re.findall(r'--[a-z][a-z-]*', run(place, CHECK, '--help').stdout))
    judging = [command for command in commands_of(text) if 'upcase-check ' in command]
    point('the workflow gives upcase-check options that it has', [
        f'{option} is no option' for command in judging for option in re.findall(
            r' (--[a-z][a-z-]*)', command[command.index('upcase-check '):]) if option not in options
    ] + ([] if len(judging) == 2 else [f'{len(judging)} commands found']))
    point('its lines have blanks alone in front', [
        line for line in text.splitlines() if '\t' in line or line != line.rstrip()])
    needs = read('tools', 'needs')
    point('it builds as the sources are built', [
        word for word in ('tools/needs install build', './autogen.sh', '--enable-tests=no')
        if word not in text or ('needs' in word and 'install' not in needs)])
    write(RIGHT, place, 'server.py')
    write(read(GRADING, 'points.txt'), place, '.github', 'workflows', 'points.txt')
    result = run(place, 'bash', '-eo', 'pipefail', '-c', judging[0])
    failures = xml.etree.ElementTree.parse(os.path.join(place, 'results.xml')).getroot().find('testsuite').get('failures')
    point('its first command judges a right server', [] if result.returncode == 0 and failures == '0' and (
        ' 0 failed' in read(place, 'report.txt')) else [f'{result.returncode}: {result.stdout} {result.stderr}'])


with tempfile.TemporaryDirectory(prefix='grading-') as folder:
    check_script(folder)
    check_workflow(folder)
done()
