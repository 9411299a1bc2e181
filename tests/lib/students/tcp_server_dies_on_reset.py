# SPDX-License-Identifier: GPL-3.0-or-later
# A client that resets ends the server for all: ConnectionResetError is not caught. Seen in
# servers with select().
import sys
from select import select
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
clients = []
while True:
    for ready in select([server, *clients], [], [])[0]:
        if ready is server:
            clients.append(server.accept()[0])
        elif data := ready.recv(4096):
            ready.sendall(data.upper())
        else:
            clients.remove(ready)
            ready.close()
