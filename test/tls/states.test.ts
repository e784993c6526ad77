// states.test.ts: the states of a TLS connection, seen from above and below: a transport that only notes is under the
// protocol, and an engine of the other role answers it.

import { CancelledError, type OSError, TimeoutError } from '../../lib/base/errors';
import { type LogRecord, setLogReceiver } from '../../lib/base/log';
import type { Future } from '../../lib/futures/future';
import { SSLEngine } from '../../lib/tls/ssl-engine';
import type { SSLOptions, SSLSettings } from '../../lib/tls/options';
import { SSLProtocol } from '../../lib/tls/ssl-protocol';
import type { SSLTransport } from '../../lib/tls/ssl-transport';
import { FlowControlTransport } from '../../lib/transports/flow-control';
import type { BaseProtocol } from '../../lib/transports/protocol';
import { type Identity, useCertificates } from '../support/certificates';
import { useLoop } from '../support/loops';
import { NotingBufferedProtocol, NotingProtocol, type Reactions } from '../support/protocols';

/** What is under the TLS protocol. Nothing happens but what a test does. */
class Lower extends FlowControlTransport {
  readonly calls: unknown[][] = [];
  readonly written: Uint8Array[] = [];
  lost = false;
  declare _protocol: SSLProtocol;

  override write(data: Uint8Array): void {
    if (!this.lost) this.written.push(data);
  }

  override getWriteBufferSize(): number {
    return 0;
  }

  override pauseReading(): void {
    this.calls.push(['pauseReading']);
  }

  override resumeReading(): void {
    this.calls.push(['resumeReading']);
  }

  override close(): void {
    this.calls.push(['close']);
    this.#lose(null);
  }

  override abort(): void {
    this._forceClose(null);
  }

  _forceClose(error: unknown): void {
    this.calls.push(['forceClose', error]);
    this.#lose(error);
  }

  #lose(error: unknown): void {
    if (this.lost) return;
    this.lost = true;
    this._loop?.callSoon(() => this._protocol.connectionLost(error));
  }
}

const certificates = useCertificates();
let identity: Identity;
let serverSsl: SSLOptions;
let clientSsl: SSLOptions;
beforeAll(() => {
  identity = certificates.current.selfSigned('server');
  serverSsl = { key: identity.key, cert: identity.cert };
  clientSsl = { ca: identity.cert };
});

