// socket.ts: the socket API on a raw descriptor. Python's socket class in shape, Node's in manners: a socket is
// non-blocking from the start, errors carry code, syscall, address and port. No loop, no buffering, no retry.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check, errorFor, wouldBlock } from '../native/check';
import { addressFields, encodeAddress, shownAddresses, type Address } from './address';
import { bytesOf, chunksOf, describeType, int32, size } from './arguments';
import {
  AF_INET,
  PAIR_FAMILY,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from './constants';
import type { AncillaryItem } from './control';
import { peerCredentials, recvFds, sendFds, type Credentials, type Descriptor, type ReceivedFds } from './descriptors';
import {
  recvMessage,
  recvMessageInto,
  recvMessages,
  sendMessage,
  sendMessages,
  type OutgoingMessage,
  type ReceivedInto,
  type ReceivedMessage,
} from './messages';
import { isOutlived } from './owned-fd';
import { decodeRecent, lastAddress, targetOf } from './recent-addresses';
import { recvfromSlice, recvSlice } from './slab';

export { describeType } from './arguments';

const DEFAULT_LISTEN_BACKLOG = 128;

// Some systems take flags along with the type; they are no part of it.
const TYPE_FLAGS = (SOCK_NONBLOCK ?? 0) | (SOCK_CLOEXEC ?? 0);

// Where calls leave a length; it does not outlive the call.
const scratchLengths = new Int32Array(1);

/** How a socket is made when more than family, type and protocol is known. */
interface Adoption {
  fd: number;
}

/** A socket: family, type, protocol and a descriptor. Python: socket.socket. */
export class Socket {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  #fd: number;

  /**
   * Opens a socket: close-on-exec, non-blocking.
   * @throws OSError
   */
  constructor(family: number = AF_INET, type: number = SOCK_STREAM, proto = 0, adopted?: Adoption) {
    this.family = int32(family, 'family');
    this.type = int32(type, 'type') & ~TYPE_FLAGS;
    this.proto = int32(proto, 'protocol');
    if (adopted !== undefined) {
      this.#fd = adopted.fd;
      if (isOutlived) binding.own(this.#fd);
      return;
    }
    this.#fd = check(binding.socket(this.family, type, this.proto), 'socket');
    if (isOutlived) binding.own(this.#fd);
    const result = binding.setNonBlocking(this.#fd, true);
    if (result < 0) {
      this.close();
      throw errorFor(result, 'setNonBlocking');
    }
  }

  /**
   * Adopts a descriptor that is a socket already: family, type and protocol are asked from the system. Closing the
   * result closes the descriptor. Its blocking mode stays as it is.
   * @throws OSError (EBADF, ENOTSOCK), ValueError for a negative descriptor
   */
  static fromFd(fd: number): Socket {
    size(fd, 'descriptor');
    const option = (number: number | undefined): number => {
      if (number === undefined) return 0;
      const value = new Uint8Array(4);
      check(binding.getsockopt(fd, SOL_SOCKET, number, value, scratchLengths), 'getsockopt');
      return new Int32Array(value.buffer)[0];
    };
    const type = option(SO_TYPE);
    const proto = option(SO_PROTOCOL);
    let family = option(SO_DOMAIN);
    if (SO_DOMAIN === undefined) {
      check(binding.getsocknameAt(fd, lastAddress.memory), 'getsockname');
      family = binding.decodeAddress(lastAddress.bytes, lastAddress.lengths[0]).family;
    }
    return new this(family, type, proto, { fd });
  }

  /** The descriptor; -1 after `close` or `detach`. */
  fileno(): number {
    return this.#fd;
  }

  /** @throws TypeError, ValueError for a bad address, OSError (EADDRINUSE, ...) */
  bind(address: Address): void {
    const encoded = encodeAddress(this.family, address);
    check(binding.bind(this.#fd, encoded.bytes, encoded.length), 'bind', addressFields(address, this.family));
  }

  /** @param backlog connections that wait to be accepted, at the most; negative counts as 0 */
  listen(backlog = DEFAULT_LISTEN_BACKLOG): void {
    check(binding.listen(this.#fd, Math.max(int32(backlog, 'backlog'), 0)), 'listen');
  }

  /**
   * Takes one waiting connection.
   * @returns the new socket, non-blocking, and the peer's address
   * @throws BlockingIOError if none waits, OSError
   */
  accept(): [Socket, Address | null] {
    return this.#accepted(check(this._accept(), 'accept'));
  }

  #accepted(fd: number): [Socket, Address | null] {
    return [new Socket(this.family, this.type, this.proto, { fd }), decodeRecent(this.proto)];
  }

  /**
   * Starts to connect.
   * @throws BlockingIOError (EINPROGRESS) if it takes time: writability tells its end, SO_ERROR the outcome; OSError
   */
  connect(address: Address): void {
    check(this._connect(address), 'connect', addressFields(address, this.family));
  }

  /** As `connect`, but an error of the system is returned as its positive errno; 0 for success. */
  connectEx(address: Address): number {
    return 0 - this._connect(address);
  }

  /**
   * Receives up to `maxBytes` bytes.
   * @returns a buffer of its own; empty at the end of the stream
   * @throws BlockingIOError if there is nothing yet, OSError
   */
  recv(maxBytes: number, flags = 0): Buffer {
    const wanted = size(maxBytes, 'byte count');
    // Nothing is asked of the system, as in Python (SOCK-017).
    if (wanted === 0) return Buffer.alloc(0);
    const chunk = this._recv(wanted, int32(flags, 'flags'));
    if (typeof chunk !== 'number') return chunk;
    if (chunk < 0) throw errorFor(chunk, 'recv');
    return Buffer.alloc(0);
  }

  /**
   * Receives into `buffer`, as much as fits or `maxBytes`.
   * @returns the number of bytes; 0 at the end of the stream
   * @throws BlockingIOError if there is nothing yet, OSError
   */
  recvInto(buffer: Uint8Array, maxBytes = 0, flags = 0): number {
    const target = bytesOf(buffer);
    const wanted = size(maxBytes, 'byte count');
    if (wanted > target.byteLength) throw new ValueError('the buffer is smaller than the byte count');
    const length = wanted === 0 ? target.byteLength : wanted;
    if (length === 0) return 0;
    return check(binding.recv(this.#fd, target, 0, length, int32(flags, 'flags')), 'recv');
  }

  /** Receives one datagram, or what a stream has, and who sent it. @throws BlockingIOError, OSError */
  recvfrom(maxBytes: number, flags = 0): [Buffer, Address | null] {
    const buffer = Buffer.allocUnsafe(size(maxBytes, 'byte count'));
    const [count, address] = this.recvfromInto(buffer, 0, flags);
    return [buffer.subarray(0, count), address];
  }

  /** As `recvfrom`, into `buffer`. @throws BlockingIOError, OSError */
  recvfromInto(buffer: Uint8Array, maxBytes = 0, flags = 0): [number, Address | null] {
    const target = bytesOf(buffer);
    const wanted = size(maxBytes, 'byte count');
    if (wanted > target.byteLength) throw new ValueError('the buffer is smaller than the byte count');
    const length = wanted === 0 ? target.byteLength : wanted;
    const count = check(
      binding.recvfrom(this.#fd, target, 0, length, int32(flags, 'flags'), lastAddress.bytes, lastAddress.lengths),
      'recvfrom',
    );
    return [count, decodeRecent(this.proto)];
  }

  /** Sends what the system takes. @returns the number of bytes @throws BlockingIOError, BrokenPipeError, OSError */
  send(data: Uint8Array, flags = 0): number {
    return check(this._send(bytesOf(data), int32(flags, 'flags')), 'send');
  }

  /** Sends one datagram to `address`. @returns the number of bytes @throws BlockingIOError, OSError */
  sendto(data: Uint8Array, address: Address): number;
  sendto(data: Uint8Array, flags: number, address: Address): number;
  sendto(data: Uint8Array, flagsOrAddress: number | Address, maybeAddress?: Address): number {
    const bytes = bytesOf(data);
    const flags = maybeAddress === undefined ? 0 : int32(flagsOrAddress, 'flags');
    const address = maybeAddress === undefined ? (flagsOrAddress as Address) : maybeAddress;
    const encoded = encodeAddress(this.family, address);
    return check(
      binding.sendto(this.#fd, bytes, 0, bytes.byteLength, flags, encoded.bytes, encoded.length),
      'sendto',
      addressFields(address, this.family),
    );
  }

  /**
   * Sends several pieces as one message, with ancillary data (see `ancillary`) and to an address if these are given. At
   * most IOV_MAX pieces go out in one call; with ancillary data, flags or an address more are an error.
   * @returns the number of bytes
   * @throws BlockingIOError, BrokenPipeError, OSError (EMSGSIZE, ...)
   */
  sendmsg(
    chunks: readonly Uint8Array[],
    ancillary: readonly AncillaryItem[] = [],
    flags = 0,
    address: Address | null = null,
  ): number {
    if (flags === 0 && address === null && Array.isArray(ancillary) && ancillary.length === 0) {
      return check(this._sendmsg(chunksOf(chunks), chunks.length), 'sendmsg');
    }
    return sendMessage(this, chunks, ancillary, flags, address);
  }

  /**
   * Receives one message, or what a stream has, with what came along.
   * @param ancbufsize room for ancillary data, in bytes: `cmsgSpace(n)` for each entry of n bytes, `cmsgLen(n)` for the
   * last one. What does not fit is cut (MSG_CTRUNC); descriptors that do not fit are closed by the system, those that
   * fit are close-on-exec and the caller's
   * @throws BlockingIOError, OSError
   */
  recvmsg(bufsize: number, ancbufsize = 0, flags = 0): ReceivedMessage {
    return recvMessage(this, bufsize, ancbufsize, flags);
  }

  /** As `recvmsg`, into buffers, which are filled one after the other. @throws BlockingIOError, OSError */
  recvmsgInto(buffers: readonly Uint8Array[], ancbufsize = 0, flags = 0): ReceivedInto {
    return recvMessageInto(this, buffers, ancbufsize, flags);
  }

  /**
   * Receives all messages that are there, up to `maxMessages` (256 at the most), in one system call where there is one.
   * The results share one piece of memory.
   * @param bufsize room for each message, in bytes
   * @param ancbufsize room for the ancillary data of each, in bytes, as in `recvmsg`
   * @returns at least one message
   * @throws BlockingIOError if there is none, OSError
   */
  recvmmsg(maxMessages: number, bufsize: number, ancbufsize = 0, flags = 0): ReceivedMessage[] {
    return recvMessages(this, maxMessages, bufsize, ancbufsize, flags);
  }

  /**
   * Sends messages with few system calls, 256 messages in each, where the system can.
   * @returns how many were sent: fewer than all if the system took no more
   * @throws BlockingIOError, OSError if not even the first one was sent
   */
  sendmmsg(messages: readonly OutgoingMessage[], flags = 0): number {
    return sendMessages(this, messages, flags);
  }

  /**
   * Sends descriptors over a Unix socket, along with some bytes (one NUL if none are given: without any, a stream would
   * carry nothing). The receiver gets duplicates. Python: socket.send_fds.
   * @param fds descriptors, or objects with a `fileno()`; 253 at the most
   * @returns the number of bytes sent; the descriptors went with the first of them
   * @throws BlockingIOError, OSError (EBADF, EINVAL for too many, ETOOMANYREFS)
   */
  sendFds(fds: readonly Descriptor[], data: Uint8Array | readonly Uint8Array[] = Buffer.alloc(1), flags = 0): number {
    return sendFds(this, fds, data, flags);
  }

  /**
   * Receives bytes and the descriptors that came with them. These are close-on-exec and the caller's from then on. More
   * than `maxFds` are closed, and `flags` has MSG_CTRUNC then. Python: socket.recv_fds.
   * @param bufsize room for the bytes
   * @throws BlockingIOError, OSError
   */
  recvFds(maxFds: number, bufsize = 1, flags = 0): ReceivedFds {
    return recvFds(this, maxFds, bufsize, flags);
  }

  /**
   * Who is at the other end of a Unix stream, as it was when it connected (or listened). On a socket that is not
   * connected the process id is 0 and the other two are 4294967295.
   * @throws OSError (ENOPROTOOPT where the system cannot tell)
   */
  peerCredentials(): Credentials {
    return peerCredentials(this);
  }

  /** @param how SHUT_RD, SHUT_WR or SHUT_RDWR */
  shutdown(how: number): void {
    check(binding.shutdown(this.#fd, int32(how, 'how')), 'shutdown');
  }

  /** Closes the descriptor. May be called again. @throws OSError if the system reports one; the descriptor is gone all the same */
  close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) check(binding.close(fd), 'close');
  }

  /**
   * Gives the descriptor away: it stays open, and is the caller's from now on, also when the thread ends (which closes the
   * sockets of a worker otherwise). @returns the descriptor
   */
  detach(): number {
    const fd = this.#fd;
    this.#fd = -1;
    if (isOutlived && fd >= 0) binding.disown(fd);
    return fd;
  }

  /** A second socket of the same class on a duplicate of the descriptor. @throws OSError */
  dup(): this {
    const fd = check(binding.dup(this.#fd), 'dup');
    const Class = this.constructor as new (family: number, type: number, proto: number, adopted: Adoption) => this;
    try {
      return new Class(this.family, this.type, this.proto, { fd });
    } catch (error) {
      binding.close(fd);
      throw error;
    }
  }

  /** The own address. @throws OSError */
  getsockname(): Address | null {
    check(binding.getsocknameAt(this.#fd, lastAddress.memory), 'getsockname');
    return decodeRecent(this.proto);
  }

  /** The peer's address. @throws OSError (ENOTCONN) */
  getpeername(): Address | null {
    check(binding.getpeernameAt(this.#fd, lastAddress.memory), 'getpeername');
    return decodeRecent(this.proto);
  }

  /**
   * An option as a number, or as bytes when `byteLength` says how many to ask for.
   * @throws OSError
   */
  getsockopt(level: number, option: number): number;
  getsockopt(level: number, option: number, byteLength: number): Buffer;
  getsockopt(level: number, option: number, byteLength?: number): number | Buffer {
    const value = Buffer.alloc(byteLength === undefined ? 4 : size(byteLength, 'byte length'));
    check(
      binding.getsockopt(this.#fd, int32(level, 'level'), int32(option, 'option'), value, scratchLengths),
      'getsockopt',
    );
    if (byteLength !== undefined) return value.subarray(0, scratchLengths[0]);
    return new Int32Array(value.buffer.slice(value.byteOffset, value.byteOffset + 4))[0];
  }

  /** Sets an option to a number, a boolean or bytes. @throws OSError */
  setsockopt(level: number, option: number, value: number | boolean | Uint8Array): void {
    check(this.#setOption(int32(level, 'level'), int32(option, 'option'), value), 'setsockopt');
  }

  #setOption(level: number, option: number, value: unknown): number {
    if (isBytes(value)) return binding.setsockopt(this.#fd, level, option, value);
    if (typeof value === 'number' || typeof value === 'boolean') {
      return binding.setNumber(this.#fd, level, option, int32(Number(value), 'value'));
    }
    throw typeError(`value must be a number, a boolean or bytes, not ${describeType(value)}`);
  }

  setblocking(blocking: boolean): void {
    check(binding.setNonBlocking(this.#fd, !blocking), 'setNonBlocking');
  }

  getblocking(): boolean {
    return check(binding.getNonBlocking(this.#fd), 'getNonBlocking') === 0;
  }

  /** Seconds that a call may block: 0 if non-blocking, null if without limit. Other limits are the loop's business. */
  gettimeout(): number | null {
    return this.getblocking() ? null : 0;
  }

  /** @param timeout 0 for non-blocking, null for blocking */
  settimeout(timeout: number | null): void {
    if (timeout !== null && timeout !== 0) {
      throw new ValueError(`a timeout of a socket is 0 or null, not ${inspect(timeout)}`);
    }
    this.setblocking(timeout === null);
  }

  /** Whether the descriptor survives an exec. */
  getInheritable(): boolean {
    return check(binding.getInheritable(this.#fd), 'getInheritable') === 1;
  }

  setInheritable(inheritable: boolean): void {
    check(binding.setInheritable(this.#fd, inheritable), 'setInheritable');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](): string {
    const isClosed = this.#fd < 0;
    const state = isClosed ? 'closed' : `fd=${this.#fd}`;
    const ends = isClosed ? '' : shownAddresses(this);
    return `<${this.constructor.name} ${state} family=${this.family} type=${this.type} proto=${this.proto}${ends}>`;
  }

  // The same calls with a number for an answer, `-errno` for an error: what transports use. Nothing is checked.

  /** 0 at the end of a stream, and for an empty datagram. @internal */
  _recv(maxBytes: number, flags = 0): Buffer | number {
    return recvSlice(this.#fd, maxBytes, flags);
  }

  /** The sender is told by `_sender`, until the next call on any socket. @internal */
  _recvfrom(maxBytes: number): Buffer | number {
    return recvfromSlice(this.#fd, maxBytes, lastAddress.memory);
  }

  /** @internal */
  _sender(): Address | null {
    return decodeRecent(this.proto);
  }

  /** @throws for what is no address, but answers with a number for what the system says @internal */
  _sendto(data: Uint8Array, address: Address): number {
    const target = targetOf(this.family, address);
    return binding.sendtoFrom(this.#fd, data, target.memory, target.length);
  }

  /** @internal */
  _recvInto(buffer: Uint8Array): number {
    return binding.recvInto(this.#fd, buffer);
  }

  /** @internal */
  _send(data: Uint8Array, flags = 0): number {
    if (flags === 0) return binding.sendFrom(this.#fd, data);
    return binding.send(this.#fd, data, 0, data.byteLength, flags);
  }

  /** @internal */
  _sendmsg(chunks: readonly Uint8Array[], count: number): number {
    return binding.sendmsg(this.#fd, chunks, count, 0);
  }

  /** @internal */
  _accept(): number {
    return binding.acceptAt(this.#fd, lastAddress.memory);
  }

  /** As `accept`, but null if none waits. @throws OSError @internal */
  _acceptOrNull(): [Socket, Address | null] | null {
    const fd = this._accept();
    if (fd < 0 && wouldBlock(fd)) return null;
    return this.#accepted(check(fd, 'accept'));
  }

  /** @internal */
  _connect(address: Address): number {
    const encoded = encodeAddress(this.family, address);
    return binding.connect(this.#fd, encoded.bytes, encoded.length);
  }
}

/**
 * Two connected sockets. The family is AF_UNIX, or AF_INET on Windows, where the pair is a connection through the loopback
 * interface.
 * @throws OSError
 */
export function socketpair(family: number = PAIR_FAMILY, type: number = SOCK_STREAM, proto = 0): [Socket, Socket] {
  const fds = new Int32Array(2);
  check(binding.socketpair(int32(family, 'family'), int32(type, 'type'), int32(proto, 'protocol'), fds), 'socketpair');
  const pair: [Socket, Socket] = [
    new Socket(family, type, proto, { fd: fds[0] }),
    new Socket(family, type, proto, { fd: fds[1] }),
  ];
  try {
    for (const socket of pair) socket.setblocking(false);
  } catch (error) {
    for (const socket of pair) socket.close();
    throw error;
  }
  return pair;
}
