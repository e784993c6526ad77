"""peers.py: asyncio's side in the tests of TLS with other programs: a peer of fdloop, and the judge of what fdloop sees.

One command comes in each line of standard input, as JSON: {"id": number, "do": verb, ...}. The answers have its number:

  {"do": "serve", "side": {...}}                                  -> {"port": port}
  {"do": "seen", "server": number}                                -> {"seen": [observation, ...]}, when all are over
  {"do": "connect", "port": port, "side": {...}, "ending": "goodbye"}  -> {"seen": observation}, when it is over
  {"do": "cut", "server": number}                                 -> {}
  {"do": "close", "connection": number}                           -> {}

A server answers what it hears in capitals. A client says its message, and ends as it was told when the answer is there.
A server announces a whole message by {"heard": true}, and so does a client that waits. `cut` drops the connections of a
server without a goodbye. The form of a side and of an observation is told in peers.ts.
"""

import asyncio
import json
import ssl
import sys

MESSAGE = b'the quick brown fox\n'
VERSIONS = {'TLSv1.2': ssl.TLSVersion.TLSv1_2, 'TLSv1.3': ssl.TLSVersion.TLSv1_3}
SERVERS = {}
CONNECTIONS = {}
REPORTED = []


def say(number, answer):
    sys.stdout.write(json.dumps({'id': number, **answer}) + '\n')
    sys.stdout.flush()


def context_of(side, server_side):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
    if 'version' in side:
        context.minimum_version = context.maximum_version = VERSIONS[side['version']]
    if 'ciphers' in side:
        context.set_ciphers(side['ciphers'])
    if 'alpn' in side:
        context.set_alpn_protocols(side['alpn'])
    if 'identity' in side:
        context.load_cert_chain(side['identity']['certFile'], side['identity']['keyFile'])
    if 'trust' in side:
        context.load_verify_locations(side['trust']['certFile'])
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def facts_of(transport):
    engine = transport.get_extra_info('ssl_object')
    certificate = transport.get_extra_info('peercert')
    names = dict(entry[0] for entry in certificate['subject']) if certificate else {}
    return {'version': engine.version(), 'alpn': engine.selected_alpn_protocol(), 'peer': names.get('commonName')}


def name_of(error):
    return None if error is None else type(error).__name__


class Noting(asyncio.Protocol):
    def __init__(self, number, serves, ending):
        self.number = number
        self.serves = serves
        self.ending = ending
        self.facts = None
        self.events = []
        self.heard = 0
        self.lost = None
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.events.append('connectionMade')
        self.transport = transport
        self.facts = facts_of(transport)
        if not self.serves:
            transport.write(MESSAGE)

    def data_received(self, data):
        self.heard += len(data)
        if self.serves:
            self.transport.write(data.upper())
        if self.heard != len(MESSAGE):
            return
        if self.ending == 'goodbye':
            self.transport.close()
        elif self.ending == 'cut':
            self.transport.abort()
        else:
            say(self.number, {'heard': True})

    def eof_received(self):
        self.events.append('eofReceived')

    def connection_lost(self, exc):
        self.events.append('connectionLost')
        self.lost = exc
        self.over.set_result(None)

    def observation(self, error=None):
        reported, REPORTED[:] = list(REPORTED), []
        return {
            'error': name_of(error), 'events': self.events, 'heard': self.heard, 'lost': name_of(self.lost),
            'reported': reported, 'facts': self.facts,
        }


async def serve(number, side):
    made = []

    def factory():
        made.append(Noting(number, True, 'wait'))
        return made[-1]
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        factory, '127.0.0.1', 0, ssl=context_of(side, True), ssl_handshake_timeout=side.get('timeout'),
        ssl_shutdown_timeout=side.get('timeout'),
    )
    SERVERS[number] = (server, made)
    return {'port': server.sockets[0].getsockname()[1]}


async def seen(number, server):
    listening, made = SERVERS[server]
    while listening._active_count > 0 or not made:
        await asyncio.sleep(0.001)
    listening.close()
    # The application hears of the end one iteration after the connection is counted as gone.
    for _ in range(2):
        await asyncio.sleep(0)
    return {'seen': [protocol.observation() for protocol in made]}


async def connect(number, port, side, ending):
    protocol = CONNECTIONS[number] = Noting(number, False, ending)
    loop = asyncio.get_running_loop()
    try:
        await loop.create_connection(
            lambda: protocol, '127.0.0.1', port, ssl=context_of(side, False), server_hostname=side.get('name', 'localhost'),
            ssl_handshake_timeout=side.get('timeout'), ssl_shutdown_timeout=side.get('timeout'),
        )
    except Exception as error:
        return {'seen': protocol.observation(error)}
    await protocol.over
    return {'seen': protocol.observation()}


async def cut(number, server):
    for protocol in SERVERS[server][1]:
        protocol.transport.abort()
    return {}


async def close(number, connection):
    CONNECTIONS[connection].transport.close()
    return {}


VERBS = {'serve': serve, 'seen': seen, 'connect': connect, 'cut': cut, 'close': close}


async def perform(id, do, **arguments):
    say(id, await VERBS[do](id, **arguments))


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: REPORTED.append(context['message']))
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        tasks.add(asyncio.create_task(perform(**json.loads(line))))
    for task in tasks:
        task.cancel()


asyncio.run(main())
