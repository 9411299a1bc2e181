# SPDX-License-Identifier: GPL-3.0-or-later
# Right: Python's asyncio, both transports on one port, all of Unicode.
import asyncio
import codecs
import sys
from socket import AF_INET, SOCK_DGRAM, socket


def answer(server):
    data, client = server.recvfrom(65536)
    text = data.decode(errors="surrogateescape").upper()
    # asyncio's own sendto() sends no empty datagram before Python 3.13.
    server.sendto(text.encode(errors="surrogateescape"), client)


async def serve(reader, writer):
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    try:
        while not reader.at_eof():
            data = await reader.read(4096)
            text = decoder.decode(data, final=not data).upper()
            writer.write(text.encode(errors="surrogateescape"))
            await writer.drain()
        writer.close()
    except ConnectionError:
        pass


async def main():
    where = "127.0.0.1", int(sys.argv[1])
    server = await asyncio.start_server(serve, *where, reuse_address=True)
    datagrams = socket(AF_INET, SOCK_DGRAM)
    datagrams.bind(where)
    asyncio.get_running_loop().add_reader(datagrams, answer, datagrams)
    await server.serve_forever()


asyncio.run(main())
