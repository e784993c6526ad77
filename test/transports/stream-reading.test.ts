// stream-reading.test.ts: what a stream transport reads, and how it tells its protocol.

import { BlockingIOError, KeyboardInterrupt } from '../../lib/base/errors';
import { Future } from '../../lib/futures/future';
import { setLogReceiver } from '../../lib/base/log';
import { AF_INET, IPPROTO_TCP, SHUT_WR, SOCK_STREAM, socketConstants, TCP_NODELAY } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { again, interrupted, systemError } from '../support/errors';
import { useLoop } from '../support/loops';
import { NotingBufferedProtocol, NotingProtocol } from '../support/protocols';
import { wire } from '../support/transports';
import { testNotOnWine } from '../support/systems';

const reset = (): Error => systemError('ECONNRESET', 'reset');

describe('construction', () => {
  const subject = useLoop('sync');

  test('TCP-001, TCP-002: connectionMade, then the reader, then the waiter; data never comes first', async () => {
    const { loop } = subject.current;
    const protocol = new NotingProtocol();
    const waiter = new Future<void>(loop);
    waiter.addDoneCallback(() => protocol.events.push(['waiter']));
    const [near, far] = socketpair();
    far.send(Buffer.from('early'));
    const transport = loop._makeSocketTransport(near, protocol, waiter);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(protocol.events).toEqual([['connectionMade'], ['waiter'], ['dataReceived', 5]]);
    transport.abort();
    far.close();
    await subject.current.runOnce();
  });

  test('TCP-003: a task that awaits the waiter goes on one iteration after connectionMade', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const protocol = new NotingProtocol({
      connectionMade: () => {
        seen.push('connectionMade');
        loop.callSoon(() => seen.push('next iteration'));
      },
    });
    const [near, far] = socketpair();
    const connecting = loop.createTask(function* () {
      const [transport] = yield* loop.createConnection(() => protocol, null, null, { sock: near });
      seen.push('connected');
      transport.close();
    });
    await subject.current.run(connecting);
    await subject.current.runOnce();
    far.close();
    expect(seen).toEqual(['connectionMade', 'next iteration', 'connected']);
  });

  test('TCP-004: a connection closed in connectionMade is lost before the awaiting code has it', async () => {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    const protocol = new NotingProtocol({ connectionMade: (transport) => transport.close() });
    const closing = await subject.current.run(function* () {
      const [transport] = yield* loop.createConnection(() => protocol, null, null, { sock: near });
      protocol.events.push(['connected']);
      return transport.isClosing();
    });
    far.close();
    expect(protocol.names()).toEqual(['connectionMade', 'connectionLost', 'connected']);
    expect(closing).toBe(true);
  });

  test('TCP-005: an exception in connectionMade is reported; the transport reads all the same', async () => {
    const protocol = new NotingProtocol({
      connectionMade: () => {
        throw new Error('boom');
      },
    });
    const { peer } = await wire(subject.current, protocol);
    expect(subject.current.takeContexts()).toHaveLength(1);
    peer.send(Buffer.from('data'));
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'dataReceived']);
  });

  test('TCP-006: TCP_NODELAY is set for TCP sockets that say so, and for no others', async () => {
    const { loop } = subject.current;
    const options: boolean[] = [];
    for (const proto of [IPPROTO_TCP, 0]) {
      const sock = new Socket(AF_INET, SOCK_STREAM, proto);
      const transport = loop._makeSocketTransport(sock, new NotingProtocol());
      options.push(sock.getsockopt(IPPROTO_TCP, TCP_NODELAY) !== 0);
      transport.abort();
      await subject.current.runOnce();
    }
    expect(options).toEqual([true, false]);
  });
});

