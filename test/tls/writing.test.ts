// writing.test.ts: what the application writes, on its way to the transport below.

import { useTls } from '../support/tls';

describe('writing over TLS', () => {
  const tls = useTls();

  test('TLS-033, TLS-048: bytes only, and no end of writing', async () => {
    await tls.connected(tls.noted());
    for (const wrong of ['text', null, 5]) expect(() => tls.transport.write(wrong as never)).toThrow(TypeError);
    expect(() => tls.transport.writelines(['text'] as never)).toThrow(TypeError);
    tls.transport.write(Buffer.alloc(0));
    tls.transport.writelines([]);
    expect(tls.lower.written).toEqual([]);
    expect(() => tls.transport.writeEof()).toThrow(expect.objectContaining({ name: 'NotImplementedError' }));
    expect(tls.transport.canWriteEof()).toBe(false);
  });

  test('TLS-035, TLS-037, TLS-042: what is written before the handshake is done waits, and goes out in order', async () => {
    await tls.begin(tls.noted());
    tls.transport.write(Buffer.from('early '));
    tls.transport.writelines([Buffer.from('bird'), Buffer.from(' and')]);
    expect(tls.transport.getWriteBufferSize()).toBe(14);
    await tls.exchange();
    tls.transport.write(Buffer.from(' worm'));
    await tls.exchange();
    expect(tls.peerHeard.join('')).toBe('<done>early bird and worm');
    expect(tls.transport.getWriteBufferSize()).toBe(0);
  });

  test('TLS-036: writes after close are dropped, and the sixth is the first that warns', async () => {
    await tls.connected(tls.noted());
    tls.transport.close();
    for (let count = 0; count < 5; count++) tls.transport.write(Buffer.from('x'));
    expect(tls.warnings).toEqual([]);
    tls.transport.write(Buffer.from('x'));
    expect(tls.warnings).toEqual(['SSL connection is closed']);
    await tls.exchange();
    expect(tls.peerHeard).toEqual(['<done>', '<end>']);
  });

  test('TLS-039, TLS-041, TLS-043, TLS-080: while writing below is paused the output waits; reaching the marks pauses and resumes', async () => {
    const app = tls.noted();
    await tls.connected(app);
    tls.protocol.pauseWriting();
    expect(() => tls.protocol.pauseWriting()).toThrow('paused already');
    tls.transport.write(Buffer.alloc(1000));
    expect(tls.lower.written).toEqual([]);
    const size = tls.transport.getWriteBufferSize();
    tls.transport.setWriteBufferLimits(size + 1, 0);
    expect(app.names()).not.toContain('pauseWriting');
    tls.transport.setWriteBufferLimits(size, 0);
    expect(app.names().at(-1)).toBe('pauseWriting');
    tls.transport.setWriteBufferLimits(2 * size, size);
    expect(app.names().at(-1)).toBe('resumeWriting');
    tls.transport.setWriteBufferLimits(size, 0);
    tls.protocol.resumeWriting();
    expect(app.names().slice(-2)).toEqual(['pauseWriting', 'resumeWriting']);
    expect(() => tls.protocol.resumeWriting()).toThrow('not paused');
    expect(() => tls.transport.setWriteBufferLimits(1, 2)).toThrow('at least');
    await tls.exchange();
    expect(tls.peerHeard.join('')).toHaveLength(1000 + '<done>'.length);
  });

  test('TLS-044: a failing pauseWriting is reported with the TLS transport and the TLS protocol', async () => {
    const boom = new Error('boom');
    const app = tls.noted({
      pauseWriting: () => {
        throw boom;
      },
    });
    await tls.connected(app);
    tls.protocol.pauseWriting();
    tls.transport.setWriteBufferLimits(1, 0);
    tls.transport.write(Buffer.from('x'));
    expect(tls.subject.takeContexts()).toMatchObject([
      { message: 'protocol.pauseWriting() failed', exception: boom, transport: tls.transport, protocol: tls.protocol },
    ]);
  });

  test('TLS-034: writelines checks its chunks at once, and writes none of them if one is wrong', async () => {
    await tls.connected(tls.noted());
    expect(() => tls.transport.writelines([Buffer.from('good'), 'bad' as never])).toThrow(TypeError);
    expect([tls.lower.written, tls.transport.getWriteBufferSize()]).toEqual([[], 0]);
    tls.transport.writelines(new Set([Buffer.from('any '), Buffer.alloc(0), Buffer.from('iterable')]));
    await tls.exchange();
    expect(tls.peerHeard.join('')).toBe('<done>any iterable');
  });

  test('TLS-038: an exception while writing is fatal, and reported', async () => {
    const boom = new Error('boom');
    const app = tls.noted();
    await tls.connected(app);
    tls.lower.failure = boom;
    expect(() => tls.transport.write(Buffer.from('x'))).not.toThrow();
    expect(tls.subject.takeContexts()).toMatchObject([
      { message: 'Fatal error on SSL protocol', exception: boom, transport: tls.lower, protocol: tls.protocol },
    ]);
    await tls.settle();
    expect(app.events.at(-1)).toEqual(['connectionLost', boom]);
  });

  test('much data goes down in few pieces, and byte for byte', async () => {
    await tls.connected(tls.noted());
    const sent = Buffer.alloc(1 << 20, 'abcdefghijklmnopqrstuvw');
    tls.transport.write(sent);
    expect(tls.lower.written).toHaveLength(1);
    await tls.exchange();
    expect(tls.peerHeard.slice(1).join('')).toBe(sent.toString());
  });

  test('the memory of a large record is given back when it is sent, and kept while it waits below', async () => {
    await tls.connected(tls.noted());
    const given: Uint8Array[] = [];
    let waiting = 0;
    tls.lower.write = (data) => void given.push(data);
    tls.lower._writeTogether = (chunks) => void given.push(...chunks);
    tls.lower.getWriteBufferSize = () => waiting;
    const size = (): number => given.splice(0).reduce((sum, chunk) => sum + chunk.length, 0);
    tls.transport.write(Buffer.alloc(64));
    expect(size()).toBeGreaterThan(64);
    tls.transport.write(Buffer.alloc(16384));
    // Small pieces are left to the collector.
    expect(size()).toBeLessThan(4096);
    waiting = 1;
    tls.transport.write(Buffer.alloc(16384));
    expect(size()).toBeGreaterThan(16384);
    waiting = 0;
    tls.transport.write(Buffer.alloc(65536));
    expect(size()).toBeLessThan(4096);
  });

  test('writing after the connection is lost is dropped, and the engine is left alone', async () => {
    await tls.connected(tls.noted());
    tls.transport.abort();
    await tls.settle();
    for (let count = 0; count < 5; count++) tls.transport.write(Buffer.from('x'));
    expect(tls.warnings).toEqual(['SSL connection is closed']);
    expect(tls.transport.getWriteBufferSize()).toBe(0);
  });
});
