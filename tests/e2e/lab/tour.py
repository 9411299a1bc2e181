# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays upcase-tour(7): its commands are taken from the page as it is shown, executed by a shell,
and what the page promises is looked for. What needs the screen is played by test_tour."""

import math
import os
import re
import subprocess
import threading

from lab import need_hosts, until
from play import PLACE, Book, environment
from tap import done, point, read

# What is typed on the screen or in further terminals is played by test_tour and by the functions
# for it here.
BOOK = Book('upcase-tour.7', by_hand=lambda command: '--plain' not in command and 'upcase-check' not in command)
Play = BOOK.play


def kernel(play, name):
    return play.number(rf'(?m)^{name} +(\d+)')


def udp_loses():
    # On a machine that stands still a reply may come late; it was not lost.
    play = Play('--loss 20%', '--seed 1', 'upcase --plain 10.9.0.2').once_more(' late').says(
        'answered 132 of 200, 68/200 lost (34 %, 95 % 28–41)',
        'there: 200 packets, 38 lost at random, 162 delivered; back: 162 packets, 30 lost at random, 132 delivered'
    )
    play.point('UDP loses: a third, as the dice fall')


def tcp_repairs():
    play = Play('--loss 20%', '--plain --tcp', 'TcpRetransSegs').says('answered 40 of 40')
    play.must('the kernel sent segments again', kernel(play, 'TcpRetransSegs') > 0)
    play.must('packets were lost', play.link('there', 'lost at random') > 0)
    least, greatest = play.number(r'round trip min\S+ ([\d.]+)/'), play.number(
        r'round trip min\S+ [\d.]+/[\d.]+/([\d.]+)/')
    unit = 1 if re.search(r'(?m)^round trip min\S+ [\d./]+ ms,', play.out) else 1000
    play.must('the least round trip is above 40 ms', least * unit >= 40)
    play.must('the greatest is several times that', greatest >= 3 * least)
    play.point('TCP repairs: all is answered, segments were sent again')


def on_paper():
    p = Play('--save repair.svg')
    p.must('TCP answers all', re.search(r'^answered +\d+ of 8 +8 of 8$', p.out, re.M))
    for name in 'repair.svg', 'repair-plots.svg':
        path = os.path.join(PLACE, name)
        p.must(f'{name} is a picture',
               os.path.exists(path) and '</svg>' in open(path, encoding='utf-8').read())
    p.point('on paper: what was lost and sent again')


def messages_and_stream():
    play = Play('seq 200', 'upcase-lab -- upcase --plain 10.9.0.2').says('there: 200 packets')
    play.point('messages: 200 lines are 200 datagrams')
    play = Play('seq 200', 'upcase-lab -- upcase --plain --tcp')
    play.must('all is answered', 'answered 200 of 200' in play.out)
    play.must('fewer than 100 packets', 0 < play.link('there', 'packets') < 100)
    play.point('a stream: 200 lines are a few segments')
    play = Play('-c 70000', 'upcase --plain 10.9.0.2 | wc').says('failed: too long for a datagram',
                                                                 'there: 0 packets')
    play.point('messages: a datagram has a limit')
    play = Play('-c 70000', '--plain --tcp 10.9.0.2 | wc')
    play.must('70000 bytes', re.search(r'(?m)^ *70000$', play.out))
    play.must('more than 48 segments',
              play.link('there', 'packets') > 48 and play.link('back', 'packets') > 48)
    play.point('a stream: it has none')
    # On a busy machine Python may need more than the second for which the lab waits for a server.
    play = Play('udp_server.py').once_more('refused')
    play.must('2048 bytes', re.search(r'(?m)^ *2048$', play.out))
    play.must('cut short', 'cut short' in play.out)
    play.point('messages: who reads too little loses the rest')


def reordering():
    play = Play('--duplicate 20%', 'upcase --plain 10.9.0.2').says('answered 200 of 200',
                                                                   '95 duplicates')
    play.must('so many copies',
              play.link('there', 'duplicated') == 44 and play.link('back', 'duplicated') == 51)
    play.must('reordered', play.number(r'(\d+) reordered') > 0)
    play.point('reordering and duplication: UDP hands them on')
    play = Play('--duplicate 20%', '--plain --tcp').says('in order')
    play.must('all is answered', 'answered 200 of 200' in play.out)
    play.point('reordering and duplication: TCP does not')


def corruption():
    play = Play('--corrupt 10%', 'UdpInCsumErrors').says('there: 200 packets, 16 corrupted',
                                                         'back: 184 packets, 20 corrupted')
    play.must('36 lines are lost', ' 36/200 lost' in play.out)
    play.must('the kernel counted 20', kernel(play, 'UdpInCsumErrors') == 20)
    play.says_not('differ')
    play.point('corruption: to UDP damage is loss')
    play = Play('--corrupt 10%', 'TcpInCsumErrors')
    play.must('70000 bytes', re.search(r'(?m)^ *70000$', play.out))
    play.must('the kernel counted what the lab did',
              kernel(play, 'TcpInCsumErrors') == play.link('back', 'corrupted') > 0)
    play.must('the kernel sent segments again', kernel(play, 'TcpRetransSegs') > 0)
    play.point('corruption: TCP repairs it')


def full_queue():
    play = Play('--queue 10p', 'upcase --plain 10.9.0.2').says('queue full')
    play.says_not('lost at random')
    lost = play.number(r' (\d+)/200 lost')
    play.must('about a third is lost', 40 <= lost <= 100)
    # Behind a link that another process has held up, replies fill the queue back too.
    play.must('by the queues alone',
              lost == play.link('there', 'queue full') + play.link('back', 'queue full'))
    least, greatest = play.number(r'round trip min\S+ ([\d.]+)/'), play.number(
        r'round trip min\S+ [\d.]+/[\d.]+/([\d.]+)/')
    play.must('36.4 ms at least', least >= 36)
    # That the link adds no more than the page says is seen in its own log, by lab_link: a client
    # may be late itself.
    play.must('the greatest is nearly 120 ms', greatest >= 110)
    play.point('a full queue: loss without noise')
    play = Play('--queue 10p', '--window 2')
    # (On a machine that stands still a reply may come late; it was not lost.)
    late = re.search(r'(\d+)/200 lost \(.*of them (\d+) late', play.out)
    play.must('200 answered, none lost', 'answered 200 of 200, 0/200 lost' in play.out
              or (late and late[1] == late[2]))
    play.says_not('queue full')
    play.point('a full queue: who sends slowly loses nothing')
    play = Play('--queue 10p', '--plain --tcp')
    play.must('200 answered', 'answered 200 of 200' in play.out)
    play.point('a full queue: TCP finds the rate')


def nobody():
    play = Play('--far true', 'upcase --plain 10.9.0.2').says('refused')
    play.must('1 refused', '1 refused' in play.out)
    play.must('a packet each way',
              play.link('there', 'packets') == play.link('back', 'packets') == 1)
    play.point('nobody listening: UDP is told')
    play = Play('--far true', '--plain --tcp').says('refused')
    play.must('1 failed', '1 failed' in play.out)
    play.must('a packet each way',
              play.link('there', 'packets') == play.link('back', 'packets') == 1)
    play.point('nobody listening: TCP is reset')


def fragments():
    play = Play('-c 4000', 'wc -c').says('there: 3 packets', 'back: 3 packets')
    play.must('4000 bytes', re.search(r'(?m)^ *4000$', play.out))
    play.point('fragments: one datagram, three packets')
    play = Play('-c 4000', '--loss 10%')
    lost = play.number(r' (\d+)/100 lost')
    expected = 1 - 0.9 ** 6
    # Seven in a million fall outside of 4.5 standard deviations.
    play.must('nearly half is lost',
              abs(lost / 100 - expected) < 4.5 * math.sqrt(expected * (1 - expected) / 100))
    play.must('a tenth of the packets',
              0.02 < play.link('there', 'lost at random') / play.link('there', 'packets') < 0.22)
    play.point('fragments: one lost is all lost')
    play = Play('--link-mtu 1300', 'ip route get').says('larger than the MTU', 'mtu 1300')
    play.must('1 failed', '1 failed' in play.out)
    play.must('the first failed', 'line 1: failed: dropped on the way' in play.out)
    play.says("larger than the path's MTU")
    play.must('the second lost', 'line 2: lost' in play.out)
    play.must('answered 1 of 3', 'answered 1 of 3' in play.out)
    play.must('one too big each way',
              play.link('there', 'larger') == play.link('back', 'larger') == 1)
    play.point("the path's MTU: UDP learns by losing")
    play = Play('--link-mtu 1300', '--plain --tcp')
    play.must('3 answered', 'answered 3 of 3' in play.out)
    # How often before it hears of it is up to the sender's timers; lab_link sees that it learns for
    # good.
    play.must('a segment on the way there was too big', play.link('there', 'larger') >= 1)
    play.point("the path's MTU: TCP learns too, and loses nothing")


def save_servers():
    """The servers of YOUR OWN PROGRAM, and the textbook's client."""
    part = (read('man', 'upcase-tour.7') or '').split('\n.Sh YOUR OWN PROGRAM\n')[1]
    first, loop = [block for block in re.findall(r'\.Bd -literal[^\n]*\n(.*?)\.Ed', part, re.S) if block[0] != '$'][:2]
    for name, text in (('server.py', first), ('loop.py', re.sub(r'.*recv\(1024\).*\n', loop.replace('\\', r'\\'), first)),
                       ('udp_client.py', read('tests/lib/textbook', 'udp_client.py'))):
        with open(os.path.join(PLACE, name), 'w', encoding='utf-8') as file:
            file.write(text)


