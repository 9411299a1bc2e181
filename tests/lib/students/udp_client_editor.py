# SPDX-License-Identifier: GPL-3.0-or-later
# Right: reads its lines with readline, which sets up the terminal for each of them.
import readline  # pylint: disable=unused-import
import sys
from socket import AF_INET, SOCK_DGRAM, socket
from time import monotonic

client = socket(AF_INET, SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
while True:
    try:
        line = input("> ")
    except EOFError:
        break
    try:
        client.send(line.encode())
        end = monotonic() + 1
        reply = None
        while reply != line.upper():
            client.settimeout(max(0.001, end - monotonic()))
            reply = client.recv(65536).decode(errors="replace")
        print(reply)
    except OSError as error:
        print("no reply:", error)
