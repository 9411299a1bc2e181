# SPDX-License-Identifier: GPL-3.0-or-later
# send() without a loop: what the kernel does not take at once is lost. Seen in servers with non-
# blocking sockets.
import sys
from select import select
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
clients = []
while True:
    for ready in select([server, *clients], [], [])[0]:
        if ready is server:
            connection, _ = server.accept()
            connection.setblocking(False)
            clients.append(connection)
            continue
        try:
            data = ready.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            clients.remove(ready)
            ready.close()
            continue
        try:
            ready.send(data.upper())
        except OSError:
            pass
