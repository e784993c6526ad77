// datagram.ts: opens datagram endpoints. asyncio: base_events.create_datagram_endpoint.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { OSError, typeError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import { checkOptions, type OptionNames } from '../base/options';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { ensureResolved, sockConnect } from '../loop/sock-io';
import type { Address, InetAddress, UnixAddress } from '../sockets/address';
import { AF_UNIX, SO_BROADCAST, SOCK_DGRAM, SOL_SOCKET } from '../sockets/constants';
import { Socket } from '../sockets/socket';
import type { SelectorDatagramTransport } from '../transports/datagram-transport';
import type { DatagramProtocol } from '../transports/protocol';
import { checkFactory } from './factory';
import { setReusePort } from './reuse-port';
import { removeStaleSocket } from './socket-file';
import { untilMade } from './until-made';

export interface DatagramOptions {
  /** Where to listen: [host, port], or a path with AF_UNIX. */
  localAddr?: InetAddress | UnixAddress | null;
  /** Where to send: the endpoint is connected to it. */
  remoteAddr?: InetAddress | UnixAddress | null;
  /** AF_INET, AF_INET6 or AF_UNIX; needed if no address tells it. */
  family?: number;
  proto?: number;
  /** Flags of getaddrinfo. */
  flags?: number;
  /** SO_REUSEPORT: several processes share the port. */
  reusePort?: boolean;
  /** SO_BROADCAST; a remote address is then where to send by default, and the socket is not connected. */
  allowBroadcast?: boolean;
  /** A bound or connected datagram socket, instead of everything else. It is the transport's from then on. */
  sock?: Socket | null;
}

const names: OptionNames<DatagramOptions> = {
  localAddr: true,
  remoteAddr: true,
  family: true,
  proto: true,
  flags: true,
  reusePort: true,
  allowBroadcast: true,
  sock: true,
};

export type DatagramEndpoint<P extends DatagramProtocol> = [transport: SelectorDatagramTransport, protocol: P];

/** One way to open the endpoint. */
interface Candidate {
  family: number;
  proto: number;
  local: Address | null;
  remote: Address | null;
}

export function* createDatagramEndpoint<P extends DatagramProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  options: DatagramOptions,
): CoroutineGenerator<DatagramEndpoint<P>> {
  checkOptions('createDatagramEndpoint', options, names);
  checkFactory(protocolFactory);
  const given = options.sock ?? null;
  let sock: Socket;
  let remote: Address | null = null;
  if (given === null) [sock, remote] = yield* openFirst(loop, yield* candidates(loop, options), options);
  else {
    checkGiven(given, options);
    given.setblocking(false);
    sock = given;
  }
  const waiter = loop.createFuture<void>();
  let protocol: P;
  let transport: SelectorDatagramTransport;
  try {
    protocol = protocolFactory();
    transport = loop._makeDatagramTransport(sock, protocol, remote, waiter, {});
  } catch (error) {
    // Differs from asyncio: nobody took the socket, and no reference count closes it.
    sock.close();
    throw error;
  }
  if (loop.getDebug()) logger.info(`datagram endpoint: ${inspect(transport)}`);
  yield* untilMade(waiter, transport);
  return [transport, protocol];
}

function checkGiven(sock: Socket, options: DatagramOptions): void {
  if (sock.type !== SOCK_DGRAM) throw new ValueError(`a datagram socket was expected, not ${inspect(sock)}`);
  const { sock: _sock, ...others } = options;
  const offending = Object.entries(others).filter(([, value]) => Boolean(value));
  if (offending.length > 0) {
    const names = offending.map(([name, value]) => `${name}=${inspect(value)}`).join(', ');
    throw new ValueError(`socket modifier options cannot be used together with sock: ${names}`);
  }
}

function* candidates(loop: BaseSelectorEventLoop, options: DatagramOptions): CoroutineGenerator<Candidate[]> {
  const { localAddr = null, remoteAddr = null, family = 0, proto = 0, flags = 0 } = options;
  if (localAddr === null && remoteAddr === null) {
    if (family === 0) throw new ValueError('unexpected address family: give a family or an address');
    return [{ family, proto, local: null, remote: null }];
  }
  if (family === AF_UNIX) {
    for (const address of [localAddr, remoteAddr]) {
      if (address !== null && typeof address !== 'string' && !isBytes(address)) {
        throw typeError(`an address of a Unix socket is a path, not ${inspect(address)}`);
      }
    }
    if (localAddr !== null) removeStaleSocket(localAddr as UnixAddress);
    return [{ family, proto, local: localAddr, remote: remoteAddr }];
  }
  const byFamily = new Map<string, Candidate>();
  for (const [side, address] of [
    ['local', localAddr],
    ['remote', remoteAddr],
  ] as const) {
    if (address === null) continue;
    if (!Array.isArray(address) || address.length !== 2) {
      throw typeError(`an address is [host, port], not ${inspect(address)}`);
    }
    const [host, port] = address as InetAddress;
    for (const info of yield* ensureResolved(loop, host, port, { family, type: SOCK_DGRAM, proto, flags })) {
      const key = `${info.family} ${info.proto}`;
      const candidate = byFamily.get(key) ?? { family: info.family, proto: info.proto, local: null, remote: null };
      // The last address of a side counts, as in asyncio.
      candidate[side] = info.address;
      byFamily.set(key, candidate);
    }
  }
  const complete = [...byFamily.values()].filter(
    ({ local, remote }) => (localAddr === null || local !== null) && (remoteAddr === null || remote !== null),
  );
  if (complete.length === 0) throw new ValueError('cannot get address information');
  return complete;
}

function* openFirst(
  loop: BaseSelectorEventLoop,
  all: readonly Candidate[],
  options: DatagramOptions,
): CoroutineGenerator<[Socket, Address | null]> {
  const errors: unknown[] = [];
  for (const { family, proto, local, remote } of all) {
    let sock: Socket | null = null;
    try {
      sock = new Socket(family, SOCK_DGRAM, proto);
      if (options.reusePort === true) setReusePort(sock);
      if (options.allowBroadcast === true) sock.setsockopt(SOL_SOCKET, SO_BROADCAST, 1);
      if (local !== null) sock.bind(local);
      if (remote !== null && options.allowBroadcast !== true) yield* sockConnect(loop, sock, remote);
      return [sock, remote];
    } catch (error) {
      sock?.close();
      if (!(error instanceof OSError)) throw error;
      errors.push(error);
    }
  }
  throw errors[0] as Error;
}