def own_program():
    play = Play('upcase-check', '--level textbook').says('7 passed, 0 failed')
    play.point("your own program: the textbook's server does what the textbook asks for")
    play = Play('upcase-check', 'server.py').says('a connection lasts until one side ends it',
                                                  'one recv() may bring a part of a line')
    play.must('both fail', '0 passed, 2 failed' in play.out)
    play.point('your own program: one recv() is not all')
    play = Play('upcase-check', 'tcp-two').says('one client must not hold up the others')
    play.must('two pass, one fails', '2 passed, 1 failed' in play.out)
    play.point('your own program: a loop, and what it costs')
    play = Play('upcase-check', '--lab')
    play.must('all pass', '3 passed, 0 failed' in play.out)
    play.point('your own program: a lossy link blames nobody')
    play = Play('upcase-check', 'client').says('a client needs a timer')
    play.must('one passes, one fails', '1 passed, 1 failed' in play.out)
    play.point('your own program: a client without a timer')


class Terminals:
    """A first terminal in which a lab runs with a shell, and a second one with the watch."""

    def __init__(self, folder, command):
        self.env = environment(folder)
        self.lab = self.start(command, stdin=subprocess.PIPE)
        self.lines, self.said = [], []
        self.tell(self.lab, self.said)
        self.faults = []
        self.type('echo ready')
        self.expect(self.said, 'ready')
        self.watch = self.start('exec upcase-lab ctl watch')
        self.tell(self.watch, self.lines)
        self.expect(self.lines, 'watching the link')

    def start(self, command, **more):
        more.setdefault('stdin', subprocess.DEVNULL)
        return subprocess.Popen(['sh', '-c', command],
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT,
                                text=True,
                                env=self.env,
                                cwd=PLACE,
                                **more)

    @staticmethod
    def tell(process, lines):
        def read_all():
            for line in process.stdout:
                lines.append(line.rstrip('\n'))

        threading.Thread(target=read_all, daemon=True).start()

    def type(self, text):
        """Into the first terminal."""
        self.lab.stdin.write(text + '\n')
        self.lab.stdin.flush()

    def second(self, command):
        result = subprocess.run(['sh', '-c', command],
                                env=self.env,
                                capture_output=True,
                                text=True,
                                check=False,
                                cwd=PLACE)
        self.faults += [] if result.returncode == 0 else [
            f'{command}: {result.stdout}{result.stderr}'
        ]

    def expect(self, lines, pattern, seconds=10):
        found = until(lambda: [line for line in lines if re.search(pattern, line)], seconds)
        self.faults += [] if found else [f'nothing like: {pattern}']
        return found

    def end(self):
        self.lab.stdin.close()
        for process in self.lab, self.watch:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                self.faults.append('it does not end')

    def point(self, name):
        self.end()
        point(name, self.faults + (self.said + self.lines if self.faults else []))


