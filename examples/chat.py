# chat.py: a chat server on CPython's asyncio. chat.js is the same program on fdloop: read them side by side.
import asyncio
import sys


class Chat(asyncio.Protocol):
    members = {}

    def connection_made(self, transport):
        self.transport = transport
        self.name = None
        self.rest = b""
        transport.write(b"your name? ")

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line_received(line.decode().strip())

    def line_received(self, line):
        if self.name is not None:
            self.tell(f"{self.name}: {line}")
        elif line == "" or line in self.members:
            self.transport.write(b"another name, please: ")
        else:
            self.name = line
            self.members[line] = self
            self.tell(f"{line} is here, which makes {len(self.members)}")

    def connection_lost(self, error):
        if self.name is not None:
            del self.members[self.name]
            self.tell(f"{self.name} has left")

    def tell(self, text):
        for member in self.members.values():
            member.transport.write(f"{text}\n".encode())


async def main(port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Chat, "127.0.0.1", port)
    print("listening on port", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
