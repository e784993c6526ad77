// sock-io.ts: operations on bare sockets that wait through the loop. asyncio: the sock_* coroutines. Each tries first: what
// can be done at once does not suspend. What would block is tried again with each readiness, until the future is done; its
// done callback takes the watcher away, unless somebody has replaced it meanwhile.

import { isFatal, isWouldBlock, memoryChanged, typeError, ValueError } from '../base/errors';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import { errorFor } from '../native/check';
import { addressFields, type Address, type InetAddress } from '../sockets/address';
import { bytesOf, describeType } from '../sockets/arguments';
import { AF_INET, AF_INET6, AF_UNIX, SO_ERROR, SOL_SOCKET } from '../sockets/constants';
import {
  numericAddress,
  type AddressInfo,
  type Host,
  type Port,
  type ResolveOptions,
} from '../sockets/numeric-address';
import type { Socket } from '../sockets/socket';
import type { SocketLike } from '../sockets/socket-io';
import type { Handle } from './handle';
import type { BaseSelectorEventLoop } from './selector-event-loop';

/** What the sock verbs take: the methods of Socket that they use. */
export type SockLike = SocketLike & Pick<Socket, 'recvfrom' | 'recvfromInto' | 'sendto'>;

type Direction = 'read' | 'write';

/** A numeric host as it is, any other one through the loop's resolver. asyncio: _ensure_resolved. */
export function* ensureResolved(
  loop: BaseSelectorEventLoop,
  host: Host,
  port: Port,
  options: ResolveOptions,
): CoroutineGenerator<AddressInfo[]> {
  const known = numericAddress(host, port, options);
  return known !== null ? [known] : yield* loop.getaddrinfo(host, port, options);
}

/** @throws TypeError for what is no bare socket (a TLS socket is none); in debug mode ValueError for a blocking one */
export function checkSocket(loop: BaseSelectorEventLoop, sock: SocketLike): void {
  const { fileno, recv } = (sock ?? {}) as Partial<SocketLike>;
  if (typeof fileno !== 'function' || typeof recv !== 'function') {
    throw typeError(`a socket is required, not ${describeType(sock)}`);
  }
  if (loop.getDebug() && sock.gettimeout() !== 0) {
    throw new ValueError('the socket must be non-blocking', 'ERR_SOCKET_BLOCKING');
  }
}

/** Calls `ready` with each readiness of the socket until `future` is done. @throws RuntimeError (ERR_FD_IN_USE) */
function watchUntilDone(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  direction: Direction,
  future: Future<never> | Future,
  ready: () => void,
): void {
  const fd = sock.fileno();
  loop._ensureFdNoTransport(fd);
  const handle: Handle = direction === 'read' ? loop._addReader(fd, ready) : loop._addWriter(fd, ready);
  (future as Future).addDoneCallback(() => {
    if (handle.cancelled()) return;
    if (direction === 'read') loop.removeReader(fd);
    else loop.removeWriter(fd);
  });
}

/** Ends `future` with the outcome of `attempt`, unless that is "later". */
function settle<T>(future: Future<T>, attempt: () => T): void {
  let result: T;
  try {
    result = attempt();
  } catch (error) {
    if (isWouldBlock(error)) return;
    if (isFatal(error)) throw error;
    future._fail(error);
    return;
  }
  future.setResult(result);
}

/**
 * Tries now, and with each readiness if it would block.
 * @param giveBack what to do with a result that came when the wait was cancelled already
 */
export function* tryOrWait<T>(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  direction: Direction,
  attempt: () => T,
  again: () => T = attempt,
  giveBack: (result: T) => void = () => undefined,
): CoroutineGenerator<T> {
  checkSocket(loop, sock);
  try {
    return attempt();
  } catch (error) {
    if (!isWouldBlock(error)) throw error;
  }
  const future = new Future<T>(loop);
  watchUntilDone(loop, sock, direction, future, () => {
    if (!future.done()) settle(future, again);
  });
  return yield* claimed(future, giveBack);
}

/** Waits. A result that came before the wait was cancelled has nobody else, and no reference count that frees it. */
function* claimed<T>(future: Future<T>, giveBack: (result: T) => void): CoroutineGenerator<T> {
  try {
    return yield* future;
  } catch (error) {
    if (future.done() && !future.cancelled() && !future._failed) giveBack(future.result());
    throw error;
  }
}

/** asyncio: sock_recv. */
export function sockRecv(loop: BaseSelectorEventLoop, sock: SockLike, maxBytes: number): CoroutineGenerator<Buffer> {
  return tryOrWait(loop, sock, 'read', () => sock.recv(maxBytes));
}

/** The first attempt and the later ones; these would take memory that is gone by then for the end of the stream. */
function intoSameMemory<T>(buffer: Uint8Array, attempt: () => T): [first: () => T, again: () => T] {
  let length = 0;
  return [
    () => {
      length = (buffer as Uint8Array | null)?.length ?? 0;
      return attempt();
    },
    () => {
      if (buffer.length !== length) throw memoryChanged();
      return attempt();
    },
  ];
}

