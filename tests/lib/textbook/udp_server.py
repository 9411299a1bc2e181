# SPDX-License-Identifier: GPL-3.0-or-later
# The textbook's UDP server: one datagram in, one datagram of capitals out. The port may be given.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

port = int(sys.argv[1]) if len(sys.argv) > 1 else 12000
server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", port))
print("The server is ready to receive", server.getsockname()[1], flush=True)
while True:
    message, client = server.recvfrom(2048)
    server.sendto(message.upper(), client)
