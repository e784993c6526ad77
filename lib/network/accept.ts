// accept.ts: from a ready listening socket to a connection with a protocol. asyncio: selector_events._accept_connection.

import { inspect } from 'node:util';

import { ACCEPT_RETRY_DELAY } from '../base/constants';
import { ConnectionAbortedError, isFatal, type OSError } from '../base/errors';
import { logger } from '../base/log';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { Address } from '../sockets/address';
import { acceptOrNull, type SocketLike } from '../sockets/socket-io';
import { makeSSLTransport } from '../tls/make-transport';
import type { SSLSettings } from '../tls/options';
import type { BaseProtocol } from '../transports/protocol';
import type { BaseTransport } from '../transports/transport';
import { TransportSocket } from '../transports/transport-socket';
import type { ProtocolFactory, Server } from './server';

const OUT_OF_RESOURCES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** Accepts on `sock` from now on. asyncio: _start_serving. */
export function startAccepting(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  protocolFactory: ProtocolFactory,
  server: Server | null,
  backlog: number,
  ssl: SSLSettings | null,
): void {
  loop._addReader(sock.fileno(), () => acceptConnections(loop, sock, protocolFactory, server, backlog, ssl));
}

/** asyncio: _stop_serving. */
export function stopAccepting(loop: BaseSelectorEventLoop, sock: SocketLike): void {
  loop._removeReader(sock.fileno());
  sock.close();
}

/** One readiness of the listening socket: as many connections as the backlog, at the most. asyncio: _accept_connection. */
function acceptConnections(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  protocolFactory: ProtocolFactory,
  server: Server | null,
  backlog: number,
  ssl: SSLSettings | null,
): void {
  // Differs from asyncio: with a backlog of 0 it would try never, and spin (ACC-004).
  for (let left = Math.max(backlog, 1); left > 0; left--) {
    let connection: SocketLike;
    let peer: Address | null;
    try {
      const accepted = acceptOrNull(sock);
      if (accepted === null) return;
      [connection, peer] = accepted;
      if (loop.getDebug()) logger.debug(`${inspect(server)} got a new connection from ${inspect(peer)}`);
    } catch (error) {
      if (error instanceof ConnectionAbortedError) return;
      if (!OUT_OF_RESOURCES.has((error as OSError).code)) throw error;
      loop.callExceptionHandler({
        message: 'socket.accept() ran out of system resources',
        exception: error,
        socket: new TransportSocket(sock),
      });
      loop._removeReader(sock.fileno());
      // Differs from asyncio: one report and one restart, and none for a server closed meanwhile (ACC-010, ACC-011).
      loop.callLater(ACCEPT_RETRY_DELAY, () => {
        if (sock.fileno() >= 0) startAccepting(loop, sock, protocolFactory, server, backlog, ssl);
      });
      return;
    }
    const setUp = setUpConnection(loop, connection, protocolFactory, server, { peername: peer }, ssl);
    // As far as it takes the connection over.
    setUp.next();
    try {
      loop.createTask(setUp);
    } catch (error) {
      setUp.return();
      throw error;
    }
  }
}

/** Gives an accepted socket its protocol and transport. asyncio: _accept_connection2. */
function* setUpConnection(
  loop: BaseSelectorEventLoop,
  connection: SocketLike,
  protocolFactory: ProtocolFactory,
  server: Server | null,
  extra: Record<string, unknown>,
  ssl: SSLSettings | null,
): CoroutineGenerator<void> {
  let isBegun = false;
  try {
    // Here it stands until its task's first step. A task that is cancelled before that only ends it.
    yield;
    isBegun = true;
  } finally {
    // Differs from asyncio: no reference count closes what nobody took (ACC-021).
    if (!isBegun) connection.close();
  }
  let protocol: BaseProtocol | null = null;
  let transport: BaseTransport | null = null;
  try {
    protocol = protocolFactory();
    const waiter = loop.createFuture<void>();
    transport =
      ssl === null
        ? loop._makeSocketTransport(connection, protocol, waiter, extra, server)
        : makeSSLTransport(loop, connection, protocol, ssl, waiter, extra, server);
    try {
      yield waiter;
    } catch (error) {
      transport.close();
      throw error;
    }
  } catch (error) {
    // Differs from asyncio: no reference count closes what nobody took (ACC-021).
    if (transport === null) connection.close();
    if (isFatal(error)) throw error;
    if (!loop.getDebug()) return;
    loop.callExceptionHandler({
      message: 'Error on transport creation for incoming connection',
      exception: error,
      ...(protocol === null ? {} : { protocol }),
      ...(transport === null ? {} : { transport }),
    });
  }
}
