# SPDX-License-Identifier: GPL-3.0-or-later
# A port that is in use goes unnoticed: it says so and ends with status 0. Seen where each error
# is caught and printed.
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


try:
    server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client,), daemon=True).start()
except OSError as error:
    print("Something went wrong:", error)
