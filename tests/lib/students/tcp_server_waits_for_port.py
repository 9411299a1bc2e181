# SPDX-License-Identifier: GPL-3.0-or-later
# A port that is in use goes unnoticed: it tries again for ever without a word. Seen where the
# address was in use after each start.
import sys
import threading
import time
from socket import create_server


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
        except ConnectionError:
            pass


while True:
    try:
        server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
        break
    except OSError:
        time.sleep(0.1)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
