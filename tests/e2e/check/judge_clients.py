# SPDX-License-Identifier: GPL-3.0-or-later
"""upcase-check client judges clients that others have written, as judge_servers.py does servers."""
from checker import run_table
from tap import UPCASE, done

# Each: the program, the level of which it passes all cases, the cases that find its fault.
TABLE = [
    # Right ones.
    ([UPCASE, '--plain', '{host}', '{port}'], 'unicode', ''),
    ([UPCASE, '--plain', '--tcp', '{host}', '{port}'], 'unicode', ''),
    ([UPCASE, '{host}', '{port}'], 'unicode', ''),
    ('tcp_client.py', 'unicode', ''),
    ('tcp_client_in_c.c', 'unicode', ''),
    ('udp_client.py', 'unicode', ''),
    ('udp_client_repeats.py', 'unicode', ''),
    ('udp_client_editor.py', 'unicode', ''),
    ('tcp_client_half_close.py', 'unicode', ''),
    ('tcp_client_line_each.py', 'unicode', ''),
    # It waits as long as the connection lives, as TCP does.
    ('tcp_client_never_times_out.py', 'unicode', ''),
    ('textbook/tcp_client.py', 'textbook', 'tcp-pieces'),
    ('textbook/udp_client.py', 'textbook', 'udp-never udp-forged'),
    # Faulty ones.
    ('udp_client_never_times_out.py', None, 'udp-never'),
    ('udp_client_takes_duplicate.py', 'textbook', 'udp-twice'),
    ('udp_client_shows_late.py', 'textbook', 'udp-order'),
    ('udp_client_takes_stranger.py', 'textbook', 'udp-forged'),
    ('udp_client_takes_anything.py', 'textbook', 'udp-stranger'),
    ('udp_client_never_ends.py', None, 'ends'),
    ('udp_client_ends_when_lost.py', 'textbook', 'udp-lost'),
    ('udp_client_hides_loss.py', 'textbook', 'udp-never udp-refused'),
    ('udp_client_decode.py', 'robust', 'unicode'),
    ('udp_client_own_capitals.py', 'textbook', 'other'),
    ('tcp_client_recv_is_a_reply.py', 'textbook', 'tcp-pieces'),
    ('tcp_client_spins_when_closed.py', None, 'tcp-closed'),
    ('tcp_client_status_0.py', 'textbook', 'tcp-status'),
    ('tcp_client_no_newline.py', 'textbook', 'tcp-newline'),
    ('tcp_client_counts_characters.py', 'robust', 'unicode'),
    ('tcp_client_end_first.py', None, 'line'),
    ('tcp_client_prints_raw.py', 'textbook', 'control'),
    ('tcp_client_overflow.c', None, 'long-reply'),
    ('tcp_client_first_word.c', 'textbook', 'long-line'),
    ('tcp_client_sends_nul.c', None, 'line'),
    # Command lines: they show what comes as it is.
    (['socat', '-t5', '-', 'TCP:{host}:{port}'], 'textbook', 'control'),
    (['socat', '-', 'UDP:{host}:{port}'], 'textbook', 'control'),
    (['ncat', '{host}', '{port}'], None, 'control'),
    (['ncat', '-u', '{host}', '{port}'], 'textbook', 'control'),
    (['busybox', 'nc', '{host}', '{port}'], None, 'control'),
]

run_table('client', TABLE, ['{host}', '{port}'], 8)
done()
