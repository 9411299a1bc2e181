# SPDX-License-Identifier: GPL-3.0-or-later
# Replies go to the client that came last: the connection is a global variable. Seen in first
# servers with threads.
import sys
import threading
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)


def serve(own):
    try:
        while data := own.recv(4096):
            connection.sendall(data.upper())
    except OSError:
        pass
    own.close()


while True:
    connection, _ = server.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
