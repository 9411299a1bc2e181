# SPDX-License-Identifier: GPL-3.0-or-later
# Blocks on one client: the next is served when it has gone. Seen where there are no threads and
# no select().
import sys
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    connection, client = server.accept()
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
        except ConnectionError:
            pass
