# SPDX-License-Identifier: GPL-3.0-or-later
# Knows a repeated reply, and takes a late one for the reply to the next line.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
client.settimeout(1)
last = None
for line in sys.stdin:
    try:
        client.send(line.rstrip("\n").encode())
        while (reply := client.recv(65536)) == last:
            pass
        last = reply
        print("".join(c if c.isprintable() else "?" for c in reply.decode(errors="replace")), flush=True)
    except OSError as error:
        print("no reply:", error, flush=True)
