# SPDX-License-Identifier: GPL-3.0-or-later
# A character of UTF-8 that comes in two reads is broken. Seen where each recv() is decoded by
# itself.
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.decode(errors="replace").upper().encode())
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