/** asyncio: sock_recv_into. */
export function sockRecvInto(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  buffer: Uint8Array,
): CoroutineGenerator<number> {
  return tryOrWait(loop, sock, 'read', ...intoSameMemory(buffer, () => sock.recvInto(buffer)));
}

/** asyncio: sock_recvfrom. */
export function sockRecvfrom(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  maxBytes: number,
): CoroutineGenerator<[Buffer, Address | null]> {
  return tryOrWait(loop, sock, 'read', () => sock.recvfrom(maxBytes));
}

/** asyncio: sock_recvfrom_into. */
export function sockRecvfromInto(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  buffer: Uint8Array,
  maxBytes: number,
): CoroutineGenerator<[number, Address | null]> {
  return tryOrWait(loop, sock, 'read', ...intoSameMemory(buffer, () => sock.recvfromInto(buffer, maxBytes)));
}

/** asyncio: sock_sendto. */
export function sockSendto(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  data: Uint8Array,
  address: Address,
): CoroutineGenerator<number> {
  return tryOrWait(
    loop,
    sock,
    'write',
    () => sock.sendto(data, address),
    () => sock.sendto(data, 0, address),
  );
}

/** asyncio: sock_sendall. */
export function* sockSendall(loop: BaseSelectorEventLoop, sock: SockLike, data: Uint8Array): CoroutineGenerator<void> {
  checkSocket(loop, sock);
  const total = bytesOf(data).length;
  let sent = 0;
  try {
    sent = sock.send(data);
  } catch (error) {
    if (!isWouldBlock(error)) throw error;
  }
  if (sent === total) return;
  const future = new Future<void>(loop);
  watchUntilDone(loop, sock, 'write', future, () => {
    if (future.done()) return;
    try {
      if (data.length !== total) throw memoryChanged();
      // A view, not a copy: the memory stays the caller's.
      sent += sock.send(data.subarray(sent));
    } catch (error) {
      if (isWouldBlock(error)) return;
      if (isFatal(error)) throw error;
      future._fail(error);
      return;
    }
    if (sent === total) future.setResult();
  });
  yield* future;
}

/** asyncio: sock_accept. */
export function* sockAccept(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
): CoroutineGenerator<[Socket, Address | null]> {
  checkSocket(loop, sock);
  const future = new Future<[Socket, Address | null]>(loop);
  const attempt = (): [Socket, Address | null] => {
    const accepted = sock.accept();
    accepted[0].setblocking(false);
    return accepted;
  };
  settle(future, attempt);
  if (!future.done()) {
    watchUntilDone(loop, sock, 'read', future, () => {
      // Differs from asyncio: a cancelled accept must not take, and lose, a connection (SOCK-040).
      if (!future.done()) settle(future, attempt);
    });
  }
  return yield* claimed(future, ([accepted]) => accepted.close());
}

/** asyncio: sock_connect. */
export function* sockConnect(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  address: Address,
): CoroutineGenerator<void> {
  checkSocket(loop, sock);
  const target = yield* resolvedFor(loop, sock, address);
  const future = new Future<void>(loop);
  startConnect(loop, future, sock, target);
  yield* future;
}

/** Only the internet families have names to resolve. A literal address is connected to in the same step. */
function* resolvedFor(loop: BaseSelectorEventLoop, sock: SocketLike, address: Address): CoroutineGenerator<Address> {
  const { family, type, proto } = sock;
  if (family !== AF_INET && family !== AF_INET6) return address;
  if (!Array.isArray(address) || address.length < 2) {
    throw new ValueError('an address of this family has a host and a port', 'ERR_INVALID_ADDRESS');
  }
  const [host, port, flowInfo, scopeId] = address as readonly [Host, Port, number?, number?];
  const known = numericAddress(host, port, { family, type, proto });
  if (known === null) return (yield* loop.getaddrinfo(host, port, { family, type, proto }))[0].address;
  // The port may have been text.
  const [literal, number] = known.address as InetAddress;
  return family === AF_INET ? [literal, number] : [literal, number, flowInfo, scopeId];
}

function startConnect(loop: BaseSelectorEventLoop, future: Future<void>, sock: SocketLike, address: Address): void {
  try {
    sock.connect(address);
  } catch (error) {
    if (isFatal(error)) throw error;
    // Differs from asyncio: a full backlog of a Unix socket is EAGAIN and no connection is under way (SOCK-036).
    const refused = sock.family === AF_UNIX && (error as { code?: string }).code === 'EAGAIN';
    if (!isWouldBlock(error) || refused) future._fail(error);
    else watchUntilDone(loop, sock, 'write', future, () => finishConnect(future, sock, address));
    return;
  }
  future.setResult();
}

function finishConnect(future: Future<void>, sock: SocketLike, address: Address): void {
  if (future.done()) return;
  settle(future, () => {
    const errno = sock.getsockopt(SOL_SOCKET, SO_ERROR);
    if (errno === 0) return;
    // A number that means "still under way" makes a BlockingIOError, which leaves the future alone.
    throw errorFor(-errno, 'connect', { ...addressFields(address), detail: 'connect call failed' });
  });
}
