// outcomes-scripted.test.ts: peers that stop in the middle: they say nothing any more, end the stream, or never spoke TLS. A
// relay in front of Node's tls, or of nobody, does what no honest program does. asyncio is given the same.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { type Identity, useCertificates } from '../support/certificates';
import { useLoop } from '../support/loops';
import { Asyncio, connectOurs, nodePeer, type Observation, runUntil, serveOurs, type Side } from './peers';
import { describeOnPosix } from '../support/systems';

const certificates = useCertificates();
let identity: Identity;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
});

/** Seconds that both sides are ready to wait. */
const TIMEOUT = 0.05;

/** What becomes of the bytes for the side that is watched: so many go through, and then this happens. */
interface Script {
  bytes: number;
  then: 'silence' | 'end';
}

/** Hands bytes on between whoever connects and `port`, by the script; `silence` ends all. */
class Relay {
  readonly #sockets: Socket[] = [];
  readonly #server;
  #isSilent = false;

  /** @param watched who gets no more bytes than the script says */
  constructor(port: number, watched: 'client' | 'server', script: Script) {
    this.#server = createServer((client) => {
      const server = connect(port, '127.0.0.1');
      this.#sockets.push(client, server);
      const [mine, theirs] = watched === 'client' ? [client, server] : [server, client];
      let left = script.bytes;
      mine.on('data', (chunk: Buffer) => this.#isSilent || theirs.write(chunk));
      theirs.on('data', (chunk: Buffer) => {
        if (this.#isSilent || left === 0) return;
        const part = chunk.subarray(0, left);
        left -= part.length;
        mine.write(part);
        if (left === 0 && script.then === 'end') mine.end();
      });
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.on('close', () => server.destroy());
      if (watched === 'server') server.on('close', () => client.destroy());
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  readonly silence = (): void => {
    this.#isSilent = true;
  };

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Somebody who says `text` to everybody, and nothing else. */
async function speaker(text: string): Promise<{ port: number; close(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

const nothing: Observation = { error: null, events: [], heard: 0, lost: null, reported: [], facts: null };
const made = { heard: 20, facts: expect.anything() as never };

// With the programs of another system.
describeOnPosix('TLS with peers that stop in the middle', () => {
  const subject = useLoop('hosted');
  let asyncio: Asyncio;
  const closing: { close(): void }[] = [];
  beforeAll(() => {
    asyncio = new Asyncio();
  });
  afterEach(() => {
    for (const one of closing.splice(0)) one.close();
  });
  afterAll(() => asyncio.stop());

  const clientSide = (): Side => ({ trust: identity, timeout: TIMEOUT });
  const serverSide = (): Side => ({ identity, timeout: TIMEOUT });

  /** Both sides against a fresh peer each, which must look the same. */
  async function bothClients(
    portOf: () => Promise<number>,
    expected: Partial<Observation>,
    code?: string,
  ): Promise<void> {
    const seen = await connectOurs(subject.current, await portOf(), clientSide());
    const judged = await asyncio.connect(await portOf(), clientSide(), 'goodbye');
    expect([seen.observation(), judged]).toEqual([
      { ...nothing, ...expected },
      { ...nothing, ...expected },
    ]);
    if (code !== undefined) expect(seen.error).toMatchObject({ code });
  }

  const relayed = (script: Script) => async (): Promise<number> => {
    const server = await nodePeer.serve({ identity });
    const relay = new Relay(server.port, 'client', script);
    closing.push(relay, { close: () => void server.stop() });
    return relay.listen();
  };

  const scripts: [string, Script, string, string][] = [
    ['says nothing at all', { bytes: 0, then: 'silence' }, 'ConnectionAbortedError', 'ECONNABORTED'],
    [
      'stops within a record of the handshake',
      { bytes: 60, then: 'silence' },
      'ConnectionAbortedError',
      'ECONNABORTED',
    ],
    ['stops within its certificate', { bytes: 400, then: 'silence' }, 'ConnectionAbortedError', 'ECONNABORTED'],
    ['ends within a record of the handshake', { bytes: 60, then: 'end' }, 'ConnectionResetError', 'ECONNRESET'],
    ['ends within its certificate', { bytes: 400, then: 'end' }, 'ConnectionResetError', 'ECONNRESET'],
  ];
  for (const [what, script, error, code] of scripts) {
    test(`TLS-011, TLS-016: our client, and a server that ${what}`, async () => {
      await bothClients(relayed(script), { error }, code);
    });
  }

  for (const [what, text] of [
    ['HTTP without TLS', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['SMTP', '220 mail.test ESMTP\r\n'],
  ]) {
    test(`TLS-013: our client, and a server that speaks ${what}`, async () => {
      const portOf = async (): Promise<number> => {
        const peer = await speaker(text);
        closing.push(peer);
        return peer.port;
      };
      await bothClients(portOf, { error: 'SSLError' }, 'ERR_SSL_WRONG_VERSION_NUMBER');
    });
  }

  test('TLS-057: our client says goodbye, and the server does not answer', async () => {
    const relays: Relay[] = [];
    const portOf = async (): Promise<number> => {
      const server = await nodePeer.serve({ identity });
      const relay = new Relay(server.port, 'client', { bytes: Infinity, then: 'silence' });
      relays.push(relay);
      closing.push(relay, { close: () => void server.stop() });
      return relay.listen();
    };
    const stop = (number: number) => (close: () => void) => {
      relays[number].silence();
      close();
    };
    const seen = await connectOurs(subject.current, await portOf(), clientSide(), stop(0));
    const judged = await asyncio.connect(await portOf(), clientSide(), 'wait', stop(1));
    const expected = { ...nothing, ...made, events: ['connectionMade', 'connectionLost'], lost: 'TimeoutError' };
    expect([seen.observation(), judged]).toEqual([expected, expected]);
  });

  test('TLS-060: our client, and a server whose stream ends within a record', async () => {
    // The handshake, and what is more than the half of the answer's record.
    const whole = 20 + 22;
    let sum = 0;
    const server = await nodePeer.serve({ identity });
    const counter = createServer((client) => {
      const peer = connect(server.port, '127.0.0.1');
      client.pipe(peer);
      peer.on('data', (chunk: Buffer) => {
        sum += chunk.length;
        client.write(chunk);
      });
      client.on('close', () => peer.destroy());
    });
    counter.listen(0, '127.0.0.1');
    await once(counter, 'listening');
    const { port } = counter.address() as AddressInfo;
    // Handshakes have the sizes that both sides choose. The answer and the goodbye come last.
    const until = async (connected: Promise<unknown>): Promise<number> => {
      sum = 0;
      await connected;
      return sum - 24 - whole / 2;
    };
    const limits = [
      await until(connectOurs(subject.current, port, clientSide())),
      await until(asyncio.connect(port, clientSide(), 'goodbye')),
    ];
    counter.close();
    server.stop();
    const expected = { events: ['connectionMade', 'eofReceived', 'connectionLost'], facts: made.facts };
    await bothClients(() => relayed({ bytes: limits.shift() as number, then: 'end' })(), expected);
  });

  /** Our server and asyncio's, each with a client that is relayed by the script, or says a text. */
  async function bothServers(peer: (port: number) => Promise<unknown>, expected: Partial<Observation>): Promise<void> {
    const ours = await serveOurs(subject.current, serverSide());
    await runUntil(subject.current, peer(ours.port));
    const [seen] = await ours.over();
    const theirs = await asyncio.serve(serverSide());
    await peer(theirs.port);
    const [judged] = await theirs.over();
    expect([seen.observation(), judged]).toEqual([
      { ...nothing, ...expected },
      { ...nothing, ...expected },
    ]);
  }

  for (const [what, script] of [
    ['says nothing at all', { bytes: 0, then: 'silence' }],
    ['stops within its first record', { bytes: 60, then: 'silence' }],
    ['ends within its first record', { bytes: 60, then: 'end' }],
  ] as [string, Script][]) {
    test(`TLS-011, TLS-014, TLS-016: our server, and a client that ${what}`, async () => {
      const peer = async (port: number): Promise<void> => {
        const relay = new Relay(port, 'server', script);
        closing.push(relay);
        await nodePeer.connect(await relay.listen(), { trust: identity }, 'wait');
      };
      await bothServers(peer, {});
    });
  }

  test('TLS-013, TLS-014: our server, and a client that speaks HTTP without TLS', async () => {
    const peer = async (port: number): Promise<void> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await new Promise((resolve) => socket.on('close', resolve));
    };
    await bothServers(peer, {});
  });
});
