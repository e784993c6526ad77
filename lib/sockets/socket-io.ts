// socket-io.ts: how transports read and write. A Socket of ours answers numbers, which costs nothing; any other object
// with a socket's methods throws, and is brought to the same form here.

import { isWouldBlock, type OSError } from '../base/errors';
import { binding } from '../native/binding';
import type { Address } from './address';
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

/** The calls of a transport, as Socket has them. A negative number is `-errno`; any other failure is thrown. */
export interface SocketIO {
  /** 0 at the end of the stream. */
  _recv(maxBytes: number): Uint8Array | number;
  _recvInto(buffer: Uint8Array): number;
  _send(data: Uint8Array): number;
  _sendmsg(chunks: readonly Uint8Array[], count: number): number;
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

  _recv(maxBytes: number): Uint8Array | number {
    const chunk = orWouldBlock(() => this.socket.recv(maxBytes));
    return typeof chunk !== 'number' && chunk.length === 0 ? 0 : chunk;
  }

  _recvInto(buffer: Uint8Array): number {
    return orWouldBlock(() => this.socket.recvInto(buffer));
  }

  _send(data: Uint8Array): number {
    return orWouldBlock(() => this.socket.send(data));
  }

  _sendmsg(chunks: readonly Uint8Array[], count: number): number {
    // A platform's or a stranger's socket may have no gathering send: then one piece goes out.
    if (typeof this.socket.sendmsg !== 'function') return this._send(chunks[0]);
    return orWouldBlock(() => this.socket.sendmsg(chunks.slice(0, count)));
  }
}

// Whether the methods are ours, for a subclass may have its own. Each is asked for by name: computed names are slow, and this
// is asked for each connection.

const own = Socket.prototype;

/** A plain Socket itself; the throwing way for a subclass that has its own methods, and for anything else. */
export function socketIO(socket: SocketLike): SocketIO {
  const isPlain =
    socket instanceof Socket &&
    socket.recv === own.recv &&
    socket.recvInto === own.recvInto &&
    socket.send === own.send &&
    socket.sendmsg === own.sendmsg &&
    socket.fileno === own.fileno;
  return isPlain ? socket : new ThrowingSocketIO(socket);
}

/**
 * Takes one waiting connection, as `accept`, and makes it non-blocking if it is not yet; null if none waits: at the end of
 * every round of accepting, where an exception would cost more than the connection before it.
 * @throws OSError
 */
export function acceptOrNull(socket: SocketLike): [SocketLike, Address | null] | null {
  if (socket instanceof Socket && socket.accept === own.accept) return socket._acceptOrNull();
  try {
    const accepted = socket.accept();
    accepted[0].setblocking(false);
    return accepted;
  } catch (error) {
    if (isWouldBlock(error)) return null;
    throw error;
  }
}

/** A socket with the methods that datagrams need. */
export type DatagramSocketLike = SocketLike & Pick<Socket, 'recvfrom' | 'sendto'>;

/** The calls of a datagram transport. Numbers and failures as in SocketIO. */
export interface DatagramIO {
  _recvfrom(maxBytes: number): Uint8Array | number;
  /** Who sent what `_recvfrom` gave just now. */
  _sender(): Address | null;
  _send(data: Uint8Array): number;
  /** @throws also for what is no address */
  _sendto(data: Uint8Array, address: Address): number;
}

class ThrowingDatagramIO implements DatagramIO {
  #sender: Address | null = null;

  constructor(private readonly socket: DatagramSocketLike) {}

  _recvfrom(maxBytes: number): Uint8Array | number {
    return orWouldBlock(() => {
      const [data, sender] = this.socket.recvfrom(maxBytes);
      this.#sender = sender;
      return data;
    });
  }

  _sender(): Address | null {
    return this.#sender;
  }

  _send(data: Uint8Array): number {
    return orWouldBlock(() => this.socket.send(data));
  }

  _sendto(data: Uint8Array, address: Address): number {
    return orWouldBlock(() => this.socket.sendto(data, address));
  }
}

/** As `socketIO`, for datagrams. */
export function datagramIO(socket: DatagramSocketLike): DatagramIO {
  const isPlain =
    socket instanceof Socket &&
    socket.recvfrom === own.recvfrom &&
    socket.send === own.send &&
    socket.sendto === own.sendto &&
    socket.fileno === own.fileno;
  return isPlain ? socket : new ThrowingDatagramIO(socket);
}
