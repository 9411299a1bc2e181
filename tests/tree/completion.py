# SPDX-License-Identifier: GPL-3.0-or-later
"""Completion: the programs offer exactly the options of --help and values that they take, and each
shell that is here offers what they say."""

import atexit
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import CHECK, LAB, TOP, UPCASE, UPCASED, done, not_here, point

PATIENCE = 20 * float(os.environ.get('TEST_PATIENCE', 1))
PROGRAMS = {'upcase': UPCASE, 'upcased': UPCASED, 'upcase-lab': LAB, 'upcase-check': CHECK}
SCRIPTS = os.path.join(TOP, 'completion')
BASH_COMPLETION = '/usr/share/bash-completion/bash_completion'
HOST = 'completion-test-host'
COMMAND = 'completion-test-command'

PLACE = os.path.realpath(tempfile.mkdtemp(prefix='completion-'))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
HOME = os.path.join(PLACE, 'home')
ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith(('UPCASE', 'XDG_', 'COMP_'))},
    'PATH': os.pathsep.join([PLACE, os.environ['PATH']]),
    'HOME': HOME,
    'ZDOTDIR': HOME,
    'HOSTFILE': os.path.join(PLACE, 'hosts'),
    'TERM': 'xterm',
    'LC_ALL': 'C.UTF-8',
}


def prepare():
    """Programs and files to offer, and a configuration that would end the client."""
    os.makedirs(os.path.join(HOME, '.config', 'upcase'))
    for name, text in (('hosts', f'192.0.2.1 {HOST}\n'), (COMMAND, '#!/bin/sh\n'), ('talk.svg', ''),
                       ('home/.config/upcase/config', 'nonsense\n'), *SETUPS.items()):
        with open(os.path.join(PLACE, name), 'w', encoding='ascii') as file:
            file.write(text)
    os.chmod(os.path.join(PLACE, COMMAND), 0o755)
    for name, path in PROGRAMS.items():
        os.symlink(path, os.path.join(PLACE, name))


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, errors='surrogateescape', check=False,
                          cwd=PLACE, env=ENV, stdin=subprocess.DEVNULL, timeout=PATIENCE)


def ask(name, *words):
    """The lines that a program prints."""
    shown = run(PROGRAMS[name], '--complete', *words)
    assert not shown.stderr and shown.returncode == 0, (words, shown)
    return shown.stdout.splitlines()


def offered(name, *words):
    return [line.split('\t')[0] for line in ask(name, *words) if not line.startswith('\t')]


# --- the programs ---


def differences(what, got, wanted):
    return [f'{what}: {", ".join(sorted(set(got) ^ set(wanted)))}'] if sorted(got) != sorted(wanted) else []


def check_program(name):
    # The first word says what is judged.
    before = ['server'] if name == 'upcase-check' else []
    shown = run(PROGRAMS[name], '--help').stdout
    rows = re.findall(r'^ +(-\w)?,? *(--[a-z][a-z0-9-]*)(?:=([A-Z]+))?', shown, re.M)
    options = {option for _, option, _ in rows}
    point(f'{name}: the options of --help are offered',
          differences('-', offered(name, *before, '-'), options | {letter for letter, *_ in rows} - {''}) +
          differences('--', offered(name, *before, '--'), options))
    faults = []
    for letter, option, argument in rows:
        if not argument:
            continue
        values = offered(name, *before, option, '')
        faults += differences(f'{option}=', offered(name, *before, f'{option}='),
                              [f'{option}={value}' for value in values])
        if letter:
            faults += differences(letter, offered(name, *before, f'{letter}1'), [letter + value for value in values])
        taken = run(PROGRAMS[name], *before, *(f'{option}={value}' for value in values), '--version')
        if taken.returncode != 0:
            faults.append(taken.stderr)
        if not ask(name, *before, f'{option}=')[0].startswith(f'\t{argument}: '):
            faults.append(f'{option}: its argument is not told')
    point(f'{name}: the values offered are taken', faults)


