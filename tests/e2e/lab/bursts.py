# SPDX-License-Identifier: GPL-3.0-or-later
"""Loss in bursts: what real datagrams suffer obeys the closed form of the simple Gilbert model (E. N. Gilbert, 1960): the share
p / (p + r), runs whose mean is 1 / r, and a lost one behind a lost one with 1 - r. UPCASE_TEST_LONG=1 takes more datagrams, and
holds netem with the same parameters (tc-netem(8), loss gemodel) against the same form, where the kernel has it."""

import math
import os
import subprocess
import sys
import textwrap

from lab import done, environment, need_hosts, python, run, side_by_side, working_backends
from tap import UPCASED, not_here, point

need_hosts()
LONG = os.environ.get('UPCASE_TEST_LONG') == '1'
COUNT = 50000 if LONG else 5000
# The share, and the mean of runs.
CHAINS = [(0.1, 10), (0.2, 4), (0.1, 2)] if LONG else [(0.2, 4)]
# A right model leaves these bounds in seven cases of a million.
ERRORS = 4.5

# Prints 1 for a datagram that was lost, else 0: by the link's events. A busy machine may drop one before the link, which
# has no event: another one goes.
LINK = textwrap.dedent('''
    import os, socket, sys
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ["UPCASE_LAB"])
    link.sendall(b"events on 12000\\n")
    link.settimeout(0.2)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("10.9.0.2", 12000))
    fates, rest = "", b""
    for sent in range(50, int(sys.argv[1]) + 50, 50):
        for _ in range(50):
            out.send(b"x")
        while len(fates) < sent:
            try:
                rest += link.recv(1 << 20) or sys.exit("the lab tells of no more events")
            except TimeoutError:
                out.send(b"x")
            *lines, rest = rest.split(b"\\n")
            fates += "".join("01"[b" out=" not in line] for line in lines if b" there " in line)
    print(fates)
    ''')
# The same by what arrives, in a network of its own.
NETEM = textwrap.dedent('''
    import select, socket, subprocess, sys
    count, p, r = int(sys.argv[1]), *sys.argv[2:]
    for words in "ip link set lo up", f"tc qdisc add dev lo root netem limit 100000 loss gemodel {p}% {r}%":
        subprocess.run(words.split(), check=True)
    take, out = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12")
    take.bind(("127.0.0.1", 0))
    out.connect(take.getsockname())
    came = set()
    for sent in range(0, count, 50):
        for n in range(sent, sent + 50):
            out.send(b"%d" % n)
        while select.select([take], [], [], 0.001)[0]:
            came.add(int(take.recv(99)))
    print("".join("01"[n not in came] for n in range(count)))
    ''')


def chain(share, burst):
    """Its probabilities: good to bad, and bad to good."""
    return share / (1 - share) / burst, 1 / burst


def check(name, fates, share, burst):
    """The string of fates against the closed form."""
    p, r = chain(share, burst)
    n, lost, runs = len(fates), fates.count('1'), fates.count('01') + fates.startswith('1')
    pairs, memory = lost - runs, 1 - p - r
    # Successive fates are correlated, which widens the error of the share.
    bounds = {
        'share': (lost / n, share, math.sqrt(share * (1 - share) / n * (1 + memory) / (1 - memory))),
        'mean run': (lost / max(runs, 1), burst, math.sqrt((1 - r) / r ** 2 / max(runs, 1))),
        'lost behind a lost one': (pairs / max(lost, 1), 1 - r, math.sqrt(r * (1 - r) / max(lost, 1)))
    }
    print(f'# {name}: of {n} ' + ', '.join(f'{what} {got:.4f} for {want:.4f}' for what, (got, want, _) in bounds.items()))
    point(f'{name}: p {p:.3g}, r {r:.3g}', [f'{what} {got}, not {want} +- {ERRORS * error}'
                                           for what, (got, want, error) in bounds.items() if abs(got - want) > ERRORS * error])


def check_link(backend):
    for seed, (share, burst) in enumerate(CHAINS, 1):
        status, out, err = run(f'--backend={backend}', '-q', f'--seed={seed}', f'--loss-there={share}',
                               f'--burst-there={burst}', '--', *python(LINK), str(COUNT),
                               env={'UPCASED': UPCASED})
        if status:
            point(f'{backend}, seed {seed}', [err])
        else:
            check(f'{backend}, seed {seed}', out.strip(), share, burst)


def check_netem():
    for share, burst in CHAINS:
        p, r = chain(share, burst)
        who = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
        result = subprocess.run(['unshare', '--net', *who, sys.executable, '-c', NETEM, str(COUNT), str(100 * p), str(100 * r)],
                                capture_output=True,
                                text=True,
                                env=environment('self'),
                                check=False)
        if result.returncode:
            not_here(f'netem: {result.stderr.strip().splitlines()[0]}', 'netem')
            return
        check('netem', result.stdout.strip(), share, burst)


side_by_side(check_link, working_backends())
if LONG:
    check_netem()
done()
