// connect.ts: opens connections. asyncio: base_events.create_connection.

import { inspect } from 'node:util';

import { makeOSError, OSError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { ensureResolved, sockConnect } from '../loop/sock-io';
import { addressFields } from '../sockets/address';
import { SOCK_STREAM } from '../sockets/constants';
import type { AddressInfo, Host, Port } from '../sockets/numeric-address';
import { Socket } from '../sockets/socket';
import type { BaseProtocol } from '../transports/protocol';
import type { SelectorSocketTransport } from '../transports/socket-transport';

export interface ConnectOptions {
  /** AF_INET or AF_INET6; whatever the host has if left out. */
  family?: number;
  proto?: number;
  /** Flags of getaddrinfo. */
  flags?: number;
  /** A connected stream socket, instead of host and port. It is the transport's from then on. */
  sock?: Socket | null;
  /** Where to connect from: [host, port]. */
  localAddress?: readonly [host: Host, port: Port] | null;
  /** True to fail with an AggregateError of every attempt's error. */
  allErrors?: boolean;
}

export type Connection<P extends BaseProtocol> = [transport: SelectorSocketTransport, protocol: P];

export function* createConnection<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  host: Host,
  port: Port,
  options: ConnectOptions,
): CoroutineGenerator<Connection<P>> {
  const { sock = null } = options;
  let socket: Socket;
  if (host !== null || port !== null) {
    if (sock !== null) throw new ValueError('host and port, or sock, not both');
    socket = yield* connectToFirst(loop, host, port, options);
  } else {
    if (sock === null) throw new ValueError('neither host and port nor sock were given');
    if (sock.type !== SOCK_STREAM) throw new ValueError(`a stream socket was expected, not ${inspect(sock)}`);
    socket = sock;
  }
  const connection = yield* attachProtocol(loop, socket, protocolFactory);
  if (loop.getDebug()) logger.debug(`${inspect(socket)} connected to ${inspect(host)}:${String(port)}`);
  return connection;
}

/** A protocol and a transport for a connected socket. asyncio: _create_connection_transport. */
function* attachProtocol<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  socket: Socket,
  protocolFactory: () => P,
): CoroutineGenerator<Connection<P>> {
  let transport: SelectorSocketTransport | null = null;
  let protocol: P;
  const waiter = loop.createFuture<void>();
  try {
    socket.setblocking(false);
    protocol = protocolFactory();
    transport = loop._makeSocketTransport(socket, protocol, waiter, {}, null);
  } catch (error) {
    // Nobody took the socket, and no reference count closes it.
    if (transport === null) socket.close();
    throw error;
  }
  try {
    yield* waiter;
  } catch (error) {
    transport.close();
    throw error;
  }
  return [transport, protocol];
}

function* connectToFirst(
  loop: BaseSelectorEventLoop,
  host: Host,
  port: Port,
  options: ConnectOptions,
): CoroutineGenerator<Socket> {
  const { family = 0, proto = 0, flags = 0, localAddress = null, allErrors = false } = options;
  const wanted = { family, type: SOCK_STREAM, proto, flags };
  const remotes = yield* ensureResolved(loop, host, port, wanted);
  if (remotes.length === 0) throw noAddresses(host);
  let locals: AddressInfo[] | null = null;
  if (localAddress !== null) {
    locals = yield* ensureResolved(loop, localAddress[0], localAddress[1], wanted);
    if (locals.length === 0) throw noAddresses(localAddress[0]);
  }
  const errors: OSError[] = [];
  for (const remote of remotes) {
    const socket = yield* attempt(loop, remote, locals, errors);
    if (socket !== null) return socket;
  }
  throw allErrors ? new AggregateError(errors, 'createConnection() failed') : combined(errors);
}

/** One attempt: null, and one more error in `errors`, if the system refused. asyncio: _connect_sock. */
function* attempt(
  loop: BaseSelectorEventLoop,
  remote: AddressInfo,
  locals: AddressInfo[] | null,
  errors: OSError[],
): CoroutineGenerator<Socket | null> {
  let socket: Socket | null = null;
  try {
    socket = new Socket(remote.family, remote.type, remote.proto);
    if (locals !== null) bindLocal(socket, remote.family, locals);
    yield* sockConnect(loop, socket, remote.address);
    return socket;
  } catch (error) {
    socket?.close();
    if (!(error instanceof OSError)) throw error;
    errors.push(error);
    return null;
  }
}

function bindLocal(socket: Socket, family: number, locals: readonly AddressInfo[]): void {
  let last: OSError | null = null;
  for (const local of locals) {
    // A local address of another family cannot be used for this one.
    if (local.family !== family) continue;
    try {
      socket.bind(local.address);
      return;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      const { code, errno } = error;
      const message = `error while attempting to bind on address ${inspect(local.address)}: ${error.message}`;
      last = makeOSError(message, { code, errno, syscall: 'bind', cause: error, ...addressFields(local.address) });
    }
  }
  throw (
    last ?? makeOSError(`no matching local address with family ${family} found`, { code: 'EADDRNOTAVAIL', errno: 0 })
  );
}

function noAddresses(host: Host): OSError {
  return makeOSError(`getaddrinfo(${String(host)}) returned an empty list`, { code: 'EAI_NODATA', errno: 0 });
}

function combined(errors: readonly OSError[]): OSError {
  const first = errors[0];
  if (errors.every((error) => error.message === first.message)) return first;
  const message = `Multiple exceptions: ${errors.map((error) => error.message).join(', ')}`;
  return new OSError(message, { code: first.code, errno: first.errno, cause: new AggregateError(errors) });
}
