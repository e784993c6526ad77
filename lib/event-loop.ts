// event-loop.ts: the loop that users have: every verb, one line each. What a verb does is in the folder of its subject.

import { Coroutine } from './futures/coroutine';
import type { Future } from './futures/future';
import { BaseSelectorEventLoop, type SelectorLoopOptions } from './loop/selector-event-loop';
import { sockConnect } from './loop/sock-io';
import { createConnection, type ConnectOptions, type Connection } from './network/connect';
import { resolve } from './network/resolve';
import { createServer, type Hosts, type ServeOptions } from './network/serve';
import type { ProtocolFactory, Server } from './network/server';
import type { Address } from './sockets/address';
import type { AddressInfo, Host, Port, ResolveOptions } from './sockets/numeric-address';
import type { SocketLike } from './sockets/socket-io';
import type { BaseProtocol } from './transports/protocol';
import type { Attachable } from './transports/selector-transport';
import { SelectorSocketTransport } from './transports/socket-transport';

/** The event loop. asyncio: SelectorEventLoop. */
export class SelectorEventLoop extends BaseSelectorEventLoop {
  /**
   * Listens, and makes a protocol for each connection. asyncio: create_server.
   * @param host a host, several, or null (or '') for every interface
   * @param port a number; 0 lets the system choose
   * @throws (when awaited) ValueError for arguments that do not fit, OSError (EADDRINUSE, ...)
   */
  createServer(
    protocolFactory: ProtocolFactory,
    host: Hosts = null,
    port: Port = null,
    options: ServeOptions = {},
  ): Coroutine<Server> {
    return new Coroutine(createServer(this, protocolFactory, host, port, options), this);
  }

  /**
   * Connects, makes a protocol and gives [transport, protocol]. asyncio: create_connection.
   * @throws (when awaited) ValueError for arguments that do not fit, OSError (ECONNREFUSED, ...)
   */
  createConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    host: Host = null,
    port: Port = null,
    options: ConnectOptions = {},
  ): Coroutine<Connection<P>> {
    return new Coroutine(createConnection(this, protocolFactory, host, port, options), this);
  }

  /** Connects a bare socket. asyncio: sock_connect. @throws (when awaited) OSError, ValueError */
  sockConnect(sock: SocketLike, address: Address): Coroutine<void> {
    return new Coroutine(sockConnect(this, sock, address), this);
  }

  /** Every address of a host. asyncio: getaddrinfo. @throws (when awaited) OSError (ENOTFOUND, ...) */
  getaddrinfo(host: Host, port: Port, options: ResolveOptions = {}): Coroutine<AddressInfo[]> {
    return resolve(this, host, port, options);
  }

  /** @internal */
  _makeSocketTransport(
    sock: SocketLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
    server: Attachable | null = null,
  ): SelectorSocketTransport {
    this._ensureFdNoTransport(sock);
    return new SelectorSocketTransport(this, sock, protocol, waiter, extra, server);
  }
}

/** A new loop. asyncio: new_event_loop. */
export function newEventLoop(options: SelectorLoopOptions = {}): SelectorEventLoop {
  return new SelectorEventLoop(options);
}