def by_hand(command):
    """It stands in the page."""
    if command in BOOK.by_hand:
        BOOK.played.add(command)
        return command
    point(f'the page has: {command}', ['it does not'])
    return command


def refusals_watched():
    t = Terminals('refusals', by_hand('upcase-lab --far true -- bash'))
    t.type('echo hello | upcase --plain 10.9.0.2')
    t.expect(t.lines, r' back +icmp type 3 code 3 ')
    t.type('echo hello | upcase --plain --tcp 10.9.0.2')
    t.expect(t.lines, r' back +tcp .* RA ')
    t.second(by_hand('upcase-lab ctl unplug 1h'))
    t.type('echo hello | upcase --plain 10.9.0.2')
    t.expect(t.said, 'line 1: lost')
    t.expect(t.lines, 'udp.*LOST, unplugged')
    t.type('echo hello | upcase --plain --tcp --connect-timeout 500ms 10.9.0.2; echo end of it')
    t.expect(t.said, 'no answer at all')
    t.point('nobody listening: ICMP and a reset are seen, and silence')


def doubling_watched():
    t = Terminals('doubling', by_hand('upcase-lab --delay 20ms') + ' -- bash')
    t.type('mkfifo lines; upcase --plain --tcp 10.9.0.2 < lines & exec 3> lines; echo hello >&3')
    t.expect(t.said, 'HELLO')
    # A client that is idle has been acknowledged.
    t.expect(t.lines, r'there +tcp .* A +0 bytes')
    t.second('upcase-lab ctl unplug 3s')
    t.type('echo again >&3')
    t.expect(t.said, 'AGAIN', 15)
    t.type('exec 3>&-; wait')
    t.end()
    gaps = [
        float(found[1]) for line in t.lines
        if 'there' in line and (found := re.search(r'again, after ([\d.]+) s', line))
    ]
    print(f'# sent again after {gaps} s')
    # The first may be a probe.
    timeouts = gaps[1:] if len(gaps) > 1 and gaps[1] < 1.6 * gaps[0] else gaps
    t.faults += [
        f'not twice the wait before: {b} s after {a} s' for a, b in zip(timeouts, timeouts[1:])
        if not 1.6 * a < b < 2.4 * a
    ]
    t.faults += [] if len(timeouts) >= 4 and 0.2 <= timeouts[0] < 0.4 else [
        'not 0.2 or 0.3 s at first, or too few'
    ]
    lost = [line for line in t.lines if 'LOST, unplugged' in line]
    t.faults += [] if len(lost) >= 4 else ['not lost time after time']
    span = re.search(r'waited \S+ ([\d.]+)/([\d.]+)/([\d.]+)/[\d.]+ s, ', '\n'.join(t.said), re.M)
    t.faults += [] if span and 3 <= float(span[3]) <= 6.2 else ['the line took not 3 to 6 seconds']
    point('TCP repairs: the timeout doubles', t.faults + (t.said + t.lines if t.faults else []))


def check_all_played():
    screen = read('tests/screen', 'test_tour.c') or ''
    watch = {'upcase-lab ctl watch', 'upcase-lab ctl watch 12000'}
    point('every command of the page is played', [
        command for command in BOOK.commands
        if command not in BOOK.played and command not in watch and f'"{command}"' not in screen
    ])


need_hosts()
with open(os.path.join(PLACE, 'udp_server.py'), 'w', encoding='utf-8') as server:
    server.write(
        re.search(r'UDP pair, in Python 3\n.*?\.Bd -literal[^\n]*\n(.*?)\.Ed',
                  read('man', 'upcase.7'), re.S)[1])
save_servers()
BOOK.start(3)
udp_loses()
tcp_repairs()
on_paper()
messages_and_stream()
reordering()
corruption()
full_queue()
nobody()
fragments()
own_program()
refusals_watched()
doubling_watched()
check_all_played()
done()
