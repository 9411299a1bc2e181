# SPDX-License-Identifier: GPL-3.0-or-later
"""upcase-check server judges servers that others have written: the right ones pass all cases of their level, and of the
faulty ones the cases that are to find the fault fail. UPCASE_TEST_LONG=1 runs all cases of all, and each right one 200 times."""
from checker import run_table
from tap import UPCASED, done

TR = 'stdbuf -o0 tr a-z A-Z'
SOCAT = 'TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=100'
SOCAT_UDP = ['socat', 'UDP-RECVFROM:{port},bind=127.0.0.1,fork', f'EXEC:{TR}']
SOCAT_LISTEN = ['socat', 'UDP-LISTEN:{port},bind=127.0.0.1,fork', f'EXEC:{TR}']
BUSYBOX = ['busybox', 'nc', '-ll', '-p', '{port}', '-e', '/bin/sed', '-u', 's/.*/\\U&/']

# Each: the program, the level of which it passes all cases, the cases that find its fault.
TABLE = [
    # Right ones.
    ([UPCASED, '--port={port}', '--bind=127.0.0.1'], 'unicode', ''),
    ('asyncio_server.py', 'unicode', ''),
    ('select_server.c', 'robust', 'udp-unicode udp-full tcp-unicode tcp-split'),
    ('tcp_socketserver.py', 'robust', 'tcp-unicode tcp-split'),
    ('tcp_socketserver_lines.py', 'unicode', ''),
    ('udp_socketserver.py', 'unicode', ''),
    ('tcp_server.js', 'robust', 'tcp-invalid'),
    ('udp_server.js', 'robust', 'udp-invalid'),
    ('tcp_server.go', 'robust', 'tcp-unicode tcp-invalid'),
    ('textbook/tcp_server.py', 'textbook', 'tcp-stays tcp-two'),
    ('textbook/udp_server.py', 'textbook', 'udp-largest'),
    # Faulty ones, TCP.
    ('tcp_server_recv_is_a_line.py', 'textbook', 'tcp-pieces tcp-long'),
    ('tcp_server_first_line_only.py', 'textbook', 'tcp-lines'),
    ('tcp_server_serves_one_client.py', None, 'tcp-next'),
    ('tcp_server_one_by_one.py', 'textbook', 'tcp-two'),
    ('tcp_server_no_newline.py', 'textbook', 'tcp-stays'),
    ('tcp_server_closes_too_early.py', 'textbook', 'tcp-last'),
    ('tcp_server_forgets_last_line.py', 'textbook', 'tcp-last'),
    ('tcp_server_ascii_only.py', 'robust', 'tcp-unicode'),
    ('tcp_server_splits_utf8.py', 'robust', 'tcp-split'),
    ('tcp_server_send_once.py', 'textbook', 'tcp-slow'),
    ('tcp_server_answers_last_client.py', 'textbook', 'tcp-two'),
    ('tcp_server_dies_on_reset.py', 'textbook', 'tcp-reset'),
    ('tcp_server_sigpipe.c', 'textbook', 'tcp-reset'),
    ('tcp_server_ignores_sigterm.py', None, 'sigterm'),
    ('tcp_server_port_in_use.py', None, 'port-in-use'),
    ('tcp_server_waits_for_port.py', None, 'port-in-use'),
    ('tcp_server_no_reuseaddr.py', 'textbook', 'restart'),
    ('tcp_server_buffers_replies.py', None, 'tcp-line'),
    ('tcp_server_spins_at_end.py', 'textbook', 'tcp-half-close'),
    ('tcp_server_leaves_children.py', None, 'sigterm'),
    ('tcp_server_daemon.py', None, 'tcp-line'),
    ('tcp_server_shares_buffer.py', 'textbook', 'tcp-mixed'),
    ('tcp_server_strips.py', None, 'tcp-ascii'),
    # Faulty ones, UDP.
    ('udp_server_echo.py', None, 'udp-line'),
    ('udp_server_decode.py', 'textbook', 'udp-garbage'),
    ('udp_server_ends_on_empty.py', None, 'udp-empty'),
    ('udp_server_answers_twice.py', None, 'udp-line'),
    ('udp_server_other_port.py', None, 'udp-line'),
    ('udp_server_answers_last_client.py', None, 'udp-two'),
    ('udp_server_small_buffer.py', None, 'udp-long'),
    ('udp_server_whole_buffer.py', None, 'udp-shorter'),
    ('udp_server_shares_port.py', None, 'port-in-use'),
    ('udp_server_no_nul.c', None, 'udp-shorter'),
    ('udp_server_strlen.c', 'robust', 'udp-invalid'),
    ('udp_server_sends_nul.c', None, 'udp-line'),
    ('udp_server_no_htons.c', None, 'udp-line'),
    ('udp_server_overflow.c', None, 'udp-long'),
    ('udp_server_answers_once.py', None, 'udp-shorter'),
    ('udp_server_format.c', 'textbook', 'udp-garbage'),
    # Command lines.
    (['socat', SOCAT, f'EXEC:{TR}'], 'robust', 'tcp-unicode'),
    (['socat', SOCAT, 'EXEC:sed -u s/.*/\\\\\\\\U&/'], 'textbook', 'tcp-unicode'),
    (['socat', SOCAT, 'SYSTEM:tr a-z A-Z'], None, 'tcp-line'),
    (SOCAT_UDP, None, 'udp-empty'),
    (SOCAT_LISTEN, None, 'udp-empty'),
    (['ncat', '-lk', '-c', TR, '127.0.0.1', '{port}'], None, 'tcp-last'),
    (['ncat', '-ulk', '-c', TR, '127.0.0.1', '{port}'], None, 'udp-empty'),
    (BUSYBOX, 'textbook', 'tcp-unicode'),
]

run_table('server', TABLE, ['{port}'])
done()
