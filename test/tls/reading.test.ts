// reading.test.ts: what the peer sent, on its way to the application.

import { NotingBufferedProtocol } from '../support/protocols';
import { useTls } from '../support/tls';

describe('reading over TLS', () => {
  const tls = useTls();

  test('TLS-021, TLS-022: several records that arrive together are one dataReceived', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.says('one ');
    tls.says('two');
    tls.fromPeer();
    expect(app.received.map(String)).toEqual(['one two']);
  });

  test('TLS-023, TLS-072, TLS-073: a buffered protocol is filled as far as it goes, and again in another handle', async () => {
    await tls.connected(tls.noted());
    const text: string[] = [];
    const app = new NotingBufferedProtocol();
    app.reactions.bufferUpdated = (_transport, count) =>
      text.push(Buffer.from(app.buffer).toString('latin1', 0, count as number));
    tls.transport.setProtocol(app);
    expect(tls.transport.getProtocol()).toBe(app);
    tls.says('sixteen bytes...and a rest');
    tls.fromPeer();
    expect(text).toEqual(['sixteen bytes...']);
    await tls.settle();
    expect(text).toEqual(['sixteen bytes...', 'and a rest']);
  });

  test('TLS-024: getBuffer hears how many encrypted bytes there are', async () => {
    await tls.connected(tls.noted());
    const app = new NotingBufferedProtocol();
    tls.transport.setProtocol(app);
    tls.says('12345');
    const size = tls.peerOutput.reduce((sum, { length }) => sum + length, 0);
    tls.fromPeer();
    expect(app.events[0]).toEqual(['getBuffer', size]);
  });

  test('TLS-027: what the application throws on data is fatal, and reported', async () => {
    const boom = new Error('boom');
    const app = tls.noted({
      dataReceived: () => {
        throw boom;
      },
    });
    await tls.connected(app);
    tls.says('x');
    tls.fromPeer();
    await tls.settle();
    expect(tls.subject.takeContexts()).toMatchObject([
      { message: 'Fatal error on SSL protocol', exception: boom, transport: tls.lower, protocol: tls.protocol },
    ]);
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });

  test('TLS-028, TLS-046, TLS-047: a pause is a flag: nothing is given until another handle after resumeReading', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.pauseReading();
    expect([tls.transport.isReading(), tls.lower.calls]).toEqual([false, []]);
    tls.says('waits');
    tls.fromPeer();
    await tls.settle();
    expect(app.received).toEqual([]);
    tls.transport.resumeReading();
    expect([tls.transport.isReading(), app.received]).toEqual([true, []]);
    await tls.settle();
    expect(app.received.map(String)).toEqual(['waits']);
    tls.transport.close();
    expect(tls.transport.isReading()).toBe(true);
  });

  test('TLS-045: what a paused application leaves lying pauses the transport below at the high mark, and resumes it', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.setReadBufferLimits(1000, 500);
    expect(() => tls.transport.setReadBufferLimits(1, 2)).toThrow('at least');
    tls.transport.pauseReading();
    tls.says('a'.repeat(900));
    tls.fromPeer();
    expect(tls.lower.calls).toEqual([]);
    tls.says('b'.repeat(200));
    tls.fromPeer();
    expect(tls.lower.calls).toEqual([['pauseReading']]);
    expect(tls.transport.getReadBufferSize()).toBeGreaterThanOrEqual(1100);
    tls.transport.resumeReading();
    await tls.settle();
    expect(tls.lower.calls).toEqual([['pauseReading'], ['resumeReading']]);
    expect(Buffer.concat(app.received)).toHaveLength(1100);
  });

  test('TLS-030, TLS-031: the end is told once, and a truthy answer is only worth a warning', async () => {
    const app = tls.noted({ eofReceived: () => true });
    await tls.connected(app);
    tls.peer.end();
    await tls.exchange();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    expect(tls.warnings).toEqual([expect.stringContaining('no effect when using ssl')]);
  });

  test('TLS-032: an exception of eofReceived is fatal', async () => {
    const boom = new Error('boom');
    const app = tls.noted({
      eofReceived: () => {
        throw boom;
      },
    });
    await tls.connected(app);
    tls.peer.end();
    await tls.exchange();
    await tls.settle();
    expect(tls.subject.takeContexts()).toMatchObject([{ message: 'error calling eofReceived()', exception: boom }]);
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });

  test('TLS-026: what the peer asks for while it is read goes out at once', async () => {
    await tls.connected(
      tls.noted(),
      {},
      { peer: { options: { ...tls.certificates.serverSsl, maxVersion: 'TLSv1.2' } } },
    );
    tls.peer.socket.renegotiate({}, () => undefined);
    await tls.settle(1);
    expect(tls.lower.written).toEqual([]);
    tls.fromPeer();
    expect(tls.lower.written).toHaveLength(1);
  });

  test("TLS-029: a renegotiation is the engine's business: what is written meanwhile waits in it and comes in order", async () => {
    const app = tls.noted();
    await tls.connected(app, {}, { peer: { options: { ...tls.certificates.serverSsl, maxVersion: 'TLSv1.2' } } });
    let renewed: unknown = 'not yet';
    tls.peer.socket.renegotiate({}, (error) => (renewed = error));
    tls.transport.write(Buffer.from('before '));
    tls.fromPeer();
    tls.transport.write(Buffer.from('during '));
    tls.says('during');
    await tls.exchange();
    tls.transport.write(Buffer.from('after'));
    await tls.exchange();
    expect(renewed).toBeNull();
    expect(tls.peerHeard.filter((text) => text !== '<done>').join('')).toBe('before during after');
    expect(Buffer.concat(app.received).toString()).toBe('during');
    expect(tls.transport.getWriteBufferSize()).toBe(0);
  });

  test('TLS-029: a server takes three renegotiations from its client, and the fourth ends the connection', async () => {
    const app = tls.noted();
    const options = { ...tls.certificates.clientSsl, maxVersion: 'TLSv1.2' as const };
    await tls.connected(app, { serverSide: true }, { peer: { options } });
    for (let round = 1; round <= 4; round++) {
      expect(app.names()).toEqual(['connectionMade']);
      tls.peer.socket.renegotiate({}, () => undefined);
      await tls.exchange();
    }
    await tls.settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', expect.objectContaining({ code: 'ERR_TLS_SESSION_ATTACK' })]);
  });

  test('TLS-027: a buffered protocol that gives no buffer, or an empty one, ends the connection', async () => {
    for (const wrong of ['text', new Uint8Array(0)]) {
      await tls.connected(tls.noted());
      const app = new NotingBufferedProtocol({ getBuffer: () => wrong });
      tls.transport.setProtocol(app);
      tls.says('x');
      tls.fromPeer();
      await tls.settle();
      const [context] = tls.subject.takeContexts();
      expect(context.message).toBe('Fatal error on SSL protocol');
      expect((context.exception as Error).message).toContain('getBuffer() ');
      expect(app.names()).toEqual(['getBuffer', 'connectionLost']);
    }
  });

  test('TLS-023: a buffered protocol may pause in the middle, and loses nothing', async () => {
    await tls.connected(tls.noted());
    const app = new NotingBufferedProtocol();
    let text = '';
    app.reactions.bufferUpdated = (_transport, count) => {
      text += Buffer.from(app.buffer).toString('latin1', 0, count as number);
      tls.transport.pauseReading();
    };
    tls.transport.setProtocol(app);
    tls.says('0123456789abcdef'.repeat(2));
    tls.fromPeer();
    tls.says('the rest');
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(true);
    for (const length of [16, 32, 40]) {
      await tls.settle();
      expect(text).toHaveLength(length);
      tls.transport.resumeReading();
    }
    await tls.settle();
    expect(text.slice(32)).toBe('the rest');
    expect(app.names().slice(-2)).toEqual(['eofReceived', 'connectionLost']);
  });

  test('TLS-060: a buffered protocol takes all that came before it hears of the end of the stream', async () => {
    await tls.connected(tls.noted());
    const app = new NotingBufferedProtocol();
    tls.transport.setProtocol(app);
    tls.says('more than sixteen bytes');
    tls.transport.pauseReading();
    tls.fromPeer();
    tls.transport.resumeReading();
    expect(tls.protocol.eofReceived()).toBe(true);
    expect(app.events.slice(1)).toEqual([['bufferUpdated', 16]]);
    await tls.settle();
    expect(app.events.filter(([name]) => name !== 'getBuffer')).toEqual([
      ['bufferUpdated', 16],
      ['bufferUpdated', 7],
      ['eofReceived'],
      ['connectionLost', null],
    ]);
  });

  test('TLS-058: a buffered protocol that pauses with a full buffer hears of the end when it resumes, and not before', async () => {
    await tls.connected(tls.noted());
    const app = new NotingBufferedProtocol({ bufferUpdated: () => tls.transport.pauseReading() });
    tls.transport.setProtocol(app);
    tls.says('0123456789abcdef');
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(true);
    await tls.settle();
    expect(app.names()).toEqual(['getBuffer', 'bufferUpdated']);
    tls.transport.resumeReading();
    await tls.settle();
    expect(app.names().slice(-2)).toEqual(['eofReceived', 'connectionLost']);
  });

  test('TLS-083: what came before a bad record is given to the application first', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.says('good');
    tls.peerOutput.push(Buffer.from('\x17\x03\x03\x00\x20this is no record of anybody....', 'latin1'));
    tls.fromPeer();
    await tls.settle();
    expect(app.received.map(String)).toEqual(['good']);
    expect(app.names()).toEqual(['connectionMade', 'dataReceived', 'connectionLost']);
  });

  test('data that comes together with the last step of the handshake waits if connectionMade pauses reading', async () => {
    const app = tls.noted({ connectionMade: (given) => given.pauseReading() });
    await tls.begin(app, { serverSide: true });
    tls.fromPeer();
    tls.toPeer();
    tls.says('early bird');
    tls.fromPeer();
    await tls.settle();
    expect([app.names(), tls.transport.getReadBufferSize()]).toEqual([['connectionMade'], 10]);
    tls.transport.resumeReading();
    await tls.settle();
    expect(app.received.map(String)).toEqual(['early bird']);
  });
});
