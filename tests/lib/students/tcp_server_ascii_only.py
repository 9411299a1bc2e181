# SPDX-License-Identifier: GPL-3.0-or-later
# Makes capitals of ASCII only: bytes.upper(), and toupper() in C. Seen everywhere, also in the
# textbook.
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
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
