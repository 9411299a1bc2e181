# SPDX-License-Identifier: GPL-3.0-or-later
# Bytes that are no UTF-8 end it: decode() raises an error. Seen in every server in Python that
# decodes.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    server.sendto(message.decode().upper().encode(), client)
