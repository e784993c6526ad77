// socket-io.ts: how transports read and write. A Socket of ours answers numbers, which costs nothing; any other object
// with a socket's methods throws, and is brought to the same form here.

import { isWouldBlock, type OSError } from '../base/errors';
import { binding } from '../native/binding';
import { Socket } from './socket';

/** Anything that transports and the loop's sock verbs accept: an object with the methods of Socket. */
export type SocketLike = Pick<
  Socket,
  | 'fileno'
  | 'family'
  | 'type'
  | 'proto'
  | 'recv'
  | 'recvInto'
  | 'send'
  | 'sendmsg'
  | 'close'
  | 'shutdown'
  | 'getsockname'
  | 'getpeername'
  | 'getsockopt'
  | 'setsockopt'
  | 'setblocking'
  | 'gettimeout'
  | 'accept'
  | 'connect'
>;

/** The calls of a transport. A negative number is `-errno`; any other failure is thrown. */
export interface SocketIO {
  recv(maxBytes: number): Uint8Array | number;
  recvInto(buffer: Uint8Array): number;
  send(data: Uint8Array): number;
  sendmsg(chunks: readonly Uint8Array[], count: number): number;
}

const { EAGAIN } = binding.errnoByName;

function orWouldBlock<R>(call: () => R): R | number {
  try {
    return call();
  } catch (error) {
    if (isWouldBlock(error)) return (error as OSError).errno < 0 ? (error as OSError).errno : -EAGAIN;
    throw error;
  }
}

class ThrowingSocketIO implements SocketIO {
  constructor(private readonly socket: SocketLike) {}

  recv(maxBytes: number): Uint8Array | number {
    return orWouldBlock(() => this.socket.recv(maxBytes));
  }

  recvInto(buffer: Uint8Array): number {
    return orWouldBlock(() => this.socket.recvInto(buffer));
  }

  send(data: Uint8Array): number {
    return orWouldBlock(() => this.socket.send(data));
  }

  sendmsg(chunks: readonly Uint8Array[], count: number): number {
    // A platform's or a stranger's socket may have no gathering send: then one piece goes out.
    if (typeof this.socket.sendmsg !== 'function') return this.send(chunks[0]);
    return orWouldBlock(() => this.socket.sendmsg(chunks.slice(0, count)));
  }
}

class NumberSocketIO implements SocketIO {
  constructor(private readonly socket: Socket) {}

  recv(maxBytes: number): Uint8Array | number {
    return this.socket._recv(maxBytes);
  }

  recvInto(buffer: Uint8Array): number {
    return this.socket._recvInto(buffer);
  }

  send(data: Uint8Array): number {
    return this.socket._send(data);
  }

  sendmsg(chunks: readonly Uint8Array[], count: number): number {
    return this.socket._sendmsg(chunks, count);
  }
}

const overridable = ['recv', 'recvInto', 'send', 'sendmsg', 'fileno'] as const;

/** The fast way for a plain Socket; the throwing way for a subclass that has its own methods, and for anything else. */
export function socketIO(socket: SocketLike): SocketIO {
  const plain = socket instanceof Socket && overridable.every((name) => socket[name] === Socket.prototype[name]);
  return plain ? new NumberSocketIO(socket) : new ThrowingSocketIO(socket);
}
