# SPDX-License-Identifier: GPL-3.0-or-later
# Does not see the end of the stream: recv() gives nothing, for ever, and it never closes. Seen
# with "while True: recv".
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            while True:
                connection.sendall(connection.recv(4096).upper())
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
