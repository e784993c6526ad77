// make-transport.ts: a TLS transport for a socket. asyncio: selector_events._make_ssl_transport.

import type { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { SocketLike } from '../sockets/socket-io';
import type { BaseProtocol } from '../transports/protocol';
import type { Attachable } from '../transports/selector-transport';
import type { SSLSettings } from './options';
import { SSLProtocol } from './ssl-protocol';
import type { SSLTransport } from './ssl-transport';

/** The waiter is done when the handshake is. It is the raw transport that counts for the server. */
export function makeSSLTransport(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  protocol: BaseProtocol,
  settings: SSLSettings,
  waiter: Future<void> | null,
  extra: Record<string, unknown>,
  server: Attachable | null,
): SSLTransport {
  loop._ensureFdNoTransport(sock);
  const sslProtocol = new SSLProtocol(loop, protocol, settings, waiter);
  loop._makeSocketTransport(sock, sslProtocol, null, extra, server);
  return sslProtocol._appTransport;
}
