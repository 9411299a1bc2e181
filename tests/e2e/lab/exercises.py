# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays upcase-exercises(7): each command is executed as the page has it, and what upcase-solutions(7) says holds. What depends
on times is tried again where a busy machine made it late."""

import math
import os
import re

from lab import need_hosts
from play import PLACE, Book
from tap import done, has, not_here, point

BOOK = Book('upcase-exercises.7', 'upcase-solutions.7', lambda command: '--plain' not in command)
UNITS = {'us': 1e-3, 'µs': 1e-3, 'ms': 1, 's': 1e3}
ROUNDS = math.ceil(4 * float(os.environ.get('TEST_PATIENCE', '1')))


def took(play):
    """How long the lines took by their rows, ms: {('udp', 1): 40.2}."""
    rows = re.findall(r'(?m)^(\d+) (udp|tcp) .* -> .* ([\d.]+) (us|µs|ms|s)(?: \(.*\))?$', play.out)
    return {(transport, int(n)): float(time) * UNITS[unit] for n, transport, time, unit in rows}


def slowest(play):
    """Each summary's longest time from Enter to reply, ms."""
    found = re.findall(r'(?m)^waited min\S+ [\d.]+/[\d.]+/([\d.]+)(?:/[\d.]+)? (us|µs|ms|s),', play.out)
    return [float(time) * UNITS[unit] for time, unit in found] or [math.nan]


def between(play, what, value, least, most):
    play.must(f'{what}: {value:.1f} ms, {least} to {most}', least <= value <= most)


def numbers(lost, twice):
    lost.says('lost going, on cue', 'lost coming, on cue',
              'there: 10 packets, 2 dropped on cue, 8 delivered; back: 8 packets, 1 dropped on cue, 7 delivered')
    lost.must('lines 3, 4 and 7 are lost', re.findall(r'(?m)^(\d+) udp .* -x', lost.out) == ['3', '4', '7'])
    lost.must('the server received line 4', '4 udp line 4 -x lost coming' in lost.out)
    twice.says('there: 6 packets, 1 duplicated, 7 delivered; back: 7 packets, 1 duplicated, 8 delivered')
    twice.must('of lines 2 and 4', re.findall(r'(?m)^(\d+) udp', twice.out) == '1 2 2 3 4 4 5 6'.split())


def timeout(once, four_times):
    once.says('1x again, on cue')
    between(once, 'the line', took(once).get(('tcp', 1), math.nan), 400, 450)
    four_times.says('4x again, on cue')
    between(four_times, 'the line', took(four_times).get(('tcp', 1), math.nan), 2600, 2800)


def one_of_seven(second, last):
    between(second, 'without the second', slowest(second)[0], 200, 240)
    between(last, 'without the last', slowest(last)[0], 500, 550)
    for play in second, last:
        play.must('one is sent again', 'sent again: 1 going, 0 coming' in play.out)


def acknowledgements(some, every):
    some.says('sent again: 0 going, 0 coming')
    every.must('once or twice', re.search(r'sent again: 0 going, [12] coming', every.out))
    for play in some, every:
        between(play, 'the line', slowest(play)[0], 100, 140)


def handshake(syn, answer):
    for play in syn, answer:
        between(play, 'connected', 1e3 * play.number(r'connected after ([\d.]+) s'), 1090, 1200)
    syn.must('the SYN is sent again', 'SYN sent, lost going, on cue, again after' in syn.out)
    answer.must('both are', re.search(r'SYN-ACK lost coming, on cue, SYN again after .* SYN-ACK again after', answer.out))


def late_packet(udp, tcp):
    udp.says('1 reordered')
    udp.must('the order', re.findall(r'(?m)^(\d+) udp', udp.out) == '1 2 3 5 6 7 8 4 9 10 11 12'.split())
    between(udp, 'line 4 over UDP', took(udp).get(('udp', 4), math.nan), 210, 230)
    tcp.says('sent again: 1 going, 0 coming')
    tcp.must('none is dropped', '0 of' in tcp.out and 'dropped on cue' not in tcp.out)
    for n, least in enumerate((210, 185, 160, 135, 110), 4):
        between(tcp, f'line {n} over TCP', took(tcp).get(('tcp', n), math.nan), least - 5, least + 20)


def narrow_path(told, untold):
    told.says('1 larger than the MTU')
    told.must('one on the way there', told.link('there', 'larger than the MTU') == 1)
    between(told, 'the line', slowest(told)[0], 100, 140)
    untold.says('sent again: 4 going')
    untold.must('it is not answered', 'answered 0 of 1' in untold.out)


def queue(fast, slow):
    answered = fast.number(r'answered (\d+) of 60')
    fast.must('16 are answered, or one or two more', 16 <= answered <= 18)
    fast.must('the others find the queue full', fast.link('there', 'queue full') == 60 - answered)
    between(fast, 'the slowest', slowest(fast)[0], 115, 130)
    slow.must('all are answered', 'answered 60 of 60' in slow.out)


