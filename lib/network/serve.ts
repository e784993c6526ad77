// serve.ts: opens listening sockets. asyncio: base_events.create_server.

import { inspect } from 'node:util';

import { DEFAULT_BACKLOG } from '../base/constants';
import { OSError, makeOSError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import { checkOptions, type OptionNames } from '../base/options';
import type { CoroutineGenerator } from '../futures/frame';
import { gather } from '../futures/gather';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { ensureResolved } from '../loop/sock-io';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  socketConstants,
} from '../sockets/constants';
import type { AddressInfo, Host, Port, ResolveOptions } from '../sockets/numeric-address';
import { Socket } from '../sockets/socket';
import { addressFields } from '../sockets/address';
import { serverSettings, sslServerNames, type SSLServerOptions } from '../tls/options';
import { setReusePort } from './reuse-port';
import { checkFactory } from './factory';
import { Server, type ProtocolFactory } from './server';

export interface ServeOptions extends SSLServerOptions {
  /** AF_INET or AF_INET6; both if left out. */
  family?: number;
  /** Flags of getaddrinfo; AI_PASSIVE if left out. */
  flags?: number;
  /** A listening or bound stream socket, instead of host and port. It is the server's from then on. */
  sock?: Socket | null;
  /** Connections that wait in the kernel, and that one turn accepts, at the most. */
  backlog?: number;
  /** SO_REUSEADDR; on by default, but not on Windows. */
  reuseAddress?: boolean | null;
  /** SO_REUSEPORT: several processes share the port. */
  reusePort?: boolean;
  /** Sets SO_KEEPALIVE, which accepted sockets inherit. */
  keepAlive?: boolean;
  /** False to listen later, with `server.startServing()`. */
  startServing?: boolean;
}

const names: OptionNames<ServeOptions> = {
  ...sslServerNames,
  family: true,
  flags: true,
  sock: true,
  backlog: true,
  reuseAddress: true,
  reusePort: true,
  keepAlive: true,
  startServing: true,
};

/** Several hosts, one, or null for every interface. */
export type Hosts = Host | readonly string[];

export function* createServer(
  loop: BaseSelectorEventLoop,
  protocolFactory: ProtocolFactory,
  host: Hosts,
  port: Port,
  options: ServeOptions,
): CoroutineGenerator<Server> {
  checkOptions('createServer', options, names);
  checkFactory(protocolFactory);
  const { sock = null, backlog = DEFAULT_BACKLOG, startServing = true } = options;
  const ssl = serverSettings(options);
  let sockets: Socket[];
  if (host !== null || port !== null) {
    if (sock !== null) throw new ValueError('host and port, or sock, not both');
    sockets = yield* bindAll(loop, host, port, options);
  } else {
    if (sock === null) throw new ValueError('neither host and port nor sock were given');
    if (sock.type !== SOCK_STREAM) throw new ValueError(`a stream socket was expected, not ${inspect(sock)}`);
    sockets = [sock];
  }
  for (const socket of sockets) socket.setblocking(false);
  const server = new Server(loop, sockets, protocolFactory, backlog, ssl);
  if (startServing) yield* server._serveOrClose();
  if (loop.getDebug()) logger.info(`${inspect(server)} is serving`);
  return server;
}

function* bindAll(
  loop: BaseSelectorEventLoop,
  host: Hosts,
  port: Port,
  options: ServeOptions,
): CoroutineGenerator<Socket[]> {
  const several = typeof host === 'object' && host !== null && Symbol.iterator in host;
  const hosts: Host[] = host === '' ? [null] : several ? [...host] : [host];
  // Passive: no host means every interface.
  const { family = 0, flags = socketConstants.AI_PASSIVE } = options;
  const resolved = yield* gather(
    hosts.map((one) => addressesOf(loop, one, port, { family, type: SOCK_STREAM, flags })),
  );
  const infos = resolved.flat();
  const sockets: Socket[] = [];
  try {
    const seen = new Set<string>();
    for (const info of infos) {
      const identity = JSON.stringify([info.family, info.type, info.proto, info.address]);
      if (seen.has(identity)) continue;
      seen.add(identity);
      const socket = openListener(loop, info, options);
      if (socket === null) continue;
      sockets.push(socket);
      bind(socket, info);
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return sockets;
}

function* addressesOf(
  loop: BaseSelectorEventLoop,
  host: Host,
  port: Port,
  options: ResolveOptions,
): CoroutineGenerator<AddressInfo[]> {
  const found = yield* ensureResolved(loop, host, port, options);
  if (found.length > 0) return found;
  throw makeOSError(`getaddrinfo(${String(host)}) returned an empty list`, { code: 'EAI_NODATA', errno: 0 });
}

function openListener(loop: BaseSelectorEventLoop, info: AddressInfo, options: ServeOptions): Socket | null {
  let socket: Socket;
  try {
    socket = new Socket(info.family, info.type, info.proto);
  } catch (error) {
    // The system lacks this family: the others may do.
    if (!(error instanceof OSError)) throw error;
    if (loop.getDebug()) logger.warning(`createServer() failed to create a socket of family ${info.family}`, error);
    return null;
  }
  try {
    if (options.reuseAddress ?? process.platform !== 'win32') socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reusePort === true) setReusePort(socket);
    if (options.keepAlive === true) socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    // One socket for each family: an IPv6 one that took IPv4 too would collide with its neighbour.
    if (info.family === AF_INET6) socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function bind(socket: Socket, info: AddressInfo): void {
  try {
    socket.bind(info.address);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    const { code, errno } = error;
    const message = `error while attempting to bind on address ${inspect(info.address)}: ${error.message}`;
    throw makeOSError(message, { code, errno, syscall: 'bind', cause: error, ...addressFields(info.address) });
  }
}
