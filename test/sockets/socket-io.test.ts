// socket-io.test.ts: the two ways of a transport to its socket: by numbers, and by somebody's methods that throw.

import { BlockingIOError, InterruptedError, OSError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { Address } from '../../lib/sockets/address';
import { PAIR_FAMILY, SHUT_WR } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { acceptOrNull, socketIO, type SocketLike } from '../../lib/sockets/socket-io';
import { fill } from '../contracts/selector-kit';
import { thrownBy, useSocketKit } from './socket-kit';

const kit = useSocketKit();
const EAGAIN = -binding.errnoByName.EAGAIN;
const byte = Buffer.from('x');

/** A socket of somebody else's making: an object that has what is needed, on top of one of ours. */
function foreign(socket: Socket): SocketLike {
  const names = ['recv', 'recvInto', 'send', 'sendmsg', 'fileno'] as const;
  return Object.fromEntries(names.map((name) => [name, socket[name].bind(socket)])) as unknown as SocketLike;
}

describe.each(['a plain socket', 'a foreign object', 'a subclass with its own methods'])('%s', (kind) => {
  class Overriding extends Socket {
    override recv(maxBytes: number): Buffer {
      return super.recv(maxBytes);
    }
  }

  function dress(socket: Socket): SocketLike {
    if (kind === 'a plain socket') return socket;
    if (kind === 'a foreign object') return foreign(socket);
    return kit.current.own(Overriding.fromFd(socket.detach()));
  }

  test('receives and sends', () => {
    const [left, right] = kit.current.pair();
    const io = socketIO(dress(left));
    right.send(Buffer.from('abcdef'));
    expect(Buffer.from(io._recv(2) as Uint8Array).toString()).toBe('ab');
    const memory = Buffer.from('.....');
    expect(io._recvInto(memory.subarray(1, 4))).toBe(3);
    expect(memory.toString()).toBe('.cde.');
    expect(io._send(Buffer.from('uv'))).toBe(2);
    expect(io._sendmsg([Buffer.from('w'), Buffer.from('xy'), Buffer.from('never')], 2)).toBe(3);
    expect(right.recv(100).toString()).toBe('uvwxy');
  });

  test('answers a number where it would have to wait', () => {
    const [left] = kit.current.pair();
    fill(left);
    const io = socketIO(dress(left));
    const chunk = Buffer.alloc(1 << 16);
    expect([io._recv(1), io._recvInto(chunk), io._send(chunk), io._sendmsg([chunk], 1)]).toEqual(Array(4).fill(EAGAIN));
  });

  test('answers nothing at the end of the stream', () => {
    const [left, right] = kit.current.pair();
    right.close();
    const io = socketIO(dress(left));
    expect(io._recv(10)).toBe(0);
    expect(io._recvInto(Buffer.alloc(1))).toBe(0);
  });
});

test('a plain socket answers every error as a number, others throw theirs', () => {
  const [left] = kit.current.pair();
  left.shutdown(SHUT_WR);
  expect(socketIO(left)._send(byte)).toBe(-binding.errnoByName.EPIPE);
  const error = thrownBy(() => socketIO(foreign(left))._send(byte));
  expect(error).toMatchObject({ name: 'BrokenPipeError', code: 'EPIPE' });
});

test.each(['recv', 'recvInto', 'send', 'sendmsg'] as const)('%s of a subclass is what is called', (name) => {
  const called: string[] = [];
  class Spying extends Socket {}
  Object.defineProperty(Spying.prototype, name, {
    value(this: Socket, ...args: unknown[]): unknown {
      called.push(name);
      return Reflect.apply(Socket.prototype[name] as (...args: unknown[]) => unknown, this, args);
    },
  });
  const [left, right] = kit.current.pair();
  const spying = kit.current.own(Spying.fromFd(left.detach()));
  right.send(Buffer.from('xy'));
  const io = socketIO(spying);
  io._recv(1);
  io._recvInto(Buffer.alloc(1));
  io._send(byte);
  io._sendmsg([byte], 1);
  expect(called).toEqual([name]);
});

test('a method that was put on one socket is what is called', () => {
  const [socket] = kit.current.pair();
  socket.recv = () => Buffer.from('injected');
  expect(Buffer.from(socketIO(socket)._recv(1) as Uint8Array).toString()).toBe('injected');
});

test('an object that cannot send many pieces at once sends the first', () => {
  const [left, right] = kit.current.pair();
  const io = socketIO({ ...foreign(left), sendmsg: undefined } as unknown as SocketLike);
  expect(io._sendmsg([Buffer.from('one'), Buffer.from('two')], 2)).toBe(3);
  expect(right.recv(100).toString()).toBe('one');
});

test('only BlockingIOError and InterruptedError mean later', () => {
  const throwing = (error: unknown) =>
    socketIO({
      recv: () => {
        throw error;
      },
    } as unknown as SocketLike);
  const fields = { code: 'EINPROGRESS', errno: -115 };
  expect(throwing(new BlockingIOError('told', fields))._recv(1)).toBe(-115);
  expect(throwing(new InterruptedError('told', { code: 'EINTR', errno: -4 }))._recv(1)).toBe(-4);
  // Somebody's error may carry no number, or a positive one: it must not look like a count of bytes.
  expect(throwing(new BlockingIOError('told', { code: 'EAGAIN', errno: 11 }))._recv(1)).toBe(EAGAIN);
  expect(throwing(new BlockingIOError('told', { code: 'EAGAIN', errno: 0 }))._recv(1)).toBe(EAGAIN);
  for (const error of [new OSError('told', { code: 'EAGAIN', errno: -11 }), new Error('told'), 'told', undefined]) {
    let caught: unknown = 'nothing';
    try {
      throwing(error)._recv(1);
    } catch (thrown) {
      caught = thrown;
    }
    expect(caught).toBe(error);
  }
});

test('a closed socket answers EBADF', () => {
  const socket = new Socket(PAIR_FAMILY);
  const io = socketIO(socket);
  socket.close();
  expect([io._recv(1), io._recvInto(byte), io._send(byte), io._sendmsg([byte], 1)]).toEqual([-9, -9, -9, -9]);
});

describe.each(['a plain listener', 'a subclass with an accept of its own'])('%s', (kind) => {
  class Blocking extends Socket {
    override accept(): ReturnType<Socket['accept']> {
      const accepted = super.accept();
      accepted[0].setblocking(true);
      return accepted;
    }
  }

  function listen(): Socket {
    const listener = kit.current.own(kind === 'a plain listener' ? new Socket() : new Blocking());
    listener.bind(['127.0.0.1', 0]);
    listener.listen();
    return listener;
  }

  test('gives one connection, which does not block, and null when none waits', () => {
    const listener = listen();
    expect(acceptOrNull(listener)).toBeNull();
    const client = kit.current.own(new Socket());
    client.connectEx(listener.getsockname() as Address);
    const [connection, peer] = acceptOrNull(listener) as [Socket, Address];
    kit.current.own(connection);
    expect([connection.getblocking(), peer]).toEqual([false, client.getsockname()]);
    expect(acceptOrNull(listener)).toBeNull();
  });

  test('throws what the system says', () => {
    const listener = listen();
    listener.close();
    expect(thrownBy(() => acceptOrNull(listener))).toMatchObject({ code: 'EBADF', syscall: 'accept' });
  });
});