describe('data', () => {
  const subject = useLoop('sync');

  test('TCP-010, TR-035: one read of up to 256 KiB for each readiness', async () => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    peer.send(Buffer.from('hello'));
    await subject.current.runOnce();
    expect(sock.calls).toEqual(['recv 262144']);
    expect(protocol.received.map(String)).toEqual(['hello']);
  });

  test('a chunk is the protocol’s own: later reads do not change it', async () => {
    const { protocol, peer } = await wire(subject.current, new NotingProtocol(), { plain: true });
    for (const text of ['first', 'second', 'third']) {
      peer.send(Buffer.from(text));
      await subject.current.runOnce();
    }
    expect(protocol.received.map(String)).toEqual(['first', 'second', 'third']);
  });

  test('TCP-009: nothing is read once the connection is given up', async () => {
    const { transport, protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    peer.send(Buffer.from('late'));
    transport.abort();
    transport._readReady();
    await subject.current.runOnce();
    expect(sock.calls).toEqual([]);
    expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
  });

  test.each([again(), interrupted()])('TCP-014: %p on reading is ignored until the next readiness', async (error) => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    sock.script.recv.push(error);
    peer.send(Buffer.from('data'));
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade']);
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'dataReceived']);
  });

  test('TCP-015: the fatal pair of the protocol ends the run', async () => {
    const protocol = new NotingProtocol({
      dataReceived: () => {
        throw new KeyboardInterrupt();
      },
    });
    const { peer } = await wire(subject.current, protocol);
    peer.send(Buffer.from('x'));
    await expect(subject.current.runOnce()).rejects.toBeInstanceOf(KeyboardInterrupt);
  });

  test('TCP-016, TCP-030, TR-025: an error of the system ends the connection quietly, without eofReceived', async () => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingProtocol());
    const error = reset();
    sock.script.recv.push(error);
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(protocol.events).toEqual([['connectionMade'], ['connectionLost', error]]);
    expect(subject.current.takeContexts()).toEqual([]);
  });

  testNotOnWine('TCP-016: a real reset arrives as ConnectionResetError', async () => {
    const { loop } = subject.current;
    const protocol = new NotingProtocol();
    const listener = new Socket();
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    const client = new Socket();
    expect(() => client.connect(listener.getsockname() as [string, number])).toThrow(BlockingIOError);
    const accepted = await subject.current.run(function* () {
      const [transport] = yield* loop.createConnection(() => protocol, null, null, { sock: listener.accept()[0] });
      return transport;
    });
    const linger = new Int32Array([1, 0]);
    client.setsockopt(socketConstants.SOL_SOCKET, socketConstants.SO_LINGER, new Uint8Array(linger.buffer));
    client.close();
    await subject.current.run(function* () {
      while (!accepted.isClosing()) yield;
      yield;
    });
    expect(protocol.events[1]).toEqual(['connectionLost', expect.objectContaining({ name: 'ConnectionResetError' })]);
    listener.close();
  });

  test('TCP-022, TCP-026, TCP-029, TCP-023: an exception in dataReceived is reported and ends the connection', async () => {
    const error = new Error('boom');
    const protocol = new NotingProtocol({
      dataReceived: () => {
        throw error;
      },
    });
    const { transport, peer } = await wire(subject.current, protocol);
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    peer.send(Buffer.from('more'));
    await subject.current.runOnce();
    const [context] = subject.current.takeContexts();
    expect(Object.keys(context).sort()).toEqual(['exception', 'message', 'protocol', 'transport']);
    expect(context).toMatchObject({ exception: error, protocol, transport });
    expect(context.message).toContain('dataReceived');
    expect(protocol.events).toEqual([['connectionMade'], ['dataReceived', 1], ['connectionLost', error]]);
  });
});

describe('end of data', () => {
  const subject = useLoop('sync');

  test('TCP-017, TCP-019: the end closes the transport, after what is buffered is sent', async () => {
    const { transport, protocol, sock, peer, arrived } = await wire(subject.current, new NotingProtocol());
    sock.script.send.push(again());
    transport.write(Buffer.from('buffered'));
    peer.shutdown(SHUT_WR);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(arrived().toString()).toBe('buffered');
    expect(protocol.events).toEqual([['connectionMade'], ['eofReceived'], ['connectionLost', null]]);
  });

  test('TCP-020, TR-011: a true answer keeps it open for writing, and it still counts as reading', async () => {
    const { transport, protocol, peer, arrived } = await wire(
      subject.current,
      new NotingProtocol({ eofReceived: () => true }),
    );
    peer.shutdown(SHUT_WR);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'eofReceived']);
    expect([transport.isClosing(), transport.isReading()]).toEqual([false, true]);
    transport.write(Buffer.from('still'));
    expect(arrived().toString()).toBe('still');
    transport.close();
    peer.close();
    await subject.current.runOnce();
  });

  test('TCP-021, TCP-027: an exception in eofReceived ends the connection with it', async () => {
    const error = new Error('boom');
    const protocol = new NotingProtocol({
      eofReceived: () => {
        throw error;
      },
    });
    const { peer } = await wire(subject.current, protocol);
    peer.close();
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0]).toMatchObject({ exception: error });
    expect(protocol.events[2]).toEqual(['connectionLost', error]);
  });

  test('TCP-034: after a kept-open end, pausing and resuming brings eofReceived once more', async () => {
    const { transport, protocol, peer } = await wire(subject.current, new NotingProtocol({ eofReceived: () => true }));
    peer.shutdown(SHUT_WR);
    await subject.current.runOnce();
    transport.pauseReading();
    transport.resumeReading();
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'eofReceived', 'eofReceived']);
    transport.close();
    peer.close();
    await subject.current.runOnce();
  });

  test('TCP-018: in debug mode the end is logged', async () => {
    const { loop } = subject.current;
    const messages: string[] = [];
    const { peer } = await wire(subject.current, new NotingProtocol());
    loop.setDebug(true);
    setLogReceiver((record) => messages.push(`${record.level} ${record.message}`));
    peer.close();
    await subject.current.runOnce();
    loop.setDebug(false);
    setLogReceiver(null);
    await subject.current.runOnce();
    expect(messages.some((message) => message.startsWith('debug') && message.includes('EOF'))).toBe(true);
  });
});

