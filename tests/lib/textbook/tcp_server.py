# SPDX-License-Identifier: GPL-3.0-or-later
# The textbook's TCP server: accepts, reads once, answers once, closes. The port may be given.
import sys
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

port = int(sys.argv[1]) if len(sys.argv) > 1 else 12000
server = socket(AF_INET, SOCK_STREAM)
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port))
server.listen(1)
print("The server is ready to receive", server.getsockname()[1], flush=True)
while True:
    connection, client = server.accept()
    sentence = connection.recv(1024)
    connection.send(sentence.upper())
    connection.close()
