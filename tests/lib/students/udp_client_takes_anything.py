# SPDX-License-Identifier: GPL-3.0-or-later
# Takes any datagram from anybody for the reply: no look at its sender or its text. Seen in nearly
# every first client.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
server = sys.argv[1], int(sys.argv[2])
status = 0
for line in sys.stdin:
    text = line.rstrip("\n")
    try:
        client.sendto(text.encode(), server)
        client.settimeout(1)
        reply = client.recvfrom(65536)[0].decode(errors="replace")
        print("".join(c if c.isprintable() else "?" for c in reply), flush=True)
    except OSError as error:
        print(f"no reply to {text}: {error}", file=sys.stderr)
        status = 1
sys.exit(status)