describe('buffered protocols', () => {
  const subject = useLoop('sync');

  test('TCP-011: getBuffer(-1), one read into it, bufferUpdated', async () => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingBufferedProtocol());
    peer.send(Buffer.alloc(20, 'a'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(sock.calls).toEqual(['recvInto 16', 'recvInto 16']);
    expect(protocol.events.slice(1)).toEqual([
      ['getBuffer', -1],
      ['bufferUpdated', 16],
      ['getBuffer', -1],
      ['bufferUpdated', 4],
    ]);
    expect(Buffer.from(protocol.buffer).toString()).toBe('a'.repeat(16));
  });

  test.each([
    ['an empty buffer', () => new Uint8Array(0), 'ERR_EMPTY_BUFFER'],
    ['a buffer that is none', () => 'text', 'ERR_INVALID_ARG_TYPE'],
  ])('TCP-012, TCP-024: %s from getBuffer is fatal', async (_what, getBuffer, code) => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingBufferedProtocol({ getBuffer }));
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    const [context] = subject.current.takeContexts();
    expect(context).toMatchObject({ exception: { code }, message: expect.stringContaining('getBuffer') });
    expect(sock.calls).toEqual([]);
    expect(protocol.names()).toEqual(['connectionMade', 'getBuffer', 'connectionLost']);
  });

  test('TCP-024: an exception in getBuffer is fatal', async () => {
    const error = new Error('no memory');
    const getBuffer = (): never => {
      throw error;
    };
    const { protocol, peer } = await wire(subject.current, new NotingBufferedProtocol({ getBuffer }));
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0]).toMatchObject({ exception: error });
    expect(protocol.events.at(-1)).toEqual(['connectionLost', error]);
  });

  test('TCP-013: getBuffer is asked before the read, which may bring nothing', async () => {
    const { protocol, sock, peer } = await wire(subject.current, new NotingBufferedProtocol());
    sock.script.recv.push(again());
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'getBuffer']);
  });

  test('TCP-025: an exception in bufferUpdated is fatal', async () => {
    const error = new Error('boom');
    const bufferUpdated = (): never => {
      throw error;
    };
    const { protocol, peer } = await wire(subject.current, new NotingBufferedProtocol({ bufferUpdated }));
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0]).toMatchObject({
      exception: error,
      message: expect.stringContaining('bufferUpdated'),
    });
    expect(protocol.events.at(-1)).toEqual(['connectionLost', error]);
  });

  test('TCP-007: methods alone do not make a buffered protocol', async () => {
    const protocol = Object.assign(new NotingProtocol(), {
      getBuffer: () => {
        throw new Error('must not be asked');
      },
    });
    const { peer } = await wire(subject.current, protocol);
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    expect(protocol.names()).toEqual(['connectionMade', 'dataReceived']);
  });

  test('TCP-008, TCP-031, TR-009: setProtocol changes the mode in the middle of a connection', async () => {
    const plain = new NotingProtocol();
    const buffered = new NotingBufferedProtocol();
    const { transport, peer } = await wire(subject.current, plain);
    expect(transport.getProtocol()).toBe(plain);
    transport.setProtocol(buffered);
    peer.send(Buffer.from('one'));
    await subject.current.runOnce();
    transport.setProtocol(plain);
    peer.send(Buffer.from('three'));
    await subject.current.runOnce();
    expect(buffered.names()).toEqual(['getBuffer', 'bufferUpdated']);
    expect(plain.events).toEqual([['connectionMade'], ['dataReceived', 5]]);
    transport.abort();
    await subject.current.runOnce();
    expect(transport.getProtocol()).toBeNull();
  });

  test('a buffer that is detached or shrunk meanwhile costs the connection, not the process', async () => {
    const memory = new ArrayBuffer(64);
    const buffer = new Uint8Array(memory);
    const { protocol, peer } = await wire(subject.current, new NotingBufferedProtocol({ getBuffer: () => buffer }), {
      plain: true,
    });
    structuredClone(memory, { transfer: [memory] });
    peer.send(Buffer.from('x'));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0].exception).toMatchObject({ code: 'ERR_EMPTY_BUFFER' });
    expect(protocol.names().at(-1)).toBe('connectionLost');
  });
});
