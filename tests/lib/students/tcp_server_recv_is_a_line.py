# SPDX-License-Identifier: GPL-3.0-or-later
# One recv() is taken for one line: a line in two segments gets two replies. Seen in nearly every
# first server.
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.removesuffix(b"\n").upper() + b"\n")
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
