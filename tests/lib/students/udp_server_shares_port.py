# SPDX-License-Identifier: GPL-3.0-or-later
# A port that is in use goes unnoticed: SO_REUSEADDR lets two UDP sockets have it. Seen where
# TCP's option was copied.
import sys
from socket import AF_INET, SO_REUSEADDR, SO_REUSEPORT, SOCK_DGRAM, SOL_SOCKET, socket

server = socket(AF_INET, SOCK_DGRAM)
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    server.sendto(message.upper(), client)