describe('the states of TLS', () => {
  const subject = useLoop('virtual');
  let lower: Lower;
  let protocol: SSLProtocol;
  let transport: SSLTransport;
  let waiter: Future<void>;
  let peer: SSLEngine;
  let peerOutput: Uint8Array[];
  let peerHeard: string[];
  let logs: LogRecord[];

  beforeEach(() => {
    logs = [];
    setLogReceiver((record) => logs.push(record));
  });
  afterEach(() => {
    peer?.destroy();
    setLogReceiver(null);
  });

  /** Lets what is queued run: the loop's handles and Node's ticks. */
  const settle = async (times = 4): Promise<void> => {
    for (let index = 0; index < times; index++) {
      await new Promise((resolve) => setImmediate(resolve));
      await subject.current.runOnce();
    }
  };
  const warnings = (): string[] => logs.filter(({ level }) => level === 'warning').map(({ message }) => message);

  /** The client's protocol over a noting transport, and a server's engine. The handshake has begun. */
  const begin = async (app: BaseProtocol, more: Partial<SSLSettings> = {}, made = true): Promise<void> => {
    const { loop } = subject.current;
    peerOutput = [];
    peerHeard = [];
    const settings = { options: clientSsl, serverSide: false, serverHostname: 'localhost', ...more };
    await subject.current.run(
      (function* () {
        yield;
        lower = new Lower({ peername: 'below' }, loop);
        waiter = loop.createFuture<void>();
        protocol = new SSLProtocol(loop, app, settings, waiter, made);
        lower._protocol = protocol;
        transport = protocol._appTransport;
        if (app instanceof NotingProtocol) app.transport = transport as never;
        protocol.connectionMade(lower);
      })(),
    );
    waiter.addDoneCallback((done) => done.cancelled() || done.exception());
    peer = new SSLEngine(
      { options: serverSsl, serverSide: true, serverHostname: null },
      {
        output: (chunk) => peerOutput.push(chunk),
        plain: (chunk) => peerHeard.push(String(chunk)),
        handshakeDone: () => peerHeard.push('<done>'),
        ended: () => peerHeard.push('<end>'),
        failed: (error) => peerHeard.push(`<${String((error as OSError).code)}>`),
      },
    );
  };
  const toPeer = (): void => {
    for (const chunk of lower.written.splice(0)) peer.feed(chunk);
  };
  const fromPeer = (): void => {
    const chunk = Buffer.concat(peerOutput.splice(0));
    if (chunk.length > 0 && !lower.lost) deliver(chunk);
  };
  const deliver = (bytes: Uint8Array): void => {
    const buffer = protocol.getBuffer();
    buffer.set(bytes);
    protocol.bufferUpdated(bytes.length);
  };
  /** Everything that is written goes over, both ways, until all is quiet. */
  const exchange = async (): Promise<void> => {
    let rounds = 0;
    do {
      toPeer();
      await settle(1);
      fromPeer();
      await settle(1);
    } while (rounds++ < 12 && (lower.written.length > 0 || peerOutput.length > 0));
  };
  const connected = async (app: BaseProtocol, more: Partial<SSLSettings> = {}): Promise<void> => {
    await begin(app, more);
    await exchange();
    expect(waiter.result()).toBeUndefined();
  };
  const noted = (reactions: Reactions = {}): NotingProtocol => new NotingProtocol(reactions);
  const says = (text: string): void => peer.write(Buffer.from(text));

  test('TLS-003, TLS-006, TLS-007, TLS-009: the handshake begins with connectionMade; states only move forward', async () => {
    await begin(noted());
    expect(protocol._state).toBe('handshake');
    expect(protocol.getBuffer()).toHaveLength(262144);
    expect(lower.written.length).toBeGreaterThan(0);
    expect(Buffer.concat(lower.written).includes('localhost')).toBe(true);
    expect(() => protocol.connectionMade(lower)).toThrow('cannot switch state from handshake to handshake');
    transport.abort();
    expect(protocol._state).toBe('unwrapped');
    await settle();
  });

  test('TLS-004: a timeout must be positive', async () => {
    for (const seconds of [0, -1]) {
      await expect(begin(noted(), { sslHandshakeTimeout: seconds })).rejects.toMatchObject({ name: 'ValueError' });
      await expect(begin(noted(), { sslShutdownTimeout: seconds })).rejects.toMatchObject({ name: 'ValueError' });
    }
  });

  test('TLS-012, TLS-017, TLS-018, TLS-019: connectionMade comes with the last step of the handshake, with all that is known', async () => {
    let seen: unknown[] = [];
    const app = noted({
      connectionMade: (given) => {
        seen = [given === (transport as unknown), waiter.done(), given.getExtraInfo('cipher') !== null];
      },
    });
    await begin(app);
    expect(transport.getExtraInfo('sslcontext')).not.toBeNull();
    expect(transport.getExtraInfo('cipher', 'not yet')).toBe('not yet');
    await exchange();
    expect(seen).toEqual([true, false, true]);
    expect(transport.getExtraInfo<{ subject: object }>('peercert')?.subject).toMatchObject({ CN: 'localhost' });
    expect([transport.getExtraInfo('ssl_object') !== null, transport.getExtraInfo('compression')]).toEqual([
      true,
      null,
    ]);
    expect(transport.getExtraInfo('peername')).toBe('below');
    transport.abort();
    await settle();
    expect([transport.getExtraInfo('peername'), transport.getExtraInfo('cipher') === null]).toEqual([null, false]);
  });

  test('TLS-011: a handshake that takes too long is given up, with ConnectionAbortedError', async () => {
    const app = noted();
    await begin(app);
    const start = subject.current.loop.time();
    await expect(subject.current.run(waiter)).rejects.toMatchObject({
      name: 'ConnectionAbortedError',
      message: expect.stringContaining('60 seconds'),
    });
    expect(subject.current.loop.time() - start).toBeCloseTo(60, 1);
    await settle();
    expect(app.names()).toEqual([]);
  });

  test('TLS-016: the end of the stream in the handshake is ConnectionResetError', async () => {
    await begin(noted());
    expect(protocol.eofReceived()).toBe(false);
    expect(waiter.exception()).toMatchObject({ name: 'ConnectionResetError' });
    await settle();
  });

  test('TLS-021, TLS-022: several records that arrive together are one dataReceived', async () => {
    const app = noted();
    await connected(app);
    says('one ');
    says('two');
    fromPeer();
    expect(app.received.map(String)).toEqual(['one two']);
    transport.abort();
    await settle();
  });

  test('TLS-023, TLS-072, TLS-073: a buffered protocol is filled as far as it goes, and again in another handle', async () => {
    await connected(noted());
    const text: string[] = [];
    const app = new NotingBufferedProtocol();
    app.reactions.bufferUpdated = (_transport, count) =>
      text.push(Buffer.from(app.buffer).toString('latin1', 0, count as number));
    transport.setProtocol(app);
    expect(transport.getProtocol()).toBe(app);
    says('sixteen bytes...and a rest');
    fromPeer();
    expect(text).toEqual(['sixteen bytes...']);
    await settle();
    expect(text).toEqual(['sixteen bytes...', 'and a rest']);
    transport.abort();
    await settle();
  });

  test('TLS-024: getBuffer hears how many encrypted bytes there are', async () => {
    await connected(noted());
    const app = new NotingBufferedProtocol();
    transport.setProtocol(app);
    says('12345');
    const size = peerOutput.reduce((sum, { length }) => sum + length, 0);
    fromPeer();
    expect(app.events[0]).toEqual(['getBuffer', size]);
    transport.abort();
    await settle();
  });

  test('TLS-027: what the application throws on data is fatal, and reported', async () => {
    const boom = new Error('boom');
    const app = noted({
      dataReceived: () => {
        throw boom;
      },
    });
    await connected(app);
    says('x');
    fromPeer();
    await settle();
    expect(subject.current.takeContexts()).toMatchObject([
      { message: 'Fatal error on SSL protocol', exception: boom, transport: lower, protocol },
    ]);
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });

  test('TLS-028, TLS-046, TLS-047: a pause is a flag: nothing is given until another handle after resumeReading', async () => {
    const app = noted();
    await connected(app);
    transport.pauseReading();
    expect([transport.isReading(), lower.calls]).toEqual([false, []]);
    says('waits');
    fromPeer();
    await settle();
    expect(app.received).toEqual([]);
    transport.resumeReading();
    expect([transport.isReading(), app.received]).toEqual([true, []]);
    await settle();
    expect(app.received.map(String)).toEqual(['waits']);
    transport.close();
    expect(transport.isReading()).toBe(true);
    transport.abort();
    await settle();
  });

  test('TLS-045: what a paused application leaves lying pauses the transport below at the high mark, and resumes it', async () => {
    const app = noted();
    await connected(app);
    transport.setReadBufferLimits(1000, 500);
    expect(() => transport.setReadBufferLimits(1, 2)).toThrow('at least');
    transport.pauseReading();
    says('a'.repeat(900));
    fromPeer();
    expect(lower.calls).toEqual([]);
    says('b'.repeat(200));
    fromPeer();
    expect(lower.calls).toEqual([['pauseReading']]);
    expect(transport.getReadBufferSize()).toBeGreaterThanOrEqual(1100);
    transport.resumeReading();
    await settle();
    expect(lower.calls).toEqual([['pauseReading'], ['resumeReading']]);
    expect(Buffer.concat(app.received)).toHaveLength(1100);
    transport.abort();
    await settle();
  });

  test('TLS-030, TLS-031: the end is told once, and a truthy answer is only worth a warning', async () => {
    const app = noted({ eofReceived: () => true });
    await connected(app);
    peer.end();
    await exchange();
    await settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    expect(warnings()).toEqual([expect.stringContaining('no effect when using ssl')]);
  });

  test('TLS-032: an exception of eofReceived is fatal', async () => {
    const boom = new Error('boom');
    const app = noted({
      eofReceived: () => {
        throw boom;
      },
    });
    await connected(app);
    peer.end();
    await exchange();
    await settle();
    expect(subject.current.takeContexts()).toMatchObject([{ message: 'error calling eofReceived()', exception: boom }]);
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });

  test('TLS-033, TLS-048: bytes only, and no end of writing', async () => {
    await connected(noted());
    for (const wrong of ['text', null, 5]) expect(() => transport.write(wrong as never)).toThrow(TypeError);
    expect(() => transport.writelines(['text'] as never)).toThrow(TypeError);
    transport.write(Buffer.alloc(0));
    transport.writelines([]);
    expect(lower.written).toEqual([]);
    expect(() => transport.writeEof()).toThrow(expect.objectContaining({ name: 'NotImplementedError' }));
    expect(transport.canWriteEof()).toBe(false);
    transport.abort();
    await settle();
  });

  test('TLS-035, TLS-037, TLS-042: what is written before the handshake is done waits, and goes out in order', async () => {
    await begin(noted());
    transport.write(Buffer.from('early '));
    transport.writelines([Buffer.from('bird'), Buffer.from(' and')]);
    expect(transport.getWriteBufferSize()).toBe(14);
    await exchange();
    transport.write(Buffer.from(' worm'));
    await exchange();
    expect(peerHeard.join('')).toBe('<done>early bird and worm');
    expect(transport.getWriteBufferSize()).toBe(0);
    transport.abort();
    await settle();
  });

  test('TLS-036: writes after close are dropped, and the sixth is the first that warns', async () => {
    await connected(noted());
    transport.close();
    for (let count = 0; count < 5; count++) transport.write(Buffer.from('x'));
    expect(warnings()).toEqual([]);
    transport.write(Buffer.from('x'));
    expect(warnings()).toEqual(['SSL connection is closed']);
    await exchange();
    expect(peerHeard).toEqual(['<done>', '<end>']);
    transport.abort();
    await settle();
  });

  test('TLS-039, TLS-041, TLS-043, TLS-080: while writing below is paused the output waits; reaching the marks pauses and resumes', async () => {
    const app = noted();
    await connected(app);
    protocol.pauseWriting();
    expect(() => protocol.pauseWriting()).toThrow('paused already');
    transport.write(Buffer.alloc(1000));
    expect(lower.written).toEqual([]);
    const size = transport.getWriteBufferSize();
    transport.setWriteBufferLimits(size + 1, 0);
    expect(app.names()).not.toContain('pauseWriting');
    transport.setWriteBufferLimits(size, 0);
    expect(app.names().at(-1)).toBe('pauseWriting');
    transport.setWriteBufferLimits(2 * size, size);
    expect(app.names().at(-1)).toBe('resumeWriting');
    transport.setWriteBufferLimits(size, 0);
    protocol.resumeWriting();
    expect(app.names().slice(-2)).toEqual(['pauseWriting', 'resumeWriting']);
    expect(() => protocol.resumeWriting()).toThrow('not paused');
    expect(() => transport.setWriteBufferLimits(1, 2)).toThrow('at least');
    await exchange();
    expect(peerHeard.join('')).toHaveLength(1000 + '<done>'.length);
    transport.abort();
    await settle();
  });

  test('TLS-044: a failing pauseWriting is reported with the TLS transport and the TLS protocol', async () => {
    const boom = new Error('boom');
    const app = noted({
      pauseWriting: () => {
        throw boom;
      },
    });
    await connected(app);
    protocol.pauseWriting();
    transport.setWriteBufferLimits(1, 0);
    transport.write(Buffer.from('x'));
    expect(subject.current.takeContexts()).toMatchObject([
      { message: 'protocol.pauseWriting() failed', exception: boom, transport, protocol },
    ]);
    transport.abort();
    await settle();
  });

  test('TLS-049, TLS-050: close may be called again, and the transport goes on answering', async () => {
    const app = noted();
    await connected(app);
    expect(transport.isClosing()).toBe(false);
    transport.close();
    transport.close();
    expect([transport.isClosing(), transport.isReading()]).toEqual([true, true]);
    expect(transport.getExtraInfo('cipher')).not.toBeNull();
    transport.write(Buffer.from('dropped'));
    transport.abort();
    await settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', null]);
  });

  test('TLS-051, TLS-052, TLS-053, TLS-054, TLS-056: close sends what waits and our goodbye, and the connection below is closed after the answer', async () => {
    const app = noted();
    await connected(app);
    protocol.pauseWriting();
    transport.write(Buffer.from('last words'));
    transport.close();
    expect(protocol._state).toBe('shutdown');
    protocol.resumeWriting();
    toPeer();
    await settle();
    expect(peerHeard).toEqual(['<done>', 'last words', '<end>']);
    expect(lower.calls).toEqual([]);
    peer.end();
    fromPeer();
    await new Promise((resolve) => setImmediate(resolve));
    expect([app.names().at(-1), lower.calls]).toEqual(['eofReceived', []]);
    await settle();
    expect(lower.calls).toEqual([['close']]);
    expect(app.events.slice(-2)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-057: a peer that does not answer our goodbye is left after 30 seconds', async () => {
    const { loop } = subject.current;
    const lost = loop.createFuture<unknown>();
    const app = noted({ connectionLost: (_transport, error) => lost.setResult(error) });
    await connected(app);
    const start = loop.time();
    transport.close();
    const error = await subject.current.run(lost);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toBe('SSL shutdown timed out');
    expect(loop.time() - start).toBeCloseTo(30, 1);
    expect(app.names()).toEqual(['connectionMade', 'connectionLost']);
  });

  test('TLS-060, TLS-061: an end without goodbye is a regular end', async () => {
    const app = noted();
    await connected(app);
    expect(protocol.eofReceived()).toBe(false);
    await settle();
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-058, TLS-059: while reading is paused the end keeps the connection below open, without a time limit', async () => {
    const app = noted();
    await connected(app);
    transport.pauseReading();
    says('not lost');
    fromPeer();
    expect(protocol.eofReceived()).toBe(true);
    expect(protocol._state).toBe('flushing');
    await settle();
    expect(app.names()).toEqual(['connectionMade']);
    transport.resumeReading();
    await settle();
    expect(app.names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
  });

  test('TLS-062: what the application writes on the end still reaches a peer that said goodbye first', async () => {
    const app = noted({ eofReceived: (given) => void given.write(Buffer.from('trailer')) });
    await connected(app);
    peer.end();
    await exchange();
    await settle();
    expect(peerHeard).toEqual(['<done>', 'trailer', '<end>']);
  });

  test('TLS-063, TLS-065, TLS-066: abort ends everything; the application hears one iteration after the TLS protocol', async () => {
    const app = noted();
    await connected(app);
    transport.abort();
    expect([protocol._state, transport.isClosing()]).toEqual(['unwrapped', true]);
    await subject.current.runOnce();
    expect([protocol._transport, app.names().at(-1)]).toEqual([null, 'connectionMade']);
    await subject.current.runOnce();
    expect(app.events.at(-1)).toEqual(['connectionLost', null]);
  });

  test('TLS-067: a connection that is lost in the handshake, without an error, is still no success', async () => {
    await begin(noted());
    lower.close();
    await settle();
    expect(waiter.exception()).toMatchObject({ name: 'ConnectionAbortedError' });
  });

  test('TLS-068: a waiter that was cancelled is left alone', async () => {
    await begin(noted());
    waiter.cancel();
    lower.close();
    await settle();
    expect(waiter.cancelled()).toBe(true);
    expect(() => waiter.result()).toThrow(CancelledError);
  });

  test('TLS-069, TLS-083: a bad record ends the connection with an SSLError, and the handler hears nothing', async () => {
    const app = noted();
    await connected(app);
    deliver(Buffer.from('\x17\x03\x03\x00\x20this is no record of anybody....', 'latin1'));
    await settle();
    const [name, error] = app.events.at(-1) as [string, OSError];
    expect([name, error.name]).toEqual(['connectionLost', 'SSLError']);
    expect(lower.calls[0]).toEqual(['forceClose', error]);
  });

  test('TLS-070: close during the handshake aborts', async () => {
    const app = noted();
    await begin(app);
    transport.close();
    expect(lower.calls).toEqual([['forceClose', null]]);
    await settle();
    expect(app.names()).toEqual([]);
  });
});
