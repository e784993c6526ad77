// attach.ts: a protocol and a transport for a connected socket. asyncio: base_events._create_connection_transport,
// connect_accepted_socket.

import { inspect } from 'node:util';

import { ValueError } from '../base/errors';
import { logger } from '../base/log';
import { checkOptions } from '../base/options';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { SOCK_STREAM } from '../sockets/constants';
import type { SocketLike } from '../sockets/socket-io';
import type { BaseProtocol } from '../transports/protocol';
import { serverSettings, sslServerNames, type SSLServerOptions, type SSLSettings } from '../tls/options';
import { makeSSLTransport } from '../tls/make-transport';
import type { SSLTransport } from '../tls/ssl-transport';
import type { SelectorSocketTransport } from '../transports/socket-transport';
import type { Transport } from '../transports/transport';
import { checkFactory } from './factory';
import { untilMade } from './until-made';

/** What a connecting verb gives. */
export type Connection<P extends BaseProtocol, T extends Transport = SelectorSocketTransport> = [
  transport: T,
  protocol: P,
];

/** What a connecting verb gives, with TLS or without. */
export type AnyConnection<P extends BaseProtocol> = Connection<P, SelectorSocketTransport | SSLTransport>;

/** @throws ValueError unless `sock` is a stream socket */
export function checkStream(sock: SocketLike): void {
  if (sock.type !== SOCK_STREAM) throw new ValueError(`a stream socket was expected, not ${inspect(sock)}`);
}

/**
 * The socket is the transport's from here on, and closed if nothing comes of it.
 * @param ssl how to speak TLS, or null
 */
export function* attachProtocol<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  socket: SocketLike,
  protocolFactory: () => P,
  ssl: SSLSettings | null,
): CoroutineGenerator<AnyConnection<P>> {
  const waiter = loop.createFuture<void>();
  let protocol: P;
  let transport: SelectorSocketTransport | SSLTransport;
  try {
    socket.setblocking(false);
    protocol = protocolFactory();
    transport =
      ssl === null
        ? loop._makeSocketTransport(socket, protocol, waiter, {}, null)
        : makeSSLTransport(loop, socket, protocol, ssl, waiter, {}, null);
  } catch (error) {
    // Differs from asyncio: nobody took the socket, and no reference count closes it.
    socket.close();
    throw error;
  }
  yield* untilMade(waiter, transport);
  return [transport, protocol];
}

/** asyncio: connect_accepted_socket. */
export function* connectAcceptedSocket<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  sock: SocketLike,
  options: SSLServerOptions,
): CoroutineGenerator<AnyConnection<P>> {
  checkOptions('connectAcceptedSocket', options, sslServerNames);
  checkFactory(protocolFactory);
  checkStream(sock);
  // asyncio says it this way here, and by a TypeError where a server is made (TLS-005, SRV-022).
  if ((options.ssl as unknown) === true)
    throw new ValueError('the server of TLS needs options with a key and a certificate');
  const connection = yield* attachProtocol(loop, sock, protocolFactory, serverSettings(options));
  if (loop.getDebug()) logger.debug(`${inspect(sock)} handled: ${inspect(connection[0])}`);
  return connection;
}
