# SPDX-License-Identifier: GPL-3.0-or-later
# A reply that is not ASCII ends it with a traceback. Seen with decode("ascii"), and in a locale
# that is not UTF-8.
import sys
import time
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
status = 0
for line in sys.stdin:
    text = line.rstrip("\n")
    end = time.monotonic() + 1
    reply = None
    try:
        client.send(text.encode())
        while reply is None or reply.upper() != text.upper():
            client.settimeout(max(end - time.monotonic(), 0.001))
            reply = client.recv(65536).decode("ascii")
        print("".join(c if c.isprintable() else "?" for c in reply), flush=True)
    except OSError as error:
        print(f"no reply to {text}: {error}", file=sys.stderr)
        status = 1
sys.exit(status)