def slow_start(lengths, windows):
    times = slowest(lengths)
    lengths.must('four lines', len(times) == 4)
    for time, trips in zip(times, (1, 2, 2, 3)):
        between(lengths, f'{trips} round trips', time, 100 * trips, 100 * trips + 60)
    # A build that cannot ask TCP has no windows.
    if not has('TCP_INFO'):
        return
    windows.says('"cwnd":10', '"cwnd":20', '"cwnd":40')
    said = [int(value) for value in re.findall(r'"cwnd":(\d+)', windows.out)]
    windows.must('they grow from 10 to 41', said == sorted(said) and said[:1] == [10] and said[-1:] == [41])
    windows.must('the picture', os.path.exists(os.path.join(PLACE, 'slow-window.svg')))


def two_flows(play):
    flow, lines = [play.number(rf'flow: reno {before}([\d.]+) kB/s') for before in ('', r'[\d.]+ kB/s, lines \(cubic\) ')]
    play.must(f'both have about half, {flow} and {lines} kB/s', 150 <= flow <= 300 and 150 <= lines <= 300)
    play.must('together no more than the link', 380 <= flow + lines <= 490)
    fairness = (flow + lines) ** 2 / (2 * (flow ** 2 + lines ** 2))
    play.must("Jain's index", abs(play.number(r"Jain's index ([\d.]+)") - fairness) < 0.01 and fairness > 0.9)


def small_pieces(plain, nagle, delayed):
    nagle.says('held 50 ms for an ACK')
    for n in range(2, 5):
        between(delayed, f'line {n}', took(delayed).get(('tcp', n), math.nan), 130, 180)
        held = delayed.number(rf'(?m)^{n} tcp .*held (\d+) ms for an ACK')
        between(delayed, f'line {n} is held', held, 80, 120)
    for n in range(1, 5):
        between(plain, f'line {n}', took(plain).get(('tcp', n), math.nan), 50, 70)
        between(nagle, f'line {n}', took(nagle).get(('tcp', n), math.nan), 100, 130)


def waiting(both, several):
    both.says('lost going, on cue', '1x again, on cue', 'behind line 5 at the server')
    times = took(both)
    both.must('line 5 over UDP is lost', '5 udp line 5 -x lost going, on cue' in both.out and ('udp', 5) not in times)
    for n in range(1, 13):
        if n != 5:
            between(both, f'line {n} over UDP', times.get(('udp', n), math.nan), 100, 125)
        late = {5: 225, 6: 200, 7: 175, 8: 150, 9: 125}.get(n, 100)
        between(both, f'line {n} over TCP', times.get(('tcp', n), math.nan), late - 5, late + (20 if 5 <= n <= 9 else 50))
    several.says('1 line waited')
    waited = re.findall(r'(?m)^(\d+) tcp .*waited .* behind line (\d+)', several.out)
    several.must('line 9 waits for line 5', waited == [('9', '5')])
    for n in range(1, 13):
        # What a busy machine sends late waits less for the next one.
        least, most = {5: (265, 335), 9: (165, 235)}.get(n, (100, 135))
        between(several, f'line {n} over four', took(several).get(('tcp', n), math.nan), least, most)


def exercise(number, check, *commands):
    """Each of the commands by its parts."""
    plays = [BOOK.play(*parts) for parts in commands]
    for left in reversed(range(ROUNDS)):
        if not any(play.faults for play in plays):
            check(*plays)
        faults = [fault for play in plays for fault in play.faults]
        if not faults or not left or not all(play.out for play in plays):
            break
        print('# tried again:', *faults, sep='\n#   ', flush=True)
        for play in plays:
            play.again()
    point(f'exercise {number}: {check.__name__.replace("_", " ")}',
          faults + [line[:200] for play in plays if faults for line in play.out.splitlines()])


need_hosts()
BOOK.start(6)
exercise(1, numbers, ['request:3,7'], ['duplicate:request:2'])
exercise(2, timeout, ['segment:1 '], ['segment:1x4'])
exercise(3, one_of_seven, ['segment:2 '], ['segment:7 '])
exercise(4, acknowledgements, ['ack:2-6'], ['ack:1-'])
exercise(5, handshake, ['syn:1 --'], ['syn:1 back'])
exercise(6, late_packet, ['udp:reply:4'], ['tcp:segment:4'])
exercise(7, narrow_path, ['--size 1400 10.9.0.2'], ['--no-icmp'])
exercise(8, queue, ['--interval 1ms'], ['--interval 12ms'])
exercise(9, slow_start, ['14479'], ['slow.svg'])
if has('TCP_INFO'):
    exercise(10, two_flows, ['--flow'])
else:
    BOOK.play('--flow')
    not_here('this build does not know what TCP has acknowledged', 'exercise 10: two flows')
exercise(11, small_pieces, ['--split --count'], ['--split --nagle'], ['python3'])
exercise(12, waiting, ['udp:request:5'], ['--connections'])
point('every command of the page is played',
      [command for command in BOOK.commands if command not in BOOK.played and command != 'upcase-lab ctl watch'])
done()