def check_orders():
    """upcase-lab ctl: what its help lists is offered, each with values that the lab's options take."""
    orders = re.findall(r'^  ([a-z]+)\b', run(LAB, 'ctl', '--help').stdout, re.M)
    names = {'link-mtu': 'mtu', 'no-icmp': 'icmp'}
    options = [option[2:] for option in offered('upcase-lab', '--')
               if offered('upcase-lab', option + '-')[-1] == option + '-back']
    settings = [names.get(option, option) for option in options]
    point('upcase-lab ctl: the orders of its help, and the settings without "set"',
          differences('ctl', offered('upcase-lab', 'ctl', ''), {*orders, *settings}) +
          differences('set', offered('upcase-lab', 'ctl', 'set', ''), settings))
    faults = []
    for option, setting in zip(options, settings):
        # A switch has no values; its setting has two.
        values = ['sent', 'none'] if option == 'no-icmp' else offered('upcase-lab', '--' + option, '')
        faults += differences(setting, offered('upcase-lab', 'ctl', 'set', 'loss', '20%,', setting, ''), values)
    point('upcase-lab ctl: the values of the settings', faults)


def check_hostile():
    """Words of any bytes neither end a program nor come back as more than one line."""
    faults = []
    for word in (b'', b'-', b'--', b'--=', b'--\n=x', b'--wait\n', b'\x1b]0;x\x07', b'--host=\n\t', b'-w\n', b'\xff\xfe',
                 b'%s%n', b'--%s=', b'x' * 100000, b'--' + b'x' * 100000, b'-' + b't' * 100000, b'--seed=\n\x1b'):
        for name in PROGRAMS:
            for words in ((word,), (word, b''), (b'ctl', word), (b'ctl', word, b''), (b'--', word)):
                found = [line for line in ask(name, *words) if re.search('[^\t\x20-\x7e]', line)]
                faults += [f'{name} {words}: {found}'] if found else []
    made = [os.path.join(at, name) for at, _, names in os.walk(HOME) for name in names if name != 'config']
    point('any words may be given, and no file is read or written for them', faults + made)


# --- the shells ---

# A command line and what stands for its last word.
CASES = [
    ('upcase --wa', ['--wait']),
    ('upcase --i', ['--interval', '--ipv4', '--ipv6']),
    ('upcase --wait=2', ['--wait=200ms', '--wait=2s']),
    ('upcase --wait 2', ['200ms', '2s']),
    ('upcase -tw 2', ['200ms', '2s']),
    ('upcase -tw2', ['-tw200ms', '-tw2s']),
    ('upcase --tcp --color ', ['auto', 'always', 'never']),
    ('upcase --save=ta', ['--save=talk.svg']),
    ('upcase --save ta', ['talk.svg']),
    ('upcase comp', [HOST]),
    ('upcase --host=comp', ['--host=' + HOST]),
    (f'upcase {HOST} ', ['12000']),
    ('./upcase --wa', ['--wait']),
    ('upcased --con', ['--connect-rate', '--control']),
    ('upcased --bind ::', ['::', '::1']),
    ('upcased --bind=:', ['--bind=::', '--bind=::1']),
    ('upcased --preset=wi', ['--preset=wifi', '--preset=wifi-far']),
    ('upcase-lab --loss-', ['--loss-there', '--loss-back']),
    ('upcase-lab --loss-there 2', ['2%', '20%', '25%']),
    ('upcase-lab --far=completion-t', ['--far=' + COMMAND]),
    ('upcase-lab completion-t', [COMMAND]),
    ('upcase-lab --loss 20% -- completion-t', [COMMAND]),
    ('upcase-lab --loss=20% -- upcase --wa', ['--wait']),
    ('upcase-lab upcase --save=ta', ['--save=talk.svg']),
    ('upcase-lab -- cat ta', ['talk.svg']),
    ('upcase-check ser', ['server']),
    ('upcase-check --ver', ['--version']),
    ('upcase-check server --w', ['--wait', '--weights']),
    ('upcase-check client --level=', ['--level=robust', '--level=textbook', '--level=unicode']),
    ('upcase-check server comp', [HOST]),
    ('upcase-check server --junit=ta', ['--junit=talk.svg']),
    ('upcase-check server --tcp -- completion-t', [COMMAND]),
    ('upcase-check client -- upcase --wa', ['--wait']),
    ('upcase-lab ctl pre', ['predict', 'preset', 'presets']),
    ('upcase-lab ctl loss 20% du', ['duplicate']),
    ('upcase-lab ctl --socket=/x set order ', ['free', 'kept']),
    ('upcase-lab ctl drop next tcp ', ['ack', 'fin', 'reply', 'request', 'segment', 'syn']),
]
# Ctrl-T completes, Ctrl-P tells what was offered: by bash the line, into which it inserts everything.
SETUPS = {
    'bashrc': """
bind 'set enable-bracketed-paste off' '"\\C-t": insert-completions'
tell()
{
	printf '%s\\n' "$READLINE_LINE" >"$TELL"
	READLINE_LINE=
}
bind -x '"\\C-p": tell'
source "$SCRIPTS/upcase.bash"
PS1='ready> '
""",
    '.zshrc': """
fpath=("$SCRIPTS" $fpath)
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*:hosts' hosts completion-test-host
compadd()
{
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
		local -a hits
		builtin compadd -O hits "$@"
		offers+=("$IPREFIX"${^hits})
	fi
	builtin compadd "$@"
}
tell()
{
	print -r -- $offers >"$TELL"
	offers=()
	BUFFER=
}
zle -N tell
bindkey '^T' list-choices
bindkey '^P' tell
PS1='ready> '
""",
}


