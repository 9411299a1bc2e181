# SPDX-License-Identifier: GPL-3.0-or-later
# The reply comes from another port: a new socket for each. Seen where the server calls the
# client's function to send.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    with socket(AF_INET, SOCK_DGRAM) as other:
        other.sendto(message.upper(), client)
