// handshake.test.ts: how TLS begins: in time, too late, or not at all; and who is told.

import { CancelledError, OSError } from '../../lib/base/errors';
import { SSLProtocol } from '../../lib/tls/ssl-protocol';
import { NotingTransport, useTls } from '../support/tls';

describe('the handshake of TLS', () => {
  const tls = useTls();

  test('TLS-003, TLS-006, TLS-007, TLS-009: the handshake begins with connectionMade; states only move forward', async () => {
    await tls.begin(tls.noted());
    expect(tls.protocol._state).toBe('handshake');
    expect(tls.protocol.getBuffer()).toHaveLength(262144);
    expect(tls.lower.written.length).toBeGreaterThan(0);
    expect(Buffer.concat(tls.lower.written).includes('localhost')).toBe(true);
    expect(() => tls.protocol.connectionMade(tls.lower)).toThrow('cannot switch state from handshake to handshake');
    tls.transport.abort();
    expect(tls.protocol._state).toBe('unwrapped');
    await tls.settle();
  });

  test('TLS-004: a timeout must be positive', async () => {
    for (const seconds of [0, -1]) {
      await expect(tls.begin(tls.noted(), { sslHandshakeTimeout: seconds })).rejects.toMatchObject({
        name: 'ValueError',
      });
      await expect(tls.begin(tls.noted(), { sslShutdownTimeout: seconds })).rejects.toMatchObject({
        name: 'ValueError',
      });
    }
  });

  test('TLS-012, TLS-017, TLS-018, TLS-019: connectionMade comes with the last step of the handshake, with all that is known', async () => {
    let seen: unknown[] = [];
    const app = tls.noted({
      connectionMade: (given) => {
        seen = [given === (tls.transport as unknown), tls.waiter.done(), given.getExtraInfo('cipher') !== null];
      },
    });
    await tls.begin(app);
    expect(tls.transport.getExtraInfo('sslcontext')).not.toBeNull();
    expect(tls.transport.getExtraInfo('cipher', 'not yet')).toBe('not yet');
    await tls.exchange();
    expect(seen).toEqual([true, false, true]);
    expect(tls.transport.getExtraInfo<{ subject: object }>('peercert')?.subject).toMatchObject({ CN: 'localhost' });
    expect([tls.transport.getExtraInfo('ssl_object') !== null, tls.transport.getExtraInfo('compression')]).toEqual([
      true,
      null,
    ]);
    expect(tls.transport.getExtraInfo('peername')).toBe('below');
    tls.transport.abort();
    await tls.settle();
    expect([tls.transport.getExtraInfo('peername'), tls.transport.getExtraInfo('cipher') === null]).toEqual([
      null,
      false,
    ]);
  });

  test('TLS-011: a handshake that takes too long is given up, with ConnectionAbortedError', async () => {
    const app = tls.noted();
    await tls.begin(app);
    const start = tls.subject.loop.time();
    await expect(tls.subject.run(tls.waiter)).rejects.toMatchObject({
      name: 'ConnectionAbortedError',
      message: expect.stringContaining('60 seconds'),
    });
    expect(tls.subject.loop.time() - start).toBeCloseTo(60, 1);
    await tls.settle();
    expect(app.names()).toEqual([]);
  });

  test('TLS-016: the end of the stream in the handshake is ConnectionResetError', async () => {
    await tls.begin(tls.noted());
    expect(tls.protocol.eofReceived()).toBe(false);
    expect(tls.waiter.exception()).toMatchObject({ name: 'ConnectionResetError' });
    await tls.settle();
  });

  test('TLS-067: a connection that is lost in the handshake, without an error, is still no success', async () => {
    await tls.begin(tls.noted());
    tls.lower.close();
    await tls.settle();
    expect(tls.waiter.exception()).toMatchObject({ name: 'ConnectionAbortedError' });
  });

  test('TLS-068: a waiter that was cancelled is left alone', async () => {
    await tls.begin(tls.noted());
    tls.waiter.cancel();
    tls.lower.close();
    await tls.settle();
    expect(tls.waiter.cancelled()).toBe(true);
    expect(() => tls.waiter.result()).toThrow(CancelledError);
  });

  test('TLS-070: close during the handshake aborts', async () => {
    const app = tls.noted();
    await tls.begin(app);
    tls.transport.close();
    expect(tls.lower.calls).toEqual([['forceClose', null]]);
    await tls.settle();
    expect(app.names()).toEqual([]);
  });

  test('TLS-010: each step of the handshake sends what the engine wants sent, and asks for more', async () => {
    await tls.begin(tls.noted());
    const flights: number[] = [tls.lower.written.length];
    tls.toPeer();
    const answer = Buffer.concat(tls.peerOutput.splice(0));
    // Byte by byte: every step but the last wants more.
    for (const byte of answer) {
      tls.deliver(Buffer.of(byte));
      flights.push(tls.lower.written.length);
      if (flights.at(-1) === 0) expect(tls.waiter.done()).toBe(false);
    }
    expect(flights[0]).toBe(1);
    expect(flights.at(-1)).toBeGreaterThan(0);
    expect([tls.waiter.done(), tls.protocol._state]).toEqual([true, 'wrapped']);
  });

  test('TLS-013, TLS-014, TLS-015: a handshake that fails tells the waiter alone: no handler, no application', async () => {
    const app = tls.noted();
    await tls.begin(app);
    tls.lower.written.length = 0;
    tls.deliver(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'));
    await tls.settle();
    expect(tls.protocol._state).toBe('unwrapped');
    const error = tls.waiter.exception();
    expect(error).toMatchObject({ name: 'SSLError', code: expect.stringMatching(/^ERR_SSL_/) });
    expect(error).toBeInstanceOf(OSError);
    expect(tls.lower.calls).toEqual([['forceClose', error]]);
    expect([app.names(), tls.logs]).toEqual([[], []]);
  });

  test('TLS-015, TLS-020: debug mode logs the beginning of the handshake, how long it took, and how it failed', async () => {
    tls.subject.loop.setDebug(true);
    await tls.connected(tls.noted());
    const texts = (): string[] => tls.logs.filter(({ level }) => level === 'debug').map(({ message }) => message);
    expect(texts().some((text) => text.endsWith('starts the TLS handshake'))).toBe(true);
    expect(texts().some((text) => /the TLS handshake took [\d.]+ ms$/.test(text))).toBe(true);
    tls.transport.abort();
    await tls.begin(tls.noted());
    tls.deliver(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'));
    await tls.settle();
    expect(texts().some((text) => text.endsWith(': TLS handshake failed'))).toBe(true);
  });

  test('TLS-013, TLS-085: a certificate that is refused: the peer is not told, and gets no end of the handshake', async () => {
    const app = tls.noted();
    await tls.begin(app, { serverHostname: 'somebody.else' });
    await tls.exchange();
    await tls.settle();
    const error = tls.waiter.exception();
    expect(error).toMatchObject({ name: 'SSLCertVerificationError', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(tls.lower.calls).toEqual([['forceClose', error]]);
    expect([app.names(), tls.peerHeard]).toEqual([[], []]);
  });

  test.each([
    ['before its first message', 0],
    ['in the middle of it', 40],
    ['one byte before the end', -1],
  ])('TLS-011: a server that stalls %s is given up after the time limit', async (_when, limit) => {
    const app = tls.noted();
    await tls.begin(app, { sslHandshakeTimeout: 7 });
    const start = tls.subject.loop.time();
    tls.toPeer();
    tls.fromPeer(limit < 0 ? tls.peerOutput.reduce((sum, { length }) => sum + length, limit) : limit);
    await expect(tls.subject.run(tls.waiter)).rejects.toMatchObject({ name: 'ConnectionAbortedError' });
    expect(tls.subject.loop.time() - start).toBeCloseTo(7, 1);
    expect(tls.lower.calls).toEqual([['forceClose', tls.waiter.exception()]]);
    await tls.settle();
    expect(app.names()).toEqual([]);
  });

  test.each([
    ['before its first message', 0],
    ['after the first of its messages', Infinity],
  ])('TLS-011: a client that stalls %s is given up after the time limit', async (_when, limit) => {
    const app = tls.noted();
    await tls.begin(app, { serverSide: true, sslHandshakeTimeout: 7 });
    tls.fromPeer(limit);
    expect(tls.lower.written.length > 0).toBe(limit > 0);
    await expect(tls.subject.run(tls.waiter)).rejects.toMatchObject({ name: 'ConnectionAbortedError' });
    await tls.settle();
    expect(app.names()).toEqual([]);
  });

  test('TLS-016: the end of the stream in the middle of the handshake is ConnectionResetError, for a server too', async () => {
    await tls.begin(tls.noted(), { serverSide: true });
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(false);
    expect(tls.waiter.exception()).toMatchObject({ name: 'ConnectionResetError', code: 'ECONNRESET' });
    await tls.settle();
    expect(tls.lower.calls).toEqual([['forceClose', tls.waiter.exception()]]);
  });

  test('TLS-013: plain text that comes to a server fails its handshake', async () => {
    const app = tls.noted();
    await tls.begin(app, { serverSide: true });
    tls.deliver(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    await tls.settle();
    expect(tls.waiter.exception()).toMatchObject({ name: 'SSLError', code: 'ERR_SSL_HTTP_REQUEST' });
    expect(app.names()).toEqual([]);
  });

  test('TLS-008: what the application is told follows its own states: made, perhaps the end, lost; each once', async () => {
    const app = tls.noted();
    await tls.begin(app);
    expect(app.names()).toEqual([]);
    await tls.exchange();
    expect(app.names()).toEqual(['connectionMade']);
    tls.peer.end();
    await tls.exchange();
    tls.protocol.eofReceived();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    tls.protocol.connectionLost(null);
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
  });

  test('TLS-018: what connectionMade throws goes to the transport below, and the waiter waits for the end of it', async () => {
    const boom = new Error('boom');
    const app = tls.noted({
      connectionMade: () => {
        throw boom;
      },
    });
    await tls.begin(app);
    tls.toPeer();
    expect(() => tls.fromPeer()).toThrow(boom);
    expect(tls.waiter.done()).toBe(false);
    tls.lower._forceClose(boom);
    await tls.settle();
    expect(tls.waiter.exception()).toBe(boom);
    expect(app.events).toEqual([['connectionMade'], ['connectionLost', boom]]);
  });

  test('abort in the handshake, and in connectionMade, leaves no timer and tells no more than is due', async () => {
    const early = tls.noted();
    await tls.begin(early);
    tls.transport.abort();
    await tls.settle();
    expect(tls.waiter.exception()).toMatchObject({ name: 'ConnectionAbortedError' });
    expect(early.names()).toEqual([]);
    const late = tls.noted({ connectionMade: (given) => given.abort() });
    await tls.begin(late);
    tls.transport.write(Buffer.from('never sent'));
    await tls.exchange();
    await tls.settle();
    expect(late.events).toEqual([['connectionMade'], ['connectionLost', null]]);
    expect(tls.liveTimers).toBe(0);
  });

  test('TLS-070: close in connectionMade sends what was written, and the goodbye', async () => {
    const app = tls.noted({
      connectionMade: (given) => {
        given.write(Buffer.from('hello and '));
        given.write(Buffer.from('goodbye'));
        given.close();
      },
    });
    await tls.begin(app);
    await tls.exchange();
    expect(tls.peerHeard.join('')).toBe('<done>hello and goodbye<end>');
    tls.peer.end();
    await tls.exchange();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
  });

  test('TLS-071: a connection that is closed before the handshake begins does not begin it', async () => {
    await tls.begin(tls.noted());
    const { loop } = tls.subject;
    const lower = new NotingTransport({}, loop);
    const settings = { options: tls.certificates.clientSsl, serverSide: false, serverHostname: 'localhost' };
    const app = tls.noted();
    await tls.inLoop(() => {
      const protocol = new SSLProtocol(loop, app, settings, null);
      lower._protocol = protocol;
      protocol._appTransport.close();
      protocol.connectionMade(lower);
    });
    expect([lower.calls, lower.written]).toEqual([[['forceClose', null]], []]);
    await tls.settle();
    expect(app.names()).toEqual([]);
  });
});