def typed(command, lines):
    """What a shell on a terminal tells of each line."""
    fifo = os.path.join(tempfile.mkdtemp(dir=PLACE), 'tell')
    os.mkfifo(fifo)
    told = os.open(fifo, os.O_RDWR)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(PLACE)
        os.execvpe(command[0], command, {**ENV, 'ZDOTDIR': PLACE, 'TELL': fifo, 'SCRIPTS': SCRIPTS})

    def wait(descriptor, end):
        text = {terminal: b'', told: b''}
        while end not in text[descriptor]:
            ready = select.select(list(text), [], [], PATIENCE)[0]
            assert ready, (command, text)
            for fd in ready:
                text[fd] += os.read(fd, 65536)
        return text[descriptor].decode()

    wait(terminal, b'ready> ')
    answers = []
    for line in lines:
        os.write(terminal, line.encode() + b'\x14\x10')
        answers.append(wait(told, b'\n'))
    os.close(terminal)
    os.close(told)
    os.waitpid(child, 0)
    return answers


def bash(breaks, *more):
    """Bash inserts what stands behind the last character at which it breaks words."""
    answers = typed(['bash', '--rcfile', 'bashrc', '-i'], [*more, *(line for line, _ in CASES)])[len(more):]
    for (line, wanted), answer in zip(CASES, answers):
        start = max(line.rfind(character) for character in breaks) + 1
        kept = start - line.rfind(' ') - 1
        yield line, sorted(answer[start:-2].split(' ')), sorted(word[kept:] for word in wanted)


def zsh():
    for (line, wanted), answer in zip(CASES, typed(['zsh', '-d', '-i'], [line for line, _ in CASES])):
        yield line, sorted(set(answer.split())), wanted


def fish():
    script = f"""
source {SCRIPTS}/upcase.fish
function __fish_print_hostnames; echo {HOST}; end
for line in $argv; complete -C $line; echo; end
"""
    shown = run('fish', '--no-config', '-c', script, *(line for line, _ in CASES))
    for (line, wanted), answer in zip(CASES, shown.stdout.split('\n\n')):
        yield line, sorted({row.split('\t')[0] for row in answer.split('\n')}), wanted


def check_shell(answers):
    return [f'{line}: offers {got}, not {sorted(wanted)}' for line, got, wanted in answers() if got != sorted(wanted)]


def check_shells():
    shells = [
        ('bash', 'bash', lambda: bash(' =:')),
        ('bash that breaks words at blanks alone', 'bash', lambda: bash(' ', 'COMP_WORDBREAKS=" "\r')),
        ('bash with bash-completion', BASH_COMPLETION, lambda: bash(' =:', f'source {BASH_COMPLETION}\r')),
        ('fish', 'fish', fish),
        ('zsh', 'zsh', zsh),
    ]
    with ThreadPoolExecutor() as pool:
        faults = [pool.submit(check_shell, answers) if shutil.which(program, os.F_OK) else None
                  for _, program, answers in shells]
    for (name, program, _), found in zip(shells, faults):
        if found:
            point(f'{name} offers what the programs say', found.result())
        else:
            not_here(f'{program} is not installed', f'{name} offers what the programs say')


prepare()
for program in PROGRAMS:
    check_program(program)
check_orders()
check_hostile()
check_shells()
done()
