# SPDX-License-Identifier: GPL-3.0-or-later
"""Truth: over 20,000 lines with loss, damage, second copies, jitter and overtaking, by chance and by number, every
fate that the client reports is what the link did; and the kernels' own counters on both hosts split the loss
the same way."""

import os
import re
import shutil

from lab import PATIENCE, PLACE, done, need_hosts, run, working_backends
from tap import UPCASE, UPCASED, point

need_hosts()
# A build that is slow because it watches itself shows with a tenth what it has to show.
COUNT = 20000 if float(os.environ.get('TEST_PATIENCE', '1')) <= 1 else 2000
LINES = ''.join(f'line {n}\n' for n in range(1, COUNT + 1))
# Of lines sent at once TCP makes few segments; the less they are, the more segments there are that
# can be lost.
WINDOWS = {'-u': 400, '-t': 400 if COUNT > 2000 else 20}
LINK = 'loss 5% delay 5ms jitter 3ms order free duplicate 5% reorder 5% reorder-by 4ms corrupt 2%'
# Datagrams by number, and TCP's segments, their first repeats, and acknowledgements.
RULES = '''drop udp:request:every:50
drop udp:reply:3,7,100-150
packet delay 30ms udp:request:every:61
packet duplicate:udp:reply:every:43
packet corrupt:udp:reply:every:97
drop tcp:request:every:20
drop tcp:request:7x2
drop tcp:reply:every:30
drop ack:every:10
packet delay 30ms tcp:request:every:17
packet duplicate:tcp:reply:every:13
packet corrupt:tcp:request:every:41'''
# Of requests and of replies, so many are dropped by the rules.
DROPPED = {'there': COUNT // 50, 'back': 53}
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}

# The far host shows its counters all the time, since nobody can ask it.
FAR = '''"$UPCASED" --bind 10.9.0.2 --bind fd09::2 &
while :; do cat /proc/net/snmp /proc/net/snmp6 >$PLACE/far.new; mv $PLACE/far.new $PLACE/far; sleep 0.1; done'''
# The server is asked over TCP whether it is there: that touches no counter of UDP's.
# settled: what was under way has come, and the far host's counters are newer than that.
NEAR = '''exec 3<&0
settled() {
	sleep 0.5
	for _ in 1 2; do
		shown=$(stat -c %y $PLACE/far)
		while [ "$shown" = "$(stat -c %y $PLACE/far)" ]; do sleep 0.02; done
	done
}
until echo up | "$UPCASE" --plain --quiet -t $HOST >/dev/null; do sleep 0.1; done
settled
cat $PLACE/far >$PLACE/far-before
cat /proc/net/snmp /proc/net/snmp6 >$PLACE/near-before
$LAB ctl set $LINK >/dev/null
echo "$RULES" | while read -r rule; do $LAB ctl $rule >/dev/null; done
$LAB ctl counts >$PLACE/link-before
"$UPCASE" --plain $TRANSPORT --wait 300ms --window $WINDOW $HOST <&3 >$PLACE/replies
settled
$LAB ctl counts >$PLACE/link-after
cat $PLACE/far >$PLACE/far-after
cat /proc/net/snmp /proc/net/snmp6 >$PLACE/near-after'''


def number(pattern, text):
    match = re.search(pattern, text)
    return int(match[1]) if match else -1


def udp_counters(name):
    """UDP's counters of a host, of IPv4 and IPv6 together."""
    with open(os.path.join(PLACE, name), encoding='ascii') as file:
        lines = [line.split() for line in file]
    rows = [line[1:] for line in lines if line[0] == 'Udp:']
    found = {key: int(value) for key, value in zip(*rows)}
    for key, value in (line for line in lines if len(line) == 2 and line[0].startswith('Udp6')):
        found[key[4:]] = found.get(key[4:], 0) + int(value)
    return found


def link_counts(name):
    with open(os.path.join(PLACE, name), encoding='ascii') as file:
        return {
            line.rsplit(' ', 1)[0]: int(line.rsplit(' ', 1)[1])
            for line in file if line.split()[-1].isdigit()
        }


