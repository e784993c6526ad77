// unix.ts: stream connections and servers over Unix sockets. asyncio: unix_events.create_unix_connection,
// create_unix_server.

import { inspect } from 'node:util';

import { DEFAULT_BACKLOG } from '../base/constants';
import { makeOSError, OSError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import { checkOptions, type OptionNames } from '../base/options';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { sockConnect } from '../loop/sock-io';
import type { UnixAddress } from '../sockets/address';
import { AF_UNIX, SOCK_STREAM } from '../sockets/constants';
import { Socket } from '../sockets/socket';
import type { BaseProtocol } from '../transports/protocol';
import {
  clientSettings,
  serverSettings,
  sslClientNames,
  type SSLClientOptions,
  sslServerNames,
  type SSLServerOptions,
} from '../tls/options';
import { attachProtocol, type AnyConnection } from './attach';
import { checkFactory } from './factory';
import { removeStaleSocket } from './socket-file';
import { Server, type ProtocolFactory } from './server';

export interface UnixConnectOptions extends SSLClientOptions {
  /** A connected Unix stream socket, instead of a path. It is the transport's from then on. */
  sock?: Socket | null;
}

export interface UnixServeOptions extends SSLServerOptions {
  /** A bound Unix stream socket, instead of a path. It is the server's from then on. */
  sock?: Socket | null;
  /** Connections that wait in the kernel, and that one turn accepts, at the most. */
  backlog?: number;
  /** False to listen later, with `server.startServing()`. */
  startServing?: boolean;
}

const connectNames: OptionNames<UnixConnectOptions> = { ...sslClientNames, sock: true };
const serveNames: OptionNames<UnixServeOptions> = { ...sslServerNames, sock: true, backlog: true, startServing: true };

function checkUnixStream(sock: Socket): void {
  if (sock.family !== AF_UNIX || sock.type !== SOCK_STREAM) {
    throw new ValueError(`a Unix stream socket was expected, not ${inspect(sock)}`);
  }
}

/** Exactly one of path and socket. */
function choose(path: UnixAddress | null, sock: Socket | null): { path: UnixAddress } | { sock: Socket } {
  if (path !== null) {
    if (sock !== null) throw new ValueError('a path or sock, not both');
    return { path };
  }
  if (sock === null) throw new ValueError('neither a path nor sock was given');
  checkUnixStream(sock);
  return { sock };
}

export function* createUnixConnection<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  path: UnixAddress | null,
  options: UnixConnectOptions,
): CoroutineGenerator<AnyConnection<P>> {
  checkOptions('createUnixConnection', options, connectNames);
  checkFactory(protocolFactory);
  const ssl = clientSettings(options, null);
  const chosen = choose(path, options.sock ?? null);
  if ('sock' in chosen) return yield* attachProtocol(loop, chosen.sock, protocolFactory, ssl);
  const socket = new Socket(AF_UNIX, SOCK_STREAM);
  try {
    yield* sockConnect(loop, socket, chosen.path);
  } catch (error) {
    socket.close();
    throw error;
  }
  return yield* attachProtocol(loop, socket, protocolFactory, ssl);
}

export function* createUnixServer(
  loop: BaseSelectorEventLoop,
  protocolFactory: ProtocolFactory,
  path: UnixAddress | null,
  options: UnixServeOptions,
): CoroutineGenerator<Server> {
  checkOptions('createUnixServer', options, serveNames);
  checkFactory(protocolFactory);
  const ssl = serverSettings(options);
  const chosen = choose(path, options.sock ?? null);
  const socket = 'sock' in chosen ? chosen.sock : bindTo(chosen.path);
  socket.setblocking(false);
  const server = new Server(loop, [socket], protocolFactory, options.backlog ?? DEFAULT_BACKLOG, ssl);
  if (options.startServing ?? true) yield* server._serveOrClose();
  if (loop.getDebug()) logger.info(`${inspect(server)} is serving`);
  return server;
}

function bindTo(path: UnixAddress): Socket {
  const socket = new Socket(AF_UNIX, SOCK_STREAM);
  try {
    removeStaleSocket(path);
    socket.bind(path);
    return socket;
  } catch (error) {
    socket.close();
    if (error instanceof OSError && error.code === 'EADDRINUSE') {
      const { code, errno } = error;
      const text = `address ${inspect(path)} is already in use`;
      throw makeOSError(text, { code, errno, syscall: 'bind', address: String(path), cause: error });
    }
    throw error;
  }
}
