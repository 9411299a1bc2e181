# SPDX-License-Identifier: GPL-3.0-or-later
# Prints all and more: control characters of the terminal, and a megabyte for each datagram. Seen
# with traces left in.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    print("\x1b]0;owned\x07\x1b[2J\x1b[31mgot", message, client, "." * 1000000, flush=True)
    server.sendto(message.upper(), client)
