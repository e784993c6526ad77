// outcomes-volume.test.ts: much data, both ways at once, with pauses of reading and flow control of writing: every byte
// arrives in order, and nothing piles up. The long runs are behind FDLOOP_SLOW.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, connect, type TLSSocket } from 'node:tls';

import { useCertificates, type Identity } from '../support/certificates';
import { type TestLoop, useLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';
import { runUntil, sslOptions } from './peers';

const certificates = useCertificates();
let identity: Identity;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
});

const MIB = 1 << 20;
/** Milliseconds for one of the tests. */
const patience = (size: number): number => 15_000 + 400 * size;
const sizes = process.env.FDLOOP_SLOW === '1' ? [2, 64, 1024] : [2];
const PIECE = 96 * 1024;
/** Bytes after which a reader takes a rest. */
const STRETCH = MIB / 2;

/** The next piece of a stream that does not repeat itself within a record. */
function piece(offset: number, length: number): Buffer {
  const data = Buffer.alloc(length);
  for (let index = 0; index + 4 <= length; index += 4) data.writeUInt32LE((offset + index) >>> 2, index);
  return data;
}

/** Writes `total` bytes as fast as it may, and reads as many, with rests. */
class Stream extends NotingProtocol {
  readonly sentHash = createHash('sha1');
  readonly heardHash = createHash('sha1');
  readonly done;
  heard = 0;
  mostWaiting = 0;
  rests = 0;
  pauses = 0;
  #sent = 0;
  #isPaused = false;

  constructor(
    readonly subject: TestLoop,
    readonly total: number,
  ) {
    super();
    this.done = subject.loop.createFuture<void>();
    this.reactions.connectionMade = () => this.#send();
    this.reactions.pauseWriting = () => {
      this.pauses += 1;
      this.#isPaused = true;
    };
    this.reactions.resumeWriting = () => {
      this.#isPaused = false;
      this.subject.loop.callSoon(() => this.#send());
    };
  }

  #send(): void {
    while (!this.#isPaused && this.#sent < this.total) {
      const data = piece(this.#sent, Math.min(PIECE, this.total - this.#sent));
      this.#sent += data.length;
      this.sentHash.update(data);
      this.transport.write(data);
      this.mostWaiting = Math.max(this.mostWaiting, this.transport.getWriteBufferSize());
    }
  }

  override dataReceived(data: Buffer): void {
    const before = Math.floor(this.heard / STRETCH);
    this.heard += data.length;
    this.heardHash.update(data);
    if (this.heard === this.total) this.done.setResult(undefined);
    else if (Math.floor(this.heard / STRETCH) > before) {
      this.rests += 1;
      this.transport.pauseReading();
      this.subject.loop.callLater(0.001, () => this.transport.resumeReading());
    }
  }
}

/** What is true of a stream that came back whole. */
function check(stream: Stream): void {
  expect(stream.heard).toBe(stream.total);
  expect(stream.heardHash.digest('hex')).toBe(stream.sentHash.digest('hex'));
  expect(stream.rests).toBeGreaterThan(0);
  // Less than this the system takes at once.
  if (stream.total > 16 * MIB) expect(stream.pauses).toBeGreaterThan(0);
  // The high mark, one more piece, and what TLS adds.
  expect(stream.mostWaiting).toBeLessThan(512 * 1024 + 2 * PIECE);
}

describe('much data over TLS', () => {
  const subject = useLoop('hosted');

  for (const size of sizes) {
    test(
      `TLS-039, TLS-045: ${size} MiB each way between our client and Node's tls`,
      async () => {
        const server = createServer(sslOptions({ identity }, true), (socket: TLSSocket) => {
          socket.on('error', () => undefined);
          socket.pipe(socket);
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { loop } = subject.current;
        const stream = new Stream(subject.current, size * MIB);
        const { port } = server.address() as AddressInfo;
        const options = { ssl: sslOptions({ trust: identity }, false), serverHostname: 'localhost' };
        const before = process.memoryUsage().rss;
        await subject.current.run(loop.createConnection(() => stream, '127.0.0.1', port, options));
        await subject.current.run(stream.done);
        const grown = process.memoryUsage().rss - before;
        stream.transport.abort();
        server.close();
        check(stream);
        expect(grown).toBeLessThan(300 * MIB);
      },
      patience(size),
    );

    test(
      `TLS-039, TLS-045: ${size} MiB each way between Node's tls and our server`,
      async () => {
        const { loop } = subject.current;
        const stream = new Stream(subject.current, size * MIB);
        const options = { ssl: sslOptions({ identity }, true) };
        const server = await subject.current.run(loop.createServer(() => stream, '127.0.0.1', 0, options));
        const socket = connect({
          port: addressOf(server)[1],
          host: '127.0.0.1',
          servername: 'localhost',
          ca: identity.cert,
        });
        socket.on('error', () => undefined);
        socket.pipe(socket);
        await subject.current.run(stream.done);
        stream.transport.abort();
        server.close();
        await runUntil(subject.current, once(socket, 'close'));
        check(stream);
      },
      patience(size),
    );
  }
});
