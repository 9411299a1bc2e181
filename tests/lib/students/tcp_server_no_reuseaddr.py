# SPDX-License-Identifier: GPL-3.0-or-later
# No SO_REUSEADDR: for a minute it cannot start again after it has closed a connection. Seen by
# everybody, "Address already in use".
import sys
import threading
from socket import AF_INET, SOCK_STREAM, socket


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
        except ConnectionError:
            pass


server = socket(AF_INET, SOCK_STREAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
