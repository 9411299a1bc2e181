# SPDX-License-Identifier: GPL-3.0-or-later
# No loop around accept(): serves one client and ends. Seen in the first version of most
# homeworks.
import sys
from socket import create_server

server = create_server(("127.0.0.1", int(sys.argv[1])))
connection, client = server.accept()
try:
    while data := connection.recv(4096):
        connection.sendall(data.upper())
except ConnectionError:
    pass
connection.close()
