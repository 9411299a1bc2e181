# SPDX-License-Identifier: GPL-3.0-or-later
# Answers the first line of what one recv() brings and forgets the others. Seen where a client
# waits for each reply.
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        rest = b""
        try:
            while data := connection.recv(4096):
                line, end, more = (rest + data).partition(b"\n")
                rest = b"" if end else line
                if end:
                    connection.sendall(line.upper() + b"\n")
        except ConnectionError:
            return
        connection.sendall(rest.upper())


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
