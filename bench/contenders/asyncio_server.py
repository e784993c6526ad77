"""CPython's asyncio, or uvloop in its place.

python3 asyncio_server.py asyncio|uvloop echo | streams | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH | sink
prints "port N"
"""

import asyncio
import ssl
import sys

engine, mode, *args = sys.argv[1:]


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


class Source(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.left, size = map(int, args)
        self.piece = bytes(size)
        self.paused = False
        self.fill()

    def fill(self):
        while self.left > 0 and not self.paused:
            self.left -= len(self.piece)
            self.transport.write(self.piece)
        if self.left <= 0:
            self.transport.close()

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.fill()


class SendFile(asyncio.Protocol):
    def connection_made(self, transport):
        self.task = asyncio.get_running_loop().create_task(self.send(transport))

    async def send(self, transport):
        with open(args[0], "rb") as file:
            await asyncio.get_running_loop().sendfile(transport, file)
        transport.close()


class EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def echo_stream(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


protocols = {
    "echo": Echo,
    "tls": Echo,
    "source": Source,
    "sendfile": SendFile,
    "sink": asyncio.Protocol,
}


async def main():
    loop = asyncio.get_running_loop()

    def announce(sock):
        print("port", sock.getsockname()[1], flush=True)

    if mode == "udp":
        transport, _ = await loop.create_datagram_endpoint(EchoDatagrams, ("127.0.0.1", 0))
        announce(transport.get_extra_info("socket"))
        await loop.create_future()
    if mode == "streams":
        server = await asyncio.start_server(echo_stream, "127.0.0.1", 0, backlog=511)
        announce(server.sockets[0])
        await server.serve_forever()
    context = None
    if mode == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args)
    server = await loop.create_server(protocols[mode], "127.0.0.1", 0, ssl=context, backlog=511)
    announce(server.sockets[0])
    await server.serve_forever()


if engine == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
