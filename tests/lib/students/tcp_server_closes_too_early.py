# SPDX-License-Identifier: GPL-3.0-or-later
# Closes when the client has sent all, with replies still in its buffer. Seen in servers with
# select() and buffers.
import sys
from select import select
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
replies = {}
while True:
    readable, writable, _ = select([server, *replies], [c for c in replies if replies[c]], [])
    for ready in readable:
        if ready is server:
            connection, _ = server.accept()
            connection.setblocking(False)
            replies[connection] = b""
            continue
        try:
            data = ready.recv(4096)
        except ConnectionError:
            data = b""
        if data:
            replies[ready] += data.upper()
        else:
            del replies[ready]
            ready.close()
    for ready in set(writable) & set(replies):
        try:
            replies[ready] = replies[ready][ready.send(replies[ready]):]
        except OSError:
            del replies[ready]
            ready.close()
