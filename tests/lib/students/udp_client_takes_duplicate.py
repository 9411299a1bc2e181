# SPDX-License-Identifier: GPL-3.0-or-later
# Takes a late or a second reply for the reply to the next line. Seen wherever the next datagram
# is the reply.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
status = 0
for line in sys.stdin:
    text = line.rstrip("\n")
    try:
        client.send(text.encode())
        client.settimeout(1)
        reply = client.recv(65536).decode(errors="replace")
        print("".join(c if c.isprintable() else "?" for c in reply), flush=True)
    except OSError as error:
        print(f"no reply to {text}: {error}", file=sys.stderr)
        status = 1
sys.exit(status)
