# SPDX-License-Identifier: GPL-3.0-or-later
# Takes a reply from anybody: it does not look at the sender. Seen wherever recvfrom() has a "_"
# for the address.
import sys
import time
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
server = sys.argv[1], int(sys.argv[2])
status = 0
for line in sys.stdin:
    text = line.rstrip("\n")
    end = time.monotonic() + 1
    reply = None
    try:
        client.sendto(text.encode(), server)
        while reply is None or reply.upper() != text.upper():
            client.settimeout(max(end - time.monotonic(), 0.001))
            data, _ = client.recvfrom(65536)
            reply = data.decode(errors="replace")
        print("".join(c if c.isprintable() else "?" for c in reply), flush=True)
    except OSError as error:
        print(f"no reply to {text}: {error}", file=sys.stderr)
        status = 1
sys.exit(status)
