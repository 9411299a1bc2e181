# SPDX-License-Identifier: GPL-3.0-or-later
# Makes itself a daemon in a session of its own: what was started ends at once with status 0. Seen
# where a manual told how daemons are made.
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
if os.fork():
    os._exit(0)
os.setsid()
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