def difference(read, name):
    before, after = read(f'{name}-before'), read(f'{name}-after')
    return {key: after[key] - before.get(key, 0) for key in after}


def lab(backend, host, transport):
    """The client's own summary, and what both kernels and the link counted meanwhile."""
    settings = {
        'PLACE': PLACE, 'LAB': os.path.join(PLACE, 'upcase-lab'), 'LINK': LINK, 'RULES': RULES, 'HOST': host,
        'TRANSPORT': transport, 'WINDOW': str(WINDOWS[transport])
    }
    home = os.path.join(PLACE, 'home')
    os.makedirs(home, exist_ok=True)
    _, _, err = run('--backend',
                    backend,
                    '--seed',
                    '7',
                    '--far',
                    FAR,
                    '--',
                    'sh',
                    '-c',
                    NEAR,
                    said=LINES,
                    patience=4 * PATIENCE,
                    env={**PROGRAMS, **settings, 'HOME': home})
    return err


def unequal(*pairs):
    return [f'{name}: {got}, not {want}' for name, got, want in pairs if got != want]


def check_udp(backend, host):
    err = lab(backend, host, '-u')
    link, far, near = difference(link_counts,
                                 'link'), difference(udp_counters,
                                                     'far'), difference(udp_counters, 'near')
    going, coming = number(r'link: (\d+) lost going', err), number(r'(\d+) lost coming', err)
    mismatches, compared = number(r'truth: (\d+) mismatch',
                                  err), number(r'mismatch\w* in (\d+) lines', err)
    lost, doubled = number(rf'(\d+)/{COUNT} lost', err), number(r'(\d+) duplicates', err)
    reordered = number(r'(\d+) reordered', err)
    print(
        f'# {backend} {host}: {COUNT} lines, {lost} lost, {going} going, {coming} coming; {doubled} duplicates, '
        f'{reordered} reordered; {mismatches} mismatches in {compared}')
    faults = unequal(
        ('mismatches', mismatches, 0), ('compared', compared, COUNT),
        # A request is lost going when the link loses it or damages it.
        ('lost going', going, link['there lost-random'] + link['there lost-cue'] + link['there corrupted']),
        *((f'dropped by number {way}', link[f'{way} lost-cue'], count) for way, count in DROPPED.items()),
        # What the link let through the far kernel has either taken or found damaged.
        ('taken there', far['InDatagrams'] + far['InErrors'], link['there delivered']),
        # (The far kernel counts replies that it was given joined as one: the link counts what
        # came.)
        ('sent back', link['back packets'], far['InDatagrams']),
        ('not more than that', far['OutDatagrams'] <= far['InDatagrams'], True),
        ('taken back', near['InDatagrams'] + near['InErrors'], link['back delivered']),
        ('replies', near['InDatagrams'], number(r'answered (\d+)', err) + doubled + max(
            0, number(r'(\d+) late', err))),
        ('sent', near['OutDatagrams'], COUNT))
    point(f'each of {COUNT} fates is what the link did ({backend}, {host})', faults
          and faults + [err])


def over_tcp(backend, host):
    """The faults of one transfer, whether a segment of it was sent again, and what was printed."""
    err = lab(backend, host, '-t')
    mismatches, compared = number(r'truth: (\d+) mismatch',
                                  err), number(r'mismatch\w* in (\d+) lines', err)
    with open(os.path.join(PLACE, 'replies'), encoding='ascii') as file:
        whole = file.read() == LINES.upper()
    faults = unequal(('mismatches', mismatches, 0), ('compared', compared, COUNT),
                     ('replies are the capitals', whole, True))
    return faults, number(r'sent again: (\d+) going', err) > 0, err


def check_tcp(backend, host):
    # The lines are in few segments: at times the link drops none but acknowledgements.
    for _ in range(5):
        faults, repaired, err = over_tcp(backend, host)
        if faults or repaired:
            break
    faults += [] if repaired else ['nothing was sent again']
    point(f'over TCP all {COUNT} lines come back, as the link let them ({backend}, {host})', faults
          and faults + [err])


for each in working_backends():
    for address in '10.9.0.2', 'fd09::2':
        check_udp(each, address)
        check_tcp(each, address)
done()
