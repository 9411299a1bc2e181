# SPDX-License-Identifier: GPL-3.0-or-later
# Forks workers that outlive it: after its end they still answer at the port. Seen in servers with
# fork().
import os
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
os.fork()
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
