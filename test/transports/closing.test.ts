// closing.test.ts: the states of a stream transport, from its making to the close of its socket.

import { inspect } from 'node:util';

import { OSError } from '../../lib/base/errors';
import { EVENT_READ } from '../../lib/base/constants';
import { setLogReceiver } from '../../lib/base/log';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, IPPROTO_TCP, SOCK_DGRAM, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { BaseProtocol, BufferedProtocol, Protocol } from '../../lib/transports/protocol';
import { BaseTransport, ReadTransport, Transport } from '../../lib/transports/transport';
import { TransportSocket } from '../../lib/transports/transport-socket';
import { again } from '../support/errors';
import { useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { wire, type Wired } from '../support/transports';

describe('a stream transport', () => {
  const subject = useLoop('sync');
  let wired: Wired<NotingProtocol>;

  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const reads = (): boolean => subject.current.loop._isWatched(wired.transport._sockFd, EVENT_READ);

  beforeEach(async () => {
    wired = await wire(subject.current, new NotingProtocol());
  });

  test.each([undefined, null, 'text', {}, { connectionMade: true }])(
    'TCP-001: %p is no protocol: a TypeError, and the socket stays free',
    (protocol) => {
      const { loop } = subject.current;
      const [sock, peer] = socketpair();
      expect(() => loop._makeSocketTransport(sock, protocol as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
      );
      expect([loop._transports.has(sock.fileno()), loop._ready.length]).toEqual([false, 0]);
      sock.close();
      peer.close();
    },
  );

  describe('extra info', () => {
    test('TR-003, TR-004, TR-005, TR-006: has the restricted socket and the names; a look-up may bring a fallback', () => {
      const { transport, peer } = wired;
      expect(transport.getExtraInfo('socket')).toBeInstanceOf(TransportSocket);
      expect(transport.getExtraInfo('sockname')).toEqual(peer.getpeername());
      expect(transport.getExtraInfo('peername')).toEqual(peer.getsockname());
      expect(transport.getExtraInfo('nothing')).toBeNull();
      expect(transport.getExtraInfo('nothing', 'fallback')).toBe('fallback');
      expect(transport.getExtraInfo('toString')).toBeNull();
    });

    test('TR-004, TR-005: names that cannot be had are null; one that was given is kept', async () => {
      const { loop } = subject.current;
      const [near, far] = socketpair();
      const failing = (): never => {
        throw new OSError('none', { code: 'ENOTCONN', errno: -107 });
      };
      near.getsockname = failing;
      near.getpeername = failing;
      const nameless = loop._makeSocketTransport(near, new Protocol());
      expect([nameless.getExtraInfo('sockname'), nameless.getExtraInfo('peername')]).toEqual([null, null]);
      const named = loop._makeSocketTransport(far, new Protocol(), null, { peername: 'given' });
      expect(named.getExtraInfo('peername')).toBe('given');
      nameless.abort();
      named.abort();
      await iterate();
    });

    test('TR-007: the restricted socket shows and sets options, and can neither read, send nor close', () => {
      const socket = wired.transport.getExtraInfo<TransportSocket>('socket') as TransportSocket;
      expect([socket.fileno(), socket.type]).toEqual([wired.transport._sockFd, SOCK_STREAM]);
      expect(socket.gettimeout()).toBe(0);
      socket.settimeout(0);
      socket.setblocking(false);
      expect(() => socket.settimeout(1)).toThrow(expect.objectContaining({ name: 'ValueError' }));
      expect(() => socket.setblocking(true)).toThrow(expect.objectContaining({ name: 'ValueError' }));
      expect(socket.getInheritable()).toBe(false);
      expect([socket.getsockname(), socket.getpeername()]).toEqual([
        wired.peer.getpeername(),
        wired.peer.getsockname(),
      ]);
      const copy = socket.dup();
      expect(copy.fileno()).not.toBe(socket.fileno());
      copy.close();
      for (const method of ['recv', 'send', 'close']) expect(socket).not.toHaveProperty(method);
    });
  });

  describe('ownership', () => {
    test('TR-001, TR-049: a second transport on the descriptor is refused while the first is not closing', async () => {
      const { loop } = subject.current;
      expect(() => loop._makeSocketTransport(wired.sock, new Protocol())).toThrow(
        expect.objectContaining({ code: 'ERR_FD_IN_USE' }),
      );
      wired.transport.close();
      const second = loop._makeSocketTransport(wired.sock.dup(), new Protocol());
      second.abort();
      await iterate();
    });

    test('TR-001: a transport that cannot be made owns nothing, and does not count as a connection', () => {
      const { loop } = subject.current;
      const [near, far] = socketpair();
      Object.assign(near, { family: AF_INET, proto: IPPROTO_TCP });
      jest.spyOn(near, 'setsockopt').mockImplementation(() => {
        throw new OSError('gone', { code: 'EINVAL', errno: -22 });
      });
      const server = { _attach: jest.fn(), _detach: jest.fn() };
      expect(() => loop._makeSocketTransport(near, new Protocol(), null, {}, server)).toThrow('gone');
      expect([loop._transports.has(near.fileno()), server._attach.mock.calls]).toEqual([false, []]);
      for (const socket of [near, far]) socket.close();
    });

    test('TR-001: a socket of a transport that closes may get another one', async () => {
      const { loop } = subject.current;
      wired.transport.close();
      const second = loop._makeSocketTransport(wired.sock, new Protocol());
      second.pauseReading();
      expect(loop._transports.get(wired.transport._sockFd)).toBe(second);
      // The first one's end takes its own entry away, and no other.
      await iterate();
      expect(loop._transports.get(wired.transport._sockFd)).toBe(second);
      second.abort();
      await iterate();
    });
  });

  describe('reading', () => {
    test('TR-011, TR-012, TR-013, TR-015: pause and resume, twice, without a complaint', async () => {
      const { transport, peer, protocol } = wired;
      expect([transport.isReading(), reads()]).toEqual([true, true]);
      transport.pauseReading();
      transport.pauseReading();
      expect([transport.isReading(), reads()]).toEqual([false, false]);
      peer.send(Buffer.from('x'));
      await iterate();
      expect(protocol.received).toEqual([]);
      transport.resumeReading();
      transport.resumeReading();
      await iterate();
      expect(protocol.received.map(String)).toEqual(['x']);
      transport.close();
      transport.pauseReading();
      transport.resumeReading();
      expect([transport.isReading(), reads()]).toEqual([false, false]);
    });

    test('TR-012: data that is ready in this very iteration does not come after pauseReading', async () => {
      const { loop } = subject.current;
      wired.peer.send(Buffer.from('x'));
      loop.callSoon(() => wired.transport.pauseReading());
      await iterate();
      expect(wired.protocol.received).toEqual([]);
    });

    test('TR-014: pausing in connectionMade keeps the first reader away', async () => {
      const paused = await wire(
        subject.current,
        new NotingProtocol({ connectionMade: (transport) => transport.pauseReading() }),
      );
      expect(subject.current.loop._isWatched(paused.transport._sockFd, EVENT_READ)).toBe(false);
      paused.transport.abort();
      paused.peer.close();
      await iterate();
    });

    test('TR-012: pause and resume are logged in debug mode', () => {
      const { loop } = subject.current;
      const levels: string[] = [];
      setLogReceiver((record) => levels.push(record.level));
      loop.setDebug(true);
      wired.transport.pauseReading();
      wired.transport.resumeReading();
      loop.setDebug(false);
      setLogReceiver(null);
      expect(levels).toEqual(['debug', 'debug']);
    });
  });

  describe('closing', () => {
    test('TR-008: an abort before the first iteration still gives connectionMade, then connectionLost', async () => {
      const states: boolean[] = [];
      const early = await wire(
        subject.current,
        new NotingProtocol({ connectionMade: (transport) => states.push(transport.isClosing()) }),
        { connected: false },
      );
      early.transport.abort();
      await iterate();
      expect(early.protocol.names()).toEqual(['connectionMade', 'connectionLost']);
      expect(states).toEqual([true]);
      early.peer.close();
    });

    test('TR-010, TR-016, TR-017: close is scheduled, once', async () => {
      const { transport, protocol } = wired;
      expect(transport.isClosing()).toBe(false);
      transport.close();
      transport.close();
      expect([transport.isClosing(), reads(), transport._connLost]).toEqual([true, false, 1]);
      expect(protocol.names()).toEqual(['connectionMade']);
      await iterate();
      expect(protocol.events).toEqual([['connectionMade'], ['connectionLost', null]]);
      expect(transport.isClosing()).toBe(true);
    });

    test('TR-020, TR-022, TCP-033: abort drops what is buffered', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('lost'));
      wired.transport.abort();
      await iterate();
      expect(wired.arrived()).toHaveLength(0);
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('TR-023: abort after close drops what is buffered, and the end is regular', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('lost'));
      wired.transport.close();
      wired.transport.abort();
      await iterate();
      expect(wired.arrived()).toHaveLength(0);
      expect(wired.protocol.events).toEqual([['connectionMade'], ['connectionLost', null]]);
    });

    test('TR-021, TR-024: abort after a close without data, or a second one, changes nothing', async () => {
      wired.transport.close();
      wired.transport.abort();
      wired.transport.abort();
      await iterate(2);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    });

    test('TCP-032: a closing transport goes on flushing', async () => {
      wired.sock.script.send.push(again(), 2, 2);
      wired.transport.write(Buffer.from('flushed'));
      wired.transport.close();
      await iterate(3);
      expect(wired.arrived().toString()).toBe('flushed');
    });

    test('TR-028, TR-029, TR-031: the socket is open in connectionLost, and closed before the server hears', async () => {
      const { loop } = subject.current;
      const [near, far] = socketpair();
      const order: string[] = [];
      const server = {
        _attach: () => order.push('attach'),
        _detach: () => order.push(`detach fd=${near.fileno()}`),
      };
      const protocol = new NotingProtocol({
        connectionLost: () => {
          order.push(`connectionLost open=${near.fileno() >= 0}`);
        },
      });
      const transport = loop._makeSocketTransport(near, protocol, null, {}, server);
      await iterate();
      transport.close();
      await iterate();
      expect(order).toEqual(['attach', 'connectionLost open=true', 'detach fd=-1']);
      expect([transport._sock, transport._loop, transport._server]).toEqual([null, null, null]);
      far.close();
    });

    test('TR-030, TR-028: an exception in connectionLost is reported, and everything is let go all the same', async () => {
      const error = new Error('boom');
      wired.protocol.connectionLost = () => {
        throw error;
      };
      wired.transport.close();
      await iterate();
      expect(subject.current.takeContexts()[0]).toMatchObject({
        exception: error,
        message: expect.stringContaining('Exception in callback'),
      });
      expect([wired.sock.fileno(), wired.transport.getProtocol()]).toEqual([-1, null]);
    });

    test('TR-032: afterwards everything is a quiet no-op', async () => {
      const { transport } = wired;
      transport.close();
      await iterate();
      transport.close();
      transport.abort();
      transport.writeEof();
      transport.pauseReading();
      transport.resumeReading();
      transport.write(Buffer.from('x'));
      transport.writelines([Buffer.from('x')]);
      await iterate();
      expect(wired.protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    });

    test('TR-026, TR-025: a fatal error is reported with a default message', async () => {
      const error = new Error('odd');
      wired.transport._fatalError(error);
      await iterate();
      expect(subject.current.takeContexts()).toEqual([
        { message: 'Fatal error on transport', exception: error, transport: wired.transport, protocol: wired.protocol },
      ]);
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', error]);
    });

    test('TR-027, TR-025: every error of the system is quiet, and a debug line in debug mode', async () => {
      const { loop } = subject.current;
      const levels: string[] = [];
      setLogReceiver((record) => levels.push(record.level));
      loop.setDebug(true);
      wired.transport._fatalError(new OSError('input/output', { code: 'EIO', errno: -5 }));
      loop.setDebug(false);
      setLogReceiver(null);
      await iterate();
      expect(levels).toEqual(['debug']);
      expect(wired.protocol.events.at(-1)?.[1]).toMatchObject({ code: 'EIO' });
    });
  });

  test('TCP-082: says that it can be upgraded to TLS, and that the kernel may send files', () => {
    expect([wired.transport._startTlsCompatible, wired.transport._sendfileCompatible]).toEqual([true, 'try-native']);
  });

  describe('inspect', () => {
    test('TR-033: shows class, descriptor, what is watched and the buffer; also after the loop is closed', async () => {
      const { transport } = wired;
      const fd = transport._sockFd;
      expect(inspect(transport)).toBe(`<SelectorSocketTransport fd=${fd} read=polling write=<idle, bufsize=0>>`);
      wired.sock.script.send.push(again());
      transport.write(Buffer.from('abc'));
      transport.close();
      expect(inspect(transport)).toBe(
        `<SelectorSocketTransport closing fd=${fd} read=idle write=<polling, bufsize=3>>`,
      );
      transport.abort();
      await iterate();
      expect(inspect(transport)).toBe(`<SelectorSocketTransport closed fd=${fd}>`);
    });

    test('TR-007: its socket shows its addresses as long as it is open', () => {
      const sock = new Socket(AF_INET, SOCK_DGRAM);
      const restricted = new TransportSocket(sock);
      sock.bind(['127.0.0.1', 0]);
      sock.connect(sock.getsockname() as Address);
      const address = inspect(sock.getsockname());
      expect(inspect(restricted)).toBe(
        `<TransportSocket fd=${sock.fileno()} family=2 type=2 proto=0 laddr=${address} raddr=${address}>`,
      );
      sock.close();
      expect(inspect(restricted)).toBe('<TransportSocket fd=-1 family=2 type=2 proto=0>');
    });
  });
});

describe('base classes', () => {
  test('TR-046: transports refuse everything but extra info; writelines joins and writes once', () => {
    const transport = new Transport({ known: 1 });
    expect(transport.getExtraInfo('known')).toBe(1);
    const calls: (() => unknown)[] = [
      () => new BaseTransport().isClosing(),
      () => transport.close(),
      () => transport.setProtocol(new Protocol()),
      () => transport.getProtocol(),
      () => new ReadTransport().isReading(),
      () => transport.pauseReading(),
      () => transport.resumeReading(),
      () => transport.setWriteBufferLimits(),
      () => transport.getWriteBufferLimits(),
      () => transport.getWriteBufferSize(),
      () => transport.write(Buffer.from('x')),
      () => transport.writeEof(),
      () => transport.canWriteEof(),
      () => transport.abort(),
    ];
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ name: 'NotImplementedError' }));
    const written: string[] = [];
    transport.write = (data) => {
      written.push(Buffer.from(data).toString());
    };
    transport.writelines([Buffer.from('a'), Buffer.from('b')]);
    expect(written).toEqual(['ab']);
  });

  test('TR-047: protocols have do-nothing callbacks; eofReceived gives something falsy', () => {
    const transport = new Transport();
    const protocol = new Protocol();
    const buffered = new BufferedProtocol();
    for (const one of [protocol, buffered]) {
      expect(one).toBeInstanceOf(BaseProtocol);
      expect(one.connectionMade(transport)).toBeUndefined();
      expect(one.connectionLost(null)).toBeUndefined();
      expect(one.pauseWriting()).toBeUndefined();
      expect(one.resumeWriting()).toBeUndefined();
      expect(one.eofReceived()).toBeFalsy();
    }
    expect(protocol.dataReceived(Buffer.from('x'))).toBeUndefined();
    expect(buffered.bufferUpdated(1)).toBeUndefined();
  });
});
