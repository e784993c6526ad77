// sock-io.ts: operations on bare sockets that wait through the loop. asyncio: the sock_* coroutines.

import { isFatal, isWouldBlock, ValueError } from '../base/errors';
import { Future } from '../futures/future';
import type { CoroutineGenerator } from '../futures/frame';
import { errorFor, wouldBlock } from '../native/check';
import { addressFields, type Address } from '../sockets/address';
import { AF_INET, AF_INET6, AF_UNIX, SO_ERROR, SOL_SOCKET } from '../sockets/constants';
import {
  numericAddress,
  type AddressInfo,
  type Host,
  type Port,
  type ResolveOptions,
} from '../sockets/numeric-address';
import type { SocketLike } from '../sockets/socket-io';
import type { Handle } from './handle';
import type { BaseSelectorEventLoop } from './selector-event-loop';

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

function checkNonBlocking(loop: BaseSelectorEventLoop, sock: SocketLike): void {
  if (loop.getDebug() && sock.gettimeout() !== 0) throw new ValueError('the socket must be non-blocking');
}

/** Connects `sock`. asyncio: sock_connect. */
export function* sockConnect(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  address: Address,
): CoroutineGenerator<void> {
  checkNonBlocking(loop, sock);
  let target = address;
  if (sock.family === AF_INET || sock.family === AF_INET6) {
    if (!Array.isArray(address) || address.length < 2) throw new ValueError('an address is [host, port]');
    const [host, port] = address as readonly [string, number];
    const { family, type, proto } = sock;
    const numeric = numericAddress(host, port, { family, type, proto });
    if (numeric === null) target = (yield* ensureResolved(loop, host, port, { family, type, proto }))[0].address;
  }
  const future = new Future<void>(loop);
  startConnect(loop, future, sock, target);
  yield* future;
}

function startConnect(loop: BaseSelectorEventLoop, future: Future<void>, sock: SocketLike, address: Address): void {
  try {
    sock.connect(address);
    future.setResult(undefined);
  } catch (error) {
    if (isFatal(error)) throw error;
    // Differs from asyncio: a full backlog of a Unix socket is EAGAIN and no connection is under way (SOCK-036).
    const refused = sock.family === AF_UNIX && (error as { code?: string }).code === 'EAGAIN';
    if (!isWouldBlock(error) || refused) {
      future.setException(error);
      return;
    }
    const fd = sock.fileno();
    loop._ensureFdNoTransport(fd);
    const handle = loop._addWriter(fd, () => finishConnect(future, sock, address));
    future.addDoneCallback(() => stopWriting(loop, fd, handle));
  }
}

function finishConnect(future: Future<void>, sock: SocketLike, address: Address): void {
  if (future.done()) return;
  try {
    const errno = sock.getsockopt(SOL_SOCKET, SO_ERROR);
    if (errno === 0) future.setResult(undefined);
    else if (!wouldBlock(-errno)) {
      future.setException(errorFor(-errno, 'connect', { ...addressFields(address), detail: 'connect call failed' }));
    }
  } catch (error) {
    if (isFatal(error) || isWouldBlock(error)) throw error;
    future.setException(error);
  }
}

function stopWriting(loop: BaseSelectorEventLoop, fd: number, handle: Handle): void {
  if (!handle.cancelled()) loop.removeWriter(fd);
}
