// shutdown.test.ts: how TLS ends: goodbyes, ends of the stream, errors, time limits.

import type { TLSSocket } from 'node:tls';

import { type OSError, TimeoutError } from '../../lib/base/errors';
import { useTls } from '../support/tls';

describe('the end of TLS', () => {
  const tls = useTls();

  test('TLS-049, TLS-050: close may be called again, and the transport goes on answering', async () => {
    const app = tls.noted();
    await tls.connected(app);
    expect(tls.transport.isClosing()).toBe(false);
    tls.transport.close();
    tls.transport.close();
    expect([tls.transport.isClosing(), tls.transport.isReading()]).toEqual([true, true]);
    expect(tls.transport.getExtraInfo('cipher')).not.toBeNull();
    tls.transport.write(Buffer.from('dropped'));
    tls.transport.abort();
    await tls.settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', null]);
  });

  test('TLS-051, TLS-052, TLS-053, TLS-054, TLS-056: close sends what waits and our goodbye, and the connection below is closed after the answer', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.protocol.pauseWriting();
    tls.transport.write(Buffer.from('last words'));
    tls.transport.close();
    expect(tls.protocol._state).toBe('shutdown');
    tls.protocol.resumeWriting();
    tls.toPeer();
    await tls.settle();
    expect(tls.peerHeard).toEqual(['<done>', 'last words', '<end>']);
    expect(tls.lower.calls).toEqual([]);
    tls.peer.end();
    tls.fromPeer();
    await new Promise((resolve) => setImmediate(resolve));
    expect([app.names().at(-1), tls.lower.calls]).toEqual(['eofReceived', []]);
    expect(tls.liveTimers).toBe(0);
    await tls.settle();
    expect(tls.lower.calls).toEqual([['close']]);
    expect(app.events.slice(-2)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-046, TLS-054: what resumeReading set off in the shutdown is done, though reading is paused again by then', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.pauseReading();
    tls.transport.close();
    // Without marks, each step of the shutdown tells the protocol to pause, or to go on.
    tls.transport.setWriteBufferLimits(0);
    const before = app.names();
    tls.transport.resumeReading();
    tls.transport.pauseReading();
    await tls.settle();
    expect([before.at(-1), app.names().slice(before.length)]).toEqual(['pauseWriting', ['resumeWriting']]);
  });

  test('TLS-057: a peer that does not answer our goodbye is left after 30 seconds', async () => {
    const { loop } = tls.subject;
    const lost = loop.createFuture<unknown>();
    const app = tls.noted({ connectionLost: (_transport, error) => lost.setResult(error) });
    await tls.connected(app);
    const start = loop.time();
    tls.transport.close();
    const error = await tls.subject.run(lost);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toBe('SSL shutdown timed out');
    expect(loop.time() - start).toBeCloseTo(30, 1);
    expect(app.names()).toEqual(['connectionMade', 'connectionLost']);
  });

  test('TLS-060, TLS-061: an end without goodbye is a regular end', async () => {
    const app = tls.noted();
    await tls.connected(app);
    expect(tls.protocol.eofReceived()).toBe(false);
    await tls.settle();
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-058, TLS-059: while reading is paused the end keeps the connection below open, without a time limit', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.pauseReading();
    tls.says('not lost');
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(true);
    expect(tls.protocol._state).toBe('flushing');
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade']);
    tls.transport.resumeReading();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
  });

  test('TLS-052: an abort for what is read after the end of the stream is no error', async () => {
    const app = tls.noted({ dataReceived: (given) => given.abort() });
    await tls.connected(app);
    tls.transport.pauseReading();
    tls.says('enough');
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(true);
    tls.transport.resumeReading();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'dataReceived', 'connectionLost']);
    expect(tls.subject.takeContexts()).toEqual([]);
  });

  test('TLS-062: what the application writes on the end still reaches a peer that said goodbye first', async () => {
    const app = tls.noted({ eofReceived: (given) => void given.write(Buffer.from('trailer')) });
    await tls.connected(app);
    tls.peer.end();
    await tls.exchange();
    await tls.settle();
    expect(tls.peerHeard).toEqual(['<done>', 'trailer', '<end>']);
  });

  test('TLS-063, TLS-065, TLS-066: abort ends everything; the application hears one iteration after the TLS protocol', async () => {
    const app = tls.noted();
    await tls.connected(app);
    const engine = tls.transport.getExtraInfo<TLSSocket>('ssl_object');
    tls.transport.abort();
    expect([tls.protocol._state, tls.transport.isClosing()]).toEqual(['unwrapped', true]);
    await tls.subject.runOnce();
    expect([tls.protocol._transport, app.names().at(-1)]).toEqual([null, 'connectionMade']);
    await tls.subject.runOnce();
    expect(app.events.at(-1)).toEqual(['connectionLost', null]);
    expect(engine?.destroyed).toBe(true);
  });

  test('TLS-069, TLS-083: a bad record ends the connection with an SSLError, and the handler hears nothing', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.deliver(Buffer.from('\x17\x03\x03\x00\x20this is no record of anybody....', 'latin1'));
    await tls.settle();
    const [name, error] = app.events.at(-1) as [string, OSError];
    expect([name, error.name]).toEqual(['connectionLost', 'SSLError']);
    expect(tls.lower.calls[0]).toEqual(['forceClose', error]);
  });

  test('TLS-084: what was written goes out before the goodbye also while reading is paused, and what was not read is dropped', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.pauseReading();
    tls.says('unread');
    tls.fromPeer();
    tls.transport.write(Buffer.from('written'));
    tls.transport.close();
    tls.toPeer();
    await tls.settle();
    expect(tls.peerHeard).toEqual(['<done>', 'written', '<end>']);
    tls.peer.end();
    tls.fromPeer();
    await tls.settle();
    expect(tls.lower.calls).toEqual([['close']]);
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-084: a goodbye of the peer that lies unread counts when we close', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.setReadBufferLimits(10, 5);
    tls.transport.pauseReading();
    tls.says('unread');
    tls.peer.end();
    tls.fromPeer();
    expect(tls.lower.calls).toEqual([['pauseReading']]);
    tls.transport.close();
    await tls.settle();
    expect(tls.lower.calls).toEqual([['pauseReading'], ['resumeReading'], ['close']]);
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-058: close after the end of the stream gives up what a paused application did not read', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.pauseReading();
    tls.says('unread');
    tls.fromPeer();
    expect(tls.protocol.eofReceived()).toBe(true);
    tls.transport.write(Buffer.from('too late'));
    tls.transport.close();
    expect(tls.lower.calls).toEqual([]);
    await tls.settle();
    expect(tls.lower.calls).toEqual([['close']]);
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
  });

  test('TLS-054: what the peer sends between our goodbye and its own is dropped', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.close();
    tls.says('late');
    tls.fromPeer();
    await tls.settle();
    expect(tls.lower.calls).toEqual([]);
    await tls.exchange();
    tls.peer.end();
    tls.fromPeer();
    await tls.settle();
    expect(app.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    expect(tls.lower.calls).toEqual([['close']]);
  });

  test('TLS-061: the end of the stream instead of an answer to our goodbye ends the connection', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.close();
    expect(tls.protocol.eofReceived()).toBe(false);
    await tls.settle();
    expect(app.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
    expect(tls.liveTimers).toBe(0);
  });

  test('TLS-057: the time limit of the shutdown holds while the transport below takes nothing, and may be given', async () => {
    const { loop } = tls.subject;
    const lost = loop.createFuture<unknown>();
    await tls.connected(tls.noted({ connectionLost: (_transport, error) => lost.setResult(error) }), {
      sslShutdownTimeout: 3,
    });
    const start = loop.time();
    tls.protocol.pauseWriting();
    tls.transport.write(Buffer.from('never sent'));
    tls.transport.close();
    expect(await tls.subject.run(lost)).toBeInstanceOf(TimeoutError);
    expect(loop.time() - start).toBeCloseTo(3, 1);
    expect(tls.lower.calls).toMatchObject([['forceClose', { message: 'SSL shutdown timed out' }]]);
  });

  test('a stalled peer after the handshake is no matter of TLS: no timer is left', async () => {
    await tls.connected(tls.noted());
    expect(tls.liveTimers).toBe(0);
  });

  test('TLS-056: garbage instead of an answer to our goodbye ends the connection with an SSLError', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.transport.close();
    tls.deliver(Buffer.from('\x17\x03\x03\x00\x20this is no record of anybody....', 'latin1'));
    await tls.settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', expect.objectContaining({ name: 'SSLError' })]);
    expect(tls.liveTimers).toBe(0);
  });

  test('TLS-064: a forced close with an error hands the error down', async () => {
    const boom = new Error('boom');
    const app = tls.noted();
    await tls.connected(app);
    tls.transport._forceClose(boom);
    expect(tls.lower.calls).toEqual([['forceClose', boom]]);
    await tls.settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });
});
